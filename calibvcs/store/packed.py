"""Objects in packs, through dulwich; sizes are read from the entry itself where it is no delta."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException
from dulwich.objects import ObjectID
from dulwich.pack import PackFileDisappeared
from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.loose import InflateError

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_DAMAGE = (
    ApplyDeltaError, AssertionError, ChecksumMismatch, EOFError, FileFormatException, IndexError, OSError,
    PackFileDisappeared, ValueError, struct.error, InflateError,
)  # fmt: skip


def read(store: DiskObjectStore, wanted: str) -> tuple[str, bytes]:
    """Return kind and content of an object in a pack or in an alternate.

    Raises
    ------
    DamagedObjectError
        If it is missing, or its pack is damaged.
    """
    try:
        number, content = store.get_raw(ObjectID(wanted.encode()))
    except KeyError:
        raise DamagedObjectError(wanted, "it is missing") from None
    except _DAMAGE as error:
        raise DamagedObjectError(wanted, f"its pack is damaged: {error}") from None
    return _KINDS[number], content


def contains(store: DiskObjectStore, wanted: str) -> bool:
    """Tell whether an object is in a pack or in an alternate."""
    try:
        return ObjectID(wanted.encode()) in store
    except _DAMAGE:
        return False


def read_head(store: DiskObjectStore, wanted: str, length: int) -> tuple[str, bytes, int]:
    """Return kind, first bytes and whole size of an object in a pack or in an alternate.

    Raises
    ------
    DamagedObjectError
        If it is missing, or its pack is damaged.
    """
    try:
        for pack in store.packs:
            try:
                offset = pack.index.object_offset(ObjectID(wanted.encode()))
            except KeyError:
                continue
            with Path(pack.data.path).open("rb") as file:
                file.seek(offset)
                head = _entry_head(file.read(2 * length + 4096), length)
            if head is not None:
                return head
    except _DAMAGE as error:
        raise DamagedObjectError(wanted, f"its pack is damaged: {error}") from None
    kind, content = read(store, wanted)
    return kind, content[:length], len(content)


def _entry_head(data: bytes, length: int) -> tuple[str, bytes, int] | None:
    """Read the head of a pack entry; None where it is a delta, whose size is that of the delta."""
    byte, position = data[0], 1
    kind, size, shift = _KINDS.get((byte >> 4) & 7), byte & 15, 4
    while byte & 0x80:
        byte = data[position]
        size |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
    if kind is None:
        return None
    return kind, zlib.decompressobj().decompress(data[position:], length) if length else b"", size
