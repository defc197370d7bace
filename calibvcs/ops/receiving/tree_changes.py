"""What a commit changed, against all its parents: nothing that it did can hide in a merge.

Of a merge, what follows from its sides by itself is not its own change: where a side left a file as it was in the
common ancestors, and the other side has what the merge has. Everything else is: also what looks like one of the
parents, but takes back what the other one did. The folder of a constant counts as one thing.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from calibvcs.model.layout import EXPERIMENTS
from calibvcs.ops.receiving.raw_objects import NO_TREE, Entry, RawTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from calibvcs.ops.receiving.ancestors import Budget, Graph, Node

_CONSTANT_DEPTH = 4
_DEEPEST = 8

Sides: TypeAlias = "tuple[Entry | None, ...]"


class Touch(NamedTuple):
    """One path that a commit changed.

    Attributes
    ----------
    path : str
        A file; a folder where one was taken away as a whole, or stands too deep.
    after : Entry or None
        What the commit has there; None where it took it away.
    before : tuple of Entry or None
        What each of its parents has there.
    """

    path: str
    after: Entry | None
    before: Sides


class Changes:
    """The changes of commits.

    Parameters
    ----------
    graph : Graph
        The commits.
    read : callable
        Returns a tree by its id.
    budget : Budget
        What is spent on entries.
    """

    def __init__(self, graph: Graph, read: Callable[[str], RawTree], budget: Budget) -> None:
        self._graph, self._read, self._budget = graph, read, budget

    def of(self, node: Node, enter: Callable[[str, str], None] = lambda *_: None) -> Iterator[Touch]:
        """Yield what a commit changed, in the order of the names.

        Parameters
        ----------
        node : Node
            The commit.
        enter : callable, optional
            Is told path and id of each folder of the commit that is not as in its parents.

        Yields
        ------
        Touch
            One path each.

        Raises
        ------
        DamagedObjectError
            If a tree or commit is missing or damaged.
        TooMuchError
            If there is too much of it.
        """
        parents = node.parents
        bases: list[str] = []
        pairs: dict[tuple[int, int], tuple[int, ...]] = {}
        for one in range(len(parents)):
            for other in range(one + 1, len(parents)):
                found = self._graph.bases(parents[one], parents[other])
                places = tuple(range(len(bases), len(bases) + len(found)))
                bases += found
                pairs[one, other] = pairs[other, one] = places
        roots = tuple(_root(self._graph.node(commit)) for commit in [*parents, *bases])
        merge = _Merge(len(parents), pairs, enter)
        yield from self._walk("", 0, _root(node), roots, merge)

    def _walk(self, prefix: str, depth: int, after: Entry | None, sides: Sides, merge: _Merge) -> Iterator[Touch]:
        """Yield what changed below a folder."""
        if after is not None:
            merge.enter(prefix.rstrip("/"), after.id)
        now = self._entries(after)
        befores = [self._entries(side) for side in sides]
        for name in _differing(now, befores[: merge.parents]):
            entry, others = now.get(name), tuple(before.get(name) for before in befores)
            self._budget.spend()
            if not merge.follows(entry, others):
                path = prefix + name.decode(errors="surrogateescape")
                yield from self._changed(path, depth + 1, entry, others, merge)

    def _changed(self, path: str, depth: int, entry: Entry | None, sides: Sides, merge: _Merge) -> Iterator[Touch]:
        before = sides[: merge.parents]
        whole = depth == _CONSTANT_DEPTH and not path.startswith((".", f"{EXPERIMENTS}/"))
        folders = all(side is None or side.is_tree for side in before)
        emptied = entry is None and folders and len(before) > 1 and not whole  # each side may have taken a part away
        if depth > _DEEPEST or not (emptied or (entry is not None and entry.is_tree)):
            yield Touch(path, entry, before)
            return
        if not folders:
            yield Touch(path, None, before)  # a file that made room for a folder
        yield from self._walk(f"{path}/", depth, entry, sides, merge.whole if whole else merge)

    def _entries(self, entry: Entry | None) -> RawTree:
        return self._read(entry.id) if entry is not None and entry.is_tree else NO_TREE


class _Merge(NamedTuple):
    """How the sides of a merge belong together: the places of common ancestors by pair of parents."""

    parents: int
    pairs: Mapping[tuple[int, int], tuple[int, ...]]
    enter: Callable[[str, str], None]

    @property
    def whole(self) -> _Merge:
        """The same where nothing follows by itself but what all parents have."""
        return self._replace(pairs={})

    def follows(self, after: Entry | None, sides: Sides) -> bool:
        """Tell whether what a merge has is what its parents give by themselves."""
        before, bases = sides[: self.parents], sides[self.parents :]
        changed = [place for place, side in enumerate(before) if side != after]
        if not changed:
            return bool(before)
        return any(
            side == after and all(self._untouched(place, other, before, bases) for other in changed)
            for place, side in enumerate(before)
        )

    def _untouched(self, place: int, other: int, before: Sides, bases: Sides) -> bool:
        """Tell whether one parent has what it had when it and another one parted."""
        places = self.pairs.get((place, other), ())
        return bool(places) and all(bases[base] == before[other] for base in places)


def _root(node: Node) -> Entry:
    return Entry(b"40000", bytes.fromhex(node.tree))


def _differing(now: RawTree, befores: list[RawTree]) -> list[bytes]:
    """Return the names whose entries are not the same in all of them."""
    if not befores:
        return sorted(now.entries)
    pairs = chain.from_iterable(now.entries.items() ^ before.entries.items() for before in befores)
    return sorted({name for name, _ in pairs})
