"""The best common ancestors of commits: where two histories parted.

It goes back from both sides at once, the newest commit first, and stops where everything left to look at leads to a
common ancestor that is known: where the two parted lately, little is read, however long the history is. Clocks only
decide how much is read, never what is found.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from calibvcs.model.commits import Commit


_OURS, _THEIRS, _STALE = 1, 2, 4
_BOTH = _OURS | _THEIRS


def merge_bases(read: Callable[[str], Commit], ours: Collection[str], theirs: Collection[str]) -> tuple[str, ...]:
    """Return the best common ancestors of two commits: those that no other common ancestor was made on.

    Parameters
    ----------
    read : callable
        Returns a commit by its id.
    ours, theirs : collection of str
        Ids of the two commits. Several on a side stand for a merge of them, which need not exist.

    Returns
    -------
    tuple of str
        Their ids, the newest first; more than one where the two have merged each other crosswise; none where the
        histories have nothing in common. A commit counts among its own ancestors.

    Raises
    ------
    DamagedObjectError
        If a commit on the way is missing or damaged.
    """
    seen = _Painting(read)
    found = seen.paint(ours, theirs)
    best = [one for one in found if not _leads_to_another(read, one, [other for other in found if other != one])]
    return tuple(sorted(best, key=lambda one: (-seen.commit(one).committer.time, one)))


def _leads_to_another(read: Callable[[str], Commit], one: str, others: Collection[str]) -> bool:
    """Tell whether one of some commits was made on this one. Clock errors let such slip through the first search."""
    painting = _Painting(read)
    if others:
        painting.paint([one], others)
    return bool(painting.marks.get(one, 0) & _THEIRS)


class _Painting:
    """What is known of the commits that were looked at: from which side they are reached."""

    def __init__(self, read: Callable[[str], Commit]) -> None:
        self._read = read
        self._commits: dict[str, Commit] = {}
        self.marks: dict[str, int] = {}
        self._waiting: list[tuple[int, str]] = []
        self._fresh = 0

    def commit(self, commit_id: str) -> Commit:
        """Return a commit, read once."""
        found = self._commits.get(commit_id)
        if found is None:
            found = self._commits[commit_id] = self._read(commit_id)
        return found

    def paint(self, ours: Collection[str], theirs: Collection[str]) -> list[str]:
        """Mark what both sides were made on, as far as needed; return common ancestors, all best ones among them."""
        queued: set[str] = set()
        found: list[str] = []
        for tips, mark in ((ours, _OURS), (theirs, _THEIRS)):
            for tip in tips:
                self._reach(tip, mark, queued)
        while self._fresh:
            commit = self.commit(heapq.heappop(self._waiting)[1])
            queued.discard(commit.id)
            mark = self.marks[commit.id]
            self._fresh -= not mark & _STALE
            if mark == _BOTH:
                found.append(commit.id)
                mark |= _STALE
            for parent in commit.parents:
                self._reach(parent, mark, queued)
        return [one for one in found if not self.marks[one] & _STALE]

    def _reach(self, commit_id: str, mark: int, queued: set[str]) -> None:
        """Let a commit be reached from a side, or from a common ancestor; look at it again if that is news."""
        before = self.marks.get(commit_id, 0)
        after = before | mark
        if after == before:
            return
        self.marks[commit_id] = after
        fresh = not after & _STALE
        if commit_id in queued:
            self._fresh += fresh - (not before & _STALE)
            return
        queued.add(commit_id)
        self._fresh += fresh
        heapq.heappush(self._waiting, (-self.commit(commit_id).committer.time, commit_id))
