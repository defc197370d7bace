"""Where three trees differ, constant by constant and file by file; only trees that differ are opened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidDocumentError
from calibvcs.model.layout import META_FILE
from calibvcs.ops.threads import constant_of
from calibvcs.store.objects.encoding import decode_tree, object_id
from calibvcs.store.objects.large_tree import tree_of
from calibvcs.store.objects.trees import edited, find, walk
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.model.names import ConstantName
    from calibvcs.store.protocol import ReadableStore

_ENTRY = re.compile(rb"(?s)[0-7]+ [^\0]+\0.{20}")
_CONSTANT_DEPTH = 4


class Place(NamedTuple):
    """A constant or a file that theirs changed, and that ours does not have so: what stands there on each side.

    The path of a constant is that of its folder. A place where a file stands against a folder is one, too.
    """

    path: str
    base: TreeEntry | None
    ours: TreeEntry | None
    theirs: TreeEntry | None

    @property
    def constant(self) -> ConstantName | None:
        """The constant whose folder this is, or None."""
        return constant_of(f"{self.path}/{META_FILE}")


class Trees:
    """The trees and files of a store, and those that a merge makes for itself, which are written nowhere.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    """

    def __init__(self, store: ReadableStore) -> None:
        self._store = store
        self._made: dict[str, bytes] = {}

    def data(self, tree_id: str | None) -> bytes:
        """Return the bytes of a tree; those of none are empty."""
        if tree_id is None:
            return b""
        made = self._made.get(tree_id)
        return self._store.tree_data(tree_id) if made is None else made

    def names(self, tree_id: str) -> Mapping[str, TreeEntry]:
        """Return the names in a tree."""
        made = self._made.get(tree_id)
        return self._store.tree(tree_id) if made is None else tree_of(made, tree_id)

    def blob(self, entry: TreeEntry | None) -> bytes | None:
        """Return the content of a plain file, or None for anything else."""
        if entry is None or entry.mode != FILE_MODE:
            return None
        made = self._made.get(entry.id)
        return self._store.blob(entry.id) if made is None else made

    def find(self, tree_id: str | None, path: str) -> TreeEntry | None:
        """Return what a path names below a tree, or None."""
        return find(self.names, tree_id, path) if tree_id else None

    def keep(self, content: bytes) -> str:
        """Keep a file, and return its id."""
        blob_id = object_id("blob", [content])
        self._made[blob_id] = content
        return blob_id

    def edited(self, tree_id: str | None, edits: Mapping[str, str | None]) -> str:
        """Make a tree by edits of another one, and return its id."""
        new_id, made = edited(self.data, tree_id, edits)
        self._made |= made
        return new_id

    def places(self, base: str | None, ours: str | None, theirs: str | None, prefix: str = "") -> Iterator[Place]:
        """Yield every place where theirs differs from ours and from the base, in the order of names.

        Parameters
        ----------
        base, ours, theirs : str or None
            Ids of the three trees; None for an empty one.
        prefix : str, optional
            Path of the trees, with a slash at its end.

        Yields
        ------
        Place
            A constant, a file, or where one side has a file and another one a folder.
        """
        if theirs in (ours, base):
            return
        for name, ours_entry, theirs_entry in self._apart(ours, theirs):
            base_entry = self.find(base, name)
            if theirs_entry == base_entry:
                continue
            place = Place(f"{prefix}{name}", base_entry, ours_entry, theirs_entry)
            sides = [entry for entry in place[1:] if entry is not None]
            deep = place.path.count("/") + 1 == _CONSTANT_DEPTH and place.constant is not None
            if deep or not all(entry.is_tree for entry in sides):
                yield place
            else:
                below = [entry.id if entry else None for entry in place[1:]]
                yield from self.places(below[0], below[1], below[2], f"{place.path}/")

    def _apart(self, ours: str | None, theirs: str | None) -> list[tuple[str, TreeEntry | None, TreeEntry | None]]:
        """Return the names that stand for something else in two trees; all others are not even decoded."""
        sides = [_ENTRY.findall(self.data(tree_id)) for tree_id in (ours, theirs)]
        common = set(sides[0]).intersection(sides[1])
        a, b = (
            decode_tree(b"".join(entry for entry in side if entry not in common), tree_id or "")
            for side, tree_id in zip(sides, (ours, theirs), strict=True)
        )
        return [(name, a.get(name), b.get(name)) for name in sorted({*a, *b})]

    def exchange(self, path: str, old: TreeEntry | None, new: TreeEntry | None) -> dict[str, str | None]:
        """Return the edits that put one file or folder in the place of another one.

        Raises
        ------
        InvalidDocumentError
            If there is anything but plain files and folders in the new one.
        """
        edits: dict[str, str | None] = {file: None for file, _ in self._files(path, old)}
        kept = dict(self._files(path, old))
        for file, entry in self._files(path, new):
            if entry.mode != FILE_MODE:
                reason = f"mode {entry.mode:o}; only plain files (100644) can be merged"
                raise InvalidDocumentError(file, reason)
            edits[file] = entry.id
        return {file: blob for file, blob in edits.items() if kept.get(file) != TreeEntry(FILE_MODE, blob or "")}

    def _files(self, path: str, entry: TreeEntry | None) -> Iterator[tuple[str, TreeEntry]]:
        if entry is not None and entry.mode == TREE_MODE:
            yield from walk(self.names, entry.id, f"{path}/")
        elif entry is not None:
            yield path, entry
