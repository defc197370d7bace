"""Which files Git was told to pass over: ``.gitignore``, ``info/exclude``, and the user's own list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def not_ignored(root: Path, paths: Iterable[str]) -> list[str]:
    """Return the paths that Git was not told to ignore.

    Parameters
    ----------
    root : Path
        The worktree.
    paths : iterable of str
        Paths in it; those of folders end in ``/``.

    Returns
    -------
    list of str
        In the same order.
    """
    paths = list(paths)
    if not paths:
        return []
    from dulwich.ignore import IgnoreFilterManager  # most worktrees hold nothing that would have to be ignored
    from dulwich.repo import Repo

    with Repo(str(root)) as repo:
        manager = IgnoreFilterManager.from_repo(repo)
        return [path for path in paths if not manager.is_ignored(path)]
