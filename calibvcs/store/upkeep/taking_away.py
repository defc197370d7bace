"""Taking files of objects away that nobody needs, so that whoever finds out at that moment that he does keeps them.

A writer that needs an object which is there already makes its file young, or writes it anew where it is gone. So a file
is first given another name, by which nobody finds it, and then looked at once more: if it became young, it is put back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from calibvcs.store.durable import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PREFIX = "tmp_gone_"
_BESIDE = (".idx", ".rev", ".bitmap", ".promisor", ".keep")
_TEMPORARY = tuple(
    f"{folder}{begin}*" for folder in ("", "pack/", "info/", "[0-9a-f][0-9a-f]/") for begin in ("tmp_", TEMPORARY)
)
_FOLDER = 2


def take_away(path: Path, name: str, folder: Path, used: float) -> bool:
    """Take one file away unless somebody needs it.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What `put_back` knows it by.
    folder : Path
        Where it waits, on the same disk.
    used : float
        When it was last needed, as far as is known; UNIX seconds.

    Returns
    -------
    bool
        Whether it is gone.
    """
    waiting = folder / f"{_PREFIX}{name}"
    try:
        path.rename(waiting)
    except FileNotFoundError:
        return True
    if waiting.stat().st_mtime > used:
        _restore(waiting, path)
        return False
    waiting.unlink()
    return True


def take_pack_away(pack: Path, used: float) -> bool:
    """Take a pack away, with all that stands beside it, unless somebody needs it; tell whether it is gone.

    Git's index of many packs goes before, if it names this one: it would promise what is not there.
    """
    many = pack.parent / "multi-pack-index"
    if many.exists() and pack.with_suffix(".idx").name.encode() in many.read_bytes():
        for path in (many, *many.parent.glob("multi-pack-index-*")):
            path.unlink(missing_ok=True)
    if not take_away(pack, pack.name, pack.parent, used):
        return False
    for suffix in _BESIDE:
        pack.with_suffix(suffix).unlink(missing_ok=True)
    return True


def put_back(objects: Path) -> None:
    """Put back what a clean-up that was killed had begun to take away.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    """
    for waiting in sorted((objects / "pack").glob(f"{_PREFIX}*")):
        _restore(waiting, waiting.with_name(waiting.name.removeprefix(_PREFIX)))
    for index in sorted((objects / "pack").glob("pack-*.idx")):
        if not index.with_suffix(".pack").exists():  # taken away; the index would follow
            for suffix in _BESIDE:
                index.with_suffix(suffix).unlink(missing_ok=True)
    for waiting in sorted(objects.glob(f"{_PREFIX}*")):
        wanted = waiting.name.removeprefix(_PREFIX)
        folder = objects / wanted[:_FOLDER]
        folder.mkdir(exist_ok=True)
        _restore(waiting, folder / wanted[_FOLDER:])


def remove_temporary(objects: Path, before: float) -> list[Path]:
    """Remove files and folders of writers that were killed, and return them.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    before : float
        Only what was last written before, UNIX seconds.
    """
    return [path for path in temporary(objects, before) if _remove(path)]


def temporary(objects: Path, before: float) -> list[Path]:
    """Return what `remove_temporary` would remove."""
    found = []
    for path in sorted(path for pattern in _TEMPORARY for path in objects.glob(pattern)):
        with suppress(FileNotFoundError):
            if max(one.stat().st_mtime for one in (path, *_below(path))) < before:
                found.append(path)
    return found


def _below(path: Path) -> Iterable[Path]:
    return path.rglob("*") if path.is_dir() and not path.is_symlink() else ()


def _remove(path: Path) -> bool:
    for one in sorted(_below(path), reverse=True):
        _remove_one(one)
    return _remove_one(path)


def _remove_one(path: Path) -> bool:
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError:  # its writer is at work after all
        return False
    return True


def _restore(waiting: Path, path: Path) -> None:
    """Give a file its name again, unless somebody wrote it anew; a link never replaces anything."""
    with suppress(FileExistsError, FileNotFoundError):
        os.link(waiting, path)
    waiting.unlink(missing_ok=True)
