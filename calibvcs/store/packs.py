"""Objects in packs, read straight from the mapped files; index files of version 1 are left to dulwich."""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.deltas import apply_delta
from calibvcs.store.loose import check_hash
from calibvcs.store.streams import InflateError, inflate_into

if TYPE_CHECKING:
    from pathlib import Path

_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_ID, _FANOUT, _TRAILER = 20, 8 + 256 * 4, 40
_LARGE_OFFSET = 0x80000000
_ENTRY_HEAD = 64
_OFFSET_DELTA, _ID_DELTA = 6, 7
_LONGEST_CHAIN = 4096
_LARGEST_RATIO = 1040  # deflate shrinks 1032 times at most: an entry that claims more is a lie
_LARGEST_RESULT = 1 << 31


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    size: int
    begin: int
    base: int | None


class Pack:
    """One pack and its index (version 2), both mapped.

    Parameters
    ----------
    index : Path
        The ``.idx`` file; the ``.pack`` stands beside it.
    """

    def __init__(self, index: Path) -> None:
        self.path = index.with_suffix(".pack")
        # Both files are opened at once: from here on, whoever packs anew may take their names away.
        with ExitStack() as opened:
            self._index = opened.enter_context(_map(index))
            self._file = opened.enter_context(self.path.open("rb", buffering=0))
            self._pack = opened.enter_context(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
            if self._index[:8] != _INDEX_MAGIC or len(self._index) < _FANOUT + _TRAILER:
                raise ValueError(f"{index} is no pack index of version 2")
            self._count = struct.unpack_from(">I", self._index, _FANOUT - 4)[0]
            if len(self._index) < _FANOUT + self._count * 28 + _TRAILER:
                raise ValueError(f"{index} is cut short")
            self._opened = opened.pop_all()

    def find(self, wanted: bytes) -> int | None:
        """Return where an object begins in the pack, by its binary id; None where it is not in it."""
        number = self._number(wanted)
        if number == self._count or self._id(number) != wanted:
            return None
        table = _FANOUT + self._count * 24
        offset: int = struct.unpack_from(">I", self._index, table + number * 4)[0]
        if offset & _LARGE_OFFSET:
            large = table + self._count * 4 + (offset & ~_LARGE_OFFSET) * 8
            offset = struct.unpack_from(">Q", self._index, large)[0]
        return offset

    def read(self, offset: int, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of the object at an offset; deltas are followed to their base.

        Raises
        ------
        DamagedObjectError
            If it cannot be read.
        """
        deltas: list[bytes] = []
        while True:
            entry = self._entry(offset, wanted)
            content = self._inflate(entry, wanted)
            if entry.base is None:
                break
            if len(deltas) == _LONGEST_CHAIN:
                raise DamagedObjectError(wanted, f"{self.path}: its deltas go round in a circle")
            deltas.append(content)
            offset = entry.base
        try:
            for delta in reversed(deltas):
                content = apply_delta(content, delta, _LARGEST_RESULT)
        except ValueError as error:
            raise DamagedObjectError(wanted, f"{self.path}: {error}") from None
        return _KINDS[entry.kind], content

    def read_head(self, offset: int, wanted: str, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of the object at an offset; only a delta is read as a whole.

        Raises
        ------
        DamagedObjectError
            If it cannot be read.
        """
        entry = self._entry(offset, wanted)
        if entry.base is None:
            return _KINDS[entry.kind], self._inflate(entry, wanted, length), entry.size
        kind, content = self.read(offset, wanted)
        return kind, content[:length], len(content)

    def read_into(self, offset: int, wanted: str, begin: int, out: memoryview, *, check: bool) -> str | None:
        """Read the content of the object at an offset, from some byte to its end, into memory; None for a delta.

        Raises
        ------
        DamagedObjectError
            If it is damaged, or not of this length.
        """
        entry = self._entry(offset, wanted)
        if entry.base is not None:
            return None
        kind = _KINDS[entry.kind]
        try:
            if entry.size != begin + len(out):
                raise ValueError(f"it claims {entry.size} bytes, expected are {begin + len(out)}")  # noqa: TRY301
            before = inflate_into(self._file.fileno(), entry.begin, begin, out)
        except (OSError, ValueError) as error:
            raise DamagedObjectError(wanted, f"{self.path}: {error}") from None
        if check:
            check_hash(wanted, f"{kind} {entry.size}\0".encode() + before, out)
        return kind

    def _entry(self, offset: int, wanted: str) -> _Entry:
        pack = self._pack
        head = pack[offset : offset + _ENTRY_HEAD]
        try:
            byte, position = head[0], 1
            kind, size, shift = (byte >> 4) & 7, byte & 15, 4
            while byte & 0x80:
                byte = head[position]
                size |= (byte & 0x7F) << shift
                position, shift = position + 1, shift + 7
            base = None
            if kind == _OFFSET_DELTA:
                byte = head[position]
                back, position = byte & 0x7F, position + 1
                while byte & 0x80:
                    byte = head[position]
                    back, position = ((back + 1) << 7) | (byte & 0x7F), position + 1
                base = offset - back
            elif kind == _ID_DELTA:
                base = self.find(head[position : position + _ID])
                position += _ID
        except IndexError:
            raise DamagedObjectError(wanted, f"{self.path} ends within it") from None
        is_delta = kind in {_OFFSET_DELTA, _ID_DELTA}
        if (not is_delta and kind not in _KINDS) or (is_delta and (base is None or not 0 < base < len(pack))):
            raise DamagedObjectError(wanted, f"{self.path}: an entry of kind {kind} without a base, or unknown")
        return _Entry(kind, size, offset + position, base)

    def _inflate(self, entry: _Entry, wanted: str, length: int | None = None) -> bytes:
        most = entry.size if length is None else min(length, entry.size)
        pack = self._pack
        if entry.size > _LARGEST_RATIO * (len(pack) - entry.begin) + _LARGEST_RATIO:
            raise DamagedObjectError(wanted, f"{self.path}: an entry claims {entry.size} bytes, more than it can hold")
        inflater = zlib.decompressobj()
        try:
            with memoryview(pack) as view, view[entry.begin :] as stream:
                data: bytes = inflater.decompress(stream, most + 1 if length is None else most) if most else b""
        except InflateError as error:
            raise DamagedObjectError(wanted, f"{self.path} cannot be inflated: {error}") from None
        if len(data) != most:
            held = f"an entry claims {entry.size} bytes and holds {len(data)} or more"
            raise DamagedObjectError(wanted, f"{self.path}: {held}")
        return data

    def close(self) -> None:
        """Give the maps back."""
        self._opened.close()

    def _number(self, wanted: bytes) -> int:
        first = wanted[0]
        low = struct.unpack_from(">I", self._index, 8 + 4 * (first - 1))[0] if first else 0
        high = struct.unpack_from(">I", self._index, 8 + 4 * first)[0]
        if not low <= high <= self._count:
            raise ValueError("its table of first bytes is damaged")
        return bisect_left(range(self._count), wanted, low, high, key=self._id)

    def _id(self, number: int) -> bytes:
        begin = _FANOUT + number * _ID
        return self._index[begin : begin + _ID]


class Packs:
    """The packs of an object folder, and what is new among them.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    """

    def __init__(self, objects: Path) -> None:
        self._folder = objects / "pack"
        self._packs: dict[str, Pack] = {}
        self._seen: int | None = None

    def find(self, wanted: str) -> tuple[Pack, int] | None:
        """Return the pack that holds an object, and where; packs that appeared meanwhile are looked at too."""
        try:
            name = bytes.fromhex(wanted)
        except ValueError:  # the name of a tag, say
            return None
        for _ in range(2):
            for pack in self._packs.values():
                try:
                    offset = pack.find(name)
                except (ValueError, struct.error) as error:
                    raise DamagedObjectError(wanted, f"the index of {pack.path}: {error}") from None
                if offset is not None:
                    return pack, offset
            if not self.refresh():
                return None
        return None

    def refresh(self) -> bool:
        """Look for packs that came or went; tell whether there are new ones."""
        try:
            written = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if written == self._seen:
            return False
        names = {path.name: path for path in self._folder.glob("pack-*.idx") if path.with_suffix(".pack").exists()}
        for gone in self._packs.keys() - names.keys():
            self._packs.pop(gone).close()
        new = names.keys() - self._packs.keys()
        for name in new:
            try:
                self._packs[name] = Pack(names[name])
            except (OSError, ValueError):  # an old version, damaged, or gone again: dulwich has its say
                continue
        self._seen = written
        return bool(new)

    def close(self) -> None:
        """Give all maps back."""
        for pack in self._packs.values():
            pack.close()
        self._packs.clear()
        self._seen = None


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
