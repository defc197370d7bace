"""The sessions of a page, typed into one shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tests.docs import pages

_BEGIN = datetime(2026, 2, 5, 9, 0, tzinfo=UTC)
_END = "=== end of output ==="


class Shell:
    """One shell in one folder, with a user, a home of its own, and a clock that goes on by a minute a command."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n[user]\n\tname = Ada Lovelace\n"
                                         "\temail = ada@example.org\n")  # fmt: skip
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "CALIBVCS_"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._now = _BEGIN
        self._folder = folder / "work"
        self._folder.mkdir()
        self._process = subprocess.Popen(
            ["bash", "--norc"], cwd=self._folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=kept | {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1",
                        "COLUMNS": "200", "USER": "ada", "LOGNAME": "ada", "CALIBVCS_USER": "ada"},
        )  # fmt: skip

    def write(self, name: str, lines: tuple[str, ...]) -> None:
        """Put a file into the folder where the shell began."""
        (self._folder / name).write_text("\n".join(lines) + "\n")

    def type(self, command: str) -> str:
        """Run a command and return what it printed, errors too."""
        self._now += timedelta(minutes=1)
        date = self._now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"export GIT_AUTHOR_DATE={date} GIT_COMMITTER_DATE={date}\n")
        self._process.stdin.write(
            f"(exit ${{status-0}})\n{{ {command}\n}} </dev/null\nstatus=$?\necho; echo '{_END}'\n"
        )
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._process.stdout:
            if line.rstrip("\n") == _END:
                break
            printed.append(line.rstrip())
        return "\n".join(printed[:-1] if printed and not printed[-1] else printed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def play(text: str, folder: Path) -> Iterator[tuple[pages.Step, str]]:
    """Do what a page shows: write files that are named in their first line, run commands.

    Yields
    ------
    Step, str
        A command, and what it printed.
    """
    with Shell(folder) as shell:
        for block in pages.blocks(text):
            if block.language == "prepare":
                shell.type("\n".join(block.lines))
            elif block.language != "console" and block.lines and (name := _file_name(block.lines[0])):
                shell.write(name, block.lines)
            elif block.language == "console":
                for step in pages.steps(block):
                    yield step, shell.type(step.command)


def _file_name(line: str) -> str:
    words = line.split()
    return words[1] if len(words) == 2 and words[0] == "#" and "." in words[1] and "/" not in words[1] else ""
