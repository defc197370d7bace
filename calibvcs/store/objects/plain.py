"""The plain way to the objects: all through dulwich's object store, without a reader or writer of our own.

It is slower and takes memory for whole objects, but shares no code with the fast way: where the two differ, one is
wrong. What is unusual, such as index files of version 1, is left to it by the fast way.
"""

from __future__ import annotations

import os
import struct
import time
import zlib as plain_zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException
from dulwich.file import FileLocked
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import PackFileDisappeared

from calibvcs.errors import DamagedObjectError, WriterBusyError
from calibvcs.store.durable import disk_errors, sync_folder
from calibvcs.store.objects.encoding import object_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dulwich.object_store import DiskObjectStore

    from calibvcs.store.protocol import Buffers

_ATTEMPTS, _PATIENCE = 3, 10.0
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}
_DAMAGE = (
    ApplyDeltaError, AssertionError, ChecksumMismatch, EOFError, FileFormatException, IndexError, MemoryError, OSError,
    OverflowError, PackFileDisappeared, TypeError, ValueError, struct.error, plain_zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlainObject:
    """One object as dulwich reads it.

    Attributes
    ----------
    id : str
        Id of the object.
    store : dulwich.object_store.DiskObjectStore
        Where it is.
    """

    id: str
    store: DiskObjectStore

    def read(self) -> tuple[str, bytes]:
        """Return kind and content, the hash checked.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If there is no such object.
        """
        try:
            number, content = self.store.get_raw(ObjectID(self.id.encode()))
        except KeyError:
            reason = None
        except _DAMAGE as error:
            reason = str(error) or type(error).__name__
        else:
            if number in _KINDS and object_id(_KINDS[number], [content]) == self.id:
                return _KINDS[number], content
            reason = "its content does not have this hash"
        # Raised when the failure itself is forgotten: it holds on to a mapped pack, which then cannot be closed.
        if reason is None:
            raise FileNotFoundError(self.id)
        raise DamagedObjectError(self.id, f"{self.store.path}: {reason}")

    def read_head(self, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size; it is read as a whole.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If there is no such object.
        """
        kind, content = self.read()
        return kind, content[:length], len(content)

    def open(self) -> None:
        """Return None: it is only read as a whole."""


class PlainDatabase:
    """Objects by their id, read and written by dulwich; every content is held against its hash.

    Parameters
    ----------
    store : callable
        Returns the object store when it is needed first.
    """

    def __init__(self, store: Callable[[], DiskObjectStore]) -> None:
        self._store = store

    def read(self, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of an object.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        try:
            return PlainObject(wanted, self._store()).read()
        except FileNotFoundError:
            raise DamagedObjectError(wanted, f"it is missing in {self._store().path}") from None

    def read_head(self, wanted: str, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of an object.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        kind, content = self.read(wanted)
        return kind, content[:length], len(content)

    def read_into(self, wanted: str, begin: int, out: memoryview) -> str:
        """Copy the content of an object, from some byte to its end, into memory; return its kind.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or of another length.
        """
        kind, content = self.read(wanted)
        if len(content) != begin + len(out):
            raise DamagedObjectError(wanted, f"it has {len(content)} bytes, expected are {begin + len(out)}")
        out[:] = memoryview(content)[begin:]
        return kind

    def blocks(self, wanted: str, kind: str, begin: int, size: int) -> Iterator[memoryview]:
        """Yield the content of an object, from some byte to its end, in blocks of one size.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged, of another kind, or ends before `begin`.
        """
        found, content = self.read(wanted)
        if found != kind:
            raise DamagedObjectError(wanted, f"it is a {found}, not a {kind}")
        if begin > len(content):
            raise DamagedObjectError(wanted, f"it has {len(content)} bytes, wanted are those from {begin} on")
        view = memoryview(content)
        yield from (view[place : place + size] for place in range(begin, len(view), size))

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        try:
            return PlainObject(wanted, self._store()).read()[0]
        except FileNotFoundError:
            return None

    def beginning_with(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits, sorted."""
        return sorted(beginning_with(self._store(), prefix))

    def write(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; then it is on disk."""
        return self.writer.put(kind, buffers)

    @cached_property
    def writer(self) -> PlainWriter:
        """What writes objects here."""
        return PlainWriter(self._store())

    def close(self) -> None:
        """Give nothing back: the store belongs to who gave it."""


class PlainWriter:
    """Writes loose objects by dulwich, each durably by itself.

    Parameters
    ----------
    store : dulwich.object_store.DiskObjectStore
        Where they go.
    """

    def __init__(self, store: DiskObjectStore) -> None:
        self._store = store
        store.fsync_object_files = True

    def put(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; then it is on disk.

        Raises
        ------
        StorageError, NotWritableError
            If the disk is full, fails or is read-only.
        WriterBusyError
            If another writer of the same object was killed, and left its lock.
        """
        content = b"".join(buffers)
        made = object_id(kind, [content])
        with disk_errors(self._store.path, len(content)):
            began = time.monotonic()
            while True:  # also what is in a pack: somebody else may be about to take that away
                try:
                    self._store.add_object(ShaFile.from_raw_string(_NUMBERS[kind], content))
                    break
                except FileLocked as error:  # somebody else writes the same object just now
                    waited = time.monotonic() - began
                    if waited > _PATIENCE:
                        raise WriterBusyError(os.fsdecode(error.lockfilename), waited) from None
                    time.sleep(0.01)
            sync_folder(Path(self._store.path) / made[:2])
        return made

    def write(self, contents: Iterable[tuple[str, Buffers]]) -> list[str]:
        """Write objects, each by its kind and content, and return their ids; then all are on disk."""
        return [self.put(kind, buffers) for kind, buffers in contents]

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Do nothing special: each object is written by itself."""
        yield


def beginning_with(store: DiskObjectStore, prefix: str) -> set[str]:
    """Return the ids of the objects, loose or packed, that begin with some hex digits.

    Raises
    ------
    DamagedObjectError
        If a pack is damaged.
    """
    for _ in range(_ATTEMPTS):
        try:
            return {found.decode() for found in store.iter_prefix(prefix.encode())}
        except PackFileDisappeared:  # packed anew since we looked last; the store has noticed by now
            continue
        except _DAMAGE as error:
            reason = str(error) or type(error).__name__
            break
    else:
        reason = "its packs come and go faster than they can be read"
    raise DamagedObjectError(prefix, f"{store.path}: {reason}")


def pack_of(store: DiskObjectStore, wanted: str) -> Path | None:
    """Return the pack in which dulwich finds an object; None where it finds none."""
    try:
        for pack in store.packs:
            if ObjectID(wanted.encode()) in pack:
                return Path(pack.data.path)
    except _DAMAGE:
        return None
    return None
