"""The main job on the example repository, each step by the command that a user would type."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.api.example import DETECTOR, make_example
from calibvcs.cli.output import bold

if TYPE_CHECKING:
    from collections.abc import Iterator

_DETECTOR = DETECTOR
_FIRST, _SECOND = "1767225600", "1769904000"  # 2026-01-01 and 2026-02-01
_NEW_DARK = "second-dark.npy"


def run(path: Path | None) -> None:
    """Make the example repository in a folder and go through the main job."""
    folder = path or next(name for name in _names() if not name.exists())
    commit = make_example(folder, folder / _NEW_DARK)
    print(f"made {folder} from the example tree (commit {commit[:10]}); every command below can be repeated there:\n")
    print(bold(f"$ cd {shlex.quote(str(folder))}"))
    os.chdir(folder)
    status = 0
    for title, command in _steps():
        print(f"\n# {title}\n{bold('$ ' + shlex.join(['calibvcs', *command]))}", flush=True)
        status = max(status, _verb(command))
    if shutil.which("git"):
        print("\n# and it is plain Git")
        for words in (["git", "log", "--oneline"], ["git", "fsck", "--strict"]):
            print(bold("$ " + shlex.join(words)), flush=True)
            status = max(status, subprocess.run(words, check=False).returncode)
    print(f"\nwhat next: docs/tutorial.md, or calibvcs --help; to take all of it away: rm -r {folder}")
    sys.exit(status)


def _steps() -> Iterator[tuple[str, list[str]]]:
    first, second = (f"{_DETECTOR}/pedestals/{begin}-end" for begin in (_FIRST, _SECOND))
    yield "what is there", ["ls"]
    yield (
        "a second dark run: it becomes the default from its begin on",
        [
            "add",
            _DETECTOR,
            "pedestals",
            _NEW_DARK,
            "--begin",
            "2026-02-01T00:00:00Z",
            "-m",
            "Dark run 12 after a power cycle",
        ],
    )
    yield "what was changed, when, by whom and why", ["log", f"{_DETECTOR}/pedestals"]
    yield "what moved, in numbers", ["diff", first, second]
    yield "which one is used for a time, and why", ["why", _DETECTOR, "pedestals", "--time", "2026-02-14T12:00:00Z"]
    yield (
        "get it, bit for bit",
        ["get", _DETECTOR, "pedestals", "--time", "2026-02-14T12:00:00Z", "-o", "pedestals.npy"],
    )


def _verb(command: list[str]) -> int:
    from calibvcs.cli.app import call

    sys.argv = ["calibvcs", *command]  # the command line is part of the provenance
    status = call(command)
    return 0 if command[0] == "diff" and status == 1 else status


def _names() -> Iterator[Path]:
    yield Path("calibvcs-quickstart")
    number = 1
    while True:
        number += 1
        yield Path(f"calibvcs-quickstart-{number}")
