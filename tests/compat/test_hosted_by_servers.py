"""The hook under the servers that people push to: http-backend, git daemon, ssh; each tells in its own way who pushes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from calibvcs.api.hosting import os_user
from tests.compat.forge import Forge, build_server, constant, copy_of, forge_of

MAIN = "refs/heads/main"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        return forge_of(folder, build_server(folder))


@pytest.fixture
def server(template: Forge, tmp_path: Path) -> Path:
    return copy_of(template.server, tmp_path)


def git(server: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", server, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def push(forge: Forge, url: str, commit: str, **environment: str) -> tuple[int, str]:
    command = ["git", "-C", forge.folder, "push", url, f"{commit}:{MAIN}"]
    plain = {key: value for key, value in os.environ.items() if key != "CALIBVCS_USER"}
    done = subprocess.run(command, capture_output=True, text=True, env={**plain, **environment})
    return done.returncode, done.stderr


class Backend(BaseHTTPRequestHandler):
    """`git http-backend` behind a server that knows whoever comes as `user`."""

    root, user = Path(), ""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = {
            "PATH": os.defpath, "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": self.user,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by its parent
        """Say nothing."""


@pytest.fixture
def http(server: Path) -> Iterator[str]:
    handler = type("Handler", (Backend,), {"root": server.parent})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    git(server, "config", "http.receivepack", "true")
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/{server.name}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.mark.parametrize(("user", "accepted"), [("grace", True), ("plain", False)])
def test_http_backend_tells_who_pushes(
    template: Forge, server: Path, http: str, user: str, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backend, "user", user)
    change = template.change(constant(), by=user)
    code, shown = push(template, http, change)
    assert (code == 0) is accepted, shown
    assert (git(server, "rev-parse", MAIN) == change) is accepted
    assert ("no rule lets plain write" in shown) is not accepted


@pytest.mark.parametrize(("user", "accepted"), [("grace", True), ("plain", False)])
def test_a_forced_command_of_ssh_tells_who_pushes(
    template: Forge, server: Path, tmp_path: Path, user: str, accepted: bool
) -> None:
    """With ``command="CALIBVCS_USER=grace git-shell -c ..."`` in authorized_keys; nothing else is in its environment."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nfor last; do :; done\nexec env -i PATH={os.defpath} CALIBVCS_USER={user} sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    change = template.change(constant(), by=user)
    code, shown = push(template, f"ssh://host{server}", change, GIT_SSH=str(ssh), GIT_SSH_VARIANT="ssh")
    assert (code == 0) is accepted, shown
    assert ("no rule lets plain write" in shown) is not accepted


def test_git_daemon_knows_nobody(template: Forge, server: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    git(server, "config", "calibvcs.pusher", "REMOTE_USER")
    command = [
        "git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", f"--port={port}",
        f"--base-path={server.parent}",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={"PATH": os.defpath}) as daemon:
        try:
            for _ in range(200):
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            change = template.change(constant())
            url = f"git://127.0.0.1:{port}/{server.name}"
            code, shown = push(template, url, change)
            assert code != 0
            assert "nobody said who pushes" in shown
            git(server, "config", "calibvcs.pusher", "NOBODY,os")
            git(server, "config", "calibvcs.admin", "ignored-since-the-file-names-others")
            shown = push(template, url, change)[1]
            assert f"{os_user()} pushes" in shown or f"no rule lets {os_user()}" in shown
        finally:
            daemon.terminate()


def test_rules_that_cannot_be_read_let_nothing_in(template: Forge, server: Path) -> None:
    broken = template.change({".calibvcs/access.toml": b"[groups\n"}, by="root")
    git(server, "fetch", "-q", str(template.folder), broken)
    git(server, "update-ref", MAIN, broken)
    change = template.change(constant(), broken, by="root")
    code, shown = template.push("root", f"{change}:{MAIN}", server=server)
    assert code != 0
    assert "calibvcs refuses the push: .calibvcs/access.toml: it is no valid TOML" in shown


def test_git_checks_its_own_objects_too(template: Forge, server: Path) -> None:
    git(server, "config", "transfer.fsckObjects", "true")
    odd = template.change({".GIT/config": b"x"})
    code, shown = template.push("grace", f"{odd}:{MAIN}", server=server)
    assert code != 0
    assert "contains '.git'" in shown
