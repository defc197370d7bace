"""Loose object files, read with every length checked."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.inflating import LARGEST_RATIO, Deflated
from calibvcs.store.objects.opened import OpenedObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADER = re.compile(rb"(blob|tree|commit|tag) (0|[1-9][0-9]{0,15})\0")
_HEADER_LIMIT = 32
_ID = re.compile(r"[0-9a-f]{40}")
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class LooseObject:
    """One loose object, which may be there or not.

    Attributes
    ----------
    id : str
        Id of the object.
    file : str
        Where it stands if it is loose.
    """

    id: str
    file: str

    @classmethod
    def at(cls, objects: Path, wanted: str) -> LooseObject:
        """Return an object of an ``objects`` folder."""
        return cls(wanted, f"{objects}/{wanted[:2]}/{wanted[2:]}")

    def read(self) -> tuple[str, bytes]:
        """Return kind and content, the hash checked.

        Raises
        ------
        DamagedObjectError
            If the file is cut short, lies about its size or does not have the hash of its name.
        FileNotFoundError
            If it is not loose.
        """
        with self._opened() as descriptor:
            stream, kind, size, first = self._begin(descriptor)
            content = first + stream.take_all(size - len(first))
            if object_id(kind, [content]) != self.id:
                raise ValueError("its content does not have this hash")
            return kind, content

    def read_head(self, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size, reading as little as possible.

        Raises
        ------
        DamagedObjectError
            If the first bytes cannot be read, or the file lies about its size.
        FileNotFoundError
            If it is not loose.
        """
        with self._opened() as descriptor:
            stream, kind, size, first = self._begin(descriptor)
            head = first[:length] + stream.take_head(max(0, length - len(first)))
            if len(head) < min(length, size):
                raise ValueError(f"it claims {size} bytes and ends after {len(head)}")
            return kind, head[:size], size

    def open(self) -> OpenedObject:
        """Open it, to be read in pieces.

        Raises
        ------
        DamagedObjectError
            If its first bytes cannot be read, or it lies about its size.
        FileNotFoundError
            If it is not loose.
        """
        with self._opened() as descriptor:
            _, kind, size, _ = self._begin(descriptor)
            state = os.fstat(descriptor)
            identity = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
            header = len(f"{kind} {size}\0")
            return OpenedObject(self.id, kind, size, self.file, os.dup(descriptor), 0, header, identity)

    def _begin(self, descriptor: int) -> tuple[Deflated, str, int, bytes]:
        """Read the header; return the stream behind it, kind, size and those bytes of the content that came with it."""
        head = os.pread(descriptor, _HEAD, 0)
        stream = Deflated(descriptor, len(head), head)
        first = stream.take(_HEADER_LIMIT)
        match = _HEADER.match(first)
        if not match:
            raise ValueError("it does not begin like a Git object")
        size, length = int(match[2]), os.fstat(descriptor).st_size
        if size > LARGEST_RATIO * length:
            raise ValueError(f"it claims {size} bytes, more than its {length} can hold")
        return stream, match[1].decode(), size, first[match.end() :]

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        except NotADirectoryError:
            raise FileNotFoundError(self.file) from None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DamagedObjectError(self.id, f"{self.file}: {error.strerror}") from None
        try:
            yield descriptor
        except (OSError, ValueError) as error:
            raise DamagedObjectError(self.id, f"{self.file}: {error}") from None
        finally:
            os.close(descriptor)


def beginning_with(objects: Path, prefix: str) -> Iterator[str]:
    """Yield the ids of the loose objects that begin with some hex digits."""
    folders = [prefix[:2]] if len(prefix) > 1 else [f"{number:02x}" for number in range(256)]
    for folder in folders:
        if folder.startswith(prefix[:2]):
            try:
                found = [folder + path.name for path in (objects / folder).iterdir()]
            except (FileNotFoundError, NotADirectoryError):
                continue
            yield from (one for one in found if one.startswith(prefix) and _ID.fullmatch(one))
