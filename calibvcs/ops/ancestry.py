"""The commits that led to one, as far back as somebody knows them already."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from calibvcs.model.commits import Commit

T = TypeVar("T")


def since(
    read: Callable[[str], Commit], tip: str, known: Callable[[str], T | None]
) -> tuple[T | None, list[tuple[Commit, bool]]]:
    """Return what led to a commit since one that is known.

    Parameters
    ----------
    read : callable
        Returns a commit by its id.
    tip : str
        The newest commit.
    known : callable
        Returns what is known of everything that led to a commit, by its id; None where nothing is.

    Returns
    -------
    base : T or None
        What was known of the commit that all others are made on; None if they go back to the beginning.
    commits : list of tuple
        The commits made since, none before one that it was made on, else by date; and whether all that stand before it
        led to it.
    """
    commits: dict[str, Commit] = {}
    waiting = [(0, tip)]
    seen, rooted, base = {tip}, False, None
    while waiting:
        # Where one commit is left, the others were all made on it - unless they have a beginning of their own.
        if len(waiting) == 1 and not rooted and (base := known(waiting[0][1])) is not None:
            break
        commit = read(heapq.heappop(waiting)[1])
        commits[commit.id] = commit
        rooted = rooted or not commit.parents
        for parent in commit.parents:
            if parent not in seen:
                seen.add(parent)
                heapq.heappush(waiting, (-commit.committer.time, parent))
    return base, _ordered(commits, tip)


def _ordered(commits: Mapping[str, Commit], tip: str) -> list[tuple[Commit, bool]]:
    """Return commits oldest first, by date as far as ancestry allows, and whether nothing stood beside each of them."""
    children: dict[str, int] = {}
    for commit in commits.values():
        for parent in commit.parents:
            children[parent] = children.get(parent, 0) + 1
    ready = [(-commits[tip].committer.time, 0, tip)] if tip in commits else []
    newest_first: list[tuple[Commit, bool]] = []
    order = 0
    while ready:
        commit = commits[heapq.heappop(ready)[2]]
        newest_first.append((commit, not ready))
        for parent in commit.parents:
            children[parent] -= 1
            if children[parent] == 0 and parent in commits:
                order += 1
                heapq.heappush(ready, (-commits[parent].committer.time, order, parent))
    return newest_first[::-1]
