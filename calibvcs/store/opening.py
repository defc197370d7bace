"""Where the folders of a Git repository are, told from its own files as Git tells it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import DamagedRepositoryError, NoRepositoryError
from calibvcs.store.configuration import is_true, settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Extensions that do not change what calibvcs reads and writes, with the only values that they may have.
_KNOWN_EXTENSIONS = {
    "extensions.objectformat": {"sha1"},
    "extensions.refstorage": {"files"},
    "extensions.partialclone": None,
    "extensions.relativeworktrees": None,
    "extensions.worktreeconfig": None,
}


class Folders(NamedTuple):
    """The folders of a repository.

    Attributes
    ----------
    root : Path
        The worktree; for a bare repository the Git folder.
    control : Path
        The Git folder of this worktree: HEAD and index.
    common : Path
        The Git folder that all worktrees share: objects, refs and configuration.
    bare : bool
        Whether there is no worktree.
    """

    root: Path
    control: Path
    common: Path
    bare: bool


def above(start: Path) -> Path:
    """Return the repository that a folder lies in.

    Raises
    ------
    NoRepositoryError
        If neither the folder nor one above it is a repository.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / ".git").exists() or ((folder / "objects").is_dir() and (folder / "HEAD").is_file()):
            return folder
    raise NoRepositoryError(str(start))


def locate(path: Path) -> Folders:
    """Return the folders of a repository.

    Parameters
    ----------
    path : Path
        Its worktree, its ``.git`` or a bare one.

    Returns
    -------
    Folders
        Where they are.

    Raises
    ------
    NoRepositoryError
        If there is no Git repository.
    DamagedRepositoryError
        If its files cannot be understood, or it is of a kind that is not known here.
    """
    root = path.parent if path.name == ".git" and path.is_dir() else path  # else its worktree would not follow
    try:
        return _folders(root)
    except (OSError, ValueError) as error:
        raise DamagedRepositoryError(str(root), f"git cannot open it: {error}") from None


def _folders(root: Path) -> Folders:
    inside = root / ".git"
    bare = False
    if inside.is_file():
        control = _pointed_at(inside)
    elif (inside / "objects").is_dir():
        control = inside
    elif (root / "objects").is_dir() and (root / "refs").is_dir():
        control, bare = root, True
    else:
        raise NoRepositoryError(str(root))
    common = _common(control)
    config = settings(common / "config")
    _check_kind(config, root)
    if is_true(config.get("extensions.worktreeconfig", "")):
        config = {**config, **settings(control / "config.worktree")}
    worktree = config.get("core.worktree")
    if worktree is None:
        return Folders(root, control, common, bare)
    if is_true(config.get("core.bare", "")):
        raise DamagedRepositoryError(str(root), _unsupported("core.bare and core.worktree do not go together"))
    return Folders(control / worktree, control, common, bare=False)


def _pointed_at(file: Path) -> Path:
    """Return the folder that the ``.git`` file of a linked worktree or a submodule names."""
    kind, _, name = os.fsdecode(file.read_bytes()).rstrip("\r\n").partition(": ")
    control = file.parent / name
    if kind != "gitdir" or not name or not control.is_dir():
        raise ValueError(f"{file} does not name a Git folder")
    return control


def _common(control: Path) -> Path:
    try:
        name = os.fsdecode((control / "commondir").read_bytes()).rstrip("\r\n")
    except FileNotFoundError:
        return control
    return (control / name).resolve()


def _check_kind(config: Mapping[str, str], root: Path) -> None:
    version = config.get("core.repositoryformatversion", "0")
    if int(version) not in {0, 1}:
        raise DamagedRepositoryError(str(root), _unsupported(f"version {version} of Git's format"))
    for name, value in config.items():
        if not name.startswith("extensions."):
            continue
        if name not in _KNOWN_EXTENSIONS:
            raise DamagedRepositoryError(str(root), _unsupported(f"{name} = {value}"))
        allowed = _KNOWN_EXTENSIONS[name]
        if allowed and value.lower() not in allowed:
            one = " or ".join(sorted(allowed))
            raise DamagedRepositoryError(str(root), _unsupported(f"{name} = {value}; supported is {one}"))


def _unsupported(what: str) -> str:
    return f"its configuration is not supported: {what}"
