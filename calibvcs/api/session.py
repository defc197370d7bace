"""What every verb needs of an open repository: the state to read, the store to write, who and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.errors import NetworkError, NoRepositoryError, NotHereError
from calibvcs.model.times import parse_time
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.remotes.settings import configured_remote
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.model.commits import Person
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.tagging.signatures import Signatures
    from calibvcs.store.git import GitStore
    from calibvcs.store.protocol import Store
    from calibvcs.store.remotes.remote import Remote
    from calibvcs.store.remotes.settings import RemoteSettings


class Session:
    """An open repository, as the verbs see it.

    Parameters
    ----------
    store : GitStore
        The repository.
    sign : bool, optional
        Whether what is written is signed; default is what Git's configuration says.
    """

    def __init__(self, store: GitStore, *, sign: bool | None = None) -> None:
        self.store = store
        self._sign = sign
        self._newest: Catalogue | None = None
        self.progress: Callable[[int], None] | None = None
        known = configured_remote(store.folder)
        if known and known.squeezed:
            store.bring = self._bring

    def catalogue(self, at: str | None = None) -> Catalogue:
        """Return what the repository holds at a revision or date.

        Parameters
        ----------
        at : str, optional
            Branch, tag, commit or date; default is the newest commit.

        Returns
        -------
        Catalogue
            The content of that commit; the same object as long as the commit is the same.

        Raises
        ------
        UnknownRevisionError
            If the revision is not there, or the repository has no commit.
        NotCalibvcsError, UnsupportedFormatError, InvalidDocumentError
            If that commit is none of ours, or its settings cannot be read.
        """
        commit_id = resolve(self.store, at)
        if self._newest is None or self._newest.snapshot.commit_id != commit_id:
            newest = Catalogue(Snapshot(self.store, commit_id))
            _ = newest.settings
            self._newest = newest
        return self._newest

    def remote(self) -> tuple[RemoteSettings, Remote]:
        """Return the repository that this clone came from.

        Returns
        -------
        tuple of RemoteSettings and Remote
            What is known of it here, and itself; it is contacted when something is asked of it.

        Raises
        ------
        NetworkError
            If this repository came from nowhere, or nothing is to be asked of others.
        """
        known = configured_remote(self.store.folder)
        if known is None:
            advice = "calibvcs clone makes a repository that knows another one; or: git remote add origin URL"
            raise NetworkError(self.store.location, "it has no remote 'origin'", advice)
        if settings.is_offline():
            raise NetworkError(known.url, "CALIBVCS_OFFLINE is set", "unset CALIBVCS_OFFLINE, then repeat")
        return known, settings.remote(known.url)

    def _bring(self, blob_id: str) -> None:
        """Bring an object that this squeezed clone was promised."""
        try:
            _, remote = self.remote()
            with remote:
                remote.fetch_objects(self.store, [blob_id], progress=self.progress)
        except NetworkError as error:
            raise NotHereError(error.address, error.reason, blob=blob_id) from error
        except NoRepositoryError as error:  # a disk that is not mounted, or a bundle that the clone was made of
            raise NotHereError(error.path, "there is no repository", blob=blob_id) from error

    def unchecked(self, at: str | None = None) -> Catalogue:
        """Return the same without a look at its settings, for whoever examines what may be broken.

        Parameters
        ----------
        at : str, optional
            Branch, tag, commit or date; default is the newest commit.

        Returns
        -------
        Catalogue
            The content of that commit, read anew.

        Raises
        ------
        UnknownRevisionError
            If the revision is not there, or the repository has no commit.
        """
        return Catalogue(Snapshot(self.store, resolve(self.store, at)))

    def author(self, *, tags: bool = False) -> Person:
        """Return who makes a change.

        Parameters
        ----------
        tags : bool, optional
            Whether the change is a tag, not a commit; Git's configuration may say for each whether it is signed.

        Returns
        -------
        Person
            Author and committer, as Git would have them, and their key where the change is to be signed.

        Raises
        ------
        NoIdentityError
            If nobody said who the user is.
        InvalidOptionError, DamagedRepositoryError
            If Git's configuration cannot be understood.
        """
        return settings.author(self.store.folder, sign=self._sign, tags=tags)

    def signatures(self) -> Signatures:
        """Return what checks signatures, by the keys that Git's configuration names.

        Returns
        -------
        Signatures
            Checks commits and tags by their ids.

        Raises
        ------
        InvalidOptionError, DamagedRepositoryError
            If Git's configuration cannot be understood.
        """
        from calibvcs.ops.tagging.signatures import Signatures

        return Signatures(self.store.read_object, settings.signing(self.store.folder))

    def writable(self, *, dry_run: bool) -> Store:
        """Return the store to write to.

        Parameters
        ----------
        dry_run : bool
            Whether the change is only tried.

        Returns
        -------
        Store
            The repository itself; for a dry run one in memory on top of it, which forgets what is written.

        Raises
        ------
        UnknownRevisionError
            If the repository has no commit, and so is not one of constants yet.
        NotCalibvcsError, UnsupportedFormatError, InvalidDocumentError
            As for `catalogue`.
        """
        self.catalogue()
        if not dry_run:
            return self.store
        from calibvcs.store.memory import MemoryStore

        return MemoryStore(self.store)

    def seconds(self, catalogue: Catalogue, given: TimeLike) -> float:
        """Return a time as UNIX seconds; a run is looked up in the run table.

        Parameters
        ----------
        catalogue : Catalogue
            Where the run table stands.
        given : time
            Any kind of time that `parse_time` reads.

        Returns
        -------
        float
            UNIX seconds, an int where the time was whole.

        Raises
        ------
        InvalidTimeError
            If it is no time; None is none either, so that a time that somebody forgot never means now.
        UnknownRunError
            If it is a run whose begin is not known.
        """
        return catalogue.seconds(parse_time(given))

    def seconds_or_now(self, catalogue: Catalogue, given: TimeLike | None) -> float:
        """Return a time as UNIX seconds where one is given, else the time of this moment.

        Parameters
        ----------
        catalogue : Catalogue
            Where the run table stands.
        given : time or None
            As for `seconds`; None is now.

        Returns
        -------
        float
            UNIX seconds.

        Raises
        ------
        InvalidTimeError, UnknownRunError
            As for `seconds`.
        """
        return self.now() if given is None else self.seconds(catalogue, given)

    @staticmethod
    def now() -> float:
        """Return the time of this moment.

        Returns
        -------
        float
            UNIX seconds.
        """
        return time.time()
