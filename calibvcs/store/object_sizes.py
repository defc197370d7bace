"""How large a packed object is, told by the heads of its deltas: nothing is inflated but these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.pack_reading import _KINDS

if TYPE_CHECKING:
    from calibvcs.store.pack_reading import PackedObject

_LONGEST_CHAIN = 4096
_HEAD_OF_DELTA = 20


def packed_size(copy: PackedObject) -> tuple[str, int]:
    """Return kind and size in bytes of an object in a pack.

    Raises
    ------
    DamagedObjectError
        If it is damaged.
    FileNotFoundError
        If the pack was taken away meanwhile.
    """
    pack = copy.pack
    try:
        entry = pack._entry(copy.offset)
        size = entry.size
        if entry.base is not None:
            head = pack._stream(entry).take_head(min(entry.size, _HEAD_OF_DELTA))
            size = _result_size(head)
        for _ in range(_LONGEST_CHAIN):
            if entry.base is None:
                return _KINDS[entry.kind], size
            entry = pack._entry(entry.base)
        raise ValueError("its deltas go round in a circle")  # noqa: TRY301 - one exit for every form of damage
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedObjectError(copy.id, f"{pack.path}: {error}") from None


def _result_size(head: bytes) -> int:
    """Return the second number of a delta: the size of what it makes."""
    place = size = 0
    for _ in range(2):
        size = shift = 0
        while True:
            if place >= len(head):
                raise ValueError("a delta is cut short")
            byte = head[place]
            size |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if not byte & 0x80:
                break
    return size
