"""zlib streams on disk, written from and read into memory that is there already, so that large arrays are never copied.

Measured values hardly shrink; they are kept in *stored* blocks (RFC 1951, 3.2.4) of at most 65535 bytes, with a head of
five bytes each. Such a stream is read at the speed of the file, many blocks at a time, straight to where it is wanted.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

InflateError: type[Exception] = zlib.error  # type: ignore[assignment]  # its stub has an instance

_BLOCK = 65535
_HEAD = struct.Struct("<BHH")
_STREAM_HEAD = b"\x78\x01"
_BLOCKS_AT_ONCE = 256
_CHUNK = 1 << 18
_TRAILER = 4


def write_stored(descriptor: int, parts: Sequence[memoryview]) -> None:
    """Write bytes as a zlib stream of stored blocks.

    Parameters
    ----------
    descriptor : int
        Open file, at the position where the stream begins.
    parts : sequence of memoryview
        The bytes, item size 1, in pieces of which none is copied.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    adler = 1
    for part in parts:
        adler = zlib.adler32(part, adler)
    waiting: list[bytes | memoryview] = [_STREAM_HEAD]
    for last, block in _blocks(parts):
        size = sum(map(len, block))
        waiting += [_HEAD.pack(last, size, size ^ 0xFFFF), *block]
        if len(waiting) >= _BLOCKS_AT_ONCE:
            _write_all(descriptor, waiting)
            waiting = []
    _write_all(descriptor, [*waiting, struct.pack(">I", adler)])


def _blocks(parts: Sequence[memoryview]) -> Iterator[tuple[bool, list[memoryview]]]:
    """Cut pieces into blocks; small pieces share one, so that the blocks of a large one lie evenly in it."""
    left = sum(map(len, parts))
    block: list[memoryview] = []
    for part in parts:
        for begin in range(0, len(part), _BLOCK):
            piece = part[begin : begin + _BLOCK]
            if sum(map(len, block)) + len(piece) > _BLOCK:
                left -= sum(map(len, block))
                yield False, block
                block = []
            block.append(piece)
    yield left == sum(map(len, block)), block


def _write_all(descriptor: int, buffers: list[bytes | memoryview]) -> None:
    while buffers:
        written = os.writev(descriptor, buffers[:1024])
        while buffers and written >= len(buffers[0]):
            written -= len(buffers.pop(0))
        if written:
            buffers[0] = memoryview(buffers[0])[written:]


def inflate_into(descriptor: int, position: int, prefix: int, out: memoryview) -> bytes:
    """Inflate a stream that holds exactly a prefix and what fills a buffer.

    Parameters
    ----------
    descriptor : int
        Open file.
    position : int
        Where the stream begins in it.
    prefix : int
        Number of bytes before those that are wanted.
    out : memoryview
        Where these go, item size 1; writable.

    Returns
    -------
    bytes
        The prefix.

    Raises
    ------
    ValueError
        If the stream is damaged, shorter or longer.
    OSError
        If the file cannot be read.
    """
    head = os.pread(descriptor, 2 + _HEAD.size, position)
    if len(head) < 2 + _HEAD.size or head[0] & 15 != zlib.DEFLATED or (head[0] << 8 | head[1]) % 31 or head[1] & 32:
        raise ValueError("it does not begin like a zlib stream")
    before = bytearray(prefix)
    try:
        end = _copy_stored(descriptor, position + 2, _Target(before, out))
    except _DeflatedBlock:
        _inflate(descriptor, position, _Target(before, out))
    else:
        if os.pread(descriptor, _TRAILER, end) != struct.pack(">I", zlib.adler32(out, zlib.adler32(before))):
            raise ValueError("its check sum is wrong")
    return bytes(before)


class _DeflatedBlock(Exception):  # noqa: N818 - no error: another way is taken
    """A block that is not stored."""


class _Target:
    """Two buffers as one."""

    def __init__(self, before: bytearray, out: memoryview) -> None:
        self._before, self._out, self._split = memoryview(before), out, len(before)
        self.size = len(before) + len(out)

    def between(self, begin: int, end: int) -> list[memoryview]:
        """Return the places of some bytes."""
        pieces = self._before[begin:end], self._out[max(0, begin - self._split) : max(0, end - self._split)]
        return [piece for piece in pieces if len(piece)]

    def put(self, begin: int, data: bytes) -> None:
        """Copy bytes to their places."""
        if begin + len(data) > self.size:
            raise ValueError(f"it holds more than {self.size} bytes")
        for place in self.between(begin, begin + len(data)):
            place[:], data = data[: len(place)], data[len(place) :]


def _copy_stored(descriptor: int, position: int, target: _Target) -> int:
    """Copy the content of stored blocks, and return where the check sum of the stream stands.

    The blocks behind one most likely are as long as the one before, so that many are read in one call, each head to a
    place of its own; where that was wrong, reading goes on from there.
    """
    done, guess = 0, _BLOCK
    last, size = _stored_head(os.pread(descriptor, _HEAD.size, position), target.size)
    position += _HEAD.size
    while True:
        buffers, planned = target.between(done, done + size), done + size
        sizes: list[int] = []
        heads: list[bytearray] = []
        while not last and planned < target.size and len(sizes) < _BLOCKS_AT_ONCE:
            sizes.append(min(guess, target.size - planned))
            heads.append(bytearray(_HEAD.size))
            buffers += [memoryview(heads[-1]), *target.between(planned, planned + sizes[-1])]
            planned += sizes[-1]
        left = (os.preadv(descriptor, buffers, position) if buffers else 0) - size
        if left < 0:
            raise ValueError("it is cut short")
        done, position, ahead = done + size, position + size, False
        for head, expected in zip(heads, sizes, strict=True):
            last, size = _stored_head(bytes(head) if left >= _HEAD.size else b"", target.size - done)
            position, left = position + _HEAD.size, left - _HEAD.size
            if size != expected or left < size:
                guess, ahead = size or _BLOCK, True
                break
            done, position, left = done + size, position + size, left - size
        if ahead:
            continue
        if last:
            if done != target.size:
                raise ValueError(f"it ends after {done} of {target.size} bytes")
            return position
        last, size = _stored_head(os.pread(descriptor, _HEAD.size, position), target.size - done)
        position += _HEAD.size


def _stored_head(head: bytes, left: int) -> tuple[bool, int]:
    if len(head) < _HEAD.size:
        raise ValueError("it is cut short")
    kind, size, complement = _HEAD.unpack(head)
    if kind & 6:
        raise _DeflatedBlock
    if kind & ~1 or size ^ complement != 0xFFFF:
        raise ValueError("the head of a block is damaged")
    if size > left:
        raise ValueError(f"it holds {size - left} bytes more than it should")
    return bool(kind & 1), size


def _inflate(descriptor: int, position: int, target: _Target) -> None:
    inflater, done = zlib.decompressobj(), 0
    try:
        while not inflater.eof:
            chunk = inflater.unconsumed_tail or os.pread(descriptor, _CHUNK, position)
            position += 0 if inflater.unconsumed_tail else len(chunk)
            data = inflater.decompress(chunk, _CHUNK)
            if not chunk and not data:
                raise ValueError("it is cut short")
            target.put(done, data)
            done += len(data)
    except InflateError as error:
        raise ValueError(str(error)) from None
    if done != target.size:
        raise ValueError(f"it ends after {done} of {target.size} bytes")
