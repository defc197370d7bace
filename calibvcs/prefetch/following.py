"""The runs of a live psana shared-memory server, as they begin."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError, MissingProgramError
from calibvcs.prefetch.latest import Found, LatestRun
from calibvcs.prefetch.log_lines import log
from calibvcs.sources.protocol import SourceDetector
from calibvcs.sources.psana_time import unix_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLIENT: Final = Path(__file__).with_name("shmem_client.py")
_AGAIN: Final = 2.0  # seconds between two attempts to reach the server
_PATIENCE: Final = 5.0  # seconds for psana to die in
_LONGEST_LINE: Final = 1 << 20
_SHOWN: Final = 400


class ShmemFollower:
    """Follows one server in the background, and comes back to it when it went away.

    Parameters
    ----------
    tag : str
        Name of the server, as of its ``-p``.
    folder : Path or None
        XTC directory, which psana may ask for.
    told : callable
        Called, in another thread, when a run began.
    python : str, optional
        The Python in which psana is installed; default is this one.

    Attributes
    ----------
    run : LatestRun or None
        The run that began last.
    trouble : str
        Why no run can be told now, empty if nothing is known to be wrong.
    """

    def __init__(self, tag: str, folder: Path | None, told: Callable[[], None], python: str = sys.executable) -> None:
        if python == sys.executable and importlib.util.find_spec("psana") is None:
            advice = (
                "install psana beside calibvcs (pip install psana), or follow the files: --xtc-dir in place of --shmem"
            )
            raise MissingProgramError("psana", "it is not installed in this Python", advice)
        self.run: LatestRun | None = None
        self.trouble = ""
        self._command = [python, "-P", str(_CLIENT), tag, *([str(folder)] if folder else [])]
        self._told = told
        self._over = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._follow, name="following", daemon=True)

    def found(self) -> Found:
        """Return the run that began last, and why no other one can be told."""
        return Found(self.run, trouble=self.trouble)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End following, and psana with it; nothing is told or logged after it."""
        self._over.set()
        if self._child is not None:
            self._child.kill()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _follow(self) -> None:
        while not self._over.is_set():
            try:
                self._follow_once()
            except OSError as error:
                self.trouble = f"psana cannot be started: {error}"
            if not self._over.wait(_AGAIN):
                log.debug("%s; trying again", self.trouble)

    def _follow_once(self) -> None:
        pipe = subprocess.PIPE
        with subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as child:
            self._child = child
            if self._over.is_set():  # it was not there yet when it would have been killed
                child.kill()
            last = [""]
            listening = threading.Thread(target=_listen, args=(child.stderr, last), name="psana", daemon=True)
            listening.start()
            try:
                for line in _lines_of(child.stdout):
                    self._take(line)
            finally:
                child.kill()
            listening.join()
        self.trouble = f"no shared-memory server {self._command[3]}: psana ended with {child.returncode}: {last[0]}"

    def _take(self, line: bytes) -> None:
        if self._over.is_set():
            return
        try:
            self.run = _parsed(line)
        except InvalidDataError as error:
            self.trouble = error.problem
            log.error("%s", self.trouble)
            return
        self.trouble = ""
        log.info("run %s:%d began", self.run.experiment, self.run.run)
        self._told()


def _lines_of(pipe: IO[bytes] | None) -> Iterator[bytes]:
    return iter(lambda: pipe.readline(_LONGEST_LINE) if pipe else b"", b"")


def _listen(pipe: IO[bytes] | None, last: list[str]) -> None:
    """Pass on to the log what psana says, and keep its last line."""
    for line in _lines_of(pipe):
        if told := line.decode(errors="replace").strip():
            log.debug("psana: %s", told)
            last[0] = told[:_SHOWN]


def _parsed(line: bytes) -> LatestRun:
    """Return the run that a line of the client tells.

    Raises
    ------
    InvalidDataError
        If it tells none.
    """
    try:
        told = json.loads(line)
        experiment, number, stamp, detectors = (told[key] for key in ("experiment", "run", "stamp", "detectors"))
        pairs = [(str(name), str(longname)) for name, longname in detectors.items()]
        found = [SourceDetector(name, longname.partition("_")[0], longname, ()) for name, longname in pairs]
        return LatestRun(str(experiment), int(number), unix_seconds(int(stamp)), tuple(found))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidDataError("psana", f"it tells no run: {line[:200]!r} ({error})") from error
