"""Readers of shared memory beside writers: no torn file, no mixed set, no litter, whatever becomes of the writers.

The numbers are small, so that the suite stays fast. ``CALIBVCS_TEST_READERS=100 CALIBVCS_TEST_UPDATES=1000
CALIBVCS_TEST_KILLS=200`` is the full measure.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import shm
from calibvcs.formats.psana.psana_unpickle import decode_constants

READERS = int(os.environ.get("CALIBVCS_TEST_READERS", "4"))
UPDATES = int(os.environ.get("CALIBVCS_TEST_UPDATES", "40"))
KILLS = int(os.environ.get("CALIBVCS_TEST_KILLS", "6"))
SETS = 5
CTYPES = ("pedestals", "pixel_rms", "pixel_gain")
DETECTORS = ("opal1000-1", "opal1000-2")

READER = """
import os, pickle, sys
from pathlib import Path
from calibvcs import shm
from calibvcs.formats.psana.psana_unpickle import decode_constants

os.nice(15)  # a hundred of them must leave something to the writer
folder, stop, looks, sets = Path(sys.argv[1]), Path(sys.argv[2]), 0, set()

def only(values, commits, what):
    assert len(values) == 1 and len(commits) == 1, f"{what} is torn or mixed: {values} {commits}"
    return values.pop()

attached = shm.attach(folder)
print("reading", flush=True)
while not stop.exists():
    attached = attached.refresh() if looks % 2 else shm.attach(folder)
    arrays = [attached[detector][ctype] for detector in attached for ctype in attached[detector]]
    commits = {one.document["calibvcs_at"] for d in attached.index.detectors for one in d.constants} | {attached.commit}
    sets.add(only({value for array in arrays for value in (array.min(), array.max())}, commits, "attach"))
    data = (folder / "calibconst.pkl").read_bytes()
    for held in (pickle.loads(data)["calib_const"], decode_constants(data, "calibconst.pkl")[1]):
        pairs = [pair for constants in held.values() for pair in constants.values()]
        assert len(pairs) == len(arrays) == 6
        values = {value for array, _ in pairs for value in (array.min(), array.max())}
        only(values, {document["calibvcs_at"] for _, document in pairs}, "the pickle")
    looks += 1
print(looks, len(sets))
"""

WRITER = """
import itertools, sys
import calibvcs

commits = sys.argv[3:]
with calibvcs.open(sys.argv[1]) as repository:
    for n in itertools.count():
        repository.export_shm(sys.argv[2], detectors=["opal1000-1", "opal1000-2"], when=5, at=commits[n % len(commits)])
        print(n, flush=True)
"""


@pytest.fixture(scope="module")
def constants(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """Return a repository of several sets, each filled with one number of its own, and the commits of these sets."""
    path = tmp_path_factory.mktemp("sets") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        calibvcs.init(path, bare=True)
        commits = []
        with calibvcs.open(path) as repository:
            for name in DETECTORS:
                repository.detector.add(name, longname=name.replace("-", "_"))
            for number in range(1, SETS + 1):
                for name in DETECTORS:
                    for ctype in CTYPES:
                        data = np.full((96, 97), number, np.float32)
                        data[0, 0] = number
                        repository.add(name, ctype, data, begin=0, message="Set", force_reason="a test")
                commits.append(repository.commit)
    return path, tuple(commits)


@pytest.fixture
def memory() -> Iterator[Path]:
    """Return an empty folder in shared memory, or where there is none, among the temporary files."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="calibvcs-test-", dir=place))
    yield folder
    shutil.rmtree(folder)


def export(path: Path, folder: Path, commit: str, **more: object) -> object:
    with calibvcs.open(path) as repository:
        return repository.export_shm(folder, detectors=DETECTORS, when=5, at=commit, **more)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def check_whole(folder: Path) -> None:
    """Look that pickle and set are each of one commit, and that nothing lies about that no set needs."""
    attached = shm.attach(folder)
    values = {float(value) for d in attached for array in attached[d].values() for value in (array.min(), array.max())}
    assert len(values) == 1
    data = (folder / "calibconst.pkl").read_bytes()
    _, held = decode_constants(data, "calibconst.pkl")
    assert len({document["calibvcs_at"] for one in held.values() for _, document in one.values()}) == 1
    loaded = pickle.loads(data)  # noqa: S301 - as psana does, with what was written here
    assert loaded["det_info"] == {name: name.replace("-", "_") for name in DETECTORS}


def check_tidy(folder: Path) -> None:
    attached = shm.attach(folder)
    assert names(folder) == {
        "calibconst.pkl", "calibvcs/index.json", *(f"calibvcs/{name}" for name in attached.index.payloads)
    }  # fmt: skip


def test_readers_see_whole_sets_while_writers_write(
    constants: tuple[Path, tuple[str, ...]], memory: Path, tmp_path: Path
) -> None:
    path, commits = constants
    export(path, memory, commits[0])
    stop = tmp_path / "stop"
    words = [sys.executable, "-c", READER, memory, stop]
    readers = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(READERS)
    ]
    for reader in readers:
        assert reader.stdout
        assert reader.stdout.readline() == "reading\n"
    with calibvcs.open(path) as repository:
        for number in range(UPDATES):
            repository.export_shm(memory, detectors=DETECTORS, when=5, at=commits[number % SETS])
    stop.touch()
    ended = [reader.communicate() for reader in readers]
    assert [error for _, error in ended] == [""] * READERS
    looks = [int(out.split()[0]) for out, _ in ended]
    seen = [int(out.split()[1]) for out, _ in ended]
    print(f"{READERS} readers looked {sum(looks)} times during {UPDATES} updates")
    assert max(seen) > 1, "no reader saw an update"
    check_tidy(memory)


def test_writers_that_are_killed_leave_whole_sets_and_no_litter(
    constants: tuple[Path, tuple[str, ...]], memory: Path
) -> None:
    path, commits = constants
    export(path, memory, commits[0])
    chance, littered = random.Random(1), 0
    for _ in range(KILLS):
        words = [sys.executable, "-c", WRITER, path, memory, *commits]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.08))
            writer.kill()
        check_whole(memory)
        littered += any(name.endswith(".inprogress") for name in names(memory))
        export(path, memory, commits[chance.randrange(SETS)])
        check_whole(memory)
        check_tidy(memory)
    print(f"{littered} of {KILLS} killed writers left something unfinished")


def test_two_writers_do_not_hurt_each_other(constants: tuple[Path, tuple[str, ...]], memory: Path) -> None:
    path, commits = constants
    words = [sys.executable, "-c", WRITER, path, memory, *commits]
    writers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for writer in writers:
        assert writer.stdout
        for _ in range(6):
            assert writer.stdout.readline().strip()
        check_whole(memory)
    for writer in writers:
        writer.kill()
        writer.communicate()
    last = export(path, memory, commits[3])
    check_whole(memory)
    check_tidy(memory)
    assert shm.attach(memory).commit == last.commit


@pytest.fixture
def small_memory(tmp_path: Path) -> Iterator[Path]:
    """Return a file system in memory that holds 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a small tmpfs can be mounted by root alone, where that is allowed")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_memory_keeps_what_was_there(tmp_path: Path, small_memory: Path) -> None:
    path = tmp_path / "constants"
    calibvcs.init(path, bare=True)
    script = Path(sys.executable).with_name("calibvcs")
    with calibvcs.open(path) as repository:
        repository.detector.add("opal1000-1")
        commits = []
        for number in (1, 2):
            data = np.full((400, 400), number, np.float32)  # 640 kB, twice for each set
            repository.add("opal1000-1", "pedestals", data, begin=0, message="Set", force_reason="a test")
            commits.append(repository.commit)
        repository.export_shm(small_memory, detectors=["opal1000-1"], when=5, at=commits[0])
    before = {name: (small_memory / name).read_bytes() for name in names(small_memory)}
    words = ["export", "--shm", "--detector", "opal1000-1", "--time", "5", "--output-dir", small_memory, "--repo", path]
    done = subprocess.run([script, *words], capture_output=True, text=True)
    assert done.returncode == 9
    assert "no room" in done.stderr
    assert "nothing was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert {name: (small_memory / name).read_bytes() for name in names(small_memory)} == before
    assert shm.attach(small_memory).commit == commits[0]


def test_a_disk_that_refuses_in_the_middle_keeps_what_was_there(
    constants: tuple[Path, tuple[str, ...]], memory: Path
) -> None:
    path, commits = constants
    export(path, memory, commits[0])
    before = {name: (memory / name).read_bytes() for name in names(memory)}
    program = """
import resource, signal, sys
import calibvcs
from calibvcs.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # arrays fit, the pickle of six does not
with calibvcs.open(sys.argv[1]) as repository:
    try:
        repository.export_shm(sys.argv[2], detectors=["opal1000-1", "opal1000-2"], when=5, at=sys.argv[3])
    except StorageError as error:
        print(error.problem)
"""
    done = subprocess.run([sys.executable, "-c", program, path, memory, commits[1]], capture_output=True, text=True)
    assert "cannot write" in done.stdout, done
    assert "File too large" in done.stdout
    assert {name: (memory / name).read_bytes() for name in names(memory)} == before


def test_the_story_of_a_daq(tmp_path: Path, memory: Path) -> None:
    """By the command line alone: export, check, change, check again, export again."""
    script = Path(sys.executable).with_name("calibvcs")
    path = tmp_path / "constants"

    def run(*words: object, code: int = 0) -> str:
        done = subprocess.run([script, *map(str, words), "--repo", path], capture_output=True, text=True)
        assert done.returncode == code, done
        return done.stdout

    calibvcs.init(path)
    with calibvcs.open(path) as repository:
        repository.detector.add("opal1000-1", longname="opal1000_1234")
        repository.add("opal1000-1", "pedestals", np.full((4, 5), 7, np.float32), begin=0, message="Dark")
        repository.add("opal1000-1", "pixel_status", np.zeros((4, 5), np.uint8), begin=0, message="Status")
        repository.alias.add("camera", "opal1000-1", begin=0, message="In the hall")
        repository.run.mark("mfx1:3", kind="data", begin=100, end=200, message="Data")
    words = ["export", "--shm", "--detector", "camera", "--run", "mfx1:3", "--output-dir", memory]
    assert "2 arrays written, 0 kept" in run(*words, "--mode", "0640")
    assert names(memory) >= {"calibconst.pkl", "calibconst_mfx1_r0003.pkl", "calibvcs/index.json"}
    assert {path.stat().st_mode & 0o777 for path in memory.rglob("*") if path.is_file()} == {0o640}
    assert "is fresh" in run("export", "--shm", "--check", "--output-dir", memory)
    data = (memory / "calibconst_mfx1_r0003.pkl").read_bytes()
    held = pickle.loads(data)  # noqa: S301 - as psana does, with what was written here
    assert held["det_info"] == {"camera": "opal1000_1234"}
    value, document = held["calib_const"]["camera"]["pixel_status"]
    assert value.dtype == np.uint64
    assert document["calibvcs_constant"] == "opal1000-1/pixel_status/0-end"
    assert shm.attach(memory)["camera"]["pixel_status"].dtype == np.uint8

    with calibvcs.open(path) as repository:
        repository.add("opal1000-1", "pedestals", np.full((4, 5), 8, np.float32), begin=50, message="Newer dark")
    stale = run("export", "--shm", "--check", "--output-dir", memory, code=1)
    assert "camera/pedestals: 0-end v1 there, 50-end v1 in the repository" in stale
    checked = json.loads(run("export", "--shm", "--check", "--output-dir", memory, "--json", code=1))
    assert (checked["schema"], checked["fresh"], checked["same_constants"]) == ("calibvcs.shm-check/1", False, False)

    attached = shm.attach(memory)
    assert "1 array written, 1 kept" in run(*words)
    assert attached.stale()
    assert float(attached["camera"]["pedestals"][0, 0]) == 7
    assert float(attached.refresh()["camera"]["pedestals"][0, 0]) == 8
    assert "is fresh" in run("export", "--shm", "--check", "--output-dir", memory)
