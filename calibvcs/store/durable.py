"""Files that are on disk when a function returns, and disk errors in our own words."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from calibvcs.errors import NotWritableError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TEMPORARY = ".calibvcs-tmp-"
"""How the name of a file begins that is not whole yet."""

_NO_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def disk_errors(path: str | os.PathLike[str], needed: int = 0) -> Iterator[None]:
    """Turn the operating system's refusals into `NotWritableError` and `StorageError`."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(path)
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in _NO_ACCESS:
            raise NotWritableError(where, reason) from error
        raise StorageError(where, reason, needed) from error


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Bring the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, each one durably named in the one above."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def write_file(path: Path, chunks: Iterable[bytes | memoryview], *, mode: int = 0o666, prefix: str = TEMPORARY) -> None:
    """Write a file under another name, bring it to disk, and rename it: readers see all of it or none.

    The folder of the file has to exist; a program that has the old file open or mapped keeps the old content.
    """
    temporary = path.parent / f"{prefix}{os.getpid()}-{os.urandom(6).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_folder(path.parent)
