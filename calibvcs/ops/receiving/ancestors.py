"""Which commit led to which: walks through history that read no more of it than they have to, and never too much."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OURS, _THEIRS, _STALE = 1, 2, 4


@dataclass(eq=False)
class TooMuchError(CalibvcsError):
    """There is more to be looked at than a check may take; it never leaves this layer."""

    limit: str

    says = "there is more to be checked than {limit}"
    advises = "push it in several steps"


class Budget:
    """How many steps a check may still take.

    Parameters
    ----------
    steps : int
        What may be looked at.
    what : str
        What that is: commits, say.
    """

    def __init__(self, steps: int, what: str) -> None:
        self._limit, self._left = f"{steps} {what}", steps

    def spend(self, steps: int = 1) -> None:
        """Take some steps.

        Raises
        ------
        TooMuchError
            If there were not so many left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooMuchError(self._limit)


class Node(NamedTuple):
    """A commit as far as walks need it; `time` is the committer's, in UNIX seconds."""

    parents: tuple[str, ...]
    time: int
    tree: str


class Graph:
    """The commits of a store, each read once.

    Parameters
    ----------
    read : callable
        Returns a commit by its id.
    budget : Budget
        What is spent on reading.
    """

    def __init__(self, read: Callable[[str], Node], budget: Budget) -> None:
        self._read, self._budget = read, budget
        self._nodes: dict[str, Node] = {}

    def node(self, commit_id: str) -> Node:
        """Return a commit. Raises as the function that reads, and `TooMuchError`."""
        self._budget.spend()
        node = self._nodes.get(commit_id)
        if node is None:
            node = self._nodes[commit_id] = self._read(commit_id)
        return node

    def since(self, tip: str, known: Ancestry, most: int) -> list[str]:
        """Return the commits that led to one and are not known, none before one that it was made on.

        Raises
        ------
        TooMuchError
            If there are more than `most`.
        """
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [(tip, False)]
        while waiting:
            commit, done = waiting.pop()
            if done:
                found[commit] = None
            elif commit not in seen and commit not in known:
                if len(seen) >= most:
                    raise TooMuchError(f"{most} new commits")
                seen.add(commit)
                waiting.append((commit, True))
                waiting += [(parent, False) for parent in reversed(self.node(commit).parents)]
        return list(found)

    def bases(self, one: str, other: str) -> tuple[str, ...]:
        """Return the common ancestors of two commits, all best ones among them."""
        marks = {one: _OURS}
        marks[other] = marks.get(other, 0) | _THEIRS
        waiting = [(-self.node(commit).time, commit) for commit in marks]
        heapq.heapify(waiting)
        found: dict[str, None] = {}
        while any(not marks[commit] & _STALE for _, commit in waiting):
            commit = heapq.heappop(waiting)[1]
            mark = marks[commit]
            if mark & (_OURS | _THEIRS) == _OURS | _THEIRS:
                if not mark & _STALE:
                    found[commit] = None
                mark |= _STALE
            for parent in self.node(commit).parents:
                if marks.get(parent, 0) | mark != marks.get(parent, 0):
                    marks[parent] = marks.get(parent, 0) | mark
                    heapq.heappush(waiting, (-self.node(parent).time, parent))
        return tuple(found)


class Ancestry:
    """Everything that led to some commits, and these: asked one by one, and read as far back as it takes.

    Parameters
    ----------
    graph : Graph
        Where to read.
    tips : iterable of str
        The commits.
    is_stored : callable
        Tells whether a commit can be among them: what comes with a push has led to nothing that stood there before.
    """

    def __init__(self, graph: Graph, tips: Iterable[str], is_stored: Callable[[str], bool]) -> None:
        self._graph, self._is_stored = graph, is_stored
        self._seen = set(tips)
        self._waiting = [(-graph.node(tip).time, tip) for tip in self._seen]
        heapq.heapify(self._waiting)

    def __contains__(self, commit_id: str) -> bool:
        if commit_id in self._seen:
            return True
        if not self._waiting or not self._is_stored(commit_id):
            return False
        while self._waiting:
            for parent in self._graph.node(heapq.heappop(self._waiting)[1]).parents:
                if parent not in self._seen:
                    self._seen.add(parent)
                    heapq.heappush(self._waiting, (-self._graph.node(parent).time, parent))
            if commit_id in self._seen:
                return True
        return False
