"""What is told to a server that it need not send: the commits here, few of them, from the newest to the oldest."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, cast

from calibvcs.store.objects.encoding import decode_commit, decode_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dulwich.objects import ObjectID

    from calibvcs.store.git import GitStore

_MOST = 240
_MOST_TIPS = 120
_MOST_READ = 1024


class Haves:
    """The walk over our commits that dulwich asks for.

    First come the commits that both sides have for certain, then other tips, and then their ancestors at distances that
    double: wherever histories part, a common commit is found with few questions.

    Parameters
    ----------
    store : GitStore
        Whose commits they are.
    """

    shallow: frozenset[bytes] = frozenset()

    def __init__(self, store: GitStore) -> None:
        self._store = store
        self._ids: Iterator[ObjectID] = iter(())

    def begin(self, there: Iterable[str]) -> None:
        """Begin with the ids that the refs of the other side stand on; before, there is nothing to tell."""
        self._ids = self._walk(set(there))

    def __next__(self) -> ObjectID | None:
        return next(self._ids, None)

    def ack(self, sha: ObjectID) -> None:
        """Take note that the other side has a commit: its ancestors need not be told, but a few more do no harm."""

    def nak(self) -> None:
        """Take note that it does not."""

    def _walk(self, there: set[str]) -> Iterator[ObjectID]:
        here = list(dict.fromkeys(self._store.refs().values()))
        common = [target for target in here if target in there]
        others = [target for target in here if target not in there]
        told: set[str] = set()
        for target in [*common, *others][:_MOST_TIPS]:
            commit = self._commit_of(target)
            if commit and commit not in told:
                told.add(commit)
                yield cast("ObjectID", commit.encode())
        tips = [commit for commit in map(self._commit_of, others[:_MOST_TIPS]) if commit]
        for ancestor in self._ancestors(tips):
            if len(told) >= _MOST:
                break
            if ancestor not in told:
                told.add(ancestor)
                yield cast("ObjectID", ancestor.encode())

    def _ancestors(self, tips: list[str]) -> Iterator[str]:
        """Yield ancestors along first parents, of all tips in turn, at distances 1, 2, 4 and so on."""
        waiting = deque((tip, 1) for tip in tips)
        read = 0
        while waiting and read < _MOST_READ:
            commit, distance = waiting.popleft()
            read += distance
            for _ in range(distance):
                kind, content = self._store.read_object(commit)
                parents = decode_commit(content, commit).parents if kind == "commit" else ()
                if not parents:
                    break
                commit = parents[0]
            else:
                yield commit
                waiting.append((commit, 2 * distance))

    def _commit_of(self, target: str) -> str | None:
        kind, content = self._store.read_object(target)
        while kind == "tag":
            target = decode_tag(content, target, "").commit
            kind, content = self._store.read_object(target)
        return target if kind == "commit" else None
