"""The outer form of XTC2: datagrams back to back, and the tree of Xtcs in each of them.

Little endian, packed, no alignment anywhere. Nothing is believed: every extent is held against what encloses it
before a byte behind it is looked at, and the tree is walked to a fixed depth.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.sources.mapping import Bytes

HEADER_SIZE: Final = 24
"""Bytes of the header of a datagram."""

XTC_SIZE: Final = 12
"""Bytes of the header of an Xtc."""

CORRUPTED: Final = 1 << 3
"""Bit of the damage word: what the Xtc holds cannot be walked."""

PARENT, SHAPES_DATA, SHAPES, DATA, NAMES = range(5)

HEADER: Final = struct.Struct("<IIIIHHI")
"""Nanoseconds, seconds, env, source, damage, type, extent."""

TYPE: Final = 0x0FFF
"""Bits of the type that tell it; the others are a version."""

_XTC: Final = struct.Struct("<IHHI")
_KEY: Final = 0x0FFFFFFF
# Real files have two levels; it bounds what a file that nests for ever can cost.
_DEEPEST: Final = 16


class Service(IntEnum):
    """What a datagram is: a transition of the DAQ, or an event."""

    ClearReadout = 0
    Reset = 1
    Configure = 2
    Unconfigure = 3
    BeginRun = 4
    EndRun = 5
    BeginStep = 6
    EndStep = 7
    Enable = 8
    Disable = 9
    SlowUpdate = 10
    Unused = 11
    L1Accept = 12


_SERVICES: Final = tuple(Service)  # 16 numbers fit into the header; the DAQ uses these


class Datagram(NamedTuple):
    """Header of a datagram.

    Attributes
    ----------
    offset : int
        Where it begins in the bytes that were given.
    size : int
        Its bytes, header included.
    stamp : int
        64-bit psana stamp.
    service : Service
        What it is.
    damage : int
        Damage of the outermost Xtc.
    """

    offset: int
    size: int
    stamp: int
    service: Service
    damage: int

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + self.size


class Xtc(NamedTuple):
    """One Xtc that holds something: where its payload begins and ends, and whose it is."""

    kind: int
    key: int
    damage: int
    begin: int
    end: int


def datagram_at(data: Bytes, offset: int) -> Datagram | None:
    """Return the header of the datagram that begins at an offset.

    Parameters
    ----------
    data : Bytes
        Holds the header if the file does; the payload need not be there.
    offset : int
        Where it begins.

    Returns
    -------
    Datagram or None
        None if not even the header is there. Whether the payload is there is for the caller to see: `end`.

    Raises
    ------
    InvalidDataError
        If what stands there is no header of a datagram.
    """
    if len(data.view) - offset < HEADER_SIZE:
        return None
    nanoseconds, seconds, env, _, damage, kind, extent = HEADER.unpack_from(data.view, offset)
    service = env >> 24 & 15
    if service >= len(_SERVICES) or kind & TYPE != PARENT:
        raise data.broken(offset, f"no datagram: service {service}, type {kind & TYPE}; allowed are 0-12, and type 0")
    if extent < XTC_SIZE:
        raise data.broken(offset, f"a datagram with an extent of {extent} bytes; it holds {XTC_SIZE} at least")
    size = HEADER_SIZE - XTC_SIZE + extent
    return Datagram(offset, size, seconds << 32 | nanoseconds, _SERVICES[service], damage)


def walk(data: Bytes, datagram: Datagram) -> Iterator[Xtc]:
    """Yield the Xtcs of a datagram that hold something (no Parents), in their order.

    Parameters
    ----------
    data : Bytes
        Holds the datagram.
    datagram : Datagram
        Its header, as `datagram_at` returned it.

    Yields
    ------
    Xtc
        Of any kind but Parent; offsets are within `data`. What is marked as corrupted comes with an empty payload.

    Raises
    ------
    InvalidDataError
        If the datagram is not there as a whole, an extent leaves what encloses it, or it nests too deep.
    """
    if datagram.end > len(data.view):
        raise data.broken(datagram.offset, f"cut off, {datagram.end - len(data.view)} bytes are missing")
    if not datagram.damage & CORRUPTED:
        yield from children(data, datagram.offset + HEADER_SIZE, datagram.end)


def children(data: Bytes, begin: int, end: int) -> Iterator[Xtc]:
    """Yield the Xtcs that stand between two offsets, and those in the Parents among them.

    Raises
    ------
    InvalidDataError
        As `walk`.
    """
    ends = [end]
    while ends:
        end = ends[-1]
        if begin == end:
            ends.pop()
            continue
        if end - begin < XTC_SIZE:
            raise data.broken(begin, f"{end - begin} bytes are left, too few for an Xtc")
        source, damage, kind, extent = _XTC.unpack_from(data.view, begin)
        if not XTC_SIZE <= extent <= end - begin:
            raise data.broken(begin, f"an Xtc of {extent} bytes where {XTC_SIZE} to {end - begin} are possible")
        kind &= TYPE
        inner, begin = begin + XTC_SIZE, begin + extent
        if damage & CORRUPTED:
            yield Xtc(kind, source & _KEY, damage, begin, begin)
        elif kind == PARENT:
            if len(ends) >= _DEEPEST:
                raise data.broken(inner - XTC_SIZE, f"Xtcs inside each other, more than {_DEEPEST} deep")
            ends.append(begin)
            begin = inner
        else:
            yield Xtc(kind, source & _KEY, damage, inner, begin)
