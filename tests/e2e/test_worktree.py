"""Constants that are edited as files: a geometry with an editor, pedestals with ``cp``, through the installed script."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SHARED_DATA
from tests.e2e.conftest import SCRIPT, Program, dark, git

CAMERA = "opal1000/opal1000-1"
REAL = SHARED_DATA / "geometry" / "geometry-def-epix100a.data"
OWN = Path(__file__).parents[2] / "example-repo"


def geometry() -> str:
    """Return a geometry of the LCLS, or else one that the project ships."""
    if REAL.is_file():
        return REAL.read_text()
    return next(iter(sorted(OWN.rglob("geometry.txt")))).read_text()


def moved(text: str) -> str:
    """Return a geometry whose last panel stands 100 micrometers aside."""
    lines = text.splitlines(keepends=True)
    number = max(number for number, line in enumerate(lines) if line.strip() and not line.startswith("#"))
    parts = lines[number].split()
    parts[4] = str(float(parts[4]) + 100)
    lines[number] = "  ".join(parts) + "\n"
    return "".join(lines)


@pytest.fixture
def worktree(calibvcs: Program, repository: Path) -> Path:
    (calibvcs.folder / "geometry.data").write_text(geometry())
    calibvcs("add", "opal1000-1", "geometry", "geometry.data", "--begin", "0", "-m", "As drawn", "--repo", repository)
    return repository


def test_a_day_of_edits(calibvcs: Program, worktree: Path) -> None:
    assert "nothing to commit, worktree clean" in calibvcs("status", cwd=worktree).out

    file = worktree / CAMERA / "geometry/0-end/geometry.txt"
    text = moved(file.read_text())
    file.write_text(text)
    place = worktree / CAMERA / "pedestals/5000-end"
    place.mkdir()
    shutil.copy(calibvcs.folder / "first.npy", place / "data.npy")
    wrong = worktree / CAMERA / "pedestals/today"
    wrong.mkdir()
    (wrong / "data.npy").write_text("x")

    told = calibvcs("status", cwd=place)
    lines = told.out.splitlines()
    assert "changed   opal1000-1/geometry/0-end  geometry.txt" in lines
    assert "new       opal1000-1/pedestals/5000-end  data.npy" in lines
    assert any("pedestals/today/" in line and "not a range" in line for line in lines)
    status = calibvcs("status", "--json", cwd=worktree).json
    assert (status["schema"], status["clean"]) == ("calibvcs.status/1", False)
    assert [row["state"] for row in status["edits"]] == ["changed", "new"]

    tried = calibvcs("commit", "-m", "Survey of May", "--dry-run", cwd=worktree)
    assert tried.out.startswith("dry run")
    assert git(worktree, "log", "--oneline").count("\n") == 4
    made = calibvcs("commit", "-m", "Survey of May", "opal1000-1/geometry", cwd=worktree)
    assert "1 of " in made.out
    assert "panels differ" in made.out
    assert calibvcs("get", "opal1000-1", "geometry", "-t", "5", "-o", "-", cwd=worktree).out == text
    made = calibvcs("commit", "-m", "Until the next dark", ".", cwd=place)
    assert "added opal1000-1/pedestals/5000-end@v1" in made.out

    assert calibvcs("commit", "-m", "Again", cwd=worktree, expect=5).err.startswith(
        "error: nothing to commit, only files"
    )
    shutil.rmtree(wrong)
    assert calibvcs("commit", "-m", "Again", cwd=worktree, expect=5).err == "error: nothing to commit, worktree clean\n"
    assert git(worktree, "status", "--porcelain") == ""
    git(worktree, "fsck", "--strict")
    calibvcs("verify", "--deep", cwd=worktree)
    shown = calibvcs("show", "opal1000-1/pedestals/5000-end", cwd=worktree).out
    assert "command    calibvcs commit -m Until the next dark ." in shown


def test_refusals_have_their_exit_codes_and_say_what_to_do(calibvcs: Program, worktree: Path) -> None:
    data = worktree / CAMERA / "pedestals/1000-end/data.npy"
    np.save(data, np.zeros((4, 5), np.float32))
    refused = calibvcs("commit", "-m", "Zeros", cwd=worktree, expect=4)
    assert "not all zero" in refused.err
    assert "--force --reason" in refused.err
    assert "--reason" in calibvcs("commit", "-m", "Zeros", "--force", cwd=worktree, expect=2).err
    data.parent.rename(data.parents[1] / "2000-end")
    renamed = calibvcs("commit", "-m", "Later", cwd=worktree, expect=4)
    assert "hint: a range is not renamed: calibvcs restore opal1000-1/pedestals/1000-end" in renamed.err
    assert "--all" in calibvcs("restore", cwd=worktree, expect=2).err
    assert calibvcs("restore", "nothing/like/it", cwd=worktree, expect=3).err
    assert "restored" in calibvcs("restore", "opal1000-1/pedestals/1000-end", cwd=worktree).out
    assert (
        calibvcs("restore", "--all", cwd=worktree).out
        == f"kept {CAMERA}/pedestals/2000-end/data.npy: it was never committed\nkept {CAMERA}/pedestals/2000-end/meta.toml: it was never committed\n"
    )
    assert calibvcs("commit", "-m", "Zeros, on purpose", "--force", "--reason", "a test", cwd=worktree).code == 0
    assert "Calibvcs-Forced: a test" in git(worktree, "log", "-1", "--format=%B")
    calibvcs("lock", "opal1000-1/pedestals/1000-end", "-m", "Golden", cwd=worktree)
    np.save(data, dark((4, 5), seed=3))
    assert "unlock" in calibvcs("commit", "-m", "New", cwd=worktree, expect=4).err


def test_a_bare_repository_has_no_worktree(calibvcs: Program) -> None:
    calibvcs("init", "--bare", "bare.git")
    for words in (["status"], ["commit", "-m", "x"], ["restore", "--all"]):
        assert "bare" in calibvcs(*words, "--repo", "bare.git", expect=2).err


def test_a_commit_that_is_killed_leaves_the_old_state_or_the_new_one(calibvcs: Program, worktree: Path) -> None:
    """Kill the program at six moments of its life; the next one just works, and no edit is lost."""
    data = worktree / CAMERA / "pedestals/1000-end/data.npy"
    for number in range(6):
        np.save(data, dark((4, 5), seed=number + 10))
        edited, before = data.read_bytes(), git(worktree, "rev-parse", "HEAD")
        process = subprocess.Popen(
            [SCRIPT, "commit", "-m", f"Dark {number}"],
            cwd=worktree,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=0.15 + 0.1 * number)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert data.read_bytes() == edited
        git(worktree, "fsck", "--strict")
        if git(worktree, "rev-parse", "HEAD") == before:
            calibvcs("commit", "-m", f"Dark {number} again", cwd=worktree)
        calibvcs("doctor", cwd=worktree)
        assert calibvcs("status", "--json", cwd=worktree).json["clean"]
        assert git(worktree, "status", "--porcelain") == ""
    assert len(git(worktree, "log", "--format=%H", "--", CAMERA + "/pedestals").split()) == 7
