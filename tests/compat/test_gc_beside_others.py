"""Clean-ups beside readers and writers: everything is read, nothing is lost, C Git included."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import calibvcs

READER = """
import sys
import calibvcs
with calibvcs.open(sys.argv[1]) as repository:
    print("ready", flush=True)
    count = 0
    while not __import__("select").select([sys.stdin], [], [], 0)[0]:
        for begin in range(1, 6):
            data = repository.get("opal1000-1", "pixel_rms", begin).data
            assert data.min() == data.max() == begin, data
            repository.log(limit=3)
            count += 1
print(count)
"""

WRITER = """
import sys
import numpy as np
import calibvcs
number, count = int(sys.argv[2]), 0
with calibvcs.open(sys.argv[1]) as repository:
    print("ready", flush=True)
    while not __import__("select").select([sys.stdin], [], [], 0)[0]:
        count += 1
        data = np.full((40, 50), number + count % 5, np.float32)
        added = repository.add("opal1000-1", "pedestals", data, begin=number, message=f"Number {count}",
                               force_reason="It may be the same as before")
        print(added.commit, flush=True)
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def test_readers_and_writers_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "constants.git"
    calibvcs.init(folder, bare=True)
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-1")
        for begin in range(1, 6):
            data = np.full((600, 700), begin, np.float32)
            repository.add("opal1000-1", "pixel_rms", data, begin=begin, message="Read")
    git(folder, "config", "gc.autoPackLimit", "3")
    command = [sys.executable, "-c"]
    others = [subprocess.Popen([*command, READER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)]
    others += [
        subprocess.Popen([*command, WRITER, folder, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in (100, 200)
    ]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    rounds, end = 0, time.monotonic() + 4
    while time.monotonic() < end or rounds < 6:
        with calibvcs.open(folder) as repository:
            assert repository.gc(grace="1h", everything=rounds % 3 == 0).sound
        if rounds % 4 == 3:
            git(folder, "repack", "-adq")
        rounds += 1
    told = [other.communicate("stop\n")[0].split() for other in others]
    assert [other.returncode for other in others] == [0, 0, 0]
    assert int(told[0][-1]) > 0
    assert min(len(told[1]), len(told[2])) > 0
    git(folder, "fsck", "--strict", "--full")
    assert {*told[1], *told[2]} <= set(git(folder, "rev-list", "main").split())
    with calibvcs.open(folder) as repository:
        assert repository.verify(deep=True).sound
