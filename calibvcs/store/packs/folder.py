"""The packs of an object folder: which of them holds an object, while others write new packs and take old ones away."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

from calibvcs.errors import DamagedObjectError
from calibvcs.store.packs.indexes import FileBytes, ManyPacksIndex
from calibvcs.store.packs.packed_object import PackedObject
from calibvcs.store.packs.reading import Pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COARSEST_CLOCK = 2_000_000_000
_KEPT_OPEN = 8


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object that may be in a pack whose index is damaged.

    Attributes
    ----------
    id : str
        Id of the object.
    reason : str
        What is wrong with the index; names its file.
    """

    id: str
    reason: str

    def read(self) -> NoReturn:
        """Tell it."""
        raise DamagedObjectError(self.id, self.reason)

    def read_head(self, length: int) -> NoReturn:  # noqa: ARG002 - like any other copy
        """Tell it."""
        raise DamagedObjectError(self.id, self.reason)

    def open(self) -> NoReturn:
        """Tell it."""
        raise DamagedObjectError(self.id, self.reason)


class Packs:
    """The packs of an object folder, and what is new among them.

    An object is looked up in the index of many packs first, where there is one. It is trusted in what it finds, as a
    hash is checked behind it, but in what it does not find only if it is whole.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    """

    def __init__(self, objects: Path) -> None:
        self._folder = objects / "pack"
        self._packs: dict[str, Pack] = {}
        self._gone: list[Pack] = []
        self._many: ManyPacksIndex | None = None
        self._seen: int | None = None
        self._lock = Lock()
        self.changes = 0
        self.unusual: dict[str, str] = {}  # name of an index that is not read here, and what is wrong with it, if so

    def copies(self, wanted: str) -> Iterator[PackedObject | UnreadableObject]:
        """Yield where an object is packed; packs that appeared meanwhile are not looked at."""
        name = bytes.fromhex(wanted)
        place, covered = self._in_many(name)
        if place is not None:
            yield PackedObject(wanted, *place)
        for file, pack in list(self._packs.items()):
            if file in covered and place is None:
                continue
            try:
                offset = pack.index.find(name)
            except FileNotFoundError:
                self._seen = None
            except (OSError, ValueError) as error:
                if self._set_aside(file, pack, error):
                    yield UnreadableObject(wanted, str(error))
            else:
                if offset is not None and place != (pack, offset):
                    yield PackedObject(wanted, pack, offset)

    def beginning_with(self, prefix: str) -> Iterator[str]:
        """Yield the ids of the packed objects that begin with some hex digits; an id may come more than once."""
        for file, pack in list(self._packs.items()):
            try:
                yield from pack.index.beginning_with(prefix)
            except FileNotFoundError:
                self._seen = None
            except (OSError, ValueError) as error:
                self._set_aside(file, pack, error)

    def damaged_indexes(self) -> list[str]:
        """Return the paths of the indexes that do not have their check sum, which is why an object may seem missing."""
        return [str(pack.index.file.path) for file, pack in self._packs.items() if self._is_damaged(file, pack)]

    def refresh(self) -> None:
        """Look for packs that came or went; `changes` counts how often there were any."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        try:
            written = self._folder.stat().st_mtime_ns
            if written == self._seen:
                return
            with os.scandir(self._folder) as found:
                names = {entry.name for entry in found}
        except (FileNotFoundError, NotADirectoryError):
            return
        indexes = {name for name in names if name.endswith(".idx") and name.startswith("pack-")}
        indexes = {name for name in indexes if f"{name[:-4]}.pack" in names}
        changed = self._packs.keys() != indexes
        for gone in self._packs.keys() - indexes:
            self._gone.append(self._packs.pop(gone))
            self.unusual.pop(gone, None)
        while len(self._gone) > _KEPT_OPEN:  # the last ones may be read by another thread just now
            self._gone.pop(0).close()
        for name in indexes - self._packs.keys():
            self._packs[name] = Pack(self._folder / name)
        self._read_many()
        # What is written in the same tick of the clock does not change the time of the folder again.
        self._seen = written if time.time_ns() - written > _COARSEST_CLOCK else None
        self.changes += changed

    def close(self) -> None:
        """Give all files back."""
        for pack in (*self._packs.values(), *self._gone):
            pack.close()
        if self._many is not None:
            self._many.file.close()
        self._packs.clear()
        self._gone.clear()
        self._many = self._seen = None

    def _in_many(self, name: bytes) -> tuple[tuple[Pack, int] | None, frozenset[str]]:
        """Return where the index of many packs has an object, and for which packs it speaks."""
        many = self._many  # another thread may put a newer one in its place
        if many is None:
            return None, frozenset()
        try:
            found = many.find(name)
        except (OSError, ValueError):
            return None, frozenset()
        if found is not None:
            pack = self._packs.get(found[0])
            return (pack, found[1]) if pack else None, frozenset()
        return None, frozenset(many.packs) if many.is_sound() else frozenset()

    def _read_many(self) -> None:
        if self._many is not None:
            self._many.file.close()
        try:
            self._many = ManyPacksIndex(self._folder / "multi-pack-index")
        except (OSError, ValueError):  # there is none, or it is not understood: each pack has its own index
            self._many = None

    def _set_aside(self, name: str, pack: Pack, error: Exception) -> bool:
        """Leave a pack to dulwich, and tell whether its index is damaged: else it is of an old version."""
        if name not in self.unusual:
            try:
                file = FileBytes(pack.path.with_suffix(".idx"))
            except OSError:
                self.unusual[name] = str(error)
            else:
                self.unusual[name] = "" if file.is_sound() else str(error)
                file.close()
        return bool(self.unusual[name])

    def _is_damaged(self, name: str, pack: Pack) -> bool:
        if name in self.unusual:
            return False
        try:
            return not pack.index.file.is_sound()
        except (OSError, ValueError):
            return False
