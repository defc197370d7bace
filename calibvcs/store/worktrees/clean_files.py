"""The files of a worktree that hold, byte for byte, what the index says: these are mapped instead of read.

What Git knows of a file that it wrote or hashed stands in the index: the id of its content, and what ``stat`` told of
the file at that moment. While ``stat`` tells the same, the file has that content. This holds for an index that was
replaced meanwhile too, so that an old one that is still in memory does no harm: it finds fewer files, no wrong ones.

Nothing is searched for but the exact bytes of a plain entry. Whatever is less than plain (a conflict, a path that is
assumed to be unchanged or skipped, the compressed paths of index version 4, a split index) is not found.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from calibvcs.store.objects.encoding import object_id

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = 1 << 18
"""Size in bytes from which on a file is mapped; reading a smaller one takes no longer, once its hash is known."""

_SIGNATURE = b"DIRC"
_VERSIONS = {2, 3}
_HEADER = 12
_LARGEST_INDEX = 1 << 26
_LONGEST_NAME = 0xFFF
_STAT = struct.Struct(">10I")
_LOW = 0xFFFFFFFF
_SECOND = 1_000_000_000
# Each map holds a file descriptor, and a process has about a thousand of them.
_MOST_MAPS = 256

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not keep anybody waiting

_ATTRIBUTES = ".gitattributes"
_LARGEST_ATTRIBUTES = 1 << 20
_FILTER = b"filter"


@dataclass(frozen=True, slots=True)
class _Index:
    """The bytes of an index, and the state of its file when they were read."""

    state: tuple[int, ...]
    written: int
    data: bytes


class CleanFiles:
    """Finds the files of a worktree that hold what the index says.

    Parameters
    ----------
    root : Path
        Folder of the worktree.
    index : Path
        The index file of this worktree.
    attributes : Path
        The file ``info/attributes`` of the repository.
    check : bool, optional
        Whether the bytes of a file are held against the hash too, every time.
    """

    def __init__(self, root: Path, index: Path, attributes: Path, *, check: bool = False) -> None:
        self._root = root
        self._path = index
        self._attributes = attributes
        self._check = check
        self._index: _Index | None = None
        self._maps: WeakValueDictionary[tuple[str, bytes], mmap.mmap] = WeakValueDictionary()

    def map(self, path: str, blob_id: str, size: int) -> memoryview | None:
        """Return the content of a blob as a map of its file.

        Parameters
        ----------
        path : str
            Path in the worktree, parts separated by ``/``.
        blob_id : str
            The blob that the file has to hold.
        size : int
            Size of the blob in bytes; a file is as long unless a filter changed it.

        Returns
        -------
        memoryview or None
            The content, read-only; None where the file does not hold this blob, or that is not certain.
        """
        if size < SMALLEST:
            return None
        try:
            index = self._read_index()
            entry = _entry(index.data, os.fsencode(path), bytes.fromhex(blob_id))
            mapped = self._map(path, entry, size, index.written) if entry else None
        except (OSError, ValueError):  # whatever it is: the object can still be read
            return None
        if mapped is None:
            return None
        view = memoryview(mapped)
        return None if self._check and object_id("blob", [view]) != blob_id else view

    def _map(self, path: str, entry: bytes, size: int, written: int) -> mmap.mmap | None:
        descriptor = self._open(path)
        if descriptor is None:
            return None
        try:
            found = os.fstat(descriptor)
            if found.st_size != size or not _unchanged(found, entry, written):
                return None
            known = self._maps.get((path, entry))
            if known is None and len(self._maps) < _MOST_MAPS:
                known = self._maps[path, entry] = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
            return known
        finally:
            os.close(descriptor)

    def _open(self, path: str) -> int | None:
        """Open a file, of which no folder may be a symbolic link and no attribute name a filter."""
        if _mentions_filter(os.fspath(self._attributes)):
            return None
        *folders, name = path.split("/")
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                if _mentions_filter(_ATTRIBUTES, folder):
                    return None
                below = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            return None if _mentions_filter(_ATTRIBUTES, folder) else os.open(name, _FILE, dir_fd=folder)
        finally:
            os.close(folder)

    def _read_index(self) -> _Index:
        known = self._index
        if known is not None and known.state == _state(self._path.stat()):
            return known
        with self._path.open("rb", buffering=0) as file:
            now = os.fstat(file.fileno())
            data = file.read(_LARGEST_INDEX) if now.st_size < _LARGEST_INDEX else b""
        plain = data[:4] == _SIGNATURE and int.from_bytes(data[4:8]) in _VERSIONS and len(data) == now.st_size
        self._index = found = _Index(_state(now), now.st_mtime_ns, data if plain else b"")
        return found


def _entry(index: bytes, path: bytes, blob: bytes) -> bytes | None:
    """Return what the index keeps of ``stat`` for a path that holds a blob; None where it has no plain entry of it."""
    flags = min(len(path), _LONGEST_NAME).to_bytes(2)  # stage 0, and neither extended nor assumed to be unchanged
    position = index.find(blob + flags + path + b"\0") - _STAT.size
    return index[position : position + _STAT.size] if position >= _HEADER else None


def _unchanged(found: os.stat_result, entry: bytes, written: int) -> bool:
    """Tell whether a file is as it was when its entry was made; device and permissions do not count, as for Git."""
    ctime, ctime_ns, mtime, mtime_ns, _, inode, mode, user, group, size = _STAT.unpack(entry)
    # What was written in the tick of the clock in which the index was, may have been written once more since.
    if mtime * _SECOND + mtime_ns >= written:
        return False
    times = (*divmod(found.st_ctime_ns, _SECOND), *divmod(found.st_mtime_ns, _SECOND))
    rest = (found.st_ino, found.st_uid, found.st_gid, found.st_size)
    plain = stat.S_ISREG(mode) and stat.S_ISREG(found.st_mode)
    known = ctime, ctime_ns, mtime, mtime_ns, inode, user, group, size
    return plain and known == tuple(number & _LOW for number in (*times, *rest))


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _mentions_filter(name: str, folder: int | None = None) -> bool:
    """Tell whether a file of attributes speaks of a filter, which may make files differ from blobs."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return False
    try:
        data = os.read(descriptor, _LARGEST_ATTRIBUTES)
        return _FILTER in data or len(data) == _LARGEST_ATTRIBUTES
    finally:
        os.close(descriptor)
