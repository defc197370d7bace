"""The hook that lets Git ask calibvcs before it takes a push in."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, InvalidOptionError
from calibvcs.store.configuration import settings
from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_file
from calibvcs.store.opening import locate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NAME = "pre-receive"
BEFORE = "pre-receive.before"
PUSHER, MAKERS = "calibvcs.pusher", "calibvcs.admin"

_MARK = "# calibvcs hook 1"
# The hook allows what these would refuse: an owner takes a proposal back, or makes it anew. All else it refuses itself.
_SETTINGS = (
    ("receive", "denyNonFastForwards", "false"),
    ("receive", "denyDeletes", "false"),
    ("transfer", "fsckObjects", "true"),
)


@dataclass(frozen=True, slots=True)
class HookInstalled:
    """What `install` did.

    Attributes
    ----------
    path : str
        The hook.
    kept : str
        Where the hook stands that was there before, which is asked first; empty where there was none.
    makers : tuple of str
        Who is in the groups ``admins`` and ``experts`` until ``.calibvcs/access.toml`` names anybody.
    """

    schema: ClassVar[str] = "calibvcs.hook/1"

    path: str
    kept: str
    makers: tuple[str, ...]


def install(repository: Path, command: Sequence[str], makers: Sequence[str], *, keep: bool = False) -> HookInstalled:
    """Put the hook into a repository that is pushed to; an older hook of ours is replaced.

    Parameters
    ----------
    repository : Path
        The repository; usually a bare one.
    command : sequence of str
        The program that checks a push, by its full path, and its arguments.
    makers : sequence of str
        Names by which those push who made the repository; empty leaves what is configured.
    keep : bool, optional
        Keep a hook of somebody else: it is asked first, and may refuse too.

    Returns
    -------
    HookInstalled
        Where it stands.

    Raises
    ------
    AlreadyExistsError
        If there is a hook of somebody else, and it is not to be kept.
    InvalidOptionError
        If Git looks for hooks in a folder that other repositories use too.
    NoRepositoryError, DamagedRepositoryError
        If there is no repository that can be opened.
    NotWritableError, StorageError
        If the disk refuses.
    """
    folder = locate(repository).common
    hooks = _hooks_folder(folder)
    path, before = hooks / NAME, hooks / BEFORE
    with disk_errors(hooks):
        make_folders(hooks.absolute())
        if path.exists() and _MARK not in _text(path):
            _move_away(path, before, keep=keep)
        write_file(path, [_script(shlex.join(command)).encode()], mode=0o777)
        _configure(folder, makers)
    return HookInstalled(str(path), str(before) if before.exists() else "", makers_of(folder))


def is_installed(repository: Path) -> bool:
    """Tell whether the hook stands in a repository, and can be executed."""
    path = _hooks_folder(locate(repository).common) / NAME
    return os.access(path, os.X_OK) and _MARK in _text(path)


def makers_of(folder: Path) -> tuple[str, ...]:
    """Return who made a repository, as ``calibvcs.admin`` in the configuration of its Git folder says."""
    return tuple(_own(folder).get(MAKERS, "").replace(",", " ").split())


def pusher_order(folder: Path) -> str:
    """Return what ``calibvcs.pusher`` in the configuration of a Git folder says; empty where it says nothing.

    Only the repository's own file is asked: those of the user may belong to who pushes.
    """
    return _own(folder).get(PUSHER, "")


def _script(command: str) -> str:
    return f"""#!/bin/sh
{_MARK}: holds every push against .calibvcs/access.toml and the format; written by 'calibvcs hook install'
before="${{0%/*}}/{BEFORE}"
[ -x "$before" ] || exec {command}
updates=$(cat) || exit 1
printf '%s\\n' "$updates" | "$before" || exit 1
printf '%s\\n' "$updates" | {command}
"""


def _own(folder: Path) -> Mapping[str, str]:
    return settings(folder / "config")


def _hooks_folder(folder: Path) -> Path:
    from dulwich.config import StackedConfig

    configured = _own(folder).get("core.hookspath")
    if configured is not None:
        return folder / os.path.expanduser(configured)  # noqa: PTH111 - a Path would lose what is absolute
    try:
        shared = StackedConfig(StackedConfig.default_backends()).get((b"core",), b"hooksPath")
    except KeyError:
        return folder / "hooks"
    advice = f"let this repository have its own: git -C {folder} config core.hooksPath hooks"
    raise InvalidOptionError("core.hooksPath", os.fsdecode(shared), "other repositories use this folder too", advice)


def _move_away(path: Path, before: Path, *, keep: bool) -> None:
    if not keep or before.exists():
        advice = f"--keep asks it first, as {before.name}; or remove it" if not keep else f"remove {before}"
        raise AlreadyExistsError("hook", str(before if keep else path), advice)
    mode = path.stat().st_mode
    path.rename(before)
    if not mode & stat.S_IXUSR:  # Git did not ask it either
        before.chmod(mode & ~0o111)
    sync_folder(path.parent)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""


def _configure(folder: Path, makers: Sequence[str]) -> None:
    from dulwich.config import ConfigFile

    config = ConfigFile.from_path(str(folder / "config"))
    for section, name, value in _SETTINGS:
        config.set((section.encode(),), name.encode(), value.encode())
    if makers:
        section, _, name = MAKERS.partition(".")
        config.set((section.encode(),), name.encode(), " ".join(makers).encode())
    config.write_to_path()
