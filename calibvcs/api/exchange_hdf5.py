"""``export_hdf5``, ``import_hdf5`` and ``diff_hdf5``: files of the Detector Calibration Store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from calibvcs.api import given
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.dcs.export_hdf5 import Hdf5Export
    from calibvcs.ops.diff import Diff
    from calibvcs.ops.exchange.taking_over import TakenOver


class Hdf5Verbs:
    """The verbs of a `Repository` that exchange constants with files in HDF5."""

    _session: Session

    def export_hdf5(
        self,
        target: str | os.PathLike[str],
        *,
        detectors: Sequence[str] = (),
        ctypes: Sequence[str] = (),
        since: TimeLike | None = None,
        until: TimeLike | None = None,
        versions: Literal["default", "all"] = "default",
        compression: Literal["none", "gzip", "lzf"] = "none",
        at: str | None = None,
    ) -> Hdf5Export:
        """Write constants into HDF5 files, one a detector, in the schema of the Detector Calibration Store.

        A file appears whole or not at all, and replaces one that an export wrote, but no other one. Withdrawn
        constants are left out. One payload at a time is in memory.

        Parameters
        ----------
        target : str or path
            Folder for files ``<dettype>-<detid>.h5``; or a file, where its name ends in ``.h5`` or ``.hdf5``, for one
            detector.
        detectors : sequence of str, optional
            Names, aliases or globs; default is all that have constants.
        ctypes : sequence of str, optional
            Names or globs; default is all.
        since, until : time, optional
            Only ranges that are valid at some time in between; default is no bound.
        versions : {"default", "all"}, optional
            The defaults, or every version there ever was.
        compression : {"none", "gzip", "lzf"}, optional
            How arrays are compressed.
        at : str, optional
            Branch, tag, commit or date: the state of the repository to read; default is the newest commit.

        Returns
        -------
        Hdf5Export
            ``.files``, what was written; ``.left_out``, what was not, with the reasons; ``.commit``.

        Raises
        ------
        UnknownDetectorError, UnknownRevisionError
            If a detector or `at` is not there.
        InvalidOptionError
            If one file is given for several detectors, there is nothing to be written, or an option is not allowed.
        AlreadyExistsError
            If there is a file that no export wrote.
        NotWritableError, StorageError
            If the disk is full, fails or is read-only.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.

        Examples
        --------
        >>> done = repository.export_hdf5("hdf5", detectors=["front"], ctypes=["pedestals"], versions="all")
        >>> [(file.detector, file.ranges, file.versions) for file in done.files]
        [('jungfrau-000001', 2, 2)]
        """
        from calibvcs.ops.dcs.export_hdf5 import Wanted, export_hdf5

        if versions not in {"default", "all"}:
            raise InvalidOptionError("--versions", str(versions), "default or all")
        if compression not in {"none", "gzip", "lzf"}:
            raise InvalidOptionError("--compress", str(compression), "none, gzip or lzf")
        catalogue = self._session.catalogue(at)
        bounds = [None if time is None else self._session.seconds(catalogue, time) for time in (since, until)]
        wanted = Wanted(
            given.texts("detectors", detectors), given.texts("ctypes", ctypes), bounds[0], bounds[1], versions
        )
        return export_hdf5(catalogue, Path(target), wanted, compression, self._session.now())

    def import_hdf5(
        self,
        path: str | os.PathLike[str],
        *,
        ctypes: Sequence[str] = (),
        when: TimeLike | None = None,
        version: int | None = None,
        detector: str = "",
        dry_run: bool = False,
    ) -> TakenOver:
        """Take over a file of the Detector Calibration Store, each version as a commit of its own time and author.

        Default, parameters, history, predecessor and successor come along. Taking over the same again changes nothing.

        Parameters
        ----------
        path : str or path
            The file.
        ctypes : sequence of str, optional
            Calibration types of the file; default is all.
        when : time, optional
            Only the range of each ctype that the file's own rule chooses for this time.
        version : int, optional
            Only versions of this number, as the file counts.
        detector : str, optional
            Name to take it over under; default is that of the file, in lower case.
        dry_run : bool, optional
            Whether to try it only.

        Returns
        -------
        TakenOver
            ``.added``, ``.known``, ``.defaults``; ``.passed_over``, what could not be taken, with the reasons.

        Raises
        ------
        MissingFileError
            If the file cannot be read.
        InvalidDataError
            If it is no such file, is damaged, or its detector has no name that is one here.
        InvalidOptionError
            If the file has nothing of what is asked for.
        LockedError
            If a default here is protected.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.dcs.import_hdf5 import Part, import_hdf5

        if version is not None and version < 1:
            raise InvalidOptionError("--version", str(version), "versions count from 1")
        store = self._session.writable(dry_run=dry_run)
        time = None if when is None else self._session.seconds(self._session.catalogue(), when)
        part = Part(given.texts("ctypes", ctypes), time, version, detector)
        return import_hdf5(store, self._session.author(), os.fspath(path), part)

    def diff_hdf5(self, a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Diff:
        """Compare a file with the repository, or two files: every version, and what is noted at every level.

        Parameters
        ----------
        a, b : str or path
            Files whose names end in ``.h5`` or ``.hdf5``, one at least; the other may be a detector (``DET``,
            ``DET@REVISION``), or a revision, at which the detector of the file is meant.

        Returns
        -------
        Diff
            ``.same``; ``.constants``, what differs, b minus a. What calibvcs adds to a file is not compared.

        Raises
        ------
        MissingFileError, InvalidDataError
            If a file cannot be read.
        UnknownDetectorError, UnknownRevisionError
            If the repository has no such detector or state.
        InvalidOptionError
            If none of both is a file.
        """
        from calibvcs.ops.dcs.diff_hdf5 import diff_hdf5

        return diff_hdf5(self._session.catalogue(), os.fspath(a), os.fspath(b), self._session.now())


def diff_hdf5_files(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Diff:
    """Compare two files of the Detector Calibration Store; no repository is needed.

    Parameters
    ----------
    a, b : str or path
        The files.

    Returns
    -------
    Diff
        What differs, b minus a.

    Raises
    ------
    MissingFileError, InvalidDataError
        If a file cannot be read.
    """
    from calibvcs.ops.dcs.diff_hdf5 import diff_hdf5

    return diff_hdf5(None, os.fspath(a), os.fspath(b))
