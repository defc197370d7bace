"""What every verb needs of an open repository: the state to read, the store to write, who and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.model.times import parse_time
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.memory import MemoryStore
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
        """Return what the repository holds at a revision or date; None is the newest commit.

        Raises
        ------
        UnknownRevisionError
            If the revision is not there.
        NotCalibvcsError, UnsupportedFormatError
            If that commit is none of ours.
        """
        commit_id = resolve(self.store, at)
        if self._newest is None or self._newest.snapshot.commit_id != commit_id:
            self._newest = Catalogue(Snapshot(self.store, commit_id))
            _ = self._newest.settings
        return self._newest

    def unchecked(self, at: str | None = None) -> Catalogue:
        """Return the same without a look at its settings, for whoever examines what may be broken."""
        return Catalogue(Snapshot(self.store, resolve(self.store, at)))

    def author(self) -> Person:
        """Return who makes a change."""
        return settings.author(self.store.folder)

    def writable(self, *, dry_run: bool) -> Store:
        """Return the store to write to; for a dry run one that forgets."""
        return MemoryStore(self.store) if dry_run else self.store

    def seconds(self, catalogue: Catalogue, given: TimeLike | None) -> float:
        """Return UNIX seconds; None is now, a run is looked up in the run table."""
        return time.time() if given is None else catalogue.seconds(parse_time(given))
