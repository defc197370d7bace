"""``import_psana``: constants that a psana calibration database keeps come in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.api import given
from calibvcs.model.names import DetectorName, parse_experiment
from calibvcs.model.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.exchange.import_psana import ImportedPsana


class PsanaVerbs:
    """The verb of a `Repository` that takes over what psana keeps."""

    _session: Session

    def import_psana(
        self,
        where: str | os.PathLike[str],
        *,
        detectors: Sequence[str] = (),
        experiments: Sequence[str] = (),
        run_table: str | os.PathLike[str] | None = None,
        since: TimeLike | None = None,
        dry_run: bool = False,
    ) -> ImportedPsana:
        """Take over documents and data of a psana calibration database, each as a commit of its own time and author.

        No pickle is ever loaded, and no shape evaluated. Everything is read and checked before the first commit.

        Parameters
        ----------
        where : str or path
            Address of the web service, for example ``https://pswww.slac.stanford.edu/ws``; or a dump: the archive that
            ``cdb export`` writes, a folder of ``mongodump``, or a folder of files that ``cdb get`` wrote.
        detectors : sequence of str, optional
            Detectors, by psana's short name ``jungfrau_000003`` or as ``jungfrau-000003``; default is all.
        experiments : sequence of str, optional
            Experiments; default is all.
        run_table : str or path, optional
            CSV (``run,begin,end``) or TOML with the runs of one experiment: of `experiments`, else the one that the
            file is named after. Default is what the repository knows.
        since : time, optional
            Only documents that were made at or after this time.
        dry_run : bool, optional
            Whether to try only: everything is read and checked, nothing is changed.

        Returns
        -------
        ImportedPsana
            ``.added``, new versions; ``.known``, constants that were here already; ``.passed_over``, documents that did
            not come in, with the reasons; ``.copies``, how many were copies; ``.notes``, what to look at.

        Raises
        ------
        InvalidOptionError
            If the address cannot be used, or the database has nothing of what was named.
        InvalidNameError, InvalidTimeError
            If a name or a time cannot be read.
        MissingFileError
            If the dump or the run table cannot be read.
        InvalidDataError
            If the dump is damaged, or the server answers with something else.
        NetworkError
            If the server cannot be reached, or answers with an error.
        LockedError
            If a default here is protected.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way.
        BrokenRepositoryError
            If what is read here is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.exchange.import_psana import PsanaRequest, import_psana

        request = PsanaRequest(
            where=os.fspath(where),
            detectors=tuple(DetectorName.parse(name) for name in given.texts("detectors", detectors)),
            experiments=tuple(parse_experiment(name) for name in given.texts("experiments", experiments)),
            run_table=None if run_table is None else Path(run_table),
            since=None if since is None else self._session.catalogue().seconds(parse_time(since)),
        )
        return import_psana(self._session.writable(dry_run=dry_run), self._session.author(), request)
