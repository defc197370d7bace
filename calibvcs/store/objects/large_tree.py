"""A tree with thousands of names, as its bytes: looked up in place, and decoded only by whoever wants all of it."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import decode_tree
from calibvcs.store.protocol import TreeEntry

SMALL = 1 << 15
"""Trees of fewer bytes are decoded at once."""

MOST_KEPT = 64 << 20
"""Bytes of memory that the trees may take which were read of late."""

_ENTRY = re.compile(rb"(?s)([0-7]{5,6}) ([^\0]+)\0(.{20})")
_FOLDER = re.compile(r"(?s)40000 ([^\0]+)\0.{20}|[0-7]{5,6} [^\0]+\0.{20}")
_WHOLE = re.compile(rb"(?s)(?:[0-7]{5,6} [^\0]+\0.{20})*")
_LONGEST_RANGE = 28

# Ranges, which fill such trees, can be searched for from any byte on: this is longer than an id, so it cannot lie in
# one, and it has one space and one zero byte, so it cannot begin in an id and end in the entry behind - as long as no
# other name has a space in it.
_RANGE = re.compile(rb"40000 ([0-9]{10}-(?:end|[0-9]{10}))\0")
_NO_SPACES = re.compile(rb"(?s)(?:[0-7]{5,6} [^\0 ]+\0.{20})*")


def tree_of(data: bytes, tree_id: str) -> Mapping[str, TreeEntry]:
    """Read a tree.

    Raises
    ------
    DamagedObjectError
        If the bytes are no tree.
    """
    return decode_tree(data, tree_id) if len(data) < SMALL else LargeTree(data, tree_id)


def folders(tree: Mapping[str, TreeEntry]) -> list[str]:
    """Return the names of all folders in a tree."""
    return tree.folders() if isinstance(tree, LargeTree) else [name for name, entry in tree.items() if entry.is_tree]


def weight_of(tree: Mapping[str, TreeEntry]) -> int:
    """Return roughly how many bytes of memory a tree takes."""
    return tree.size if isinstance(tree, LargeTree) else 300 * (len(tree) + 1)


class LargeTree(Mapping[str, TreeEntry]):
    """The names in a tree.

    Parameters
    ----------
    data : bytes
        The tree as Git stores it.
    tree_id : str
        Its id.

    Raises
    ------
    DamagedObjectError
        If the bytes are no tree.
    """

    def __init__(self, data: bytes, tree_id: str) -> None:
        self._data = data
        self._searchable = _NO_SPACES.fullmatch(data) is not None
        if not self._searchable and not _WHOLE.fullmatch(data):
            raise DamagedObjectError(tree_id, "it is no readable tree")

    @property
    def size(self) -> int:
        """Its number of bytes."""
        return len(self._data)

    def folders(self) -> list[str]:
        """Return the names of all folders in it, in Git's order."""
        names = [name for name in _FOLDER.findall(self._data.decode("latin-1")) if name]
        if not "".join(names).isascii():
            names = [name.encode("latin-1").decode(errors="surrogateescape") for name in names]
        return names

    def __getitem__(self, name: str) -> TreeEntry:
        wanted = name.encode(errors="surrogateescape")
        place = self._range(wanted) if self._searchable and _RANGE.fullmatch(b"40000 %s\0" % wanted) else None
        entry = self._scan(wanted) if place is None else _ENTRY.match(self._data, place)
        if entry is None:
            raise KeyError(name)
        return TreeEntry(int(entry[1], 8), entry[3].hex())

    def items(self) -> ItemsView[str, TreeEntry]:
        """Return all names with what they stand for, decoded at once."""
        return self._entries.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def _entries(self) -> dict[str, TreeEntry]:
        found = _ENTRY.findall(self._data)
        return {name.decode(errors="surrogateescape"): TreeEntry(int(mode, 8), id_.hex()) for mode, name, id_ in found}

    def _range(self, wanted: bytes) -> int | None:
        """Return where the entry of a range begins, by halving."""
        low, high = 0, len(self._data)
        while low < high:
            middle = (low + high) // 2
            found = _RANGE.search(self._data, middle, high + _LONGEST_RANGE)
            if found is None or found.start() >= high or found[1] > wanted:
                high = middle
            elif found[1] < wanted:
                low = found.end()
            else:
                return found.start()
        return None

    def _scan(self, wanted: bytes) -> re.Match[bytes] | None:
        if b" %s\0" % wanted not in self._data:  # the usual case: a range that is to be added
            return None
        before = re.compile(rb"(?s)(?:[0-7]{5,6} (?!%s\0)[^\0]+\0.{20})*" % re.escape(wanted)).match(self._data)
        return _ENTRY.match(self._data, before.end()) if before else None
