"""Whether a commit that is new to a repository keeps the format, and is the pusher's own."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from calibvcs.ops.receiving import raw_objects
from calibvcs.ops.receiving.ancestors import Budget
from calibvcs.ops.receiving.content import Contents, Problem
from calibvcs.ops.receiving.raw_objects import RawTree
from calibvcs.ops.receiving.states import check_locks, check_message, check_removals
from calibvcs.ops.receiving.tree_changes import Changes, Touch
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.access import Access
    from calibvcs.ops.receiving.ancestors import Graph
    from calibvcs.ops.receiving.raw_objects import RawCommit
    from calibvcs.store.quarantine import IncomingStore

LARGEST_COMMIT = 1 << 20
_LARGEST_TREE = 16 << 20
_KEPT_TREES = 8 << 20
_MOST_TREES = 16 << 30
_MOST_PARENTS = 16
_CLOCKS_DIFFER = 24 * 3600


class CommitCheck:
    """The commits of a push, each looked at once.

    Parameters
    ----------
    store : IncomingStore
        Where they are.
    graph : Graph
        The commits, as walks see them.
    budget : Budget
        What is spent on the entries of their trees.
    access : Access
        The rules.
    user : str
        Who pushes.
    now : float
        UNIX seconds of the server's clock.
    """

    def __init__(
        self, store: IncomingStore, graph: Graph, budget: Budget, access: Access, user: str, now: float
    ) -> None:
        self._store, self._graph, self._access, self._user, self._now = store, graph, access, user, now
        self._trees = _Trees(store)
        self._changes = Changes(graph, self._trees.read, budget)
        self._contents = Contents(store, access.limits)
        self._touches: dict[str, tuple[Touch, ...]] = {}
        self._entered: dict[str, list[tuple[str, str]]] = {}
        self._sound_trees: set[str] = set()

    @property
    def size(self) -> int:
        """Bytes of all new files that were looked at, not compressed."""
        return self._contents.size

    def touches(self, commit: str) -> tuple[Touch, ...]:
        """Return what a commit changed. Raises as `Changes.of`."""
        if commit not in self._touches:
            entered = self._entered.setdefault(commit, [])
            found = self._changes.of(self._graph.node(commit), lambda path, tree: entered.append((path, tree)))
            self._touches[commit] = tuple(found)
        return self._touches[commit]

    def text(self, commit: str) -> str:
        """Return the message of a commit."""
        return self._store.commit(commit).text

    def problems(self, commit: str) -> Iterator[Problem]:
        """Yield what is wrong with a commit; nothing where all is well.

        Raises
        ------
        DamagedObjectError
            If something that it needs is missing, damaged or too large.
        TooMuchError
            If there is too much of it.
        """
        raw = raw_objects.commit_of(self._store.content(commit, LARGEST_COMMIT)[1])
        if isinstance(raw, str):
            yield Problem("", raw)
            return
        if len(raw.parents) > _MOST_PARENTS:
            yield Problem("", f"it has {len(raw.parents)} parents; at most {_MOST_PARENTS} are allowed")
            return
        yield from self._people(raw)
        yield from self._dates(raw)
        touches = self.touches(commit)
        yield from self._shapes(commit)
        snapshot = Snapshot(self._store, commit)
        parents = [Snapshot(self._store, parent) for parent in raw.parents]
        yield from self._contents.check(snapshot, touches)
        yield from check_removals(touches, snapshot)
        yield from check_locks(touches, snapshot, parents, self._store)
        yield from check_message(raw, touches, snapshot, self._store)

    def _people(self, raw: RawCommit) -> Iterator[Problem]:
        if self._access.may_push_for_others(self._user):
            return
        for role, person in (("author", raw.author), ("committer", raw.committer)):
            reason = self._access.disowned(self._user, person.name, person.email)
            if reason:
                advice = "set user.name and user.email to what people in .calibvcs/access.toml lists for you"
                yield Problem("", f"{self._user} pushes, its {role} is {person.name}: {reason}", advice)

    def _dates(self, raw: RawCommit) -> Iterator[Problem]:
        """Tell dates that would change what a date means as a revision."""
        time = raw.committer.time
        if time > self._now + _CLOCKS_DIFFER:
            yield Problem("", f"its date ({time}) lies in the future", "set your clock, and commit again")
        if raw.parents and time < self._graph.node(raw.parents[0]).time - _CLOCKS_DIFFER:
            advice = "set your clock, and commit again: what --at DATE means must not change afterwards"
            yield Problem("", f"its date ({time}) lies before that of the commit it was made on", advice)

    def _shapes(self, commit: str) -> Iterator[Problem]:
        for folder, tree in self._entered[commit]:
            if tree not in self._sound_trees:
                for name, reason in self._trees.read(tree).trouble().items():
                    path = "/".join(filter(None, (folder, name.decode(errors="surrogateescape"))))
                    yield Problem(path, reason, "only plain files (100644) with names of the format are allowed")
                self._sound_trees.add(tree)


class _Trees:
    """Trees that were read last."""

    def __init__(self, store: IncomingStore) -> None:
        self._store = store
        self._kept: OrderedDict[str, RawTree] = OrderedDict()
        self._size = 0
        self._budget = Budget(_MOST_TREES, "bytes of folders")

    def read(self, tree: str) -> RawTree:
        """Return a tree.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or too large.
        TooMuchError
            If all trees together are.
        """
        found = self._kept.get(tree)
        if found is not None:
            self._kept.move_to_end(tree)
            return found
        data = self._store.content(tree, _LARGEST_TREE)[1]
        self._budget.spend(len(data))
        made = self._kept[tree] = RawTree(data)
        self._size += len(data)
        while self._size > _KEPT_TREES and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1].size
        return made
