"""Every benchmark runs, and every way in it, ours and the peers', gives back what went in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import SECTIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_result_of_a_benchmark_is_right(section: str) -> None:
    words = [sys.executable, "-m", "tests.bench", "--quick", section]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"## {section}" in done.stdout
