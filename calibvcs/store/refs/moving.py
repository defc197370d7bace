"""Moving a ref: compare-and-set through Git's own lock file, on disk when it returns."""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from calibvcs.errors import InvalidOptionError, WriterBusyError
from calibvcs.store.durable import disk_errors, make_folders, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

WAIT = 10.0
"""Seconds that a writer waits for a lock file; holding one takes a few milliseconds."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
_LONGEST_CLAIM = 1024

DETACHED = "HEAD"
"""In place of the name of a branch, where HEAD stands on none."""

FOLDER_CLASH = "a tag cannot stand where another one has its folder; choose another name"


class LockFile:
    """``<path>.lock``, as C Git holds it while it writes ``<path>``.

    Its holder also locks that file in the kernel, and then writes into it who it is. When the holder is killed, the
    kernel lets go, and the next writer clears the file away; one of C Git or of another machine is left alone.

    Raises
    ------
    WriterBusyError
        On entering, if another writer holds it for longer than `wait` seconds.
    """

    def __init__(self, path: Path, wait: float = WAIT) -> None:
        self._target = path
        self._lock = path.with_name(path.name + ".lock")
        self._wait = wait
        self._claim = f"calibvcs {os.getpid()} {_machine()}\n".encode()
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        deadline, pause = time.monotonic() + self._wait, _FIRST_PAUSE
        while not self._take():
            if _clear_dead(self._lock):
                continue
            if time.monotonic() > deadline:
                raise WriterBusyError(str(self._lock), _age(self._lock))
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()

    def commit(self, content: bytes) -> None:
        """Bring the content to disk and put it in the place of the file, which gives the lock back.

        Raises
        ------
        WriterBusyError
            If somebody took the lock away; nothing was written then.
        """
        new = _new_file(self._lock, os.getpid())
        try:
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if self._descriptor is None or not _stands_at(self._descriptor, self._lock):
                raise WriterBusyError(str(self._lock), _age(self._lock))
            new.replace(self._target)
        finally:
            new.unlink(missing_ok=True)
        self._give_back()
        sync_folder(self._target.parent)

    def _take(self) -> bool:
        try:
            self._descriptor = _made_at_once(self._lock, self._claim)
            if self._descriptor is None:
                self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
                with suppress(OSError):  # without locks in the kernel the file alone has to do, as for C Git
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.write(self._descriptor, self._claim)
        except FileExistsError:
            return False
        return True

    def _give_back(self) -> None:
        if self._descriptor is not None:
            if _stands_at(self._descriptor, self._lock):  # else it belongs to the next writer
                self._lock.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def _made_at_once(lock: Path, claim: bytes) -> int | None:
    """Make a lock file that is locked in the kernel and says so from its first moment; None where that is not possible.

    Whoever is killed between the making of an empty file and the first word in it would leave a lock of nobody.
    """
    if lock.exists():
        raise FileExistsError
    try:
        descriptor = os.open(lock.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, claim)
        os.link(f"/proc/self/fd/{descriptor}", lock, src_dir_fd=descriptor)  # with a folder given, links are followed
    except FileExistsError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def clear_dead_locks(folder: Path) -> list[Path]:
    """Clear away the lock files of calibvcs whose holders, on this machine, are dead, and return them.

    Who needs such a lock clears it away; but C Git does not, and nobody may need that one again.

    Parameters
    ----------
    folder : Path
        The common Git folder.
    """
    patterns = ("*.lock", "refs/**/*.lock", "worktrees/*/*.lock")
    found = sorted({lock for pattern in patterns for lock in folder.glob(pattern)})
    return [lock for lock in found if lock.exists() and _clear_dead(lock)]


def _clear_dead(lock: Path) -> bool:
    """Clear a lock file away whose holder, on this machine, is dead; tell whether it is gone."""
    try:
        descriptor = os.open(lock, os.O_RDWR if os.access(lock, os.W_OK) else os.O_RDONLY)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        holder = re.fullmatch(rb"calibvcs ([0-9]+) (.+)\n", os.read(descriptor, _LONGEST_CLAIM))
        if not holder or holder[2] != _machine().encode():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the holder lives
        if _stands_at(descriptor, lock):  # only who has the kernel's lock on this very file may clear it away
            _new_file(lock, int(holder[1])).unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _new_file(lock: Path, process: int) -> Path:
    """Return where the holder of a lock writes the new content; no ref has such a name, and Git passes over it."""
    return lock.with_name(f"{lock.stem}~{process}.lock")


def _stands_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _machine() -> str:
    return os.uname().nodename


def compare_and_set(
    folder: Path, ref: str, old: str | None, new: str, packed: Callable[[str], str | None], wait: float = WAIT
) -> bool:
    """Let a ref stand on a new id if it still stands on the old one.

    Parameters
    ----------
    folder : Path
        The common Git folder.
    ref : str
        Full name, ``refs/heads/main``.
    old, new : str or None
        Where it has to stand (None: it must not exist), and where it will stand.
    packed : callable
        Returns where a ref stands in ``packed-refs``; asked for while the lock is held.
    wait : float, optional
        Seconds to wait for another writer.

    Returns
    -------
    bool
        False where the ref stands somewhere else; nothing was changed then.
    """
    path = folder / ref
    with disk_errors(path):
        make_folders(path.parent)
        with LockFile(path, wait) as lock:
            if (_loose(path) or packed(ref)) != old:
                return False
            if path.is_dir():
                path.rmdir()  # left behind, empty, by refs that are packed or gone
            lock.commit(f"{new}\n".encode())
    return True


def branch_ref(branch: str) -> str:
    """Return the ref of a branch that a change is to be made on.

    Raises
    ------
    InvalidOptionError
        If HEAD is detached.
    """
    if branch == DETACHED:
        raise InvalidOptionError("HEAD", "detached", "a change is made on a branch", "git switch main")
    return f"refs/heads/{branch}"


def clashing(refs: Iterable[str], new: str) -> str | None:
    """Return a ref that a new one cannot stand beside: it would be a file where the other one has its folder."""
    return next((ref for ref in sorted(refs) if ref.startswith(f"{new}/") or new.startswith(f"{ref}/")), None)


def append_reflog(folder: Path, ref: str, line: str, *, create: bool) -> None:
    """Add a line to the log of a ref, where it is kept; its loss hurts nobody, so it is not synced."""
    path = folder / "logs" / ref
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    if create or path.exists():
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _loose(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _age(path: Path) -> float:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
