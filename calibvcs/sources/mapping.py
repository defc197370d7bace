"""A file as bytes in memory: mapped, so that only what is touched is read."""

from __future__ import annotations

import mmap
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError, MissingFileError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of a file, and where in it they stand.

    Attributes
    ----------
    view : memoryview
        Read-only, one byte an item.
    source : str
        Path of the file, for errors.
    base : int
        Offset of the first byte in the file.
    """

    view: memoryview
    source: str
    base: int = 0

    def broken(self, offset: int, reason: str) -> InvalidDataError:
        """Return the error that names file and offset; the offset is one in `view`."""
        return InvalidDataError(
            self.source,
            f"byte {self.base + offset}: {reason}",
            "copy the file again; if it is the same where it comes from, tell those who wrote it",
        )


def open_regular(path: str | Path) -> int:
    """Open a regular file for reading and return its descriptor.

    Raises
    ------
    MissingFileError
        If it is not there, is not a regular file, or cannot be read.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise MissingFileError(str(path), (getattr(error, "strerror", None) or str(error)).lower()) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MissingFileError(str(path), "not a regular file")
    return descriptor


class MappedFile:
    """A file that may grow while it is read.

    It must not shrink: the operating system kills a program that touches pages which are no more.

    Parameters
    ----------
    path : Path
        A regular file.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = Bytes(memoryview(b""), str(path))
        self.refresh()

    @property
    def size(self) -> int:
        """Bytes that are mapped."""
        return len(self.data.view)

    def refresh(self) -> bool:
        """Map what has been written since; True if there is more. Views of what was mapped before stay good.

        Raises
        ------
        MissingFileError
            If it cannot be read any more.
        InvalidDataError
            If it has become shorter.
        """
        descriptor = open_regular(self.path)
        try:
            size = os.fstat(descriptor).st_size
            if size < self.size:
                reason = f"it had {self.size} bytes and has {size} now"
                raise InvalidDataError(str(self.path), reason, "open the source again")
            if size == self.size:
                return False
            mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise MissingFileError(str(self.path), (getattr(error, "strerror", None) or str(error)).lower()) from error
        finally:
            os.close(descriptor)
        self.data = Bytes(memoryview(mapped), str(self.path))
        return True
