"""git daemon on the loopback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers.starting import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """Serve the repositories in a folder, for reading and writing; yield the URL of the folder."""
    port = free_port()
    words = ["git", "daemon", f"--base-path={folder}", "--export-all", "--reuseaddr", "--listen=127.0.0.1"]
    words += [f"--port={port}", "--enable=receive-pack", str(folder)]
    with running(words, port, folder / "daemon.log"):
        yield f"git://127.0.0.1:{port}"
