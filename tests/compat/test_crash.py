"""Writers that are killed: two at random moments, and one at every single step; nothing is lost, the next one goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import WriterBusyError

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs import Repository

DETECTOR = "opal1000-1"
KILLS = 12

WRITER = """
import itertools, sys
import numpy as np
import calibvcs
with calibvcs.open(sys.argv[1]) as repository:
    print("ready", flush=True)
    for number in itertools.count(1):
        data = np.full((40, 50), number % 997 + 1, np.float32)
        added = repository.add("opal1000-1", "pedestals", data, begin=number % 7, message=f"Number {number}",
                               force_reason="It may be the same as before")
        print(added.commit, flush=True)
"""

# Every child makes one change and is killed when it writes, makes, renames or removes a file for the Nth time.
STEPPER = """
import os, signal, sys
import numpy as np
import calibvcs
from calibvcs.ops import add, payload
folder, changes = sys.argv[1], {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "os.link"}
for step in range(1, 1000):
    if sys.stdin.readline() != "next\\n":
        break
    child = os.fork()
    if child == 0:
        seen = []
        def hook(event, arguments):
            writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if (writes or event in changes) and folder in str(arguments[0]):
                seen.append(os.path.basename(arguments[0]) if isinstance(arguments[0], str) else event)
                if len(seen) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
        with calibvcs.open(folder) as repository:
            sys.addaudithook(hook)
            data = np.full((4, 5), step % 997 + 1, np.float32)
            added = repository.add("opal1000-1", "pedestals", data, begin=step % 3, message=f"Step {step}")
            print(added.commit, flush=True)
        print("steps", *seen, flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "finished", flush=True)
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full((4, 5), value, np.float32)


@pytest.fixture(params=["bare", "worktree"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / "constants"
    calibvcs.init(made, bare=request.param == "bare")
    with calibvcs.open(made) as repository:
        repository.detector.add(DETECTOR)
        repository.add(DETECTOR, "pedestals", level(1), begin=0, message="First")
    return made


class Survey:
    """What is looked at after every kill, and what was acknowledged so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare = not (folder / ".git").exists()
        self.git_folder = folder if self.bare else folder / ".git"
        self.acknowledged: set[str] = set()
        self.stale: list[str] = []
        self.number = 1

    def all_is_well(self) -> None:
        git(self.folder, "fsck", "--strict")
        with calibvcs.open(self.folder) as repository:
            assert repository.verify(deep=self.number % 5 == 0).sound
            assert self.acknowledged <= set(git(self.folder, "rev-list", "HEAD").split())
            repository.get(DETECTOR, "pedestals", 10)
            self.next_change_works(repository)
        if not self.bare:
            assert git(self.folder, "status", "--porcelain") == ""
            assert list((self.git_folder / "calibvcs/pending").iterdir()) == []
        assert list(self.git_folder.rglob("*.lock")) == []

    def next_change_works(self, repository: Repository) -> None:
        """Add; only a lock whose holder died before it could write its name into it may have to be removed by hand."""
        self.number += 1
        for _ in range(2):
            try:
                added = repository.add(DETECTOR, "pixel_rms", level(self.number), begin=0, message="After the kill")
            except WriterBusyError as error:
                lock = self.git_folder / error.path.removeprefix(f"{self.git_folder}/")
                assert lock.read_bytes() == b""
                lock.unlink()
                self.stale.append(error.path)
            else:
                self.acknowledged.add(added.commit)
                assert np.array_equal(repository.get(DETECTOR, "pixel_rms", 10).data, level(self.number))
                return
        pytest.fail("the next change does not work")


def test_two_writers_may_be_killed_at_any_moment(folder: Path) -> None:
    survey, chance = Survey(folder), random.Random(7)
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITER, folder]
        writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            time.sleep(chance.uniform(0, 0.08))
            writer.kill()
            told, _ = writer.communicate()
            survey.acknowledged.update(line for line in told.split("\n") if len(line) == 40)
        survey.all_is_well()
    assert len(survey.acknowledged) > KILLS
    assert len(survey.stale) <= 1


def test_a_writer_may_be_killed_at_every_step(folder: Path) -> None:
    survey, kills, steps = Survey(folder), 0, list[str]()
    command = [sys.executable, "-c", STEPPER, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stepper:
        assert stepper.stdin is not None
        assert stepper.stdout is not None
        outcome = "killed"
        while outcome == "killed":
            stepper.stdin.write("next\n")
            stepper.stdin.flush()
            while (outcome := stepper.stdout.readline().strip()) not in {"killed", "finished", ""}:
                if outcome.startswith("steps"):
                    steps = outcome.split()[1:]
                else:
                    survey.acknowledged.add(outcome)
            kills += outcome == "killed"
            survey.all_is_well()
        stepper.stdin.write("stop\n")
    assert outcome == "finished"
    assert kills >= len(steps)  # each step of the writer that was left alone had been the last one of another
    assert "main.lock" in steps
    assert any(len(step) == 38 for step in steps), steps  # loose objects
    assert survey.stale == []
