"""The whole repository as it was at one commit: paths, folders and files, read when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.store.objects.trees import walk
from calibvcs.store.protocol import TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.model.commits import Commit
    from calibvcs.store.protocol import ReadableStore

_MOST_PATHS = 50_000


class Snapshot:
    """One commit of a store; two looks at it see the same.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    commit_id : str or None
        The commit; None stands for a repository without any.
    """

    def __init__(self, store: ReadableStore, commit_id: str | None) -> None:
        self.store = store
        self.commit_id = commit_id
        self._entries: dict[str, TreeEntry] = {}

    @cached_property
    def commit(self) -> Commit:
        """The commit itself."""
        return self.store.commit(self.commit_id or "")

    def entry(self, path: str) -> TreeEntry | None:
        """Return what a path names, or None."""
        known = self._entries.get(path)
        if known is None and self.commit_id:
            known = self._found(path)
            if known is not None:
                if len(self._entries) >= _MOST_PATHS:
                    self._entries.clear()
                self._entries[path] = known
        return known

    def _found(self, path: str) -> TreeEntry | None:
        if not path:
            return TreeEntry(TREE_MODE, self.commit.tree)
        folder, slash, name = path.rpartition("/")
        return None if slash and not folder else self.names(folder).get(name)

    def names(self, folder: str = "") -> Mapping[str, TreeEntry]:
        """Return the names in a folder; nothing where there is no such folder."""
        entry = self.entry(folder)
        return self.store.tree(entry.id) if entry and entry.is_tree else {}

    def files(self, folder: str = "") -> Iterator[tuple[str, TreeEntry]]:
        """Yield every file below a folder with its path, without opening any."""
        entry = self.entry(folder)
        if entry and entry.is_tree:
            yield from walk(self.store.tree, entry.id, f"{folder}/" if folder else "")

    def blob_id(self, path: str) -> str | None:
        """Return the id of a file, or None."""
        entry = self.entry(path)
        return entry.id if entry and not entry.is_tree else None

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None."""
        found = self.blob_id(path)
        return self.store.blob(found) if found else None
