"""What servers of tests share: a free port, and waiting until somebody listens there."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LONGEST_START = 20.0


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(words: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the ``with`` statement ends; it listens when that begins."""
    with log.open("ab") as said:
        program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        end = time.monotonic() + _LONGEST_START
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if program.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"{words[0]} does not start: {log.read_text()}") from None
                time.sleep(0.02)
        yield program
    finally:
        program.terminate()
        program.wait(_LONGEST_START)
