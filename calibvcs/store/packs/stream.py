"""The entries of a pack, written one behind the other into a file under construction."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.store.objects.deflating import LEVEL, store
from calibvcs.store.packs.writing import Place, entry_head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.store.objects.new_file import NewFile
    from calibvcs.store.objects.streams import ObjectStream

_HEAD = struct.Struct(">4sII")
_OFFSET_DELTA = 6
_CHUNK = 1 << 20


class PackStream:
    """Entries of a pack, in a file that may hold something else before them.

    Parameters
    ----------
    file : NewFile
        The pack begins at its position.
    deflates : callable
        Tells whether an object is deflated, by its bytes in pieces; the others are stored.

    Attributes
    ----------
    places : dict of id to Place
        Where in the pack every object stands.
    """

    def __init__(self, file: NewFile, deflates: Callable[[Sequence[memoryview]], bool]) -> None:
        self._file, self._deflates = file, deflates
        self._begin = file.position
        self.places: dict[str, Place] = {}
        self._waiting: list[bytes | memoryview] = [_HEAD.pack(b"PACK", 2, 0)]
        self._end = _HEAD.size

    def add(self, wanted: str, kind: str, content: bytes) -> None:
        """Write an object that is in memory.

        Raises
        ------
        OSError
            If the disk refuses; also from the other methods.
        """
        pieces: list[bytes | memoryview] = [entry_head(kind, len(content))]
        views = [memoryview(content)]
        if self._deflates(views):
            pieces.append(zlib.compress(content, LEVEL))
        else:
            store(pieces.extend, views)
        self._append(wanted, pieces)

    def add_delta(self, wanted: str, base: str, delta: bytes) -> None:
        """Write an object as the difference to another one that was written before."""
        back = self._end - self.places[base].offset
        distance = bytearray([back & 0x7F])
        while back := back >> 7:
            back -= 1
            distance.insert(0, 0x80 | (back & 0x7F))
        self._append(wanted, [entry_head(_OFFSET_DELTA, len(delta)), bytes(distance), zlib.compress(delta, LEVEL)])

    def copy(self, wanted: str, stream: ObjectStream) -> None:
        """Write an object piece by piece; where that fails, nothing of it is left.

        Raises
        ------
        DamagedObjectError
            If the stream is damaged.
        """
        self._flush()
        offset, crc = self._end, 0
        try:
            head = entry_head(stream.kind, stream.size)
            crc = zlib.crc32(head)
            self._file.write([head])
            for pieces in stream.pieces:
                for piece in pieces:
                    crc = zlib.crc32(piece, crc)
                self._file.write([piece for piece in pieces if len(piece)])
        except BaseException:
            self._file.cut(self._begin + offset)
            raise
        self.places[wanted] = Place(offset, crc)
        self._end = self._file.position - self._begin

    def finish(self) -> bytes:
        """Write how many objects there are, and the check sum; return it. The file is on disk then."""
        self._flush()
        self._file.overwrite(_HEAD.pack(b"PACK", 2, len(self.places)), self._begin)
        digest = hashlib.sha1(usedforsecurity=False)
        for begin in range(0, self._end, _CHUNK):
            digest.update(self._file.read(min(_CHUNK, self._end - begin), self._begin + begin))
        self._file.write([digest.digest()])
        self._file.sync()
        return digest.digest()

    @property
    def size(self) -> int:
        """Bytes that were written so far."""
        return self._end

    def _append(self, wanted: str, pieces: list[bytes | memoryview]) -> None:
        data = b"".join(pieces)
        self.places[wanted] = Place(self._end, zlib.crc32(data))
        self._waiting.append(data)
        self._end += len(data)
        if self._begin + self._end - self._file.position >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._file.write(waiting)
