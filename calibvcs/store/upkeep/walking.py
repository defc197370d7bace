"""All objects that follow from some of them: the newest commit first, then what it holds, each object once."""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import decode_commit
from calibvcs.store.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from calibvcs.store.objects.reading import ObjectReader

_ENTRY = re.compile(rb"(?s)([0-7]{5,6} [^\0]+\0.{20})")
_TARGET = re.compile(rb"object ([0-9a-f]{40})\ntype [a-z]+\n")
_TREES, _LINK = {b"40000", b"040000"}, b"160000"
_WORTH_KEEPING, _MOST_KEPT = 64, 200_000
_ID = 20
_TOP = "the tree of a commit"


class Trouble(NamedTuple):
    """What a walk met in the place of an object.

    Attributes
    ----------
    id : str
        The object.
    reason : str
        What is wrong.
    by : str
        Its path in a tree, or who needs it.
    missing : bool
        Whether there is no copy of it at all, not even a damaged one.
    """

    id: str
    reason: str
    by: str
    missing: bool


class _Commit(NamedTuple):
    order: int
    id: str
    tree: str
    parents: tuple[str, ...]


class Walk:
    """The objects that follow from roots; more roots may be added, what was found stays.

    Parameters
    ----------
    reader : ObjectReader
        Where commits, trees and tags are read, their hash checked; no blob ever is.
    shallow : frozenset of str, optional
        Commits whose parents do not belong to the repository.
    note : callable, optional
        Is told path and id wherever a tree names a blob, for every tree that is found.

    Attributes
    ----------
    found : dict of str to str
        Ids, in order; each with its path, which is empty for commits, tags and what stands on top.
    kinds : dict of str to str
        Kind of each that is no blob.
    """

    def __init__(
        self,
        reader: ObjectReader,
        shallow: frozenset[str] = frozenset(),
        note: Callable[[str, str], None] = lambda _path, _id: None,
    ) -> None:
        self._reader, self._shallow, self._note = reader, shallow, note
        self.found: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self._commits: list[_Commit] = []
        self._trees: list[tuple[str, str]] = []
        self._lists: Recent[frozenset[bytes]] = Recent(_MOST_KEPT)
        self._tell: Callable[[Trouble], None] = raised

    def add(self, roots: Iterable[tuple[str, str]], tell: Callable[[Trouble], None] | None = None) -> None:
        """Go from roots.

        Parameters
        ----------
        roots : iterable of tuple of str
            Ids, each with who needs it.
        tell : callable, optional
            Is told what is missing or damaged, and the walk goes on beside it; without it, that is an error.

        Raises
        ------
        DamagedObjectError
            If something is missing or damaged, or by `tell`.
        """
        self._tell = tell or raised
        for root, by in roots:
            self._root(root, by)
        while self._trees or self._commits:
            while self._trees:
                self._tree(*self._trees.pop())
            if self._commits:
                commit = heapq.heappop(self._commits)
                self._trees.append((commit.tree, ""))
                for parent in commit.parents if commit.id not in self._shallow else ():
                    self._commit(parent, f"commit {commit.id}")

    def _root(self, wanted: str, by: str) -> None:
        while wanted not in self.found:
            kind = self._kind(wanted, by)
            if kind == "commit":
                self._commit(wanted, by)
            elif kind == "tree":
                self._trees.append((wanted, ""))
            elif kind == "blob":
                self.found[wanted] = ""
            data = self._read(wanted, "tag", by) if kind == "tag" else None
            target = _TARGET.match(data) if data is not None else None
            if target is None:
                return
            wanted, by = target[1].decode(), f"tag {wanted}"

    def _kind(self, wanted: str, by: str) -> str | None:
        try:
            kind = self._reader.kind(wanted)
        except DamagedObjectError as error:
            self._tell(Trouble(wanted, error.reason, by or _TOP, missing=False))
            return None
        if kind is None:
            self._tell(Trouble(wanted, "it is missing", by or _TOP, missing=True))
        return kind

    def _read(self, wanted: str, kind: str, by: str) -> bytes | None:
        """Read an object and note it; None where that is not possible."""
        try:
            found, data = self._reader.read(wanted)
        except DamagedObjectError as error:
            if self._kind(wanted, by) is not None:
                self._tell(Trouble(wanted, error.reason, by or _TOP, missing=False))
            return None
        if found != kind:
            self._tell(Trouble(wanted, f"it is a {found}, not a {kind}", by or _TOP, missing=False))
            return None
        self.found[wanted], self.kinds[wanted] = by if kind == "tree" else "", kind
        return data

    def _commit(self, wanted: str, by: str) -> None:
        data = self._read(wanted, "commit", by) if wanted not in self.found else None
        if data is not None:
            try:
                commit = decode_commit(data, wanted)
            except DamagedObjectError as error:
                self._tell(Trouble(wanted, error.reason, by or _TOP, missing=False))
            else:
                heapq.heappush(self._commits, _Commit(-commit.committer.time, wanted, commit.tree, commit.parents))

    def _tree(self, wanted: str, path: str) -> None:
        """Enter what a tree lists, but what the one before it at this path listed too."""
        data = self._read(wanted, "tree", path) if wanted not in self.found else None
        if data is None:
            return
        entries = _ENTRY.findall(data)
        if sum(map(len, entries)) != len(data):
            self._tell(Trouble(wanted, "it is no readable tree", path or _TOP, missing=False))
        known = self._lists.get(path) or frozenset()
        if len(entries) >= _WORTH_KEEPING:
            self._lists.put(path, frozenset(entries), len(entries))
        for entry in entries:
            if entry in known:
                continue
            mode, _, name = entry[: -_ID - 1].partition(b" ")
            below = f"{path}/{name.decode(errors='replace')}" if path else name.decode(errors="replace")
            if mode in _TREES:
                self._trees.append((entry[-_ID:].hex(), below))
            elif mode != _LINK:
                self.found.setdefault(entry[-_ID:].hex(), below)
                self._note(below, entry[-_ID:].hex())


def raised(trouble: Trouble) -> None:
    """Raise what a walk met.

    Raises
    ------
    DamagedObjectError
        Always.
    """
    raise DamagedObjectError(trouble.id, trouble.reason, trouble.by)
