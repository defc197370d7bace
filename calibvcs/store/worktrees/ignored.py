"""Which files Git was told to pass over: ``.gitignore``, ``info/exclude``, and the user's own list."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.store.opening import locate

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    from dulwich.config import ConfigFile, StackedConfig  # most worktrees hold nothing that would have to be ignored
    from dulwich.ignore import IgnoreFilter, IgnoreFilterManager, default_user_ignore_filter_path

    common = locate(root).common
    config = StackedConfig([ConfigFile.from_path(str(common / "config")), *StackedConfig.default_backends()])
    ignorecase = config.get_boolean((b"core",), b"ignorecase", False)
    filters = []
    for path in (common / "info" / "exclude", Path(default_user_ignore_filter_path(config)).expanduser()):
        with suppress(OSError):
            filters.append(IgnoreFilter.from_path(str(path)))
    manager = IgnoreFilterManager(str(root), filters, ignorecase)
    return [path for path in paths if not manager.is_ignored(path)]
