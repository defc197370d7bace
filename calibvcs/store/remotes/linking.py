"""Object files of a repository on the same machine, taken over without copying them: objects never change.

A file that cannot be linked, because it is on another file system or belongs to somebody else, is copied.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calibvcs.store.durable import disk_errors, make_folders, sync_folder
from calibvcs.store.objects.alternates import alternates
from calibvcs.store.objects.loose_reading import beginning_with
from calibvcs.store.objects.loose_writing import LARGE, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COPYING = ".calibvcs-tmp-"
_ATTEMPTS = 10
_MODE = 0o444
# The index of a pack comes last: with it the pack is there.
_OF_PACKS = (".pack", ".promisor", ".rev", ".bitmap", ".idx")


@dataclass(slots=True)
class Linked:
    """What was taken over.

    Attributes
    ----------
    ids : set of str
        The objects that were loose, by their ids; packs by their names.
    size : int
        Bytes of their files.
    copied : int
        How many files had to be copied.
    """

    ids: set[str] = field(default_factory=set)
    size: int = 0
    copied: int = 0


def link_large(source: Path, target: Path, ids: Iterable[str]) -> Linked:
    """Take over those objects that are loose and large.

    Parameters
    ----------
    source, target : Path
        The ``objects`` folders.
    ids : iterable of str
        Which objects may be taken over.

    Raises
    ------
    StorageError, NotWritableError
        If the disk refuses.
    """
    linked = Linked()
    folders = (source, *alternates(source))
    changed: set[Path] = set()
    with disk_errors(target):
        for wanted in ids:
            file = next((path for path in (path_of(folder, wanted) for folder in folders) if _is_large(path)), None)
            if file is not None:
                _take(file, path_of(target, wanted), wanted, linked, changed)
        _sync(changed)
    return linked


def link_everything(source: Path, target: Path) -> Linked:
    """Take over all objects, those too that are borrowed.

    Somebody may pack the source meanwhile. What was loose then is in a pack that comes into being before the loose file
    goes; so packs are looked for last, and again until none went away under us.

    Raises
    ------
    StorageError, NotWritableError
        If the disk refuses.
    """
    linked = Linked()
    changed: set[Path] = set()
    with disk_errors(target):
        for folder in (source, *alternates(source)):
            for wanted in beginning_with(folder, ""):
                with suppress(FileNotFoundError):
                    _take(path_of(folder, wanted), path_of(target, wanted), wanted, linked, changed)
            for _ in range(_ATTEMPTS):
                if _take_packs(folder / "pack", target / "pack", linked, changed):
                    break
        _sync(changed)
    return linked


def _take_packs(source: Path, target: Path, linked: Linked, changed: set[Path]) -> bool:
    """Take over the packs that are there now; tell whether none went away meanwhile."""
    names = sorted(path.stem for path in source.glob("pack-*.idx"))
    for name in names:
        try:
            for suffix in _OF_PACKS:
                file = source / f"{name}{suffix}"
                if suffix in {".pack", ".idx"} or file.exists():
                    _take(file, target / file.name, name, linked, changed)
        except FileNotFoundError:
            return False
    return True


def _take(file: Path, target: Path, name: str, linked: Linked, changed: set[Path]) -> None:
    if target.exists():
        return
    make_folders(target.parent)
    try:
        os.link(file, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError:  # another file system, another owner, too many links
        _copy(file, target)
        linked.copied += 1
    linked.ids.add(name)
    linked.size += target.stat().st_size
    changed.add(target.parent)


def _copy(file: Path, target: Path) -> None:
    temporary = target.parent / f"{_COPYING}{os.getpid()}-{os.urandom(6).hex()}"
    try:
        with file.open("rb") as old, temporary.open("xb") as new:
            shutil.copyfileobj(old, new, 1 << 20)
            new.flush()
            os.fchmod(new.fileno(), _MODE)
            os.fsync(new.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size >= LARGE
    except OSError:
        return False


def _sync(folders: set[Path]) -> None:
    for folder in sorted(folders):
        sync_folder(folder)
    for above in sorted({folder.parent for folder in folders}):
        sync_folder(above)
