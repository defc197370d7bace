"""A large array is added beside the one before it in little more memory than it takes itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import calibvcs

ADDED = """
import re, sys
from pathlib import Path
import numpy as np
import calibvcs
from calibvcs.ops import add, examination, payload  # the program itself is not what is measured

folder, detector, seed, shape = sys.argv[1], sys.argv[2], int(sys.argv[3]), tuple(map(int, sys.argv[4].split(",")))

def status(name):
    return int(re.search(name + r":\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) << 10

array = np.random.default_rng(seed).normal(2800, 40, shape).astype(np.float32)
with calibvcs.open(folder) as repository:
    repository.ls()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = status("VmRSS")
    (one,) = repository.add(detector, "pedestals", array, begin=seed, message="Dark run").constants
    print(status("VmHWM") - before, one.changes.changed if one.changes else "")
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of the memory")
@pytest.mark.parametrize(("detector", "shape"), [("jungfrau-1", (3, 10, 512, 1024)), ("rayonix-1", (1, 4000, 4000))])
def test_add_beside_a_predecessor(tmp_path: Path, detector: str, shape: tuple[int, ...]) -> None:
    calibvcs.init(tmp_path / "constants", bare=True)
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add(detector)
    for seed in (1, 2):
        command = [sys.executable, "-c", ADDED, tmp_path / "constants", detector, str(seed), ",".join(map(str, shape))]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    peak, changed = map(int, told)
    assert changed > 10_000_000
    assert peak < 32 << 20
