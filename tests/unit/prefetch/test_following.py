"""Following a live server: what its client tells, lies or fails to tell; and the real psana, where there is one."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from calibvcs.prefetch.following import ShmemFollower

RUN = (
    '{"experiment": "mfx101332224", "run": 7, "stamp": 4776162078881255856, "detectors": {"jungfrau": "jungfrau_1-2"}}'
)
PATIENCE = 60


@contextmanager
def following(python: str, tag: str = "tst") -> Iterator[tuple[ShmemFollower, threading.Event]]:
    told = threading.Event()
    follower = ShmemFollower(tag, None, told.set, python)
    follower.start()
    try:
        yield follower, told
    finally:
        follower.stop()


def client(folder: Path, lines: str) -> str:
    """Return a program that takes the place of the Python with psana in it."""
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{lines}\n")
    script.chmod(0o700)
    return str(script)


def until(follower: ShmemFollower, text: str) -> None:
    end = time.monotonic() + PATIENCE
    while text not in follower.found().trouble:
        assert time.monotonic() < end, follower.found().trouble
        time.sleep(0.01)


def test_a_run_that_begins_is_told(tmp_path: Path) -> None:
    with following(client(tmp_path, f"echo '{RUN}'; exec sleep 600")) as (follower, told):
        assert told.wait(PATIENCE)
        found = follower.found()
    assert found.run is not None
    assert (str(found.run), found.run.begin) == ("mfx101332224:7", 1743188891.090739120)
    assert found.run.unique_ids == {"jungfrau": "jungfrau_1-2"}
    assert found.trouble == ""


def test_a_server_that_is_gone_is_told_and_waited_for(tmp_path: Path) -> None:
    lines = (
        f"echo once >> {tmp_path}/starts; echo 'cannot connect' >&2; test $(wc -l < {tmp_path}/starts) -lt 2 && exit 3"
    )
    with following(client(tmp_path, f"{lines}; echo '{RUN}'; exec sleep 600"), "nowhere") as (follower, told):
        until(follower, "psana ended with 3: cannot connect")
        assert "nowhere" in follower.found().trouble
        assert told.wait(PATIENCE)
        assert follower.found().trouble == ""


@pytest.mark.parametrize(
    "line",
    ["nonsense", "[]", '{"run": 7}', RUN.replace("7,", '"x",'), RUN.replace("{\"jung", "[\"jung"), RUN[:40], '"' + "x" * 3_000_000],
    ids=["text", "list", "incomplete", "no number", "no object", "cut", "long"],
)  # fmt: skip
def test_a_line_that_tells_no_run_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "line").write_text(line + "\n")
    with following(client(tmp_path, f"cat {tmp_path}/line; exec sleep 600")) as (follower, _):
        until(follower, "it tells no run")
    assert follower.found().run is None


def test_it_follows_the_real_server(shared_data: Path, tmp_path: Path) -> None:
    python = os.environ.get("CALIBVCS_PSANA_PYTHON", "")
    if not python:
        pytest.skip("CALIBVCS_PSANA_PYTHON does not name a Python with psana")
    asked = "import psana, pathlib; print(pathlib.Path(psana.__file__).parents[1] / 'bin' / 'shmemServer')"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    server, tag = done.stdout.split()[-1], f"calibvcs{os.getpid()}"
    raw = shared_data / "xtc2" / "test_jungfrau05M_calib.xtc2"
    words = [server, "-p", tag, "-n", "4", "-s", "20000000", "-c", "1", "-r", "1", "-L", "1000", "-f", raw]
    serving = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with following(python, tag) as (follower, told):
            assert told.wait(PATIENCE), follower.found().trouble
            assert follower.found().run is not None
            assert str(follower.found().run) == "mfx101332224:7"
    finally:
        serving.kill()
        serving.wait()
        (Path("/dev/shm") / f"PdsMonitorSharedMemory_{tag}").unlink(missing_ok=True)
