"""What a squeezed clone holds: versions as deep as asked for, more, and less again; the disk shows it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import InvalidOptionError, NotHereError
from tests.servers.http_backend import http_server

SHAPE = (200, 300)
BYTES = 4 * 200 * 300


def dark(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, 5, SHAPE).astype(np.float32)


@pytest.fixture(params=["path", "http"])
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a repository of two cameras, three versions each."""
    folder = tmp_path / "served" / "central"
    calibvcs.init(folder, bare=True)
    with calibvcs.open(folder) as repository:
        for camera in (1, 2):
            repository.detector.add(f"opal1000-{camera}")
            for version in (1, 2, 3):
                data = dark(10 * camera + version)
                repository.add(f"opal1000-{camera}", "pedestals", data, begin=1000, message="Dark")
    if request.param == "path":
        yield str(folder)
        return
    with http_server(tmp_path / "served") as server:
        subprocess.run(["git", "-C", folder, "config", "http.receivepack", "true"], check=True)
        yield f"{server.url}/central"


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / ".git" / "objects").rglob("*") if path.is_file())


def held(folder: Path, name: str) -> bool:
    with pytest.MonkeyPatch.context() as patch, calibvcs.open(folder) as repository:
        patch.setenv("CALIBVCS_OFFLINE", "1")
        try:
            repository.show(name)
        except NotHereError:
            return False
        return True


def test_depth_counts_versions_of_the_data(origin: str, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    calibvcs.clone(origin, clone, detectors=["opal1000-1"], depth=2)
    name = "opal1000-1/pedestals/1000-end"
    assert [held(clone, f"{name}@v{version}") for version in (1, 2, 3)] == [False, True, True]
    assert not held(clone, "opal1000-2/pedestals/1000-end")
    with calibvcs.open(clone) as repository:
        assert len(repository.default.show(name).versions) == 3
        repository.squeeze(depth=3)
    assert held(clone, f"{name}@v1")
    subprocess.run(["git", "-C", clone, "fsck", "--strict"], check=True, capture_output=True)
    for wrong in (0, -1):
        with pytest.raises(InvalidOptionError, match="depth"):
            calibvcs.clone(origin, tmp_path / "other", depth=wrong)


def test_what_is_dropped_leaves_the_disk_and_comes_back(origin: str, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    calibvcs.clone(origin, clone, detectors=["opal1000-1"])
    with calibvcs.open(clone) as repository:
        repository.squeeze(detectors=["opal1000-2"])
        made_here = repository.add("opal1000-2", "pedestals", dark(77), begin=2000, message="Dark").commit
    full = on_disk(clone)
    with calibvcs.open(clone) as repository:
        done = repository.squeeze(drop=["opal1000-2"])
    assert BYTES < done.freed <= full - on_disk(clone) + 1
    assert not held(clone, "opal1000-2/pedestals/1000-end")
    assert held(clone, "opal1000-2/pedestals/2000-end")
    assert held(clone, "opal1000-1/pedestals/1000-end")
    subprocess.run(["git", "-C", clone, "fsck", "--strict"], check=True, capture_output=True)
    assert subprocess.check_output(["git", "-C", clone, "status", "--porcelain"]) == b""
    with calibvcs.open(clone) as repository:
        assert np.array_equal(repository.get("opal1000-2", "pedestals", 1500).data, dark(23))
        assert repository.push().commit == made_here
        assert repository.squeeze(detectors=["opal1000-2"]).constants == 3
    assert np.array_equal(np.load(clone / "opal1000/opal1000-2/pedestals/1000-end/data.npy"), dark(23))
