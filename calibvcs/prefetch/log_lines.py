"""The log of the prefetcher: one line for each thing that happened, and no disk so full that it could stop it."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")

log: Final = logging.getLogger("calibvcs.prefetch")

_PLAIN = "%(levelname)s %(message)s"
_DATED = f"%(asctime)s {_PLAIN}"


class _Lines(logging.Formatter):
    """ISO 8601 times in UTC, and one record a line, but for the traceback of a fault."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return super().formatMessage(record).replace("\n", "; ")


class _Terminal(logging.StreamHandler):  # type: ignore[type-arg]
    """Standard error, which may be a pipe whose reader went away."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Lose the line: there is nowhere to complain."""


class _File(WatchedFileHandler):
    """A file that others may rotate or remove; while it cannot be written, lines are lost, and nothing else is."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Lose the line: the same stands on standard error."""


def level_named(name: str) -> int:
    """Return the number of a log level.

    Parameters
    ----------
    name : str
        One of `LEVELS`, upper and lower case alike.

    Returns
    -------
    int
        As `logging` counts.

    Raises
    ------
    InvalidOptionError
        If there is no such level.
    """
    if name.upper() not in LEVELS:
        raise InvalidOptionError("--log-level", name, f"one of {', '.join(LEVELS)} is allowed")
    return int(logging.getLevelNamesMapping()[name.upper()])


@contextmanager
def logging_to_stderr(level: int, *, file: Path | None = None, dated: bool = False) -> Iterator[None]:
    """Send the log of the prefetcher to standard error, and to a file too.

    Parameters
    ----------
    level : int
        What is less important is not told.
    file : Path, optional
        Lines are appended to it, always with their time; it may be moved away at any time.
    dated : bool, optional
        Whether lines on standard error begin with the time, in UTC.

    Yields
    ------
    None
        While this lasts, the log goes there.
    """
    handlers: list[logging.Handler] = [_Terminal(sys.stderr)]
    handlers[0].setFormatter(_Lines(_DATED if dated else _PLAIN))
    if file is not None:
        handlers.append(_File(file, encoding="utf-8", delay=True))
        handlers[1].setFormatter(_Lines(_DATED))
    before, propagates = log.level, log.propagate
    log.setLevel(level)
    log.propagate = False
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(before)
        log.propagate = propagates
        for handler in handlers:
            log.removeHandler(handler)
            with suppress(OSError):
                handler.close()
