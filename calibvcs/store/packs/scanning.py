"""A pack as it comes in, taken apart piece by piece: no object is ever held, but small ones that refer to others."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, NamedTuple

from zlib_ng import zlib_ng as zlib

from calibvcs.store.objects.inflating import InflateError
from calibvcs.store.packs.writing import Place

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
OFFSET_DELTA, ID_DELTA = 6, 7

LARGEST_LINKING = 1 << 27
"""Largest commit, tree or tag that is taken, in bytes: it is held. A tree of a million ranges has 50 MB."""

LARGEST_DELTA = 1 << 29
"""Largest delta that is taken, and largest object that it may make: Git makes none of larger ones either."""

_HEAD = struct.Struct(">4sII")
_VERSIONS = {2, 3}
_ID = 20
_LONGEST_HEAD = 40
_PIECE = 1 << 20
_MARGIN = 64
_LONGEST_SIZE = 60


class Delta(NamedTuple):
    """An object that a pack holds as the difference to another one.

    Attributes
    ----------
    offset : int
        Where its entry begins.
    begin : int
        Where its stream begins.
    size : int
        Length of the delta in bytes.
    crc : int
        CRC-32 of the entry.
    base : int or bytes
        Where the other one begins, or its id.
    """

    offset: int
    begin: int
    size: int
    crc: int
    base: int | bytes


class EntryHead(NamedTuple):
    """What stands before the stream of an entry.

    Attributes
    ----------
    kind : int
        Number of its kind.
    size : int
        Bytes that the stream makes, as it claims.
    base : int or bytes or None
        For a delta, how far back its base begins, or the id of that.
    length : int
        Bytes of the head.
    """

    kind: int
    size: int
    base: int | bytes | None
    length: int


class PackScanner:
    """Takes a pack in pieces of any length, and hashes every object in it.

    Parameters
    ----------
    linking : callable
        Is given kind and content of every commit, tree and tag.

    Attributes
    ----------
    places : dict of id to Place
        Where the objects stand that are no deltas.
    deltas : list of Delta
        The others.
    count : int
        How many objects the pack claims to hold.
    """

    def __init__(self, linking: Callable[[str, bytes], None]) -> None:
        self.places: dict[str, Place] = {}
        self.deltas: list[Delta] = []
        self.count = 0
        self._linking = linking
        self._left: int | None = None
        self._waiting = b""
        self._position = 0
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._stream: _Stream | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        ValueError
            If they cannot be those of a pack.
        """
        data = self._waiting + data if self._waiting else data
        view, place = memoryview(data), 0
        while place < len(data) and self._left != 0:
            taken = self._enter(data, place) if self._stream is None else self._go_on(view[place:])
            if not taken:
                break
            place += taken
        self._position += place
        self._digest.update(view[:place])
        self._waiting = data[place:]
        if self._left == 0 and len(self._waiting) > _ID:
            raise ValueError("there are bytes behind its end")

    def finish(self) -> bytes:
        """Return the check sum at the end of the pack; everything came in.

        Raises
        ------
        ValueError
            If it did not, or the check sum is wrong.
        """
        if self._left != 0 or len(self._waiting) != _ID:
            done = 0 if self._left is None else self.count - self._left
            raise ValueError(f"it is cut short: {done} of {self.count} objects came in")
        if self._waiting != self._digest.digest():
            raise ValueError("its check sum is wrong")
        return self._waiting

    def _enter(self, data: bytes, place: int) -> int:
        """Read a head; return its length, 0 where more bytes are needed."""
        if self._left is None:
            if len(data) < _HEAD.size:
                return 0
            magic, version, self.count = _HEAD.unpack_from(data)
            if magic != b"PACK" or version not in _VERSIONS:
                raise ValueError("it does not begin like a pack")
            self._left = self.count
            return _HEAD.size
        try:
            head = read_head(data, place)
        except IndexError:
            if len(data) - place >= _LONGEST_HEAD:
                raise ValueError("the head of an entry has no end") from None
            return 0
        offset = self._position + place
        base = head.base
        if isinstance(base, int):
            base = offset - base
            if not _HEAD.size <= base < offset:
                raise ValueError("an entry has no base")
        crc = zlib.crc32(data[place : place + head.length])
        self._stream = _Stream(offset, head.kind, head.size, base, offset + head.length, crc)
        return head.length

    def _go_on(self, view: memoryview) -> int:
        stream = self._stream
        assert stream is not None  # noqa: S101 - so that the type is known
        taken = stream.feed(view)
        if stream.ended:
            self._stream = None
            self._left = (self._left or 0) - 1
            if stream.base is not None:
                self.deltas.append(Delta(stream.offset, stream.begin, stream.size, stream.crc, stream.base))
            else:
                self.places[stream.digest.hexdigest()] = Place(stream.offset, stream.crc)
                if stream.parts is not None:
                    self._linking(KINDS[stream.kind], b"".join(stream.parts))
        return taken


class _Stream:
    """The stream of one entry, on its way."""

    def __init__(self, offset: int, kind: int, size: int, base: int | bytes | None, begin: int, crc: int) -> None:
        self.offset, self.kind, self.size, self.base, self.begin, self.crc = offset, kind, size, base, begin, crc
        self.ended = False
        holds = base is None and KINDS[kind] != "blob"
        if size > (LARGEST_LINKING if holds else LARGEST_DELTA) and (holds or base is not None):
            raise ValueError(f"a {'delta' if base is not None else KINDS[kind]} claims {size} bytes")
        self.parts: list[bytes] | None = [] if holds else None
        self.digest = hashlib.sha1(usedforsecurity=False)
        if base is None:
            self.digest.update(f"{KINDS[kind]} {size}\0".encode())
        self._made = 0
        self._inflater = zlib.decompressobj()

    def feed(self, view: memoryview) -> int:
        """Inflate from the next bytes; return how many of them were taken, at least one."""
        taken = 0
        while not (taken or self.ended):  # much may come out before the next byte goes in
            taken = self._inflate(view)
        return taken

    def _inflate(self, view: memoryview) -> int:
        left = self.size - self._made
        piece = view[: left + (left >> 8) + _MARGIN]  # what lies behind the stream would be copied
        try:
            data = self._inflater.decompress(piece, min(_PIECE, left + 1))
        except InflateError as error:
            raise ValueError(f"an entry cannot be inflated: {error}") from None
        self.ended = self._inflater.eof
        taken = len(piece) - len(self._inflater.unused_data if self.ended else self._inflater.unconsumed_tail)
        self._made += len(data)
        if self._made > self.size or (self.ended and self._made != self.size):
            more = " or more" if self._made > self.size else ""
            raise ValueError(f"an entry claims {self.size} bytes and holds {self._made}{more}")
        if not taken and not data:
            raise ValueError("an entry cannot be inflated: it does not go on")
        self.crc = zlib.crc32(piece[:taken], self.crc)
        if self.base is None:
            self.digest.update(data)
        if self.parts is not None:
            self.parts.append(data)
        return taken


def read_head(data: bytes, place: int) -> EntryHead:
    """Read what stands before the stream of an entry.

    Raises
    ------
    ValueError
        If there is no such kind of object, or it claims a size that nothing has.
    IndexError
        If there are too few bytes.
    """
    begin = place
    byte = data[place]
    place += 1
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        if shift > _LONGEST_SIZE:
            raise ValueError("an entry claims a size that nothing has")
        byte = data[place]
        size |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
    base: int | bytes | None = None
    if kind == OFFSET_DELTA:
        byte = data[place]
        back, place = byte & 0x7F, place + 1
        while byte & 0x80:
            if back >> _LONGEST_SIZE:
                raise ValueError("an entry has no base")
            byte = data[place]
            back, place = ((back + 1) << 7) | (byte & 0x7F), place + 1
        base = back
    elif kind == ID_DELTA:
        base = data[place : place + _ID]
        place += _ID
        if len(base) < _ID:
            raise IndexError
    elif kind not in KINDS:
        raise ValueError(f"there are no objects of kind {kind}")
    return EntryHead(kind, size, base, place - begin)
