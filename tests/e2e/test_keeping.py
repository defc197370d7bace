"""``gc``, ``repair`` and ``bundle`` from the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import calibvcs as library
from tests.e2e.conftest import Program, git

MARGIN = 60 << 20
ARRAY = 96 << 20

PROGRAM = """
import json, pathlib, sys
import calibvcs

def high_water():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

small, large, damaged, bundle, new = sys.argv[1:]
from calibvcs.api.bundles import unbundle_anew
took = {}
with calibvcs.open(small) as repository:
    repository.gc()
    repository.repair()
    repository.bundle.create(f"{bundle}.small")
unbundle_anew(f"{bundle}.small", f"{new}.small")
before = high_water()
with calibvcs.open(large) as repository:
    repository.gc(everything=True)
    took["gc"] = high_water() - before
    repository.bundle.create(bundle)
    took["bundle"] = high_water() - before
unbundle_anew(bundle, new)
took["unbundle"] = high_water() - before
with calibvcs.open(damaged) as repository:
    assert len(repository.repair(large).brought) == 1
took["repair"] = high_water() - before
print(json.dumps(took))
"""


def test_gc(calibvcs: Program, repository: Path) -> None:
    told = calibvcs("gc", "--dry-run", "--repo", repository).out
    assert "dry run, nothing is changed" in told
    done = calibvcs("gc", "--repo", repository, "--json").json
    assert (done["schema"], done["sound"], done["damaged"]) == ("calibvcs.gc/1", True, [])
    assert done["packed"] > 5
    assert not list((repository / ".git/objects").glob("??/*"))
    assert "packed 0 objects" in calibvcs("gc", "--grace", "36h", "--repo", repository).out
    assert f"packed {done['packed']} objects in 1 new" in calibvcs("gc", "--all", "--repo", repository).out
    assert "at least 1 h" in calibvcs("gc", "--grace", "1m", "--repo", repository, expect=2).err
    (repository / ".git/gc.pid").write_text("1 another.example.org")
    assert "gc.pid is held" in calibvcs("gc", "--repo", repository, expect=5).err


def test_repair(calibvcs: Program, repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "whole")
    wanted = git(repository, "rev-parse", "main:opal1000/opal1000-1/pedestals/1000-end/data.npy").strip()
    path = repository / ".git/objects" / wanted[:2] / wanted[2:]
    path.chmod(0o600)
    path.write_bytes(b"damaged")
    assert f"cannot be read: {wanted}" in calibvcs("gc", "--repo", repository, expect=1).out
    told = calibvcs("repair", "--dry-run", "--repo", repository, expect=1).out
    assert f"lost {wanted} (opal1000/opal1000-1/pedestals/1000-end/data.npy)" in told
    assert calibvcs("repair", "--repo", repository, "--json", expect=1).json["lost"][0]["id"] == wanted
    assert "no repository" in calibvcs("repair", "--from", "nowhere", "--repo", repository, expect=3).err
    done = calibvcs("repair", "--from", tmp_path / "whole", "--repo", repository)
    assert f"brought {wanted} from {tmp_path / 'whole'}" in done.out
    assert "0 objects came back, 0 are lost" in calibvcs("repair", "--repo", repository).out
    git(repository, "fsck", "--strict")


def test_repair_from_a_server(calibvcs: Program, repository: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", repository, tmp_path / "served.git"], check=True)
    command = ["git", "daemon", "--reuseaddr", "--export-all", f"--base-path={tmp_path}", "--listen=127.0.0.1"]
    git(tmp_path / "served.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path / "served.git", "config", "uploadpack.allowFilter", "true")
    port = free_port()
    daemon = subprocess.Popen([*command, f"--port={port}"], stderr=subprocess.DEVNULL)
    try:
        url = f"git://127.0.0.1:{port}/served.git"
        wait_for(port)
        for what in ("main:opal1000/opal1000-1/pedestals/1000-end/data.npy", "main^{tree}", "main~1"):
            wanted = git(repository, "rev-parse", what).strip()
            (repository / ".git/objects" / wanted[:2] / wanted[2:]).unlink()
            assert f"brought {wanted} from {url}" in calibvcs("repair", "--from", url, "--repo", repository).out
        git(repository, "fsck", "--strict")
        assert not list((repository / ".git/objects").glob("tmp_*"))
    finally:
        daemon.terminate()
        daemon.wait()
    wanted = git(repository, "rev-parse", "main").strip()
    (repository / ".git/objects" / wanted[:2] / wanted[2:]).unlink()
    assert "127.0.0.1" in calibvcs("repair", "--from", url, "--repo", repository, expect=8).err


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int) -> None:
    import socket
    import time

    for _ in range(100):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("git daemon does not answer")


def test_bundle(calibvcs: Program, repository: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "all.bundle"
    assert "all history and all data" in calibvcs("bundle", "create", bundle, "--repo", repository).out
    assert "exists already" in calibvcs("bundle", "create", bundle, "--repo", repository, expect=5).err
    assert "complete" in calibvcs("bundle", "verify", bundle, "--repo", repository).out
    calibvcs("bundle", "unbundle", bundle, "--new", tmp_path / "new.git")
    assert "opal1000-1" in calibvcs("ls", "--repo", tmp_path / "new.git").out
    done = calibvcs("bundle", "unbundle", bundle, "--repo", repository, "--name", "stick", "--json").json
    assert done["moved"] == ["refs/remotes/stick/main"]
    one = calibvcs("bundle", "create", tmp_path / "one.bundle", "opal*", "--repo", repository, "--json").json
    assert one["detectors"] == ["opal1000-1"]
    bundle.write_bytes(bundle.read_bytes()[:-5])
    assert "cut short" in calibvcs("bundle", "verify", bundle, "--repo", repository, expect=7).err
    assert "unknown detector" in calibvcs("bundle", "create", "x", "opal1000-7", "--repo", repository, expect=3).err


@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_memory_is_a_window(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(7)
    shape = (24, 1024, 1024)
    data = rng.normal(2800, 40, shape) if kind == "stored" else rng.integers(0, 3, shape)
    for name in ("small", "large"):
        library.init(tmp_path / name, bare=True)
        with library.open(tmp_path / name) as repository:
            repository.detector.add("opal1000-1")
            array = data.astype(np.float32) if name == "large" else np.ones((300, 300), np.float32)
            added = repository.add("opal1000-1", "pixel_rms", array, begin=0, message="Large")
    shutil.copytree(tmp_path / "large", tmp_path / "damaged")
    blob = added.constants[0].blob
    (tmp_path / "damaged/objects" / blob[:2] / blob[2:]).unlink()
    names = [tmp_path / name for name in ("small", "large", "damaged", "all.bundle", "new")]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    took = json.loads(done.stdout)
    assert max(took.values()) < MARGIN < ARRAY
