"""Only one clean-up of a repository at a time: Git's own ``gc.pid``, with who does it and where."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from calibvcs.errors import WriterBusyError
from calibvcs.store.durable import disk_errors
from calibvcs.store.refs.moving import LockFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GIT_GIVES_UP = 12 * 3600.0
_LONGEST = 1024
_OURS = b"calibvcs"


@contextmanager
def upkeep_lock(folder: Path) -> Iterator[None]:
    """Hold the lock under which objects are packed anew and taken away, by C Git too.

    The file names process and machine. One whose process is dead, on this machine, is no hindrance; of one on another
    machine that cannot be told, and as with Git it counts for twelve hours.

    Parameters
    ----------
    folder : Path
        The Git folder.

    Raises
    ------
    WriterBusyError
        If somebody else holds it.
    NotWritableError, StorageError
        If the disk refuses.
    """
    path = folder / "gc.pid"
    machine = os.uname().nodename
    with disk_errors(path):
        with LockFile(path) as lock:
            if _is_held(path, machine):
                raise WriterBusyError(str(path), time.time() - path.stat().st_mtime)
            lock.commit(b"%d %s %s\n" % (os.getpid(), machine.encode(), _OURS))
            descriptor = os.open(path, os.O_RDONLY)
        try:
            with suppress(OSError):  # where the kernel has no locks, the number of the process has to do
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _is_held(path: Path, machine: str) -> bool:
    """Tell whether whoever wrote the file is at work."""
    try:
        with path.open("rb") as file:
            words = file.read(_LONGEST).split()
            age = time.time() - os.fstat(file.fileno()).st_mtime
            if len(words) < 2 or not words[0].isdigit() or age > _GIT_GIVES_UP:
                return False
            if words[1] != machine.encode():
                return True
            if _OURS in words[2:]:
                with suppress(OSError):  # it is locked, or the kernel has no locks
                    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return False
            os.kill(int(words[0]), 0)
    except (FileNotFoundError, ProcessLookupError, OverflowError):
        return False
    except OSError:  # it lives, and is somebody else's
        return True
    return True
