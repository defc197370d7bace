"""What stands in the object folder of a repository itself: loose files and packs, each copy of an object on its own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dulwich.object_store import DiskObjectStore

from calibvcs.store.objects.loose_reading import LooseObject
from calibvcs.store.objects.reading import ObjectReader
from calibvcs.store.packs.packed_object import PackedObject
from calibvcs.store.packs.reading import Pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.store.objects.reading import Copy

_HEX = re.compile(r"[0-9a-f]+")
_FOLDER, _FILE = 2, 38


@dataclass(frozen=True, slots=True)
class LooseFile:
    """A loose object: its id, its file, the bytes of the file, and when somebody last needed it (UNIX seconds)."""

    id: str
    path: Path
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack.

    Attributes
    ----------
    path : Path
        The ``.pack`` file.
    size : int
        Its bytes.
    used : float
        When somebody last needed something in it, UNIX seconds.
    promisor : bool
        Whether it came from a remote that promised what it refers to.
    fixed : bool
        Whether it is to stay as it is: somebody said so, or its index is none of ours.
    pack : Pack
        Its reader.
    """

    path: Path
    size: int
    used: float
    promisor: bool
    fixed: bool
    pack: Pack

    def ids(self) -> list[str]:
        """Return the ids in it, in the order in which they stand there.

        Raises
        ------
        ValueError, OSError
            If its index cannot be read.
        """
        return [wanted for _, wanted in sorted((self.offset(one), one) for one in self.pack.index.beginning_with(""))]

    def offset(self, wanted: str) -> int:
        """Return where an object begins that is in it."""
        found = self.pack.index.find(bytes.fromhex(wanted))
        if found is None:
            raise KeyError(wanted)
        return found

    def copy(self, wanted: str) -> PackedObject:
        """Return an object that is in it."""
        return PackedObject(wanted, self.pack, self.offset(wanted))


class LocalObjects:
    """The objects of one folder; it is a context that gives its files back.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    """

    def __init__(self, objects: Path) -> None:
        self.folder = objects
        self._borrowed: DiskObjectStore | None = None
        self.reader = ObjectReader(objects, self._fallback)
        self._opened: list[Pack] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        for pack in self._opened:
            pack.close()
        if self._borrowed is not None:
            self._borrowed.close()

    def loose(self) -> Iterator[LooseFile]:
        """Yield the loose objects, sorted by id."""
        for folder in sorted(self.folder.iterdir()):
            if len(folder.name) == _FOLDER and _HEX.fullmatch(folder.name) and folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if len(path.name) == _FILE and _HEX.fullmatch(path.name):
                        try:
                            state = path.stat()
                        except FileNotFoundError:  # somebody else cleans up
                            continue
                        yield LooseFile(folder.name + path.name, path, state.st_size, state.st_mtime)

    def packs(self) -> list[PackFile]:
        """Return the packs that have an index, the smallest first."""
        found = []
        for index in sorted((self.folder / "pack").glob("pack-*.idx")):
            path = index.with_suffix(".pack")
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            fixed = path.with_suffix(".keep").exists() or path.with_suffix(".mtimes").exists()
            pack = Pack(index)
            self._opened.append(pack)
            try:
                _ = pack.index
            except (OSError, ValueError):
                fixed = True
            promisor = path.with_suffix(".promisor").exists()
            found.append(PackFile(path, state.st_size, state.st_mtime, promisor, fixed, pack))
        return sorted(found, key=lambda one: (one.size, one.path.name))

    def copies(self, wanted: str) -> Iterator[Copy]:
        """Yield the copies of an object in this folder, whether or not they are sound."""
        loose = LooseObject.at(self.folder, wanted)
        if os.path.exists(loose.file):  # noqa: PTH110 - no name makes it fail
            yield loose
        yield from self.packed(wanted)

    def packed(self, wanted: str) -> Iterator[PackedObject]:
        """Yield the copies of an object in packs."""
        packs = self.reader._folders[0][1]
        packs.refresh()
        for copy in packs.copies(wanted):
            if isinstance(copy, PackedObject):
                yield copy

    def borrowed(self, wanted: str) -> Iterator[Copy]:
        """Yield the copies of an object in folders that this one borrows from."""
        for folder, packs in self.reader._all_folders():
            if folder is not self.folder:
                yield LooseObject.at(folder, wanted)
                packs.refresh()
                yield from packs.copies(wanted)

    def all_copies(self, wanted: str) -> Iterator[Copy]:
        """Yield the copies of an object here, then those that are borrowed."""
        yield from self.copies(wanted)
        yield from self.borrowed(wanted)

    def _fallback(self) -> DiskObjectStore:
        if self._borrowed is None:
            self._borrowed = DiskObjectStore(str(self.folder))
        return self._borrowed
