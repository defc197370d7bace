"""A scratch repository has the history up to a commit, and no way back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import calibvcs
from calibvcs.store.configuration import settings
from calibvcs.store.git import GitStore
from calibvcs.store.scratch import scratch


def test_it_borrows_objects_and_reaches_nobody(tmp_path: Path) -> None:
    folder, place = tmp_path / "constants", tmp_path / "scratch.git"
    made = calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-1")
    with GitStore(folder) as source, scratch(place, source, made.commit) as copy:
        assert (copy.branch, copy.tip()) == (source.branch, made.commit)
        assert copy.commit(made.commit) == source.commit(made.commit)
        assert not [path for path in (place / "objects").rglob("*") if path.is_file() and path.name != "alternates"]
    found = settings(place / "config")
    assert not [name for name in found if name.startswith("remote.")]
    assert found["commit.gpgsign"] == "false"
    with calibvcs.open(place) as repository:
        repository.detector.add("opal1000-2")
    assert subprocess.run(["git", "-C", place, "fsck", "--strict"], capture_output=True, check=True).stderr == b""
    with calibvcs.open(folder) as repository:
        assert [str(row.name) for row in repository.detector.ls().detectors] == ["opal1000-1"]
