"""Lock files, provenance, and the drivers of C Git, by the installed program."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from .conftest import SCRIPT, Program, dark, git

CAMERA = "opal1000-1"
FIRST = f"{CAMERA}/pedestals/1000-end"


def second_dark(calibvcs: Program, repository: Path) -> None:
    """Add a dark run that was made from the first one."""
    calibvcs("get", CAMERA, "pedestals", "-t", "2000", "-o", "used.npy", "--repo", repository)
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1004, 1))
    words = ["add", CAMERA, "pedestals", "second.npy", "--begin", "1000", "-m", "Second dark", "--input", "used.npy"]
    calibvcs(*words, "--repo", repository)


def test_an_analysis_is_cited_and_brought_back(calibvcs: Program, repository: Path) -> None:
    written = calibvcs("lock-file", "write", "used.toml", "--time", "2000", "--repo", repository)
    assert "1 constants" in written.out
    citation = tomllib.loads((calibvcs.folder / "used.toml").read_text())["citation"]
    assert f"cite as: {citation}\n" in written.out
    second_dark(calibvcs, repository)
    checked = calibvcs("lock-file", "check", "used.toml", "--repo", repository)
    assert f"since then: {FIRST}@v1: v2 is the default" in checked.out
    assert "1 of 1 constants are there, bit for bit" in checked.out
    calibvcs("lock-file", "restore", "used.toml", "out")  # nothing but the lock file tells where from
    restored = calibvcs.folder / "out" / "opal1000" / CAMERA / "pedestals" / "1000-end" / "data.npy"
    assert restored.read_bytes() == (calibvcs.folder / "first.npy").read_bytes()
    assert calibvcs("lock-file", "restore", "used.toml", "out", expect=5).err.startswith("error: ")
    tried = calibvcs("lock-file", "restore", "used.toml", "--into", repository, "--dry-run")
    assert tried.out.startswith("dry run")
    assert f"default again {FIRST}" in calibvcs("lock-file", "restore", "used.toml", "--into", repository).out
    assert calibvcs("default", "show", FIRST, "--repo", repository, "--json").json["version"] == "v1"
    calibvcs("lock-file", "restore", "used.toml", "--into", repository, expect=5)


def test_differences_end_with_1(calibvcs: Program, repository: Path) -> None:
    calibvcs("lock-file", "write", "used.json", "--repo", repository)
    blob = git(repository, "rev-parse", f"HEAD:opal1000/{CAMERA}/pedestals/1000-end/data.npy").strip()
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    checked = calibvcs("lock-file", "check", "used.json", "--repo", repository, "--json", expect=1)
    assert checked.json["schema"] == "calibvcs.lock-file-check/1"
    assert [row["status"] for row in checked.json["constants"]] == ["damaged"]
    assert blob in calibvcs("lock-file", "check", "used.json", "--repo", repository, expect=1).out


def test_mistakes_are_told(calibvcs: Program, repository: Path) -> None:
    for words, code in (
        (["write", "used.toml", "-t", "5000", "-r", "mfx1:1"], 2),
        (["write", "used.toml", "*/pixel_gain"], 3),
        (["write", "nowhere/used.toml"], 9),
        (["check", "nothing.toml"], 3),
        (["check", "first.npy"], 4),
        (["restore", "first.npy", "out"], 4),
        (["restore", "first.npy"], 2),
        (["restore", "first.npy", "out", "--dry-run"], 2),
    ):
        told = calibvcs("lock-file", *words, "--repo", repository, expect=code).err
        assert told.startswith("error: "), words


def test_the_chain_and_the_command_again(calibvcs: Program, repository: Path) -> None:
    second_dark(calibvcs, repository)
    shown = calibvcs("provenance", FIRST, "--repo", repository).out.splitlines()
    assert shown[0] == f"{FIRST}@v2"
    assert f"└─ {FIRST}@v1  (as used.npy)" in shown
    assert any("$ calibvcs add opal1000-1 pedestals second.npy" in line for line in shown)
    found = calibvcs("provenance", FIRST, "--repo", repository, "--json").json
    assert [one["name"] for one in found["chain"]["inputs"]] == [f"{FIRST}@v1"]
    before = git(repository, "for-each-ref")
    asked = calibvcs("rerun", "HEAD", "--repo", repository, expect=2)
    assert "calibvcs add" in asked.err
    assert "--yes" in asked.err
    assert calibvcs("rerun", "HEAD", "--yes", "--repo", repository).out.startswith("same: commit ")
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1009, 1))
    again = calibvcs("rerun", "HEAD", "--yes", "--repo", repository, "--json", expect=1)
    assert (again.json["verdict"], again.json["moved"]) == ("different", [])
    assert again.json["constants"][0]["array"]["largest_median"] == pytest.approx(5, abs=0.01)
    assert git(repository, "for-each-ref") == before
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize(("answer", "code", "told"), [("n", 1, "nothing was run"), ("y", 0, "exit status 0")])
def test_on_a_terminal_it_asks(answer: str, code: int, told: str, calibvcs: Program, repository: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    words = [SCRIPT, "rerun", "HEAD", "--repo", repository]
    done = subprocess.run(words, stdin=theirs, capture_output=True, text=True, cwd=calibvcs.folder)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done
    assert "Run this here" in done.stderr
    assert told in done.stdout + done.stderr


def test_nothing_in_a_recorded_command_hides_from_the_reader(calibvcs: Program, repository: Path) -> None:
    """A terminal obeys control characters, so that a command could look like another one."""
    meta = repository / "opal1000" / CAMERA / "pedestals" / "1000-end" / "meta.toml"
    evil = '"rm -rf ~", "\\u001b[2K\\r", "\\u202e"'
    meta.write_text(meta.read_text().replace('command = ["calibvcs"', f'command = ["calibvcs", {evil}'))
    git(repository, "commit", "-qam", f"By hand\n\nCalibvcs-Action: add\nCalibvcs-Constant: {FIRST}")
    for shown in (
        calibvcs("rerun", "HEAD", "--repo", repository, expect=2).err,
        calibvcs("provenance", FIRST, "--repo", repository).out,
    ):
        assert "calibvcs 'rm -rf ~' '\\x1b[2K\\r' '\\u202e' add" in shown
        assert not {"\x1b", "\r", "\u202e"} & set(shown)


def test_plain_git_speaks_of_constants(calibvcs: Program, repository: Path) -> None:
    second_dark(calibvcs, repository)
    told = calibvcs("install-git-drivers", repository)
    assert "diff.calibvcs.textconv = " in told.out
    shown = git(repository, "log", "-p", "-1")
    assert " array float32 4x5\n" in shown
    assert "+[0,0] 100" in shown
    assert calibvcs("install-git-drivers", "--repo", repository, "--uninstall", "--json").json["installed"] is False
    assert "Binary files" in git(repository, "log", "-p", "-1")
    calibvcs("install-git-drivers", "--global", "--repo", repository, expect=2)
    assert "git-textconv" not in calibvcs("--help").out
    calibvcs("git-textconv", "nothing", expect=3)


def test_what_only_reads_metadata_needs_no_numpy(calibvcs: Program, repository: Path) -> None:
    program = "import sys; from calibvcs.cli.app import call; call(sys.argv[1:]); print('numpy' in sys.modules)"
    for words in (["provenance", FIRST], ["lock-file", "write", "../x.toml"], ["install-git-drivers"]):
        done = subprocess.run([sys.executable, "-c", program, *words], cwd=repository, capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == "False", words
