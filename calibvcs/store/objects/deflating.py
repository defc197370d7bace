"""zlib streams out of memory that is there already: *stored* for what hardly shrinks, deflated for the rest.

Stored blocks (RFC 1951, 3.2.4) have at most 65535 bytes, and a head of five bytes each. They are written at the speed
of the disk, and no byte of an array is copied in between.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

from zlib_ng import zlib_ng as zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Write: TypeAlias = "Callable[[list[bytes | memoryview]], None]"

LEVEL = 2
"""Deflates status words, masks and constant gains faster than SHA-1 hashes them, and nearly as small as any level."""

_BLOCK = 65535
_HEAD = struct.Struct("<BHH")
_STREAM_HEAD = b"\x78\x01"
_TRAILER = struct.Struct(">I")
_BLOCKS_AT_ONCE = 32  # 2 MB: what was summed up is still in the cache when it is written
_CHUNK = 1 << 20
_PLACES, _SAMPLE, _SAMPLE_LEVEL = 8, 1 << 13, 1


def shrinks(parts: Sequence[memoryview]) -> bool:
    """Tell whether bytes shrink to half or less, by samples from several places.

    Measured values do not: deflating them costs ten times what writing costs, and saves a fifth.
    """
    size = sum(map(len, parts))
    whole = size <= _PLACES * _SAMPLE
    samples = [memoryview(b"".join(parts))] if whole else list(_samples(parts, size))
    shrunk = sum(len(zlib.compress(sample, _SAMPLE_LEVEL)) for sample in samples)
    return 2 * shrunk <= sum(map(len, samples))


def _samples(parts: Sequence[memoryview], size: int) -> Iterator[memoryview]:
    places = [number * (size - _SAMPLE) // (_PLACES - 1) for number in range(_PLACES)]
    begin = 0
    for part in parts:
        for place in places:
            if begin <= place < begin + len(part):
                yield part[place - begin : place - begin + _SAMPLE]
        begin += len(part)


def deflate(write: Write, parts: Sequence[memoryview], level: int = LEVEL) -> None:
    """Write bytes as a deflated zlib stream.

    Parameters
    ----------
    write : callable
        Takes the next pieces of the stream.
    parts : sequence of memoryview
        The bytes, item size 1, in pieces.
    level : int, optional
        Level of zlib.
    """
    deflater = zlib.compressobj(level)
    for part in parts:
        for begin in range(0, len(part), _CHUNK):
            data = deflater.compress(part[begin : begin + _CHUNK])
            if data:
                write([data])
    write([deflater.flush()])


def stored_size(parts: Sequence[memoryview]) -> int:
    """Return the length of the stream that `store` writes."""
    blocks = sum(1 for _ in _blocks(parts))
    return len(_STREAM_HEAD) + blocks * _HEAD.size + sum(map(len, parts)) + _TRAILER.size


def store(write: Write, parts: Sequence[memoryview]) -> None:
    """Write bytes as a zlib stream of stored blocks; the check sum is made along the way.

    Parameters
    ----------
    write : callable
        Takes the next pieces of the stream.
    parts : sequence of memoryview
        The bytes, item size 1, in pieces of which none is copied.
    """
    adler = 1
    waiting: list[bytes | memoryview] = [_STREAM_HEAD]
    for number, (last, block) in enumerate(_blocks(parts), 1):
        size = 0
        for piece in block:
            adler = zlib.adler32(piece, adler)
            size += len(piece)
        waiting += [_HEAD.pack(last, size, size ^ 0xFFFF), *block]
        if number % _BLOCKS_AT_ONCE == 0:
            write(waiting)
            waiting = []
    write([*waiting, _TRAILER.pack(adler)])


def _blocks(parts: Sequence[memoryview]) -> Iterator[tuple[bool, list[memoryview]]]:
    """Cut pieces into blocks; small pieces share one, so that the blocks of a large one lie evenly in it."""
    left, size = sum(map(len, parts)), 0
    block: list[memoryview] = []
    for part in parts:
        for begin in range(0, len(part), _BLOCK):
            piece = part[begin : begin + _BLOCK]
            if size + len(piece) > _BLOCK:
                left -= size
                yield False, block
                block, size = [], 0
            block.append(piece)
            size += len(piece)
    yield left == size, block
