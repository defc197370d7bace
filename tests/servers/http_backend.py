"""git http-backend behind a small CGI server that streams both ways."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

_CHUNK = 1 << 16


@dataclass
class HttpServer:
    """A running server.

    Attributes
    ----------
    url : str
        Of the folder with the repositories.
    users : dict
        Names and passwords; with any, nobody else may come in.
    forbidden : set of str
        Users who may log in, and then do nothing.
    requests : list of str
        What was asked, by method, path and how the body came.
    hang_up_after : int or None
        Bytes of an answer after which the server hangs up.
    """

    url: str = ""
    users: dict[str, str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    hang_up_after: int | None = None


@contextmanager
def http_server(folder: Path) -> Iterator[HttpServer]:
    """Serve the repositories in a folder, for reading and writing."""
    server = HttpServer()

    class Handler(_Handler):
        settings, root = server, folder

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is no trouble of the server

    with Server(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    settings: HttpServer
    root: Path
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.close_connection = True
        parts = urlsplit(self.path)
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        body = "chunked" if chunked else self.headers.get("Content-Encoding", "plain")
        self.settings.requests.append(f"{self.command} {parts.path} {body}")
        user = self._user()
        if user is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="constants"')
            self.send_header("Connection", "close")
            self.end_headers()
            return
        if user in self.settings.forbidden:
            self.send_response(403)
            self.send_header("Connection", "close")
            self.end_headers()
            return
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": parts.query,
            "PATH_INFO": unquote(parts.path),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        length = self.headers.get("Content-Length")
        if length is not None:
            environment["CONTENT_LENGTH"] = length
        program = subprocess.Popen(
            ["git", "http-backend"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert program.stdin
        assert program.stdout
        feeding = threading.Thread(target=self._feed, args=(program.stdin, chunked, int(length or 0)))
        feeding.start()
        try:
            self._send(program.stdout)
        finally:
            with suppress(OSError):
                program.stdout.close()
            program.terminate()
            program.wait()
            with suppress(OSError):
                self.connection.shutdown(0)
            feeding.join()

    def _user(self) -> str | None:
        if not self.settings.users:
            return "anybody"
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        name, _, password = given.partition(":")
        return name if name in self.settings.users and self.settings.users[name] == password else None

    def _feed(self, program: BinaryIO, chunked: bool, length: int) -> None:
        with suppress(OSError, ValueError), program:
            while chunked:
                size = int(self.rfile.readline().split(b";")[0], 16)
                left = size
                while left:
                    data = self.rfile.read(min(left, _CHUNK))
                    program.write(data)
                    left -= len(data)
                self.rfile.readline()
                if not size:
                    return
            while length:
                data = self.rfile.read(min(length, _CHUNK))
                program.write(data)
                length -= len(data)

    def _send(self, program: BinaryIO) -> None:
        status, headers = 200, []
        while line := program.readline().strip().decode():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        while data := program.read1(_CHUNK):  # type: ignore[attr-defined]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            sent += len(data)
            if self.settings.hang_up_after is not None and sent > self.settings.hang_up_after:
                return
        self.wfile.write(b"0\r\n\r\n")
