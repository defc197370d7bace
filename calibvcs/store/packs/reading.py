"""Objects in one pack, read from its file: whole, by their first bytes, or block by block."""

from __future__ import annotations

import os
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from calibvcs.store.objects.deltas import apply_delta, result_size
from calibvcs.store.objects.inflating import LARGEST_RATIO, Deflated
from calibvcs.store.objects.opened import OpenedObject
from calibvcs.store.packs.indexes import PackIndex

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _ID_DELTA = 6, 7
_ID, _BEGIN = 20, 12
_AHEAD = 4096
_LONGEST_CHAIN = 4096
_HEAD_OF_DELTA = 20  # two sizes of ten bytes at most
_LARGEST_RESULT = 1 << 31
_LONGEST_SIZE = 60
_KEPT_BASE, _KEPT_BASES = 1 << 18, 1 << 23


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    size: int
    base: int | None
    begin: int
    ahead: bytes


class Pack:
    """One pack and its index of version 2, opened when they are needed.

    Parameters
    ----------
    index : Path
        The ``.idx`` file; the ``.pack`` stands beside it.
    """

    def __init__(self, index: Path) -> None:
        self.path, self._index_path = index.with_suffix(".pack"), index
        self._index: PackIndex | None = None
        self._descriptor: int | None = None
        self._end = 0
        self._lock = Lock()
        self._bases: dict[int, tuple[str, bytes]] = {}
        self._kept = 0

    @property
    def index(self) -> PackIndex:
        """Its index.

        Raises
        ------
        ValueError
            If it is of another version, or damaged.
        OSError
            If it cannot be read.
        """
        if self._index is None:
            with self._lock:
                if self._index is None:
                    self._index = PackIndex(self._index_path)
        return self._index

    def read(self, offset: int) -> tuple[str, bytes]:
        """Return kind and content of what begins somewhere; deltas are followed to their base.

        Raises
        ------
        ValueError
            If it is damaged.
        OSError
            If the file cannot be read.
        """
        chain: list[tuple[int, bytes]] = []
        while (found := self._bases.get(offset)) is None:
            entry = self._entry(offset)
            content = self._stream(entry).take_all(entry.size)
            if entry.base is None:
                found = _KINDS[entry.kind], content
                break
            if len(chain) == _LONGEST_CHAIN:
                raise ValueError("its deltas go round in a circle")
            chain.append((offset, content))
            offset = entry.base
        kind, content = found
        for place, delta in reversed(chain):
            self._keep(offset, kind, content)
            content, offset = apply_delta(content, delta, _LARGEST_RESULT), place
        return kind, content

    def read_head(self, offset: int, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of what begins somewhere; only a delta is read as a whole.

        Raises
        ------
        ValueError
            If it is damaged.
        OSError
            If the file cannot be read.
        """
        entry = self._entry(offset)
        if entry.base is not None:
            kind, content = self.read(offset)
            return kind, content[:length], len(content)
        head = self._stream(entry).take_head(min(length, entry.size))
        if len(head) < min(length, entry.size):
            raise ValueError(f"an entry claims {entry.size} bytes and ends after {len(head)}")
        return _KINDS[entry.kind], head, entry.size

    def size(self, offset: int) -> tuple[str, int]:
        """Return kind and size in bytes of what begins somewhere; of deltas, nothing but their heads is inflated.

        Raises
        ------
        ValueError
            If it is damaged.
        OSError
            If the file cannot be read.
        """
        entry = self._entry(offset)
        size = entry.size
        if entry.base is not None:
            size = result_size(self._stream(entry).take_head(min(entry.size, _HEAD_OF_DELTA)))
        for _ in range(_LONGEST_CHAIN):
            if entry.base is None:
                return _KINDS[entry.kind], size
            entry = self._entry(entry.base)
        raise ValueError("its deltas go round in a circle")

    def open(self, offset: int, wanted: str) -> OpenedObject | None:
        """Open what begins somewhere, to be read in pieces; None where it is a delta.

        Raises
        ------
        ValueError
            If it is damaged.
        OSError
            If the file cannot be read.
        """
        entry = self._entry(offset)
        if entry.base is not None:
            return None
        kind, own = _KINDS[entry.kind], os.dup(self._file())
        return OpenedObject(wanted, kind, entry.size, str(self.path), own, entry.begin, 0, (self.path.name, offset))

    def close(self) -> None:
        """Give the files back."""
        if self._index is not None:
            self._index.file.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._index = self._descriptor = None
        self._bases.clear()
        self._kept = 0

    def _file(self) -> int:
        if self._descriptor is None:
            with self._lock:
                if self._descriptor is None:
                    descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                    self._end = os.fstat(descriptor).st_size - _ID
                    self._descriptor = descriptor
        return self._descriptor

    def _stream(self, entry: _Entry) -> Deflated:
        return Deflated(self._file(), entry.begin + len(entry.ahead), entry.ahead)

    def _entry(self, offset: int) -> _Entry:
        head = os.pread(self._file(), _AHEAD, offset)
        try:
            byte, place = head[0], 1
            kind, size, shift = (byte >> 4) & 7, byte & 15, 4
            while byte & 0x80 and shift < _LONGEST_SIZE:
                byte = head[place]
                size |= (byte & 0x7F) << shift
                place, shift = place + 1, shift + 7
            base = None
            if kind == _OFFSET_DELTA:
                byte = head[place]
                back, place = byte & 0x7F, place + 1
                while byte & 0x80 and back < offset:
                    byte = head[place]
                    back, place = ((back + 1) << 7) | (byte & 0x7F), place + 1
                base = offset - back
            elif kind == _ID_DELTA:
                base = self.index.find(head[place : place + _ID]) if len(head) >= place + _ID else None
                place += _ID
        except IndexError:
            raise ValueError("it ends within an entry") from None
        if kind in {_OFFSET_DELTA, _ID_DELTA}:
            if base is None or not _BEGIN <= base < self._end or base == offset:
                raise ValueError("an entry has no base")
        elif kind not in _KINDS:
            raise ValueError(f"there are no objects of kind {kind}")
        begin = offset + place
        if size > LARGEST_RATIO * max(0, self._end - begin) or offset < _BEGIN:
            raise ValueError(f"an entry claims {size} bytes, more than it can hold")
        return _Entry(kind, size, base, begin, head[place:])

    def _keep(self, offset: int, kind: str, content: bytes) -> None:
        """Keep the base of a delta: neighbours in history are deltas of the same one."""
        if len(content) > _KEPT_BASE or offset in self._bases:
            return
        with self._lock:
            self._kept += len(content)
            while self._kept > _KEPT_BASES:
                self._kept -= len(self._bases.pop(next(iter(self._bases)))[1])
            self._bases[offset] = kind, content
