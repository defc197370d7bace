"""User and password for a server, as Git knows them: from its credential helpers, or from its file."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.store.remotes.urls import Address

_LONGEST = 30.0


def known_credentials(address: Address) -> tuple[str, str] | None:
    """Return user and password that Git has for an address; nobody is asked for them.

    Parameters
    ----------
    address : Address
        An ``http://`` or ``https://`` one.
    """
    if shutil.which("git") is None:
        return _from_file(address)
    host = f"{address.host}:{address.port}" if address.port else address.host
    question = {"protocol": address.transport, "host": host, "path": address.path.lstrip("/"), "username": address.user}
    lines = "".join(f"{name}={value}\n" for name, value in question.items() if value)
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
    try:
        done = subprocess.run(
            ["git", "credential", "fill"],
            input=f"{lines}\n",
            capture_output=True,
            text=True,
            env=environment,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    password = answer.get("password")
    return (answer.get("username", ""), password) if done.returncode == 0 and password else None


def _from_file(address: Address) -> tuple[str, str] | None:
    from dulwich.client import get_credentials_from_store

    return next(get_credentials_from_store(address.transport, address.host, address.user), None)
