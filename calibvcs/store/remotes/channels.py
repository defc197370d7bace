"""Bytes to and from a server, through a socket or the pipes of a program; no wait is longer than is allowed."""

from __future__ import annotations

import io
import os
import select
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from _typeshed import WriteableBuffer

_BUFFER = 1 << 18
_END, _END_AFTER_TROUBLE = 5.0, 1.0
_MOST_SAID = 1 << 16
# What would make Git take another repository for the one that is named.
_LOCAL = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_CONFIG", "GIT_PREFIX", "GIT_SHALLOW_FILE",
)  # fmt: skip


class Channel:
    """A way to a server and back.

    Parameters
    ----------
    reading, writing : int
        Descriptors; for a socket it is the same.
    timeout : float
        Seconds that the server may be silent, or not take anything.
    close : callable
        Gives the descriptors back, and ends the program.
    said : callable, optional
        Returns what a program said on its standard error; known when it has ended.
    """

    def __init__(
        self,
        reading: int,
        writing: int,
        timeout: float,
        close: Callable[[], None],
        said: Callable[[], str] = lambda: "",
    ) -> None:
        os.set_blocking(writing, False)
        self._reading, self._writing, self._timeout, self._close, self.said = reading, writing, timeout, close, said
        self._buffered = io.BufferedReader(_Timed(reading, timeout), _BUFFER)
        self._broken = False

    @classmethod
    def to_host(cls, host: str, port: int, timeout: float) -> Self:
        """Connect to a server by TCP.

        Raises
        ------
        OSError
            If it cannot be reached.
        """
        connection = socket.create_connection((host, port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection.fileno(), connection.fileno(), timeout, connection.close)

    @classmethod
    def to_program(cls, words: Sequence[str], timeout: float, variables: dict[str, str]) -> Self:
        """Start a program that is a server, or that leads to one.

        Raises
        ------
        OSError
            If there is no such program.
        """
        environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
        with tempfile.TemporaryFile() as said:  # a pipe that nobody reads would stop it
            said_copy = os.dup(said.fileno())
        try:
            program = subprocess.Popen(
                words,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said_copy,
                env={**environment, **variables},
            )
        except BaseException:
            os.close(said_copy)
            raise
        reading, writing = program.stdout, program.stdin
        assert reading is not None  # noqa: S101 - they are pipes
        assert writing is not None  # noqa: S101

        last_words: list[str] = []

        def close() -> None:
            with suppress(OSError):
                writing.close()
            reading.close()
            _end(program, _END_AFTER_TROUBLE if sys.exc_info()[0] else _END)
            last_words.append(os.pread(said_copy, _MOST_SAID, 0).decode(errors="replace"))
            os.close(said_copy)

        return cls(reading.fileno(), writing.fileno(), timeout, close, lambda: "".join(last_words))

    def read(self, size: int) -> bytes:
        """Return so many bytes; fewer only where the server has hung up.

        Raises
        ------
        TimeoutError
            If it is silent for too long.
        """
        return self._buffered.read(size)

    def write(self, data: bytes) -> int:
        """Send bytes; once the server has hung up, they go nowhere: what it said last can still be read.

        Raises
        ------
        TimeoutError
            If it takes nothing for too long.
        """
        view = memoryview(data)
        while view and not self._broken:
            _wait(self._writing, select.POLLOUT, self._timeout)
            try:
                view = view[os.write(self._writing, view) :]
            except BlockingIOError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                self._broken = True
        return len(data)

    def can_read(self) -> bool:
        """Tell whether the server has sent something."""
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Hang up."""
        close, self._close = self._close, lambda: None
        close()


class _Timed(io.RawIOBase):
    """A descriptor to read from; its owner closes it."""

    def __init__(self, descriptor: int, timeout: float) -> None:
        self._descriptor, self._timeout = descriptor, timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while True:
            _wait(self._descriptor, select.POLLIN, self._timeout)
            with suppress(BlockingIOError):
                return os.readv(self._descriptor, [buffer])


def _wait(descriptor: int, event: int, timeout: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(timeout * 1000):
        raise TimeoutError(f"no answer within {timeout:g} s")


def _end(program: subprocess.Popen[bytes], patience: float) -> None:
    """Let a program end by itself, as it has nothing to read any more; else stop it."""
    with suppress(subprocess.TimeoutExpired):
        program.wait(patience)
        return
    program.terminate()
    with suppress(subprocess.TimeoutExpired):
        program.wait(_END)
        return
    program.kill()
    program.wait()
