"""Reading a large array takes little more memory than the array; writing it to a file takes next to none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import calibvcs

CAMERA = "opal1000-1"
SHAPE = (16, 1024, 1024)
ARRAY = 64 << 20  # bytes of it in float32
MARGIN = 32 << 20

PROGRAM = """
import json, pathlib, sys
import numpy as np
import calibvcs

def high_water():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

folder, output = sys.argv[1:]
with calibvcs.open(folder) as repository:
    repository.get("opal1000-1", "pixel_rms", 5)
    repository.choose("opal1000-1", "pixel_rms", 5, output=output)
    before = high_water()
    repository.choose("opal1000-1", "pedestals", 5, output=output)
    written = high_water()
    data = repository.get("opal1000-1", "pedestals", 5).data
    read = high_water()
    out = np.zeros_like(data)
    del data
    again = high_water()
    repository.get("opal1000-1", "pedestals", 5, out=out)
    filled = high_water()
print(json.dumps({"written": written - before, "read": read - before, "filled": filled - again}))
"""


def git(folder: Path, *arguments: str | Path) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module", params=["stored", "deflated"])
def loose(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bare repository with an array of 64 MiB, which can be shrunk or not."""
    folder = tmp_path_factory.mktemp(request.param) / "constants"
    rng = np.random.default_rng(7)
    data = rng.normal(2800, 40, SHAPE) if request.param == "stored" else rng.integers(0, 3, SHAPE)
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        calibvcs.init(folder, bare=True)
        with calibvcs.open(folder) as repository:
            repository.detector.add(CAMERA)
            repository.add(CAMERA, "pixel_rms", np.ones((300, 300), np.float32), begin=0, message="Small")
            added = repository.add(CAMERA, "pedestals", data.astype(np.float32), begin=0, message="Large")
    blob = added.constants[0].blob
    size = (folder / "objects" / blob[:2] / blob[2:]).stat().st_size
    assert (size > ARRAY) == (request.param == "stored")
    return folder


@pytest.fixture(params=["loose", "packed"])
def folder(request: pytest.FixtureRequest, loose: Path, tmp_path: Path) -> Path:
    """Return a copy of the repository, its objects as they were written or in a pack."""
    folder = tmp_path / "copy.git"
    git(tmp_path, "clone", "-q", "--bare", loose, folder)
    if request.param == "packed":
        level = "0" if "stored" in str(loose) else "1"
        git(folder, "-c", f"pack.compression={level}", "-c", "core.bigFileThreshold=1m", "repack", "-adqF")
        assert not list((folder / "objects").glob("??/*"))
    return folder


def test_peak_memory(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "data.npy"
    done = subprocess.run([sys.executable, "-c", PROGRAM, folder, output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    took = json.loads(done.stdout)
    assert took["written"] < MARGIN
    assert took["read"] < ARRAY + MARGIN
    assert took["filled"] < MARGIN
    assert output.stat().st_size == ARRAY + 128
