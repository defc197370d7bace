"""The verbs that exchange constants with folders of files: legacy calib directories, plain files, trees."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.api import given
from calibvcs.errors import InvalidOptionError
from calibvcs.model.names import parse_ctype, parse_experiment
from calibvcs.model.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from calibvcs.api.session import Session
    from calibvcs.model.names import DetectorName
    from calibvcs.model.runs import RunTable
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.exchange.export_calibdir import CalibdirExported
    from calibvcs.ops.exchange.export_npy import NpyExported
    from calibvcs.ops.exchange.import_tree import ImportedTree
    from calibvcs.ops.exchange.overlay import Overlaid
    from calibvcs.ops.exchange.taking_over import TakenOver


class CalibdirVerbs:
    """The verbs of a `Repository` that exchange constants with folders of files."""

    _session: Session

    def import_calibdir(
        self,
        folder: str | os.PathLike[str],
        *,
        mapping: Sequence[str] = (),
        experiment: str = "",
        run_table: str | os.PathLike[str] | None = None,
        backups: bool = False,
        skip_unreadable: bool = False,
        timezone: str = "UTC",
        dry_run: bool = False,
    ) -> TakenOver:
        """Take over the files of a legacy calib directory of LCLS.

        For every run of the run table, `get` then gives what LCLS' readers took from the directory. Each file becomes
        a commit; HISTORY tells author, time and comment, where it does. To take over the same again changes nothing.

        Parameters
        ----------
        folder : str or path
            The directory with the folders ``<group>::CalibV1``, or one that holds it as ``calib``.
        mapping : sequence of str, optional
            ``SOURCE=DETNAME``, for example ``CxiDs2.0:Cspad.0=cspad-000001``. Other sources are looked up in the
            aliases, then in the long names of detectors; else ``CxiDs2.0:Cspad.0`` is ``cspad-cxids2.0-cspad.0``.
        experiment : str, optional
            Experiment whose run table tells when the runs were.
        run_table : str or path, optional
            File that tells it in its place: CSV with ``run,begin,end``, or TOML as ``experiments/*.toml``.
        backups : bool, optional
            Whether backups (``0-end.data-2016-05-01-10:11:12``) are taken in as older versions.
        skip_unreadable : bool, optional
            Whether files whose data cannot be read are passed over, and not refused.
        timezone : str, optional
            Zone of the clock that wrote HISTORY, for example ``America/Los_Angeles``.
        dry_run : bool, optional
            Whether to try only.

        Returns
        -------
        TakenOver
            ``.added``, the new versions; ``.known``, what was here already; ``.detectors``, what was registered;
            ``.passed_over``, files that readers pass over, each with the reason.

        Raises
        ------
        MissingFileError
            If a file or the directory cannot be read.
        InvalidDataError
            If the begins of runs are not known, which are listed, or data cannot be read; nothing was changed.
        InvalidOptionError, InvalidNameError
            If `mapping` or `timezone` cannot be understood, or a source may mean several detectors.
        LockedError
            If a default here is protected.
        """
        from calibvcs.ops.exchange.calib_sources import parse_mapping
        from calibvcs.ops.exchange.import_calibdir import CalibdirImport, import_calibdir

        how = CalibdirImport(
            parse_mapping(given.texts("mapping", mapping)),
            _runs(self._session.catalogue(), experiment, run_table),
            _zone(timezone),
            backups,
            skip_unreadable,
        )
        store = self._session.writable(dry_run=dry_run)
        return import_calibdir(store, self._session.author(), Path(folder), how)

    def export_calibdir(
        self,
        folder: str | os.PathLike[str],
        *,
        detectors: Sequence[str] = (),
        mapping: Sequence[str] = (),
        experiment: str = "",
        run_table: str | os.PathLike[str] | None = None,
        decimals: int | None = None,
        at: str | None = None,
    ) -> CalibdirExported:
        """Write constants as a legacy calib directory of LCLS.

        For every run of the run table, LCLS' readers then choose what `get` chooses. Each file appears whole or not at
        all; one that stood there with other values is kept under its name and the time.

        Parameters
        ----------
        folder : str or path
            The directory; it is made where it is not there.
        detectors : sequence of str, optional
            Names or aliases; default is all detectors.
        mapping : sequence of str, optional
            ``SOURCE=DETNAME``, for detectors of which it is not known how the DAQ of LCLS-I calls them.
        experiment, run_table
            As for `import_calibdir`; without them, only what is valid always can be written.
        decimals : int, optional
            Decimals of real numbers, 3 as LCLS' own programs write them. Default is exact.
        at : str, optional
            Branch, tag, commit or date; default is the newest commit.

        Returns
        -------
        CalibdirExported
            ``.files``; ``.left_out``, what is withdrawn or for no run; ``.notes``, what is not exactly as it is here.

        Raises
        ------
        InvalidOptionError
            If it is not known how a detector is called, or several are called alike.
        UnknownDetectorError, UnknownRevisionError
            If a detector or the revision is not there.
        NotWritableError, StorageError
            If the disk refuses; what was written before stays.
        """
        from calibvcs.ops.exchange.calib_sources import parse_mapping
        from calibvcs.ops.exchange.export_calibdir import CalibdirExport, export_calibdir

        catalogue = self._session.catalogue(at)
        how = CalibdirExport(
            _detectors(self._session, catalogue, detectors),
            parse_mapping(given.texts("mapping", mapping)),
            _runs(catalogue, experiment, run_table),
            decimals,
        )
        return export_calibdir(catalogue, Path(folder), how)

    def in_overlay(
        self,
        folder: str | os.PathLike[str],
        detector: str,
        ctype: str,
        when: TimeLike,
        *,
        at: str | None = None,
        output: str | os.PathLike[str] | None = None,
    ) -> Overlaid | None:
        """Return what a calib directory has for a run; where it has nothing, the repository is meant.

        Parameters
        ----------
        folder : str or path
            The calib directory, or a folder that holds one as ``calib``.
        detector, ctype
            As for `get`.
        when : time
            ``EXPERIMENT:RUN``, or a time in a run of the run table.
        at : str, optional
            As for `get`.
        output : str or path, optional
            File to write the data to, as `choose` does: an array as ``.npy``. ``-`` is standard output.

        Returns
        -------
        Overlaid or None
            ``.path``, ``.load()`` for the data, and why it was chosen. None where the directory has nothing.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the folder is no calib directory, or the file cannot be read.
        UnknownDetectorError
            If the name means nothing.
        InvalidOptionError
            If it is not known which run was going on at the time.
        """
        from calibvcs.ops.exchange.overlay import find, write

        catalogue = self._session.catalogue(at)
        found = find(catalogue, Path(folder), detector, ctype, parse_time(when), self._session.now())
        return found if found is None or output is None else write(found, os.fspath(output))

    def export_npy(
        self,
        folder: str | os.PathLike[str],
        *,
        detectors: Sequence[str] = (),
        ctypes: Sequence[str] = (),
        when: TimeLike | None = None,
        at: str | None = None,
    ) -> NpyExported:
        """Write constants as plain files: ``<detname>/<ctype>/data.npy`` or ``geometry.txt``, and ``meta.toml``.

        Parameters
        ----------
        folder : str or path
            A new folder, or an empty one; it appears whole or not at all.
        detectors : sequence of str, optional
            Names or aliases; default is all detectors.
        ctypes : sequence of str, optional
            Default is all ctypes.
        when : time, optional
            What is in force then. Default is the default of every range, in a folder of its range.
        at : str, optional
            Branch, tag, commit or date; default is the newest commit.

        Returns
        -------
        NpyExported
            ``.files``, each with constant, version and commit; the same stands in ``index.json``.

        Raises
        ------
        AlreadyExistsError
            If the folder holds something.
        UnknownConstantError, UnknownDetectorError
            If nothing is selected, or a detector is not there.
        NotWritableError, StorageError
            If the disk refuses; nothing is left then.
        """
        from calibvcs.ops.exchange.export_npy import export_npy

        catalogue = self._session.catalogue(at)
        time = None if when is None else self._session.seconds(catalogue, when)
        wanted = [parse_ctype(ctype) for ctype in given.texts("ctypes", ctypes)]
        return export_npy(catalogue, Path(folder), _detectors(self._session, catalogue, detectors, time), wanted, time)

    def import_tree(self, folder: str | os.PathLike[str], *, message: str = "", dry_run: bool = False) -> ImportedTree:
        """Commit a folder of constants, detectors and tables in the layout of the repository: all of it or nothing.

        Parameters
        ----------
        folder : str or path
            A tree in format 1, as ``git archive`` writes it.
        message : str, optional
            Why.
        dry_run : bool, optional
            Whether to try only.

        Returns
        -------
        ImportedTree
            The constants, the number of files, and the commit.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the folder cannot be read, or breaks the format.
        AlreadyExistsError, LockedError, NothingToChangeError
            If a record here is another one, a default is protected, or everything is here already.
        """
        from calibvcs.ops.exchange.import_tree import import_tree

        store = self._session.writable(dry_run=dry_run)
        return import_tree(store, self._session.author(), Path(folder), message)


def _detectors(
    session: Session, catalogue: Catalogue, names: Sequence[str], time: float | None = None
) -> tuple[DetectorName, ...]:
    moment = session.now() if time is None else time
    return tuple(dict.fromkeys(catalogue.resolve(name, moment) for name in given.texts("detectors", names)))


def _runs(catalogue: Catalogue, experiment: str, file: str | os.PathLike[str] | None) -> RunTable:
    from calibvcs.model.runs import RunTable
    from calibvcs.ops.exchange.run_ranges import read_run_table

    if experiment:
        parse_experiment(experiment)
    if file is not None:
        return read_run_table(Path(file), experiment)
    return catalogue.run_table(experiment) if experiment else RunTable("")


def _zone(name: str) -> tzinfo:
    from datetime import UTC
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        allowed = "no zone of this name is known here"
        raise InvalidOptionError("--timezone", name, allowed, "for example America/Los_Angeles") from None
