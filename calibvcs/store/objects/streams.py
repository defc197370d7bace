"""Objects on their way from one file into another: a window of them at a time, and hashed on the way.

What is stored stays stored, so that it is read at the speed of the disk; nothing is inflated to be deflated again but
the loose files of what was deflated, as their header is inside the stream.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.deflating import LEVEL
from calibvcs.store.objects.inflating import InflateError
from calibvcs.store.packs.packed_object import PackedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from calibvcs.store.objects.opened import OpenedObject
    from calibvcs.store.objects.reading import Copy

WINDOW = 16 * 65535
"""Bytes of an object that are in memory at a time: whole blocks of a stored stream."""

_BLOCK = 65535
_HEAD = struct.Struct("<BHH")
_CHUNK = 1 << 18
_DEFLATED = 6


class ObjectStream(NamedTuple):
    """An object, and the pieces of a zlib stream of its content.

    Attributes
    ----------
    kind : str
        commit, tree, blob or tag.
    size : int
        Bytes of the content.
    pieces : iterator of list of buffers
        Each is valid until the next one is asked for. All of it is to be trusted only when the iteration has ended:
        damage is told by `DamagedObjectError` at any piece.
    """

    kind: str
    size: int
    pieces: Iterator[list[bytes | memoryview]]


@contextmanager
def entry_stream(copy: Copy, deflates: Callable[[Sequence[memoryview]], bool]) -> Iterator[ObjectStream]:
    """Open a copy of an object as the stream of an entry of a pack.

    Parameters
    ----------
    copy : Copy
        Where it is.
    deflates : callable
        Tells whether an object is deflated that is so in its loose file, by its first bytes in pieces.

    Yields
    ------
    ObjectStream
        Stream of the content.

    Raises
    ------
    DamagedObjectError
        If it is damaged; here or at any piece.
    FileNotFoundError
        If it is not there any more.
    """
    opened = copy.open()
    if opened is None:  # a delta: its content exists only in memory
        kind, content = copy.read()
        blocks = (memoryview(content)[begin : begin + WINDOW] for begin in range(0, len(content), WINDOW))
        yield ObjectStream(kind, len(content), _deflated(blocks))
        return
    with opened:
        if isinstance(copy, PackedObject):
            pieces: Iterator[list[bytes | memoryview]] = _as_it_is(opened)
        else:
            pieces = _reframed(opened, (), deflates)
        yield ObjectStream(opened.kind, opened.size, pieces)


@contextmanager
def loose_stream(copy: Copy, deflates: Callable[[Sequence[memoryview]], bool]) -> Iterator[ObjectStream]:
    """Open a copy of an object as the stream of a loose file, with the header inside. The rest is as for packs."""
    opened = copy.open()
    if opened is None:
        kind, content = copy.read()
        yield ObjectStream(kind, len(content), _deflated([_header(kind, len(content)), memoryview(content)]))
        return
    with opened:
        header = (_header(opened.kind, opened.size),)
        yield ObjectStream(opened.kind, opened.size, _reframed(opened, header, deflates))


def is_sound(copy: Copy) -> bool:
    """Read a copy of an object to its end, in a window, and tell whether it has its hash.

    Raises
    ------
    DamagedObjectError
        If it is damaged.
    FileNotFoundError
        If it is not there any more.
    """
    opened = copy.open()
    if opened is None:
        copy.read()
        return True
    with opened:
        for _ in opened.blocks(0, WINDOW, check=True):
            pass
    return True


def _header(kind: str, size: int) -> memoryview:
    return memoryview(f"{kind} {size}\0".encode())


def _as_it_is(opened: OpenedObject) -> Iterator[list[bytes | memoryview]]:
    """Yield a stream as it stands in its pack, its content hashed."""
    digest = hashlib.sha1(_header(opened.kind, opened.size), usedforsecurity=False)
    inflater, position, made = zlib.decompressobj(), opened.position, 0
    try:
        while not inflater.eof:
            chunk = os.pread(opened.descriptor, _CHUNK, position)
            if not chunk:
                raise ValueError("it is cut short")  # noqa: TRY301 - one exit for every form of damage
            waiting: bytes = chunk
            while waiting and not inflater.eof:
                data = inflater.decompress(waiting, WINDOW)
                waiting = inflater.unconsumed_tail
                digest.update(data)
                made += len(data)
                if made > opened.size:
                    raise ValueError(f"it claims {opened.size} bytes and holds more")  # noqa: TRY301
            length = len(chunk) - len(inflater.unused_data)
            position += length
            yield [memoryview(chunk)[:length]]
    except (OSError, ValueError, InflateError) as error:
        raise DamagedObjectError(opened.id, f"{opened.file}: {error}") from None
    if made != opened.size or digest.hexdigest() != opened.id:
        raise DamagedObjectError(opened.id, f"{opened.file}: its content does not have this hash")


def _reframed(
    opened: OpenedObject, header: Iterable[memoryview], deflates: Callable[[Sequence[memoryview]], bool]
) -> Iterator[list[bytes | memoryview]]:
    """Yield a new stream of the content of a file, stored or deflated as it is there."""
    blocks = opened.blocks(0, WINDOW, check=True)
    first = next(blocks, memoryview(b""))
    content = chain(header, (first,), blocks)
    if _is_deflated(opened) and deflates((first,)):
        yield from _deflated(content)
    else:
        yield from _stored(content, opened.size + sum(map(len, header)))


def _is_deflated(opened: OpenedObject) -> bool:
    return bool(os.pread(opened.descriptor, 1, opened.position + 2)[0] & _DEFLATED)


def _stored(blocks: Iterable[memoryview], left: int) -> Iterator[list[bytes | memoryview]]:
    adler, empty = 1, not left
    waiting: list[bytes | memoryview] = [b"\x78\x01"]
    for block in blocks:
        adler = zlib.adler32(block, adler)
        for begin in range(0, len(block), _BLOCK):
            piece = block[begin : begin + _BLOCK]
            left -= len(piece)
            waiting += [_HEAD.pack(not left, len(piece), len(piece) ^ 0xFFFF), piece]
        yield waiting
        waiting = []
    yield [*([_HEAD.pack(True, 0, 0xFFFF)] if empty else []), *waiting, struct.pack(">I", adler)]


def _deflated(blocks: Iterable[memoryview]) -> Iterator[list[bytes | memoryview]]:
    deflater = zlib.compressobj(LEVEL)
    for block in blocks:
        yield [deflater.compress(block)]
    yield [deflater.flush()]
