"""Files under construction: written under a temporary name as fast as the disk takes it, then renamed or discarded."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

_MOST_BUFFERS = 1024
_AHEAD = 4 << 20
_KEEP_SIZE, _BEGIN_WRITING = 1, 2  # FALLOC_FL_KEEP_SIZE, SYNC_FILE_RANGE_WRITE of Linux
_ARGUMENTS = {"fallocate": "iiqq", "sync_file_range": "iqqI"}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NewFile:
    """A file of a new name; leaving its ``with`` statement removes it unless it was renamed.

    The disk begins with what was written while more is written: then there is little left to wait for in the end.

    Parameters
    ----------
    folder : Path
        Where it is made.
    prefix : str
        How its temporary name begins.
    mode : int
        Its permissions, less the umask.
    suffix : str, optional
        How its temporary name ends.

    Attributes
    ----------
    path : Path
        Its temporary name.
    position : int
        Number of bytes that were written.
    """

    def __init__(self, folder: Path, *, prefix: str, mode: int, suffix: str = "") -> None:
        self.path = folder / f"{prefix}{os.getpid()}-{os.urandom(6).hex()}{suffix}"
        self.position = 0
        self._begun = 0
        self._named = False
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def reserve(self, size: int) -> None:
        """Let the disk set bytes aside for what is written next.

        Raises
        ------
        OSError
            If the disk has no room for them.
        """
        code = _kernel("fallocate", self._descriptor, _KEEP_SIZE, self.position, size)
        if code in _FULL:  # other refusals only mean that this disk cannot do it
            raise OSError(code, os.strerror(code), str(self.path))

    def write(self, buffers: list[bytes | memoryview]) -> None:
        """Write bytes at the end, in as few calls as possible.

        Raises
        ------
        OSError
            If the disk refuses.
        """
        waiting = buffers
        while waiting:
            written = os.writev(self._descriptor, waiting[:_MOST_BUFFERS])
            self.position += written
            done = 0
            while done < len(waiting) and written >= len(waiting[done]):
                written -= len(waiting[done])
                done += 1
            waiting = waiting[done:]
            if written:
                waiting[0] = memoryview(waiting[0])[written:]
        if self.position - self._begun >= _AHEAD:
            _kernel("sync_file_range", self._descriptor, self._begun, self.position - self._begun, _BEGIN_WRITING)
            self._begun = self.position

    def overwrite(self, data: bytes, position: int) -> None:
        """Write bytes over those that were written before."""
        if os.pwrite(self._descriptor, data, position) != len(data):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self.path))

    def read(self, size: int, position: int) -> bytes:
        """Return bytes that were written before."""
        return os.pread(self._descriptor, size, position)

    @property
    def descriptor(self) -> int:
        """The open file, for reading what was written."""
        return self._descriptor

    def cut(self, position: int) -> None:
        """Forget what was written behind a position."""
        os.ftruncate(self._descriptor, position)
        os.lseek(self._descriptor, position, os.SEEK_SET)
        self.position, self._begun = position, min(position, self._begun)

    def sync(self) -> None:
        """Bring the content to disk."""
        os.fsync(self._descriptor)

    def rename(self, target: Path) -> None:
        """Give the file its name; the caller syncs the folder."""
        self.path.replace(target)
        self._named = True
        self.discard()

    def discard(self) -> None:
        """Close the file, and remove it unless it has its name."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        if not self._named:
            with suppress(FileNotFoundError):
                self.path.unlink()
            self._named = True


def _kernel(name: str, descriptor: int, *arguments: int) -> int:
    """Call Linux by the name of a function; return 0, or the code of its error."""
    function = _function(name)
    return function(descriptor, *arguments) if function else errno.ENOSYS


@cache
def _function(name: str) -> Callable[..., int] | None:
    import ctypes  # only who writes something large needs it

    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) < ctypes.sizeof(ctypes.c_int64):
        return None
    function: Any = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    types = {"i": ctypes.c_int, "q": ctypes.c_int64, "I": ctypes.c_uint}
    function.argtypes = [types[letter] for letter in _ARGUMENTS[name]]

    def call(*arguments: int) -> int:
        return ctypes.get_errno() if function(*arguments) else 0

    return call
