"""Files of the Detector Calibration Store by the command line: in, out, differences, and a disk that is full."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import pytest

from tests.dcs_files import dump, make, without_ours
from tests.e2e.conftest import SCRIPT, Program, git

CAMERA = "opal1000-7"


@pytest.fixture
def repository(calibvcs: Program) -> Path:
    """Return a repository that took over a part of a file: five versions."""
    make(calibvcs.folder / f"{CAMERA}.h5")
    calibvcs("init", "--bare", "constants")
    folder = calibvcs.folder / "constants"
    shown = calibvcs("import", "hdf5", f"../{CAMERA}.h5", "--ctype", "pedestals", "--ctype", "geometry", cwd=folder).out
    assert f"added {CAMERA}/pedestals/1471000000-1471086401@v3" in shown
    assert f"default again {CAMERA}/pedestals/1471000000-1471086401@v2" in shown
    assert shown.splitlines()[-1].startswith(f"5 versions came from {CAMERA}.h5 (commit ")
    return folder


def test_there_and_back(calibvcs: Program) -> None:
    make(calibvcs.folder / f"{CAMERA}.h5")
    calibvcs("init", "constants")
    repository = calibvcs.folder / "constants"
    calibvcs("import", "hdf5", f"../{CAMERA}.h5", cwd=repository)
    again = calibvcs("import", "hdf5", f"../{CAMERA}.h5", "--json", cwd=repository).json
    assert (again["schema"], again["added"], len(again["known"])) == ("calibvcs.import/1", [], 10)
    assert git(repository, "status", "--porcelain") == ""
    done = calibvcs("export", "--hdf5", "../out", "--versions", "all", "--json", cwd=repository).json
    assert (done["schema"], [file["versions"] for file in done["files"]]) == ("calibvcs.export-hdf5/1", [12])
    out = calibvcs.folder / "out" / f"{CAMERA}.h5"
    assert without_ours(dump(out)) == dump(calibvcs.folder / f"{CAMERA}.h5")
    assert "no difference" in calibvcs("diff", f"{CAMERA}.h5", out).out  # no repository is needed for two files
    assert "no difference" in calibvcs("diff", out, CAMERA, cwd=repository).out
    with h5py.File(out, "a") as root:
        root["pedestals/1471086400-end/v0001/data"][0, 0, 0] += 1
    shown = calibvcs("diff", f"{CAMERA}.h5", out, expect=1).out
    assert "1 of 32 values differ, largest |d| 1" in shown
    text = calibvcs("export", "--hdf5", out, "--detector", CAMERA, "--ctype", "pedestals", cwd=repository).out
    assert text.startswith(f"wrote {out}: 1 ctypes, 2 ranges, 2 versions (")


def test_what_came_in_passes_the_hook(calibvcs: Program) -> None:
    make(calibvcs.folder / f"{CAMERA}.h5")
    calibvcs("init", "--bare", "hosted")
    calibvcs("hook", "install", cwd=calibvcs.folder / "hosted")
    calibvcs("clone", "hosted", "clone")
    clone = calibvcs.folder / "clone"
    calibvcs("import", "hdf5", f"../{CAMERA}.h5", "--ctype", "pedestals", cwd=clone)
    calibvcs("push", cwd=clone)
    assert calibvcs("verify", "--json", cwd=calibvcs.folder / "hosted").json["sound"]
    addresses = git(calibvcs.folder / "hosted", "log", "--format=%ae", "--author=expert").split()
    assert addresses == ["expert@unknown.invalid"] * 3
    (clone / "opal1000" / CAMERA / "pedestals" / "ctype.toml").write_text("parameters = 3")
    git(clone, "commit", "-qam", "By hand")
    done = subprocess.run(["git", "push"], cwd=clone, capture_output=True, text=True)
    assert done.returncode != 0
    assert "ctype.toml: parameters is 3; expected is a table" in done.stderr


def test_mistakes(calibvcs: Program, repository: Path) -> None:
    for arguments, code, said in (
        (["export", "--hdf5", "../x.h5", "--detector", "none-1"], 3, "unknown detector"),
        (["export", "--hdf5", "../x", "--run", "5"], 2, "does not go with --hdf5"),
        (["export", "--hdf5", "../x", "--compress", "zip"], 2, "none, gzip or lzf"),
        (["export", "--hdf5", ".."], 5, "a file that no export wrote"),
        (["import", "hdf5", "../none.h5"], 3, "cannot read"),
        (["import", "hdf5", f"../{CAMERA}.h5", "--ctype", "none"], 2, "the file has flags"),
        (["diff", "../none.h5", CAMERA], 3, "cannot read"),
    ):
        assert said in calibvcs(*arguments, expect=code, cwd=repository).err


def test_a_full_disk_leaves_the_file_that_was_there(calibvcs: Program, repository: Path) -> None:
    """A file may not grow beyond some size: for HDF5 this is a disk that is full."""
    calibvcs("export", "--hdf5", "../out.h5", "--detector", CAMERA, cwd=repository)
    before = (calibvcs.folder / "out.h5").read_bytes()
    command = [str(SCRIPT), "export", "--hdf5", "../out.h5", "--detector", CAMERA, "--versions", "all"]
    for limit in (0, 4096, 30_000):
        limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        done = subprocess.run(command, cwd=repository, capture_output=True, text=True, preexec_fn=limited)
        assert (done.returncode, "Traceback" in done.stderr) == (9, False), done
        assert "cannot write" in done.stderr
        assert (calibvcs.folder / "out.h5").read_bytes() == before
        assert sorted(path.name for path in calibvcs.folder.iterdir()) == ["constants", f"{CAMERA}.h5", "out.h5"]


_KILLED = """
import os, signal, sys
import h5py
made, create = [], h5py.Group.create_dataset
def create_dataset(self, name, *args, **options):
    made.append(name)
    if made.count("data") == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return create(self, name, *args, **options)
h5py.Group.create_dataset = create_dataset
from calibvcs.cli.app import call
call(sys.argv[1:])
"""


def test_a_killed_export_leaves_the_file_that_was_there(calibvcs: Program, repository: Path) -> None:
    arguments = ["export", "--hdf5", "../out.h5", "--detector", CAMERA]
    calibvcs(*arguments, cwd=repository)
    before = (calibvcs.folder / "out.h5").read_bytes()
    done = subprocess.run([sys.executable, "-c", _KILLED, *arguments, "--versions", "all"], cwd=repository)
    assert done.returncode == -signal.SIGKILL
    assert (calibvcs.folder / "out.h5").read_bytes() == before
    assert len(list(calibvcs.folder.glob(".out.h5.calibvcs-tmp-*"))) == 1
    calibvcs(*arguments, "--versions", "all", cwd=repository)
    found, original = without_ours(dump(calibvcs.folder / "out.h5")), dump(calibvcs.folder / f"{CAMERA}.h5")
    assert "pedestals/1471000000-1471086401/v0004/data" in found
    assert found == {name: value for name, value in original.items() if name in found}
    assert sorted(path.name for path in calibvcs.folder.iterdir()) == ["constants", f"{CAMERA}.h5", "out.h5"]
