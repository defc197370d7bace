"""The exact set of constants that an analysis used: written down, checked, restored."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.errors import InvalidOptionError, NoRepositoryError
from calibvcs.store.git import GitStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.api.session import Session
    from calibvcs.model.lock_file import LockFile
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.get import Constant
    from calibvcs.ops.provenance.lock_file import LockFileWritten, Used
    from calibvcs.ops.provenance.lock_file_check import LockFileCheck
    from calibvcs.ops.provenance.lock_file_restore import LockFileRestored


class LockFileVerbs:
    """``repository.lock_file``.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def make(
        self,
        constants: str | Iterable[str | Constant] | None = None,
        *,
        when: TimeLike | None = None,
        at: str | None = None,
    ) -> LockFile:
        """Return the lock file of some constants without writing it.

        Parameters
        ----------
        constants : str or iterable of str and Constant, optional
            A pattern over ``DET/CTYPE/RANGE``; or names ``DET/CTYPE/RANGE[@VERSION]`` and what `Repository.get`
            returned, each locked as it was read. Default is everything; withdrawn constants are left out of patterns.
        when : time, optional
            For a pattern: only what a reader gets for this time.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        LockFile
            ``.constants``, each with commit, path, ids, dtype and shape; ``.digest`` and ``.citation``.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError, UnknownRunError
            If something that is named is not there.
        InvalidNameError, InvalidTimeError, InvalidOptionError
            If a name or the time cannot be read, or names and a time are given together.
        BrokenRepositoryError, NotHereError
            If what is read is damaged, or missing here and not to be had elsewhere.

        Examples
        --------
        >>> used = [repository.get("jungfrau-000001", "pedestals", "2026-02-14T12:00:00Z")]
        >>> [str(one.constant) for one in repository.lock_file.make(used).constants]
        ['jungfrau-000001/pedestals/1769904000-end']
        """
        from calibvcs.ops.provenance import lock_file

        catalogue = self._session.catalogue(at)
        if constants is None or isinstance(constants, str):
            moment = None if when is None else self._session.seconds(catalogue, when)
            used: Iterable[Used] = lock_file.matching(catalogue, constants, self._session.now(), valid_at=moment)
        elif when is not None:
            raise InvalidOptionError("when", str(when), "constants that are named one by one need no time")
        else:
            used = [self._used(catalogue, one) for one in constants]
        return lock_file.make(catalogue, used, self._url())

    def write(
        self,
        path: str | os.PathLike[str],
        constants: str | Iterable[str | Constant] | None = None,
        *,
        when: TimeLike | None = None,
        at: str | None = None,
    ) -> LockFileWritten:
        """Write the lock file of some constants.

        Parameters
        ----------
        path : str or path
            The file; a name that ends in ``.json`` makes it JSON, every other one TOML. It appears whole or not at all.
        constants, when, at
            As for `make`.

        Returns
        -------
        LockFileWritten
            Number and size of the constants, ``.digest`` and ``.citation``.

        Raises
        ------
        NotWritableError, StorageError
            If the disk refuses.
        InvalidDataError
            If the file would be too large to be read again.
        CalibvcsError
            As for `make`.
        """
        from calibvcs.ops.provenance import lock_file

        return lock_file.write(self.make(constants, when=when, at=at), os.fspath(path))

    def check(self, path: str | os.PathLike[str]) -> LockFileCheck:
        """Tell whether the repository still has a set of constants, bit for bit.

        Parameters
        ----------
        path : str or path
            The lock file.

        Returns
        -------
        LockFileCheck
            ``.same``; ``.constants``, each with a status and a reason, and what readers get in its place today, which
            is told and is no difference.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the file cannot be read, or is no lock file.
        BrokenRepositoryError
            If the newest commit is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.provenance import lock_file, lock_file_check

        given = os.fspath(path)
        return lock_file_check.check(self._session.catalogue(), lock_file.read(given), given)

    def restore(self, path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> LockFileRestored:
        """Write the files of a set into a folder, bit for bit.

        Parameters
        ----------
        path : str or path
            The lock file.
        folder : str or path
            It does not exist, or is empty; it appears with all files, or not at all.

        Returns
        -------
        LockFileRestored
            What was written: data and metadata in the layout of the repository, and a copy of the lock file.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the file cannot be read, is no lock file, or was edited.
        UnknownRevisionError
            If a commit of the set is not in the repository.
        BrokenRepositoryError, NotHereError
            If data are damaged, or missing here and not to be had elsewhere.
        AlreadyExistsError, NotWritableError, StorageError
            If something is in the folder, or the disk refuses.
        """
        from calibvcs.ops.provenance import lock_file, lock_file_restore

        given = os.fspath(path)
        locked = lock_file.read(given)
        return lock_file_restore.restore(self._session.store, locked, given, Path(folder).expanduser())

    def restore_defaults(
        self, path: str | os.PathLike[str], *, message: str = "", dry_run: bool = False
    ) -> LockFileRestored:
        """Make the constants of a set the defaults of this repository, as a new commit; nothing is lost.

        Parameters
        ----------
        path : str or path
            The lock file.
        message : str, optional
            Why; default names the file and cites the set.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        LockFileRestored
            The constants whose default changed, and ``.commits``.

        Raises
        ------
        NothingToChangeError
            If all are the defaults already.
        LockedError
            If a default that would have to change is protected.
        CalibvcsError
            As for `restore` and for `Repository.lock`.
        """
        from calibvcs.ops.provenance import lock_file, lock_file_restore

        given = os.fspath(path)
        locked = lock_file.read(given)
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return lock_file_restore.restore_into(store, author, locked, given, message)

    def _used(self, catalogue: Catalogue, one: str | Constant) -> Used:
        from calibvcs.ops.provenance import lock_file

        if isinstance(one, str):
            return lock_file.named(catalogue, one, self._session.now())
        return lock_file.Used(one.catalogue, one.name)

    def _url(self) -> str:
        """Return where others find the repository: the one that this is a clone of, else this one."""
        from calibvcs.store.remotes.settings import configured_remote
        from calibvcs.store.remotes.urls import parse_address

        known = configured_remote(self._session.store.folder)
        if known is None:
            return str(Path(self._session.store.location).resolve())
        try:
            return str(parse_address(known.url))
        except InvalidOptionError:  # an address of some helper of Git's, which is of no use elsewhere
            return str(Path(self._session.store.location).resolve())


def restore_lock_file(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], repository: str | os.PathLike[str] | None = None
) -> LockFileRestored:
    """Write the files of a set into a folder; without a repository at hand, from the one that the lock file names.

    Parameters
    ----------
    path : str or path
        The lock file.
    folder : str or path
        It does not exist, or is empty.
    repository : str or path, optional
        As for `calibvcs.open`. Where there is none around, no more than the data of the set are brought, into a
        temporary clone, from the address in the lock file.

    Returns
    -------
    LockFileRestored
        As for `LockFileVerbs.restore`.

    Raises
    ------
    NoRepositoryError
        If there is no repository here, nor at that address.
    NetworkError
        If it cannot be reached, or nothing is to be asked of others.
    CalibvcsError
        As for `LockFileVerbs.restore`.
    """
    from calibvcs.api.session import Session
    from calibvcs.api.sharing import clone
    from calibvcs.ops.provenance import lock_file

    locked = lock_file.read(os.fspath(path))
    try:
        store = GitStore.discover(settings.repository_path(repository))
    except NoRepositoryError:
        if repository is not None:
            raise
    else:
        with store:
            # Whoever restores a set often stands in the repository of an analysis, which has none of the constants.
            if repository is not None or store.kind(locked.commit) == "commit":
                return LockFileVerbs(Session(store)).restore(path, folder)
    with tempfile.TemporaryDirectory(prefix="calibvcs-lock-file-") as temporary:
        place = Path(temporary) / "clone"
        detectors = sorted({str(one.constant.detector) for one in locked.constants})
        ctypes = sorted({one.constant.ctype for one in locked.constants})
        clone(locked.url, place, detectors=detectors, ctypes=ctypes, since=0, until=1, bare=True)
        with GitStore.discover(place) as store:
            return LockFileVerbs(Session(store)).restore(path, folder)
