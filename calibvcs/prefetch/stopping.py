"""Ending within a second when the program is told to, whatever it is doing."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Final, NoReturn, Self

if TYPE_CHECKING:
    from types import FrameType

GRACE: Final = 0.5
"""Seconds from the signal to the end of the process, whatever it is doing by then; the rest of the second is for the
kernel, which has to take back gigabytes."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The program was told to stop; not an `Exception`, so that nothing that survives errors survives this."""


class Stopping:
    """While it is entered, SIGTERM and SIGINT raise `Stopped` in the main thread.

    What is under way is left as by any error, and so cleans up behind itself. `GRACE` seconds after the signal the
    process ends at once, also if it has left the context by then: a disk may not answer. Files are renamed into place
    only when they are whole, so nothing is lost.

    Parameters
    ----------
    exit_code : int
        Of the process when it was told to stop.

    Attributes
    ----------
    asked : str
        Name of the signal that came, empty before.
    """

    def __init__(self, exit_code: int = 0) -> None:
        self.asked = ""
        self._exit_code = exit_code
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._before = [(number, signal.signal(number, self._raise)) for number in _SIGNALS]
        self._wakeup = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        threading.Thread(target=self._end_at_once, name="stopping", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.asked:
            self._over.set()
        signal.set_wakeup_fd(self._wakeup)
        for number, before in self._before:
            signal.signal(number, before)
        os.close(self._writing)

    def end(self) -> NoReturn:
        """End the process, without the time that an interpreter takes to go."""
        os._exit(self._exit_code)

    def check(self) -> None:
        """Raise `Stopped` if a signal came and something swallowed it.

        Raises
        ------
        Stopped
            If the program was told to stop.
        """
        if self.asked:
            raise Stopped(self.asked)

    def _raise(self, number: int, _: FrameType | None) -> None:
        if self.asked:  # what is cleaning up shall not be interrupted once more
            return
        self.asked = signal.Signals(number).name
        raise Stopped(self.asked)

    def _end_at_once(self) -> None:
        """Wait for a signal; the byte comes from the signal itself, while the main thread may be held up."""
        try:
            while told := os.read(self._reading, 1):
                if told[0] in _SIGNALS:
                    break
        finally:
            os.close(self._reading)
        if told and not self._over.wait(GRACE):
            os._exit(self._exit_code)
