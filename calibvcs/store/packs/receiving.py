"""A pack that comes from elsewhere: written to disk as it comes, checked on the way, visible when all of it is right.

It is never trusted: every object in it is hashed, what it claims about counts and sizes is held against what it has,
and what its objects refer to must be in it or here already. No object of it is held in memory but commits, trees, tags
and what deltas need; a blob of any size goes through in pieces.
"""

from __future__ import annotations

import hashlib
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedPackError
from calibvcs.store.durable import disk_errors, make_folders
from calibvcs.store.objects.links import links
from calibvcs.store.objects.new_file import NewFile
from calibvcs.store.packs.delta_resolving import DeltaResolver
from calibvcs.store.packs.scanning import PackScanner
from calibvcs.store.packs.writing import Place, entry_head, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

_COUNT = struct.Struct(">I")
_COUNT_AT = 8
_CHUNK = 1 << 20
_ID = 20


@dataclass(frozen=True, slots=True)
class Received:
    """What a pack brought.

    Attributes
    ----------
    pack : Path or None
        The pack; None where it was empty.
    objects : int
        Number of objects in it.
    size : int
        Bytes that came in.
    """

    pack: Path | None
    objects: int
    size: int


class PackReceiver:
    """A pack on its way in; leaving its ``with`` statement removes it unless it was finished.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    source : str
        Where it comes from, for people.
    read : callable
        Returns kind and content of an object that is here, None for others: bases of deltas that the pack leaves out.
    present : callable
        Tells whether an object is here.
    promised : bool
        Whether blobs may be missing, because they can be fetched later.
    progress : callable, optional
        Is given the number of bytes so far.

    Raises
    ------
    StorageError, NotWritableError
        If the disk is full, fails or is read-only: here, and from every method.
    """

    def __init__(
        self,
        objects: Path,
        source: str,
        read: Callable[[str], tuple[str, bytes] | None],
        present: Callable[[str], bool],
        *,
        promised: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._folder, self._source, self._progress = objects / "pack", source, progress
        self._read, self._present, self._promised = read, present, promised
        self._wanted: set[bytes] = set()
        self._scanner = PackScanner(self._link)
        self._size = 0
        with disk_errors(self._folder):
            make_folders(self._folder)
            self._file = NewFile(self._folder, prefix="tmp_pack_", mode=0o444)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.discard()

    def write(self, data: bytes) -> int:
        """Take the next bytes of the pack, and return how many.

        Raises
        ------
        DamagedPackError
            If they cannot be those of a pack.
        """
        try:
            self._scanner.feed(data)
        except ValueError as error:
            raise DamagedPackError(self._source, str(error)) from None
        with disk_errors(self._folder, len(data)):
            self._file.write([data])
        self._size += len(data)
        if self._progress:
            self._progress(self._size)
        return len(data)

    def finish(self) -> Received:
        """Check what came in, bring it to disk and make it visible.

        Raises
        ------
        DamagedPackError
            If it is cut short or damaged, or something that it needs is missing.
        """
        if not self._size:
            return Received(None, 0, 0)
        try:
            checksum = self._scanner.finish()
            with disk_errors(self._folder):
                checksum = self._resolve(checksum)
                if len(self._scanner.places) != self._scanner.count:
                    raise ValueError("it holds an object twice")  # noqa: TRY301 - one exit for every form of damage
                self._check_links()
                if not self._scanner.places:
                    return Received(None, 0, self._size)
                return Received(self._name(checksum), len(self._scanner.places), self._size)
        except ValueError as error:
            raise DamagedPackError(self._source, str(error)) from None

    def _link(self, kind: str, content: bytes) -> None:
        self._wanted |= links(kind, content, blobs=not self._promised)

    def _resolve(self, checksum: bytes) -> bytes:
        """Make objects of all deltas; return the check sum of the pack, which is another one if bases were added."""
        scanner = self._scanner
        if not scanner.deltas:
            return checksum
        resolver = DeltaResolver(self._file.descriptor, scanner.places, scanner.deltas, self._link)
        resolver.resolve()
        self._file.cut(self._file.position - _ID)
        bases = 0
        while missing := sorted(resolver.missing()):
            before = bases
            for base in missing:
                # Another one may have made it meanwhile, or may yet: then it is in the pack, and not here.
                found = self._read(base) if base in resolver.missing() else None
                if found is None:
                    continue
                offset, crc = self._append(*found)
                scanner.places[base] = Place(offset, crc)
                resolver.resolve_from(*found, offset, base)
                bases += 1
            if bases == before:
                raise ValueError(f"a delta needs {missing[0]}, which is neither in it nor here")
        if resolver.made != len(scanner.deltas):
            raise ValueError("a delta has no base")
        scanner.count += bases
        if bases:
            self._file.overwrite(_COUNT.pack(scanner.count), _COUNT_AT)
            checksum = self._checksum()
        self._file.write([checksum])
        return checksum

    def _append(self, kind: str, content: bytes) -> tuple[int, int]:
        entry = entry_head(kind, len(content)) + zlib.compress(content)
        offset = self._file.position
        self._file.write([entry])
        return offset, zlib.crc32(entry)

    def _checksum(self) -> bytes:
        digest = hashlib.sha1(usedforsecurity=False)
        for begin in range(0, self._file.position, _CHUNK):
            digest.update(self._file.read(min(_CHUNK, self._file.position - begin), begin))
        return digest.digest()

    def _check_links(self) -> None:
        for wanted in map(bytes.hex, self._wanted):
            if wanted not in self._scanner.places and not self._present(wanted):
                raise ValueError(f"it refers to {wanted}, which is neither in it nor here")

    def _name(self, checksum: bytes) -> Path:
        self._file.sync()
        marks = {".promisor": b""} if self._promised else {}
        return publish(self._file, self._folder, self._scanner.places, checksum, marks)
