"""Objects in packs, through dulwich; sizes are read from the entry itself where it is no delta."""

from __future__ import annotations

import struct
import zlib as plain_zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException
from dulwich.objects import ObjectID
from dulwich.pack import PackFileDisappeared
from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.streams import InflateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from dulwich.object_store import BaseObjectStore, DiskObjectStore
    from dulwich.pack import Pack

    T = TypeVar("T")

_ATTEMPTS = 3
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_DAMAGE = (
    ApplyDeltaError, AssertionError, ChecksumMismatch, EOFError, FileFormatException, IndexError, OSError,
    OverflowError, PackFileDisappeared, TypeError, ValueError, struct.error, InflateError, plain_zlib.error,
)  # fmt: skip


def read(store: DiskObjectStore, wanted: str) -> tuple[str, bytes]:
    """Return kind and content of an object in a pack or in an alternate.

    Raises
    ------
    DamagedObjectError
        If it is missing, or its pack is damaged.
    """
    number, content = _undamaged(wanted, lambda: store.get_raw(ObjectID(wanted.encode())))
    if number not in _KINDS:
        raise DamagedObjectError(wanted, f"its pack is damaged: there are no objects of kind {number}")
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
    head = _undamaged(wanted, lambda: _look(store, wanted, length))
    if head is None:  # a delta, or loose in an alternate
        kind, content = read(store, wanted)
        head = kind, content[:length], len(content)
    return head


def abbreviated(store: DiskObjectStore, prefix: str) -> list[str]:
    """Return the ids of the objects, loose or packed, that begin with some hex digits.

    Raises
    ------
    DamagedObjectError
        If a pack is damaged.
    """
    return _undamaged(prefix, lambda: sorted({found.decode() for found in _ids(store, prefix.encode())}))


def _ids(store: DiskObjectStore, prefix: bytes) -> set[ObjectID]:
    for _ in range(_ATTEMPTS):
        with suppress(PackFileDisappeared):  # packed anew since we looked last; the store has noticed by now
            return set(store.iter_prefix(prefix))
    return set(store.iter_prefix(prefix))


def _look(store: DiskObjectStore, wanted: str, length: int) -> tuple[str, bytes, int] | None:
    for pack in _packs(store):
        try:
            offset = pack.index.object_offset(ObjectID(wanted.encode()))
            with Path(pack.data.path).open("rb") as file:
                file.seek(offset)
                return _entry_head(file.read(2 * length + 4096), length)
        except (KeyError, FileNotFoundError, PackFileDisappeared):  # not in it, or packed anew while we looked
            continue
    return None


def _packs(store: BaseObjectStore) -> Iterator[Pack]:
    yield from getattr(store, "packs", ())
    for alternate in getattr(store, "alternates", ()):
        yield from _packs(alternate)


def _undamaged(wanted: str, look: Callable[[], T]) -> T:
    """Return what a look into the packs gives, its failures in our own words.

    The error is raised when the failure itself is forgotten: it holds on to the mapped pack, which then cannot be
    closed.
    """
    try:
        return look()
    except KeyError:
        reason = "it is missing"
    except _DAMAGE as error:
        reason = f"its pack is damaged: {error}"
    raise DamagedObjectError(wanted, reason)


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
