"""Many objects in one pack: written as they come, visible all at once when it is finished, and then on disk."""

from __future__ import annotations

import hashlib
import struct
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from zlib_ng import zlib_ng as zlib

from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_file
from calibvcs.store.objects.beside import Beside
from calibvcs.store.objects.deflating import LEVEL, deflate, shrinks, store, stored_size
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.new_file import NewFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from calibvcs.store.protocol import Buffers

KIND_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
"""How the kinds of objects are numbered in packs."""

_HEAD = struct.Struct(">4sII")
_INDEX_HEAD = b"\xfftOc\x00\x00\x00\x02"
_LARGE_OFFSET = 1 << 31
_LARGE = 1 << 20
_CHUNK = 1 << 20


class Place(NamedTuple):
    """Where an object stands in a pack, and the CRC-32 of its entry."""

    offset: int
    crc: int


class PackWriter:
    """A pack under construction; until it is finished, a temporary file that nobody reads.

    The number of objects stands at its begin, and is known at its end only: so the check sum of the whole is made then,
    in one more pass over what the system still has in memory.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    deflates : callable, optional
        Tells whether an object is deflated, by its bytes in pieces; the others are stored.

    Raises
    ------
    StorageError, NotWritableError
        If the disk is full, fails or is read-only: here, and from every method. No part of the pack is left behind
        then, and whatever is tried next raises the same.
    """

    def __init__(self, objects: Path, deflates: Callable[[Sequence[memoryview]], bool] = shrinks) -> None:
        self._folder = objects / "pack"
        self._deflates = deflates
        self._places: dict[str, Place] = {}
        self._waiting: list[bytes | memoryview] = [_HEAD.pack(b"PACK", 2, 0)]
        self._end = _HEAD.size
        self._failure: BaseException | None = None
        with disk_errors(self._folder):
            make_folders(self._folder)
            self._file = NewFile(self._folder, prefix="tmp_pack_", mode=0o444)

    def add(self, kind: str, buffers: Buffers, present: Callable[[str], bool]) -> str:
        """Write an object unless it is there already, and return its id.

        Parameters
        ----------
        kind : str
            blob, tree, commit or tag.
        buffers : sequence of bytes or memoryview
            The content, in pieces.
        present : callable
            Tells whether the repository has an object of an id.

        Returns
        -------
        str
            Id of the object.
        """
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        size = sum(map(len, views))
        self._go_on()
        try:
            with disk_errors(self._folder, size):
                if size >= _LARGE:
                    return self._add_large(kind, views, size, present)
                new_id = object_id(kind, views)
                if new_id not in self._places and not present(new_id):
                    self._add_small(new_id, kind, views, size)
        except BaseException as error:
            self._fail(error)
            raise
        return new_id

    def _add_small(self, new_id: str, kind: str, views: list[memoryview], size: int) -> None:
        pieces: list[bytes | memoryview] = [entry_head(kind, size)]
        if self._deflates(views):
            pieces.append(zlib.compress(b"".join(views), LEVEL))
        else:
            store(pieces.extend, views)
        crc, offset = 0, self._end
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            self._end += len(piece)
        self._waiting.append(b"".join(pieces))  # whose pieces may change when we have returned
        self._places[new_id] = Place(offset, crc)
        if self._end - self._file.position >= _CHUNK:
            self._flush()

    def _add_large(self, kind: str, views: list[memoryview], size: int, present: Callable[[str], bool]) -> str:
        self._flush()
        offset, crc, head = self._end, 0, entry_head(kind, size)

        def write(buffers: list[bytes | memoryview]) -> None:
            nonlocal crc
            for buffer in buffers:
                crc = zlib.crc32(buffer, crc)
            self._file.write(buffers)

        def fill() -> None:
            if self._deflates(views):
                write([head])
                deflate(write, views)
            else:
                self._file.reserve(len(head) + stored_size(views))
                write([head])
                store(write, views)

        with Beside(fill) as writing:
            new_id = object_id(kind, views)
            writing.result()
        if new_id in self._places or present(new_id):
            self._file.cut(offset)
        else:
            self._places[new_id] = Place(offset, crc)
        self._end = self._file.position
        return new_id

    def finish(self) -> Path | None:
        """Bring the pack and its index to disk and make them visible.

        Returns
        -------
        Path or None
            The pack; None where nothing was new, and no pack was made.
        """
        self._go_on()
        try:
            with disk_errors(self._folder, self._end - self._file.position):
                return self._finish() if self._places else None
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what was not finished."""
        self._waiting.clear()
        with disk_errors(self._folder):
            self._file.discard()

    def _finish(self) -> Path:
        self._flush()
        self._file.overwrite(_HEAD.pack(b"PACK", 2, len(self._places)), 0)
        with Beside(self._file.sync) as syncing:
            checksum = self._checksum()
            syncing.result()
        self._file.write([checksum])
        self._file.sync()
        return publish(self._file, self._folder, self._places, checksum)

    def _checksum(self) -> bytes:
        digest = hashlib.sha1(usedforsecurity=False)
        for begin in range(0, self._end, _CHUNK):
            digest.update(self._file.read(min(_CHUNK, self._end - begin), begin))
        return digest.digest()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._file.write(waiting)

    def _go_on(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        with suppress(OSError):
            self._file.discard()


def publish(
    file: NewFile, folder: Path, places: Mapping[str, Place], checksum: bytes, marks: Mapping[str, bytes] | None = None
) -> Path:
    """Give a pack that is on disk its name and its index, which makes its objects visible.

    Parameters
    ----------
    file : NewFile
        The pack, in the folder of packs.
    folder : Path
        That folder.
    places : mapping of id to Place
        Where every object stands.
    checksum : bytes
        Check sum of the pack.
    marks : mapping of str to bytes, optional
        Files beside it, by their suffix (``.promisor``), and what they hold; they are there before the index.

    Returns
    -------
    Path
        The pack.

    Raises
    ------
    OSError
        If the disk refuses; then the pack is not visible.
    """
    pack = folder / f"pack-{checksum.hex()}.pack"
    made: list[Path] = []
    with NewFile(folder, prefix="tmp_idx_", mode=0o444) as index:
        index.write([encode_index(places, checksum)])
        index.sync()
        known = pack.with_suffix(".idx").exists()  # the same pack was there before
        try:
            file.rename(pack)
            made.append(pack)
            for suffix, content in (marks or {}).items():
                made.append(pack.with_suffix(suffix))
                write_file(made[-1], [content], mode=0o444, prefix="tmp_mark_")
            index.rename(pack.with_suffix(".idx"))  # now it is visible
        except BaseException:
            if not known:
                for path in made:
                    path.unlink(missing_ok=True)
            raise
    sync_folder(folder)
    return pack


def encode_index(places: Mapping[str, Place], pack_checksum: bytes) -> bytes:
    """Return the bytes of the index of a pack, version 2.

    Parameters
    ----------
    places : mapping of id to Place
        Where every object stands.
    pack_checksum : bytes
        The last 20 bytes of the pack.
    """
    ordered = sorted((bytes.fromhex(wanted), place) for wanted, place in places.items())
    counts = [0] * 256
    offsets: list[int] = []
    large: list[int] = []
    for wanted, place in ordered:
        counts[wanted[0]] += 1
        if place.offset < _LARGE_OFFSET:
            offsets.append(place.offset)
        else:
            offsets.append(_LARGE_OFFSET | len(large))
            large.append(place.offset)
    parts = (
        _INDEX_HEAD,
        struct.pack(">256I", *accumulate(counts)),
        b"".join(wanted for wanted, _ in ordered),
        struct.pack(f">{len(ordered)}I", *(place.crc for _, place in ordered)),
        struct.pack(f">{len(ordered)}I", *offsets),
        struct.pack(f">{len(large)}Q", *large),
        pack_checksum,
    )
    data = b"".join(parts)
    return data + hashlib.sha1(data, usedforsecurity=False).digest()


def entry_head(kind: str | int, size: int) -> bytes:
    """Return what stands before the stream of an entry: its kind, or the number of one, and its size."""
    number = KIND_NUMBERS[kind] if isinstance(kind, str) else kind
    head, byte, size = bytearray(), number << 4 | size & 15, size >> 4
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)
