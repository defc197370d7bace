"""Waiting for the next round: for a time, or until something new lies in a folder."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from calibvcs.prefetch.log_lines import log


class Concerns(Protocol):
    """Tells whether a path that changed is a reason to wake up."""

    def __call__(self, path: str, *, grows: bool) -> bool:
        """Tell so; `grows` means that it was there before, and still is."""
        ...


Folders: TypeAlias = Callable[[], Sequence[Path]]

_MISSING: Final = "new files are seen at the next interval only: install watchfiles (pip install 'calibvcs[daq]')"
_LOOK_AGAIN: Final = 1.0  # seconds: a folder that vanished, or became another one, is noticed after so long
_END: Final = 0.1
_SETTLE_MS: Final = 200
_STEP_MS: Final = 50


def can_watch() -> bool:
    """Tell whether folders can be watched here."""
    return importlib.util.find_spec("watchfiles") is not None


class Sleeper:
    """Sleeps between rounds."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folders: Folders, concerns: Concerns) -> None:
        """Begin to watch; without watchfiles say so, and leave it to the interval.

        Parameters
        ----------
        folders : callable
            Returns the folders to be watched, there or not.
        concerns : callable
            Tells of a path, and of whether it only grew, whether it is a reason to wake up; called in another thread.
        """
        if can_watch():
            self._thread = threading.Thread(target=self._watch, args=(folders, concerns), name="watching", daemon=True)
            self._thread.start()
        else:
            log.warning(_MISSING)

    def stop(self) -> None:
        """End watching; a thread that a disk holds up is not waited for."""
        self._over.set()
        if self._thread:
            self._thread.join(_END)

    def wake(self) -> None:
        """End the sleep, this one or the next one."""
        self._woken.set()

    def sleep(self, seconds: float) -> bool:
        """Sleep, but not beyond what wakes.

        Parameters
        ----------
        seconds : float
            How long at most.

        Returns
        -------
        bool
            Whether something woke the sleeper before.
        """
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken

    def _watch(self, folders: Folders, concerns: Concerns) -> None:
        import watchfiles  # of the extra "daq"

        def counts(change: watchfiles.Change, path: str) -> bool:
            return concerns(path, grows=change is watchfiles.Change.modified)

        while not self._over.is_set():
            here = [_identity(folder) for folder in folders()]
            try:
                changes = watchfiles.watch(
                    *(folder for folder in folders() if folder.is_dir()),
                    watch_filter=counts,
                    stop_event=self._over,
                    debounce=_SETTLE_MS,
                    step=_STEP_MS,
                    rust_timeout=int(1000 * _LOOK_AGAIN),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    recursive=False,
                )
                fresh = True
                while any(here) and (changed := next(changes, None)) is not None:
                    if changed or fresh:  # what came before the watch began was told to nobody
                        self._woken.set()
                    fresh = False
                    if [_identity(folder) for folder in folders()] != here:
                        break
            except (OSError, RuntimeError) as error:
                log.debug("watching begins anew: %s", error)
            if [_identity(folder) for folder in folders()] != here:
                self._woken.set()
            else:
                self._over.wait(_LOOK_AGAIN)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
