"""Moving a ref: compare-and-set through Git's own lock file, on disk when it returns."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from calibvcs.errors import WriterBusyError
from calibvcs.store.durable import disk_errors, make_folders, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAIT = 10.0
"""Seconds that a writer waits for a lock file; holding one takes a few milliseconds."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05


class LockFile:
    """``<path>.lock``, as C Git holds it while it writes ``<path>``.

    Raises
    ------
    WriterBusyError
        On entering, if another writer holds it for longer than `wait` seconds.
    """

    def __init__(self, path: Path, wait: float = WAIT) -> None:
        self._target = path
        self._lock = path.with_name(path.name + ".lock")
        self._wait = wait
        self._held = False

    def __enter__(self) -> Self:
        deadline, pause = time.monotonic() + self._wait, _FIRST_PAUSE
        while not self._held:
            try:
                os.close(os.open(self._lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
                self._held = True
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise WriterBusyError(str(self._lock), _age(self._lock)) from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._lock.unlink(missing_ok=True)
            self._held = False

    def commit(self, content: bytes) -> None:
        """Bring the content to disk and put it in the place of the file, which gives the lock back."""
        with self._lock.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._lock.replace(self._target)
        self._held = False  # from here on a file of this name belongs to the next writer
        sync_folder(self._target.parent)


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
            lock.commit(f"{new}\n".encode())
    return True


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
