"""What a repository needs, and what it must not lose: refs, indexes, logs, and the notes of those who work in it.

Git's own rules, for all worktrees: what HEAD and the refs stand on is needed. What an index lists, what a log of a ref
tells, what ORIG_HEAD and its like name, and what a writer noted before it went on, is kept where it is there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from dulwich.index import IndexEntry

from calibvcs.store.worktrees.index_file import read_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_ID = re.compile(rb"(?m)^\^?([0-9a-f]{40})(?![0-9a-f])")
_LOGGED = re.compile(rb"(?m)^([0-9a-f]{40}) ([0-9a-f]{40}) ")
_ZERO = "0" * 40


class Roots(NamedTuple):
    """Where a walk through the objects of a repository begins.

    Attributes
    ----------
    needed : dict of str to str
        Ids that have to be there, each with who needs it.
    kept : dict of str to str
        Ids that are not to be lost if they are there.
    shallow : frozenset of str
        Commits whose parents were left out when the repository was cloned.
    """

    needed: dict[str, str]
    kept: dict[str, str]
    shallow: frozenset[str]


def roots_of(common: Path) -> Roots:
    """Return the roots of a repository.

    Parameters
    ----------
    common : Path
        The Git folder that all worktrees share.

    Raises
    ------
    DamagedRepositoryError
        If an index cannot be read: what it lists could not be kept.
    """
    controls = [common, *sorted(path for path in (common / "worktrees").glob("*") if path.is_dir())]
    needed: dict[str, str] = {}
    kept: dict[str, str] = {}
    for path in _files(control / "refs" for control in controls):
        (kept if path.suffix == ".lock" else needed).update(_ids(path, common))
    needed.update(_ids(common / "packed-refs", common))
    for control in controls:
        needed.update(_ids(control / "HEAD", common))
        kept.update(_listed(control, common))  # in a sparse worktree, not all of it is there
        for path in control.glob("*HEAD"):
            kept.update(_ids(path, common) if path.is_file() else {})
        for path in _files((control / "logs",)):
            kept.update(_logged(path, common))
        for path in (control / "calibvcs" / "pending").glob("*"):
            kept.update(_noted(path, common))
    shallow = frozenset(_ids(common / "shallow", common))
    return Roots(needed, {wanted: by for wanted, by in kept.items() if wanted not in needed}, shallow)


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # moved or packed meanwhile
        return b""


def _ids(path: Path, common: Path) -> dict[str, str]:
    named = str(path.relative_to(common))
    return dict.fromkeys({found.decode() for found in _ID.findall(_content(path))} - {_ZERO}, named)


def _logged(path: Path, common: Path) -> dict[str, str]:
    named = str(path.relative_to(common))
    ids = {found.decode() for line in _LOGGED.findall(_content(path)) for found in line}
    return dict.fromkeys(ids - {_ZERO}, named)


def _noted(path: Path, common: Path) -> dict[str, str]:
    try:
        ids = json.loads(_content(path)).values()
    except (ValueError, AttributeError):  # it was never finished, so nothing follows from it
        return {}
    return {wanted: str(path.relative_to(common)) for wanted in ids if isinstance(wanted, str)}


def _listed(control: Path, common: Path) -> dict[str, str]:
    """Return the blobs that the index of a worktree lists, those of conflicts too."""
    index = control / "index"
    found: dict[str, str] = {}
    for entry in read_index(index, control).entries.values():
        sides = (entry,) if isinstance(entry, IndexEntry) else (entry.ancestor, entry.this, entry.other)
        found.update((side.sha.decode(), str(index.relative_to(common))) for side in sides if side is not None)
    return found
