"""A file that never fails while somebody writes into it: what goes wrong is kept, and told when it is asked for.

HDF5 cannot close a file that the disk refuses to take, and crashes when the process ends. So it does not get to know.
"""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class SteadyFile(io.RawIOBase):
    """A file to be written, from its begin.

    Parameters
    ----------
    path : str
        Its path; what it holds is lost.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        self._path, self._position, self._end = path, 0, 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Tell what went wrong.

        Raises
        ------
        OSError
            If the disk refused to take something; all of that and all that came later is lost.
        """
        if self._error is not None:
            raise self._error

    def write(self, data: Buffer, /) -> int:
        """Write at the position; after an error, do nothing."""
        waiting = memoryview(data).cast("B")
        size = waiting.nbytes
        try:
            while waiting.nbytes and self._error is None:
                written = os.pwrite(self._descriptor, waiting, self._position + size - waiting.nbytes)
                if not written:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), self._path)  # noqa: TRY301 - kept like the others
                waiting = waiting[written:]
        except OSError as error:
            self._error = OSError(error.errno, error.strerror, self._path)
        self._position += size
        self._end = max(self._end, self._position)
        return size

    def readinto(self, buffer: Buffer, /) -> int:
        """Read at the position; what was lost is zeros."""
        room = memoryview(buffer).cast("B")
        found = b"" if self._error else os.pread(self._descriptor, room.nbytes, self._position)
        room[: len(found)] = found
        room[len(found) :] = bytes(room.nbytes - len(found))
        self._position += room.nbytes
        return room.nbytes

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the file off, or make it longer."""
        self._end = self._position if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            self._error = OSError(error.errno, error.strerror, self._path)
        return self._end

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def seekable(self) -> bool:
        """Tell that it has a position."""
        return True

    def close(self) -> None:
        """Give the file back."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()
