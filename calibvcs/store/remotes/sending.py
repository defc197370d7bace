"""Objects as a pack that is made while it is sent: a window of a large one is in memory at a time, never a whole one.

What shrinks is deflated, what hardly does is stored, and that is told anew for every window: a zlib stream may have
blocks of both kinds.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.store.objects.deflating import LEVEL, shrinks
from calibvcs.store.packs.writing import KIND_NUMBERS, entry_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.missing import Lacking

_PACK_HEAD = struct.Struct(">4sII")
_BLOCK = 65535
_BLOCK_HEAD = struct.Struct("<BHH")
_STREAM_HEAD = b"\x78\x01"
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
_WINDOW = 16 * _BLOCK
_RAW = -15


class EntryToSend:
    """One object in the form in which dulwich sends it: the chunks of its entry are made when they are asked for.

    Parameters
    ----------
    store : GitStore
        Where it is.
    lacking : Lacking
        Which one.
    """

    delta_base = None
    decomp_chunks: tuple[bytes, ...] = ()

    def __init__(self, store: GitStore, lacking: Lacking) -> None:
        self._store, self._lacking = store, lacking
        self.pack_type_num = KIND_NUMBERS[lacking.kind]

    @property
    def comp_chunks(self) -> Iterator[bytes]:
        """The bytes of the entry."""
        return _entry(self._store, *self._lacking)

    def sha(self) -> bytes:
        """Return the id, 20 bytes."""
        return bytes.fromhex(self._lacking.id)


def pack_chunks(store: GitStore, objects: Sequence[Lacking]) -> Iterator[bytes]:
    """Yield a whole pack.

    Parameters
    ----------
    store : GitStore
        Where the objects are.
    objects : sequence of Lacking
        Which ones.

    Yields
    ------
    bytes
        The next bytes, about a megabyte at most.

    Raises
    ------
    DamagedObjectError
        If an object is missing or damaged.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    head = _PACK_HEAD.pack(b"PACK", 2, len(objects))
    digest.update(head)
    yield head
    for one in objects:
        for chunk in _entry(store, *one):
            digest.update(chunk)
            yield chunk
    yield digest.digest()


def entries_to_send(
    store: GitStore, objects: Sequence[Lacking], progress: Callable[[int], None] | None
) -> Iterator[EntryToSend]:
    """Yield objects for dulwich to send; `progress` is given the number of bytes so far.

    Parameters
    ----------
    store : GitStore
        Where the objects are.
    objects : sequence of Lacking
        Which ones.
    progress : callable or None
        What is called after every chunk.
    """
    for one in objects:
        yield EntryToSend(store, one) if progress is None else _Counted(store, one, progress)


class _Counted(EntryToSend):
    """An object whose bytes are counted."""

    def __init__(self, store: GitStore, lacking: Lacking, progress: Callable[[int], None]) -> None:
        super().__init__(store, lacking)
        self._progress = progress

    @property
    def comp_chunks(self) -> Iterator[bytes]:
        """The bytes of the entry."""
        for chunk in super().comp_chunks:
            yield chunk
            self._progress(len(chunk))


def _entry(store: GitStore, kind: str, wanted: str) -> Iterator[bytes]:
    if kind != "blob":
        content = store.read_object(wanted)[1]
        yield entry_head(kind, len(content)) + zlib.compress(content, LEVEL)
        return
    _, size = store.blob_head(wanted, 0)
    if size <= _BLOCK:
        content = store.blob(wanted)
        yield entry_head(kind, size) + zlib.compress(content, LEVEL)
        return
    yield entry_head(kind, size) + _STREAM_HEAD
    adler, left, ended = 1, size, False
    for window in store.blob_blocks(wanted, 0, _WINDOW):
        adler = zlib.adler32(window, adler)
        left -= len(window)
        if shrinks([window]):
            deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
            yield deflater.compress(window) + deflater.flush(zlib.Z_SYNC_FLUSH)
        else:
            ended = left == 0
            yield b"".join(_stored(window, last=ended))
    yield (b"" if ended else _LAST_BLOCK) + adler.to_bytes(4)


def _stored(window: memoryview, *, last: bool) -> Iterator[bytes | memoryview]:
    for begin in range(0, len(window), _BLOCK):
        block = window[begin : begin + _BLOCK]
        is_last = last and begin + _BLOCK >= len(window)
        yield _BLOCK_HEAD.pack(is_last, len(block), len(block) ^ 0xFFFF)
        yield block
