"""``doctor``: what is wrong with the surroundings, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import CalibvcsError
from calibvcs.model.layout import FORMAT
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.hooks import is_installed
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.upkeep.health import missing_settings, old_locks

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.store.git import GitStore
    from calibvcs.store.worktrees.worktree import Worktree

_LIBRARIES = ("dulwich", "numpy", "h5py", "tomlkit", "typer", "rich", "zlib-ng")
_ROOM = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at.
    level : {"ok", "warning", "error"}
        How it is.
    value : str
        What was found.
    advice : str
        How to mend it; empty where nothing is to be mended.
    """

    name: str
    level: Literal["ok", "warning", "error"]
    value: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was looked at."""

    schema: ClassVar[str] = "calibvcs.doctor/1"

    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing keeps the user from working."""
        return all(check.level != "error" for check in self.checks)


def doctor(store: GitStore | CalibvcsError, identity: tuple[str, str, str], program: str) -> Diagnosis:
    """Look at identity, repository, format, disk, and the versions of Git and the libraries.

    Parameters
    ----------
    store : GitStore or CalibvcsError
        The repository, or why there is none.
    identity : tuple of str
        Name and e-mail address of the user, empty where nobody told, and where they were found.
    program : str
        Version of calibvcs.

    Returns
    -------
    Diagnosis
        One check a line.
    """
    checks = [_identity(*identity)]
    if isinstance(store, CalibvcsError):
        checks.append(Check("repository", "error", store.problem, store.hint))
    else:
        checks += [_format(store), *_access(store.folder), *_upkeep(store)]
    checks += [_git(), *_versions(program)]
    return Diagnosis(tuple(checks))


def _identity(name: str, email: str, source: str) -> Check:
    if name and email:
        return Check("identity", "ok", f"{name} <{email}> ({source})")
    advice = "git config --global user.name 'Your Name' && git config --global user.email you@example.org"
    return Check("identity", "error", "nobody said who you are; nothing can be committed", advice)


def _format(store: GitStore) -> Check:
    tip = store.tip()
    where = f"{store.location} ({'bare' if store.bare else 'with worktree'}, branch {store.branch})"
    if tip is None:
        return Check("repository", "error", f"{where} has no commit", "calibvcs init makes a repository")
    try:
        settings = Catalogue(Snapshot(store, tip)).settings
    except CalibvcsError as error:
        return Check("repository", "error", error.problem, error.hint)
    return Check("repository", "ok", f"{settings.name or 'without a name'}, format {FORMAT}, {where}, at {tip[:12]}")


def _access(folder: Path) -> list[Check]:
    writable = os.access(folder / "objects", os.W_OK) and os.access(folder / "refs", os.W_OK)
    advice = "ask its owner for write access, or work in a clone: git clone REPOSITORY PATH"
    access = Check("access", "ok", "read and write") if writable else Check("access", "warning", "read only", advice)
    free = shutil.disk_usage(folder).free
    level: Literal["ok", "warning"] = "ok" if free > _ROOM else "warning"
    disk = Check(
        "disk", level, f"{free / 1e9:.1f} GB free", "" if free > _ROOM else "a set of large constants needs more"
    )
    return [access, disk]


def _upkeep(store: GitStore) -> list[Check]:
    checks = []
    missing = missing_settings(store.folder)
    if missing:
        advice = "; ".join(missing)
        checks.append(Check("settings", "warning", "packing and cloning arrays will be slow", advice))
    if store.worktree is not None and store.worktree.pending():
        checks.append(_unfinished(store.worktree))
    if (store.folder / "shallow").exists():
        told = "Git cut the history off: versions cannot be told"
        checks.append(Check("history", "warning", told, "git fetch --unshallow"))
    if store.bare and not is_installed(store.folder):
        advice = f"calibvcs hook install {store.folder}"
        checks.append(Check("hook", "warning", "pushes are held neither to access.toml nor to the format", advice))
    for lock, age in old_locks(store.folder):
        advice = f"if no program is writing, remove it: rm {lock}"
        checks.append(Check("lock", "warning", f"{lock} is {age:.0f} s old: its writer was killed, or hangs", advice))
    return checks


def _unfinished(worktree: Worktree) -> Check:
    """Finish what killed writers left undone, and tell it."""
    try:
        done = worktree.recover()
    except CalibvcsError as error:
        return Check("worktree", "warning", f"files do not follow what was committed: {error.problem}", error.hint)
    return Check("worktree", "ok", f"brought up to date with {done} committed change(s) of writers that were killed")


def _git() -> Check:
    try:
        found = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return Check(
            "git", "warning", "C Git is not installed; calibvcs works without it", "install git to look by hand"
        )
    return Check("git", "ok", found.strip().removeprefix("git version "))


def _versions(program: str) -> list[Check]:
    checks = [Check("calibvcs", "ok", program), Check("python", "ok", platform.python_version())]
    for library in _LIBRARIES:
        try:
            checks.append(Check(library, "ok", version(library)))
        except PackageNotFoundError:
            checks.append(Check(library, "error", "not installed", f"pip install {library}"))
    return checks
