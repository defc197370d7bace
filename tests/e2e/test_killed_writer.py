"""Writers that are killed at any moment: what they told is kept, nothing half is seen, and the next command just works."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from tests.e2e.conftest import git

KILLS = 20

WRITER = """
import itertools, sys
import numpy as np
import calibvcs

with calibvcs.open(sys.argv[1]) as repository:
    for n in itertools.count(int(sys.argv[2])):
        data = np.full((8, 8), 100 + n / 1000, np.float32)
        added = repository.add("opal1000-1", "pedestals", data, begin=1000 + n % 7, message=f"dark {n}")
        print(added.commit, flush=True)
"""


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "worktree"])
def test_a_killed_writer_costs_nothing(tmp_path: Path, bare: bool) -> None:
    path, chance = tmp_path / "constants", random.Random(1)
    calibvcs.init(path, bare=bare)
    with calibvcs.open(path) as repository:
        repository.detector.add("opal1000-1")
    told: list[str] = []
    for number in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(1000 * number)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        told.append(writer.stdout.readline().strip())  # the first one is through: it did not wait for a dead one
        time.sleep(chance.uniform(0, 0.06))
        writer.kill()
        told += writer.stdout.read().split("\n")[:-1]
        writer.wait()
        writer.stdout.close()
        with calibvcs.open(path) as repository:
            assert repository.get("opal1000-1", "pedestals", 5000).data.shape == (8, 8)
    git(path, "fsck", "--strict")
    history = set(git(path, "rev-list", "main").split())
    assert set(told) <= history
    with calibvcs.open(path) as repository:
        assert repository.verify(deep=True).sound
        repository.add("opal1000-1", "pedestals", np.full((8, 8), 7, np.float32), begin=0, message="The next one")
        known = {entry.commit for entry in repository.log("opal1000-1/pedestals").commits}
    assert set(told) <= known
    if not bare:
        assert git(path, "status", "--porcelain", "--untracked-files=no") == ""
    assert not list(path.rglob("*.lock"))
