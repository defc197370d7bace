"""Which objects are in which pack, and where: index files of version 2, and the index of many packs."""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FANOUT = struct.Struct(">256I")
_ID, _CHECK_SUM = 20, 20
_LARGE = 0x80000000
_SMALL_FILE = 1 << 20


class FileBytes:
    """A file that is never changed, by position; a small one is read at once.

    Parameters
    ----------
    path : Path
        Which file.

    Raises
    ------
    OSError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size
        self._data: bytes | None = None
        if self.size <= _SMALL_FILE:
            with self._file:
                self._data = self._file.readall()
            self.size = len(self._data)

    def at(self, begin: int, length: int) -> bytes:
        """Return bytes.

        Raises
        ------
        ValueError
            If the file ends before them.
        OSError
            If it cannot be read.
        """
        if self._data is not None:
            data = self._data[begin : begin + length]
        else:
            data = os.pread(self._file.fileno(), length, begin)
        if len(data) != length:
            raise ValueError(f"{self.path} is cut short")
        return data

    def is_sound(self) -> bool:
        """Tell whether the file has the SHA-1 that stands at its end, as all files about packs do."""
        digest = hashlib.sha1(usedforsecurity=False)
        end = max(0, self.size - _CHECK_SUM)
        try:
            for begin in range(0, end, _SMALL_FILE):
                digest.update(self.at(begin, min(_SMALL_FILE, end - begin)))
            return self.at(end, _CHECK_SUM) == digest.digest()
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class _SortedIds:
    """A table of ids in order, and how many of them begin with each byte or a smaller one."""

    def __init__(self, file: FileBytes, fanout: int, ids: int) -> None:
        self._file, self._ids = file, ids
        self._below = (0, *_FANOUT.unpack(file.at(fanout, _FANOUT.size)))
        if any(more < less for less, more in zip(self._below, self._below[1:], strict=False)):
            raise ValueError(f"{file.path}: its table of first bytes is damaged")
        self.count = self._below[-1]

    def number(self, wanted: bytes) -> int | None:
        first, ids = self._bucket(wanted[0])
        place = ids.find(wanted)
        while place % _ID and place >= 0:
            place = ids.find(wanted, place + 1)
        return None if place < 0 else first + place // _ID

    def beginning_with(self, prefix: str) -> list[str]:
        low, high = int(f"{prefix:0<2}"[:2], 16), int(f"{prefix:f<2}"[:2], 16)
        buckets = (self._bucket(first)[1] for first in range(low, high + 1))
        ids = (ids[place : place + _ID].hex() for ids in buckets for place in range(0, len(ids), _ID))
        return [found for found in ids if found.startswith(prefix)]

    def _bucket(self, first: int) -> tuple[int, bytes]:
        low, high = self._below[first], self._below[first + 1]
        return low, self._file.at(self._ids + low * _ID, (high - low) * _ID)


class PackIndex:
    """The index of one pack, version 2.

    Parameters
    ----------
    path : Path
        The ``.idx`` file.

    Raises
    ------
    ValueError
        If it is of another version, or damaged.
    OSError
        If it cannot be read.
    """

    _MAGIC = b"\xfftOc\x00\x00\x00\x02"

    def __init__(self, path: Path) -> None:
        self.file = FileBytes(path)
        with ExitStack() as failing:
            failing.callback(self.file.close)
            if self.file.at(0, len(self._MAGIC)) != self._MAGIC:
                raise ValueError(f"{path} is no pack index of version 2")
            ids = len(self._MAGIC) + _FANOUT.size
            self._ids = _SortedIds(self.file, len(self._MAGIC), ids)
            self._offsets = ids + self._ids.count * (_ID + 4)
            self._large = self._offsets + self._ids.count * 4
            self._end = self.file.size - 2 * _CHECK_SUM
            if self._end < self._large:
                raise ValueError(f"{path} is cut short")
            failing.pop_all()

    def find(self, wanted: bytes) -> int | None:
        """Return where an object begins in the pack; None where it is not in it.

        Raises
        ------
        ValueError
            If the index is damaged.
        OSError
            If it cannot be read.
        """
        number = self._ids.number(wanted)
        if number is None:
            return None
        offset = int.from_bytes(self.file.at(self._offsets + 4 * number, 4))
        return _large_offset(self.file, offset, self._large, self._end) if offset & _LARGE else offset

    def beginning_with(self, prefix: str) -> list[str]:
        """Return the ids that begin with some hex digits.

        Raises
        ------
        ValueError
            If the index is damaged.
        OSError
            If it cannot be read.
        """
        return self._ids.beginning_with(prefix)


class ManyPacksIndex:
    """Git's ``multi-pack-index``, version 1: one index of many packs. It may be older than some of them.

    Parameters
    ----------
    path : Path
        Which file.

    Raises
    ------
    ValueError
        If it is of another version, or damaged.
    OSError
        If it cannot be read.
    """

    _HEAD = struct.Struct(">4sBBBBI")
    _CHUNK = struct.Struct(">4sQ")
    _PLACE = struct.Struct(">II")  # number of the pack, offset in it
    _MOST_CHUNKS, _LONGEST_NAMES = 32, 1 << 24

    def __init__(self, path: Path) -> None:
        self.file = FileBytes(path)
        with ExitStack() as failing:
            failing.callback(self.file.close)
            magic, version, hashing, chunks, below, packs = self._HEAD.unpack(self.file.at(0, self._HEAD.size))
            if (magic, version, hashing, below) != (b"MIDX", 1, 1, 0) or chunks > self._MOST_CHUNKS:
                raise ValueError(f"{path} is no index of many packs of version 1")
            table = self.file.at(self._HEAD.size, self._CHUNK.size * (chunks + 1))
            begins: list[tuple[bytes, int]] = list(self._CHUNK.iter_unpack(table))
            ends = [begin for _, begin in begins[1:]]
            self._parts = {part: (begin, end) for (part, begin), end in zip(begins, ends, strict=False)}
            self.packs = self._names(packs)
            self._ids = _SortedIds(self.file, self._part(b"OIDF", _FANOUT.size), self._part(b"OIDL", 0))
            self._part(b"OIDL", self._ids.count * _ID)
            self._places = self._part(b"OOFF", self._ids.count * self._PLACE.size)
            failing.pop_all()
        self._sound: bool | None = None

    def find(self, wanted: bytes) -> tuple[str, int] | None:
        """Return the file name of the index of a pack, and where in the pack an object begins; None if not in any.

        Raises
        ------
        ValueError
            If the file is damaged.
        OSError
            If it cannot be read.
        """
        number = self._ids.number(wanted)
        if number is None:
            return None
        place = self.file.at(self._places + self._PLACE.size * number, self._PLACE.size)
        pack, offset = int.from_bytes(place[:4]), int.from_bytes(place[4:])
        if pack >= len(self.packs):
            raise ValueError(f"{self.file.path}: there is no pack of number {pack}")
        if offset & _LARGE and b"LOFF" in self._parts:
            offset = _large_offset(self.file, offset, *self._parts[b"LOFF"])
        return self.packs[pack], offset

    def is_sound(self) -> bool:
        """Tell whether the file has its check sum; only then does what it does not list not exist."""
        if self._sound is None:
            self._sound = self.file.is_sound()
        return self._sound

    def _part(self, name: bytes, size: int) -> int:
        begin, end = self._parts.get(name, (0, 0))
        if not begin or end - begin < size or end > self.file.size - _CHECK_SUM:
            raise ValueError(f"{self.file.path} has no whole part {name.decode()}")
        return begin

    def _names(self, count: int) -> tuple[str, ...]:
        begin, end = self._part(b"PNAM", 0), self._parts[b"PNAM"][1]
        names = self.file.at(begin, min(end - begin, self._LONGEST_NAMES)).split(b"\0")[:count]
        if len(names) != count or not all(name.startswith(b"pack-") for name in names):
            raise ValueError(f"{self.file.path} does not name its packs")
        return tuple(name.decode("ascii", "replace") for name in names)


def _large_offset(file: FileBytes, number: int, begin: int, end: int) -> int:
    """Look up an offset of 2 GiB or more."""
    place = begin + 8 * (number & ~_LARGE)
    if place + 8 > end:
        raise ValueError(f"{file.path}: there is no large offset of number {number & ~_LARGE}")
    return int.from_bytes(file.at(place, 8))
