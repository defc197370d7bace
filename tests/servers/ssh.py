"""OpenSSH on the loopback, with keys, users and configuration of its own."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.starting import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/sbin")


@dataclass(frozen=True)
class SshServer:
    """A running server: the URL of its root folder, and commands that log in there."""

    url: str
    command: str
    command_of_a_stranger: str
    command_that_knows_no_host: str


@contextmanager
def ssh_server(folder: Path, *, protocol: bool = True) -> Iterator[SshServer]:
    """Run a server; with ``protocol`` it takes the variable by which Git asks for its newest protocol."""
    if _SERVER is None:
        pytest.skip("there is no OpenSSH server on this machine (package openssh-server)")
    Path("/run/sshd").mkdir(exist_ok=True) if Path("/run").stat().st_uid == 0 and getpass.getuser() == "root" else None
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user", "stranger"):
        if not (folder / name).exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = free_port()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "nobody").write_text("")
    lines = [
        f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/authorized",
        "PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password", "MaxStartups 100", "MaxSessions 100",
        f"SetEnv GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL={folder}/no-configuration",
        *(["AcceptEnv GIT_PROTOCOL"] if protocol else []),
    ]  # fmt: skip
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")

    def command(key: str, known: str) -> str:
        return f"ssh -F none -i {folder}/{key} -o IdentitiesOnly=yes -o UserKnownHostsFile={folder}/{known} -o StrictHostKeyChecking=yes"

    with running([_SERVER, "-D", "-e", "-f", str(folder / "sshd_config")], port, folder / "sshd.log"):
        yield SshServer(
            f"ssh://{getpass.getuser()}@127.0.0.1:{port}",
            command("user", "known"),
            command("stranger", "known"),
            command("user", "nobody"),
        )
