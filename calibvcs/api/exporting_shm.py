"""``export_shm`` and ``check_shm``: constants for psana and the DAQ, in shared memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from calibvcs.api import given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.daq.check_shm import ShmCheck
    from calibvcs.ops.daq.export_shm import ShmExport
    from calibvcs.ops.daq.selection import ShmRequest
    from calibvcs.sources.protocol import SourceDetector

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where psana looks
ACCEPTABLE = ("published", "signed")


class ShmVerbs:
    """The verbs of a `Repository` that write for psana and the DAQ."""

    _session: Session

    def export_shm(
        self,
        output_dir: str | os.PathLike[str] = SHARED_MEMORY,
        *,
        experiment: str = "",
        run: int | None = None,
        when: TimeLike | None = None,
        xtc_dir: str | os.PathLike[str] | None = None,
        detectors: Sequence[str] = (),
        sources: Sequence[SourceDetector] = (),
        skip: Sequence[str] = (),
        caches: Sequence[str] = (),
        at: str | None = None,
        accept: Sequence[str] = (),
        mode: int = 0o644,
        allow_missing: bool = False,
    ) -> ShmExport:
        """Write the constants in force for a run where psana and any number of other processes find them.

        What is written: ``calibconst.pkl`` and, where experiment and run are known, ``calibconst_E_rNNNN.pkl`` for
        psana; ``NAME_calibc_cache.pkl`` for each of `caches`; and the folder ``calibvcs``, which `calibvcs.shm.attach`
        maps. Every file appears whole. If anything goes wrong, the files that were there stay.

        Parameters
        ----------
        output_dir : str or path, optional
            Where to; psana 4 reads from ``/dev/shm`` alone, the default.
        experiment : str, optional
            Its detectors are those that its run table names, unless others are given.
        run : int, optional
            Run of the experiment; default is the last one of the run table, or of `xtc_dir`.
        when : time, optional
            Which constants are in force; default is the begin of the run.
        xtc_dir : str or path, optional
            Folder of XTC2 files: the run, its detectors and their unique ids are read from the latest usable run in it.
        detectors : sequence of str, optional
            Detectors or aliases; a constant set is found under the name that is given here.
        sources : sequence of SourceDetector, optional
            Detectors of a run as the data name them, where the caller has read them already.
        skip : sequence of str, optional
            Detectors of the run whose constants are not wanted.
        caches : sequence of str, optional
            Names of detectors for which the image geometry is computed and written for psana's ``cached_detectors``.
        at : str, optional
            Branch, tag, commit or date: the state of the repository to read; default is the newest commit.
        accept : sequence of str, optional
            What the tag `at` has to be: ``published``, ``signed``.
        mode : int, optional
            Permissions of the files.
        allow_missing : bool, optional
            Whether to go on without the detectors that are not found and the constants that psana cannot use; the
            result names them.

        Returns
        -------
        ShmExport
            The commit, each detector with its constants, the files, and what was left out and why.

        Raises
        ------
        UnknownDetectorError, UnknownRunError, NotFoundError
            If a detector of the run is not in the repository, or the begin of the run is not known.
        InvalidDataError
            If a constant that psana would calibrate with would break it.
        InvalidOptionError
            If the options do not say which detectors and which time, or contradict each other.
        TagNotAcceptedError, UnknownTagError
            If the tag is not what is demanded.
        NotWritableError, StorageError, WriterBusyError
            If the files cannot be written, there is no room for them, or another writer is at work; the files that
            were there stay.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> done = repository.export_shm(folder, detectors=["front"], when="2026-02-14T12:00:00Z")
        >>> [(one.name, one.detector) for one in done.detectors]
        [('front', 'jungfrau-000001')]
        >>> from calibvcs import shm
        >>> attached = shm.attach(folder)
        >>> attached["front"]["pedestals"].shape, attached.commit == done.commit
        ((3, 2, 32, 64), True)
        """
        from calibvcs.ops.daq.export_shm import export_shm

        catalogue = self._accepted(at, accept)
        request = self._shm_request(catalogue, experiment, run, when, xtc_dir, detectors, sources, skip, caches)
        return export_shm(
            catalogue,
            request,
            os.fspath(output_dir),
            mode=mode,
            allow_missing=allow_missing,
            seconds=self._session.now(),
        )

    def check_shm(
        self,
        output_dir: str | os.PathLike[str] = SHARED_MEMORY,
        *,
        experiment: str = "",
        run: int | None = None,
        when: TimeLike | None = None,
        xtc_dir: str | os.PathLike[str] | None = None,
        detectors: Sequence[str] = (),
        sources: Sequence[SourceDetector] = (),
        skip: Sequence[str] = (),
        caches: Sequence[str] = (),
        at: str | None = None,
        accept: Sequence[str] = (),
    ) -> ShmCheck:
        """Tell whether what `export_shm` wrote is still what the repository says.

        Parameters
        ----------
        output_dir, experiment, run, when, xtc_dir, detectors, sources, skip, caches, at, accept
            As for `export_shm`. Where nothing says which detectors, it is what was asked for when the files were
            written, for the time of then.

        Returns
        -------
        ShmCheck
            ``.fresh``; ``.differences``, one a line; ``.same_constants``, True where at most the commit differs.

        Raises
        ------
        UnknownRunError, InvalidOptionError, TagNotAcceptedError, UnknownTagError
            As for `export_shm`.
        NotWritableError
            If the files may not be read.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> repository.check_shm(folder, detectors=["front"], when="2026-02-14").differences
        ('nothing was exported there',)
        """
        from calibvcs.ops.daq.check_shm import check_shm

        catalogue = self._accepted(at, accept)
        request = self._shm_request(catalogue, experiment, run, when, xtc_dir, detectors, sources, skip, caches)
        return check_shm(catalogue, request, os.fspath(output_dir))

    def _accepted(self, at: str | None, accept: Sequence[str]) -> Catalogue:
        """Return the state of the repository to read, where it is what is demanded."""
        from calibvcs.errors import InvalidOptionError

        wanted = given.texts("accept", accept)
        for one in wanted:
            if one not in ACCEPTABLE:
                raise InvalidOptionError("accept", one, f"allowed are {', '.join(ACCEPTABLE)}")
        if not wanted:
            return self._session.catalogue(at)
        if at is None:
            raise InvalidOptionError("accept", ", ".join(wanted), "it goes with the name of a tag", "give --at TAG")
        from calibvcs.ops.tagging.judging import accept as judge

        checker = self._session.signatures().of if "signed" in wanted else None
        accepted = judge(self._session.store, at, published="published" in wanted, signature=checker)
        return self._session.catalogue(accepted.commit)

    def _shm_request(
        self,
        catalogue: Catalogue,
        experiment: str,
        run: int | None,
        when: TimeLike | None,
        xtc_dir: str | os.PathLike[str] | None,
        detectors: Sequence[str],
        sources: Sequence[SourceDetector],
        skip: Sequence[str],
        caches: Sequence[str],
    ) -> ShmRequest:
        from calibvcs.ops.daq.selection import ShmRequest

        return ShmRequest(
            experiment=experiment,
            run=run,
            time=None if when is None else self._session.seconds(catalogue, when),
            xtc_dir="" if xtc_dir is None else os.fspath(xtc_dir),
            detectors=given.texts("detectors", detectors),
            sources=tuple(sources),
            skipped=given.texts("skip", skip),
            caches=given.texts("caches", caches),
        )
