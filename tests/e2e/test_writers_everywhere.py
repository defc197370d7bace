"""Many writers of one repository through four ways at once, and readers beside them: nothing is lost, nothing torn."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tests.e2e.conftest import SCRIPT, git
from tests.servers.http_backend import http_server
from tests.servers.ssh import ssh_server

ADDS = int(os.environ.get("CALIBVCS_TEST_ADDS", "2"))
READERS = int(os.environ.get("CALIBVCS_TEST_READERS", "2"))
"""How often each writer writes, and how many read; the figures in docs/reliability.md are of a run with 50 and 8."""

CAMERA = "opal1000-1"
WRITER = """
import sys
import numpy as np
import calibvcs
place, number, adds, shared = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "shared"
with calibvcs.open(place) as repository:
    for count in range(adds):
        array = np.full((8, 8), 1 + 1000 * number + count, np.float32)
        begin = 1_000_000 * (number + 1) + count
        repository.add("opal1000-1", "pedestals", array, begin=begin, message=f"{number} {count}", force_reason="a test")
        if not shared:
            repository.push()
"""
READER = """
import sys
import numpy as np
import calibvcs
reads = 0
while not sys.stdin.closed:
    with calibvcs.open(sys.argv[1]) as repository:
        for _ in range(20):
            constant = repository.get("opal1000-1", "pedestals", 10_000_000)
            array = np.asarray(constant.data)
            assert (array == array[0, 0]).all(), "a torn array"
            begin = constant.validity.begin
            expected = 500 if begin == 0 else 1 + 1000 * (begin // 1_000_000 - 1) + begin % 1_000_000
            assert array[0, 0] == expected, "the wrong array"
            reads += 1
    if __import__("select").select([sys.stdin], [], [], 0)[0]:
        break
print(reads)
"""


def test_four_ways_at_once(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    central = tmp_path / "served" / "central"
    environment = {
        **os.environ,
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b.c",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(tmp_path / "no-configuration"),
    }  # fmt: skip
    with ExitStack() as stack:
        http = stack.enter_context(http_server(tmp_path / "served"))
        ssh = stack.enter_context(ssh_server(tmp_path / "ssh"))
        environment["GIT_SSH_COMMAND"] = ssh.command

        def run(*words: str | Path) -> None:
            subprocess.run([SCRIPT, *map(str, words)], cwd=tmp_path, env=environment, check=True, capture_output=True)

        run("init", "--bare", central)
        run("detector", "add", CAMERA, "--repo", central)
        np.save(tmp_path / "first.npy", np.full((8, 8), 500, np.float32))
        run("add", CAMERA, "pedestals", tmp_path / "first.npy", "--begin", "0", "-m", "First", "--repo", central)
        git(central, "config", "http.receivepack", "true")
        ways = {"path": str(central), "http": f"{http.url}/central", "ssh": f"{ssh.url}{central}"}
        places: list[tuple[str, Path]] = [("shared", central), ("shared", central)]
        for way, url in ways.items():
            for copy in "ab":
                run("clone", url, f"{way}-{copy}")
                places.append((way, tmp_path / f"{way}-{copy}"))
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, central], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
            for _ in range(READERS)
        ]
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, place, str(number), str(ADDS), way], env=environment)
            for number, (way, place) in enumerate(places)
        ]
        assert [writer.wait() for writer in writers] == [0] * len(writers)
        for reader in readers:
            out, _ = reader.communicate(b"stop")
            assert reader.returncode == 0
            assert int(out) > 0
    subjects = git(central, "log", "--format=%s", "--no-merges").split("\n")
    assert {f"{number} {count}" for number in range(len(places)) for count in range(ADDS)} <= set(subjects)
    ranges = git(central, "ls-tree", "--name-only", f"HEAD:opal1000/{CAMERA}/pedestals").split()
    assert len(ranges) == 1 + len(places) * ADDS
    git(central, "fsck", "--strict")
    for way, place in places[2:]:
        git(place, "fsck", "--strict")
        assert git(place, "status", "--porcelain") == "", way
