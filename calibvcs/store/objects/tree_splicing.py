"""One tree as its bytes, changed by cutting entries out and in, so that thousands of others are not decoded."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NoReturn

from calibvcs.errors import DamagedObjectError
from calibvcs.store.protocol import TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

# An entry is ``mode name``, a zero byte and 20 bytes of id, which may be any: only from the begin of an entry on does
# the next zero byte end its name. Split goes on behind each match, so it keeps in step.
_ID = re.compile(rb"(?s)\0.{20}")
_ID_LENGTH = 21


class TreeBytes:
    """The entries of a tree, in Git's order.

    Parameters
    ----------
    data : bytes
        The tree as Git stores it.
    tree_id : str
        Id of the tree, for errors.

    Raises
    ------
    DamagedObjectError
        If the bytes are no tree; also from the methods, for the entries that they look at.
    """

    def __init__(self, data: bytes, tree_id: str) -> None:
        self._data = data
        self._id = tree_id
        self._heads = _ID.split(data) if data else [b""]
        if self._heads.pop():
            self._refuse()

    def find(self, name: str) -> TreeEntry | None:
        """Return what a name stands for, or None."""
        found = self._numbers(name)
        if not found:
            return None
        end = self._offset(found[0]) + len(self._heads[found[0]])
        mode, _ = self._parsed(self._heads[found[0]])
        return TreeEntry(mode, self._data[end + 1 : end + _ID_LENGTH].hex())

    def changed(self, changes: Mapping[str, TreeEntry | None]) -> bytes:
        """Return the bytes of the tree in which names stand for something else, or, by None, are not there."""
        cuts: list[tuple[int, int, bytes, bytes]] = []
        for name, entry in changes.items():
            cuts += [(number, number + 1, b"", b"") for number in self._numbers(name)]
            if entry is not None:
                key = _key(name, is_tree=entry.is_tree)
                data = b"%o %s\0%s" % (entry.mode, _encoded(name), bytes.fromhex(entry.id))
                place = self._place(key)
                cuts.append((place, place, key, data))
        pieces, done = [], 0
        for begin, end, _, data in sorted(cuts):
            pieces += [self._data[self._offset(done) : self._offset(begin)], data]
            done = end
        return b"".join([*pieces, self._data[self._offset(done) :]])

    def _numbers(self, name: str) -> list[int]:
        """Return where a name stands: a file and a folder of one name have different places in the order."""
        found = []
        for is_tree in (False, True):
            key = _key(name, is_tree=is_tree)
            number = self._place(key)
            if number < len(self._heads) and self._order(self._heads[number]) == key:
                found.append(number)
        return found

    def _place(self, key: bytes) -> int:
        return bisect_left(self._heads, key, key=self._order)

    def _order(self, head: bytes) -> bytes:
        mode, name = self._parsed(head)
        return name + b"/" if mode == TREE_MODE else name

    def _parsed(self, head: bytes) -> tuple[int, bytes]:
        mode, _, name = head.partition(b" ")
        if not name:
            self._refuse()
        try:
            return int(mode, 8), name
        except ValueError:
            self._refuse()

    def _offset(self, number: int) -> int:
        return self._lengths[number] + _ID_LENGTH * number

    @cached_property
    def _lengths(self) -> list[int]:
        return list(accumulate(map(len, self._heads), initial=0))

    def _refuse(self) -> NoReturn:
        raise DamagedObjectError(self._id, "it is no readable tree") from None


def _encoded(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _key(name: str, *, is_tree: bool) -> bytes:
    """Return what Git sorts by: folders as if their names ended in a slash."""
    return _encoded(name) + b"/" if is_tree else _encoded(name)
