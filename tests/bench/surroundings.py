"""What a benchmark runs in: a home of its own, so that nobody's configuration is measured, and the peers that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def private_home() -> Iterator[Path]:
    """Run in a home without configuration, with an identity, in UTC."""
    with tempfile.TemporaryDirectory(prefix="calibvcs-bench-") as name:
        before = dict(os.environ)
        for variable in [v for v in os.environ if v.startswith(("GIT_", "CALIBVCS_"))]:
            del os.environ[variable]
        os.environ |= {
            "HOME": name,
            "XDG_CONFIG_HOME": f"{name}/.config",
            "GIT_CONFIG_NOSYSTEM": "1",
            "TZ": "UTC",
            "DVC_NO_ANALYTICS": "1",
        }
        for role in ("AUTHOR", "COMMITTER"):
            os.environ |= {f"GIT_{role}_NAME": "Ada Lovelace", f"GIT_{role}_EMAIL": "ada@example.org"}
        try:
            yield Path(name)
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder, and take it away with everything in it, write-protected files too."""
    path = Path(tempfile.mkdtemp(prefix="calibvcs-bench-"))
    try:
        yield path
    finally:
        for inner, _, _ in os.walk(path):
            os.chmod(inner, 0o755)  # noqa: PTH101, S103 - git-annex protects its folders
        shutil.rmtree(path)


def has_module(name: str) -> bool:
    """Tell whether a Python library is installed."""
    return find_spec(name) is not None


def has_program(name: str) -> bool:
    """Tell whether a program is on the path."""
    return shutil.which(name) is not None


def missing(*names: str) -> tuple[str, ...]:
    """Return a note for each library or program that is not installed, for people to see."""
    return tuple(f"{name} is not installed" for name in names if not has_module(name) and not has_program(name))


def git(where: Path, *words: object) -> bytes:
    """Run C Git in a folder and return what it prints."""
    return subprocess.run(["git", *map(str, words)], cwd=where, check=True, capture_output=True).stdout


def pack_as_stored(repository: Path) -> None:
    """Pack the arrays that hardly shrink without deflating them, as ``docs/growth.md`` says; then gc keeps them so."""
    script = (
        "git rev-list --objects --all | grep -E ' .*/(pedestals|pixel_rms)/.*/data[.]npy$'"
        ' | git -c pack.compression=0 pack-objects -q --window=0 --incremental "$(git rev-parse --git-path objects/pack)/pack"'
    )
    subprocess.run(["sh", "-c", script], cwd=repository, check=True, stdout=subprocess.DEVNULL)
