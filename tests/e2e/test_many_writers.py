"""Many programs that change one repository at the same time: every accepted change is in the history."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from tests.e2e.conftest import git

WRITERS, ADDS = 8, 50

WRITER = """
import sys
import numpy as np
import calibvcs

path, number, adds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with calibvcs.open(path) as repository:
    for n in range(adds):
        data = np.full((4, 4), 100 + number + n / 100, np.float32)
        # Half of the writers meet on one range, the others have ranges of their own.
        begin = 1000 if number % 2 and n % 5 == 0 else 10_000 + 1000 * number + n
        added = repository.add("opal1000-1", "pedestals", data, begin=begin, message=f"writer {number} dark {n}")
        print(added.commit, flush=True)
"""

READER = """
import sys
import calibvcs

with calibvcs.open(sys.argv[1]) as repository:
    for _ in range(int(sys.argv[2])):
        constant = repository.get("opal1000-1", "pedestals", 1500)
        assert constant.data.shape == (4, 4) and (constant.data == constant.data[0, 0]).all()
"""


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "worktree"])
def test_no_add_is_lost(tmp_path: Path, bare: bool) -> None:
    adds = ADDS if bare else ADDS // 5
    calibvcs.init(tmp_path / "constants", bare=bare)
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add("opal1000-1")
        repository.add("opal1000-1", "pedestals", np.full((4, 4), 99, np.float32), begin=1000, message="First")
    start = [sys.executable, "-c"]
    writers = [
        subprocess.Popen([*start, WRITER, tmp_path / "constants", str(n), str(adds)], stdout=subprocess.PIPE, text=True)
        for n in range(WRITERS)
    ]
    reader = subprocess.Popen([*start, READER, tmp_path / "constants", "200"])
    told = [line for writer in writers for line in writer.communicate(timeout=300)[0].split()]
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert reader.wait(timeout=300) == 0
    assert len(set(told)) == WRITERS * adds
    history = git(tmp_path / "constants", "rev-list", "main").split()
    assert set(told) <= set(history)
    assert len(history) == WRITERS * adds + 3
    subjects = git(tmp_path / "constants", "log", "--format=%s", "main").splitlines()
    assert {s for s in subjects if s.startswith("writer")} == {
        f"writer {w} dark {n}" for w in range(WRITERS) for n in range(adds)
    }
    git(tmp_path / "constants", "fsck", "--strict")
    with calibvcs.open(tmp_path / "constants") as repository:
        assert repository.verify(deep=True).sound
        meeting = repository.default.show("opal1000-1/pedestals/1000-end")
        assert len(meeting.versions) == 1 + (WRITERS // 2) * len(range(0, adds, 5))
    if not bare:
        assert git(tmp_path / "constants", "status", "--porcelain") == ""
