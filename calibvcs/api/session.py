"""What every verb needs of an open repository: the state to read, the store to write, who and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.model.times import parse_time
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.times import TimeLike
    from calibvcs.store.git import GitStore
    from calibvcs.store.protocol import Store


class Session:
    """An open repository, as the verbs see it.

    Parameters
    ----------
    store : GitStore
        The repository.
    """

    def __init__(self, store: GitStore) -> None:
        self.store = store
        self._newest: Catalogue | None = None

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

    def author(self) -> Person:
        """Return who makes a change.

        Returns
        -------
        Person
            Author and committer, as Git would have them.

        Raises
        ------
        NoIdentityError
            If nobody said who the user is.
        """
        return settings.author(self.store.folder)

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
