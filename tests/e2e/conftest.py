"""The installed program, started as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Builder

SCRIPT = Path(sys.executable).with_name("calibvcs")


@dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """The installed program in one folder."""

    folder: Path

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", expect: int | None = 0, cwd: Path | None = None
    ) -> Finished:
        done = subprocess.run([SCRIPT, *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd or self.folder)
        finished = Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        assert "Traceback" not in finished.err, finished.err
        if expect is not None:
            assert finished.code == expect, finished
        return finished


def git(folder: Path, *arguments: str) -> str:
    """Run C Git and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def dark(shape: Sequence[int], level: float = 1000, seed: int = 0) -> np.ndarray:
    """Return pedestals as a dark run gives them: float32, in ADU."""
    return np.random.default_rng(seed).normal(level, 5, shape).astype(np.float32)


@pytest.fixture
def calibvcs(tmp_path: Path) -> Program:
    """Return the program in an empty folder."""
    return Program(tmp_path)


@pytest.fixture
def repository(calibvcs: Program, built_once: Builder) -> Path:
    """Return a repository with a camera and one dark run, 4 x 5 pixels, valid from second 1000 on."""
    np.save(calibvcs.folder / "first.npy", dark((4, 5)))
    return built_once(_with_one_dark, calibvcs.folder / "constants")


def _with_one_dark(folder: Path) -> None:
    calibvcs = Program(folder.parent)
    calibvcs("init", folder)
    calibvcs("detector", "add", "opal1000-1", "--repo", folder)
    calibvcs("add", "opal1000-1", "pedestals", "first.npy", "--begin", "1000", "-m", "First dark", "--repo", folder)
