"""Who made something what it is at a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from calibvcs.model.commits import Commit


def last_change(read: Callable[[str], Commit], tip: str, standing: Callable[[str], Hashable]) -> Commit:
    """Return the commit that brought about what stands somewhere at a commit.

    Parameters
    ----------
    read : callable
        Returns a commit by its id.
    tip : str
        The commit at which it is looked at.
    standing : callable
        Returns what stands there at a commit, by its id.

    Returns
    -------
    Commit
        The commit that has it while none of its parents does. Through merges it goes the way on which nothing changed.

    Raises
    ------
    DamagedObjectError
        If a commit on the way is missing or damaged.
    """
    commit, now = read(tip), standing(tip)
    while (before := next((parent for parent in commit.parents if standing(parent) == now), None)) is not None:
        commit = read(before)
    return commit
