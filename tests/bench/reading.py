"""``read``, ``mapped``, ``deflated``: constants out of a repository, by detector, ctype and time."""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

import calibvcs
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder, git, has_module, missing, pack_as_stored

DETECTOR, TIME = "jungfrau-000016", 5
LOAD, HASHED = "np.load", "np.load + SHA-1"
UNVERIFIED, CHECKED = "calibvcs: get, verify=never", "calibvcs: get, hash checked"
CAT_FILE, CAT_FILE_NULL = "git cat-file blob, into an array", "git cat-file blob, to /dev/null"
MANY = 4
LOOSE, PACKED, STORED = "loose object", "after git repack -ad", "packed without deflating, then git repack -ad"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    if quick:
        return [_payload("read 1.6 MB packed", arrays.pedestals(arrays.QUICK, 7), 1, STORED)]
    middle, large = (arrays.pedestals(arrays.jungfrau(panels), 7) for panels in (8, 32))
    return [
        _payload("read 50 MB", middle, 9, LOOSE),
        _payload("read 50 MB packed", middle, 9, PACKED),
        _payload("read 50 MB packed as stored", middle, 9, STORED),
        _payload("read 200 MB", large, 5, LOOSE, many=1),
    ]


def run_mapped(*, quick: bool) -> list[Table]:
    """Measure what needs no reading, since it stands in the worktree."""
    return [_mapped(arrays.QUICK if quick else arrays.jungfrau(8), 1 if quick else 9)]


def run_deflated(*, quick: bool) -> list[Table]:
    """Measure what shrinks, and so is deflated."""
    shape = arrays.QUICK if quick else arrays.jungfrau(8)
    return [_deflated(arrays.status(shape, 2), 1 if quick else 9)]


def _payload(name: str, array: np.ndarray, rounds: int, form: str, many: int = MANY) -> Table:
    with folder() as work:
        np.save(work / "plain.npy", array)
        calibvcs.init(work / "ours", bare=True)
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(DETECTOR)
            blob = repository.add(DETECTOR, "pedestals", array, begin=0, message="Dark run").constants[0].blob
            others = [arrays.stamp(array.copy(), number) for number in range(1, many)]
            for number, other in enumerate(others, 1):
                repository.detector.add(f"{DETECTOR}-{number}")
                repository.add(f"{DETECTOR}-{number}", "pedestals", other, begin=0, message="Dark run")
        if form == STORED:
            pack_as_stored(work / "ours")
        if form != LOOSE:
            git(work / "ours", "repack", "-adq")
        wanted = [(DETECTOR, "pedestals"), *((f"{DETECTOR}-{n}", "pedestals") for n in range(1, many))]
        out = np.zeros_like(array)
        with calibvcs.open(work / "ours", verify="never") as never, calibvcs.open(work / "ours") as first:

            def anew() -> np.ndarray:
                with calibvcs.open(work / "ours") as fresh:  # a process that has not seen the object yet
                    return fresh.get(DETECTOR, "pedestals", TIME).data

            def at_once() -> list[np.ndarray]:
                return [constant.data for constant in never.get_many(wanted, TIME)]

            def one_by_one() -> list[np.ndarray]:
                return [never.get(*which, TIME).data for which in wanted]

            def load_and_hash() -> np.ndarray:
                loaded = np.load(work / "plain.npy")
                hashlib.sha1(loaded, usedforsecurity=False).hexdigest()
                return loaded

            def right(found: object) -> bool:
                return arrays.same(found, array)

            def all_right(found: object) -> bool:
                assert isinstance(found, list)
                return all(arrays.same(one, wanted) for one, wanted in zip(found, [array, *others], strict=True))

            ways = {
                LOAD: Way(lambda: np.load(work / "plain.npy"), right),
                HASHED: Way(load_and_hash, right),
                UNVERIFIED: Way(lambda: never.get(DETECTOR, "pedestals", TIME).data, right),
                f"{UNVERIFIED}, out=array": Way(
                    lambda: never.get(DETECTOR, "pedestals", TIME, out=out).data, right, lambda: out.fill(0)
                ),
                CHECKED: Way(anew, right),
                "calibvcs: get again, checked before": Way(lambda: first.get(DETECTOR, "pedestals", TIME).data, right),
            }
            if many > 1:
                ways[f"calibvcs: get {many} one by one"] = Way(one_by_one, all_right)
                ways[f"calibvcs: get_many of {many}"] = Way(at_once, all_right)
            ways |= {way: Way(read, right) for way, read in _peers(work, blob, array).items()}
            if has_module("h5py"):
                _write_hdf5(work / "plain.h5", array)
                ways["h5py, contiguous"] = Way(lambda: _read_hdf5(work / "plain.h5"), right)
            rows = measure(ways, rounds)
    return Table(
        name,
        f"float32 pedestals {'x'.join(map(str, array.shape))}, {array.nbytes / 1e6:.0f} MB, {form}; warm page cache",
        tuple(rows),
        LOAD,
        (Target(UNVERIFIED, 1.5, LOAD), Target(CHECKED, 1.2, HASHED)),
        missing("pygit2", "h5py"),
    )


def _deflated(array: np.ndarray, rounds: int) -> Table:
    with folder() as work:
        np.save(work / "plain.npy", array)
        calibvcs.init(work / "ours", bare=True)
        with calibvcs.open(work / "ours", verify="never") as never:
            never.detector.add(DETECTOR)
            blob = never.add(DETECTOR, "pixel_status", array, begin=0, message="Status").constants[0].blob

            def anew() -> np.ndarray:
                with calibvcs.open(work / "ours") as fresh:
                    return fresh.get(DETECTOR, "pixel_status", TIME).data

            def to_null() -> int:
                words = ["git", "--git-dir", work / "ours", "cat-file", "blob", blob]
                return subprocess.run(words, check=True, stdout=subprocess.DEVNULL).returncode

            def right(found: object) -> bool:
                return arrays.same(found, array)

            ways = {
                LOAD: Way(lambda: np.load(work / "plain.npy"), right),
                UNVERIFIED: Way(lambda: never.get(DETECTOR, "pixel_status", TIME).data, right),
                CHECKED: Way(anew, right),
                CAT_FILE_NULL: Way(to_null, lambda code: code == 0),
            }
            ways |= {way: Way(read, right) for way, read in _peers(work, blob, array).items()}
            rows = measure(ways, rounds)
    targets = [Target(UNVERIFIED, 1.5, CAT_FILE, faster=True), Target(UNVERIFIED, 1.5, CAT_FILE_NULL, faster=True)]
    targets += [Target(UNVERIFIED, 1.5, "pygit2", faster=True)] if "pygit2" in ways else []
    about = f"uint64 status words {'x'.join(map(str, array.shape))}, {array.nbytes / 1e6:.0f} MB, mostly zero"
    return Table("deflated", about, tuple(rows), LOAD, tuple(targets), missing("pygit2"))


def _mapped(shape: tuple[int, ...], rounds: int) -> Table:
    array = arrays.pedestals(shape, 7)
    ours = "calibvcs: get from a clean worktree"
    with folder() as work:
        calibvcs.init(work / "ours")
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(DETECTOR)
            added = repository.add(DETECTOR, "pedestals", array, begin=0, message="Dark run").constants[0]
            path = work / "ours" / "jungfrau" / str(added.constant) / "data.npy"

            def right(found: object) -> bool:
                return arrays.same(found, array)

            def anew() -> np.ndarray:
                with calibvcs.open(work / "ours") as fresh:
                    return fresh.get(DETECTOR, "pedestals", TIME).data

            assert right(repository.get(DETECTOR, "pedestals", TIME).data)
            ways = {
                "np.load(mmap_mode='r')": Way(lambda: np.asarray(np.load(path, mmap_mode="r")), right),
                ours: Way(lambda: repository.get(DETECTOR, "pedestals", TIME).data, right),
                f"{ours}, opened anew": Way(anew, right),
                LOAD: Way(lambda: np.load(path), right),
            }
            rows = measure(ways, rounds)
    about = f"float32 pedestals {'x'.join(map(str, shape))}, {array.nbytes / 1e6:.0f} MB, not touched since the add"
    return Table("mapped", about, tuple(rows), "", (Target(ours, 1e-3),))


def _peers(work: Path, blob: str, array: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Return how others read a blob of our repository into an array."""

    def cat_file() -> np.ndarray:
        found = np.empty_like(array)
        words = ["git", "--git-dir", str(work / "ours"), "cat-file", "blob", blob]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            np.lib.format.read_magic(process.stdout)
            np.lib.format.read_array_header_1_0(process.stdout)
            process.stdout.readinto(memoryview(found).cast("B"))
        return found

    def dulwich() -> np.ndarray:
        from dulwich.repo import Repo

        with Repo(str(work / "ours")) as repo:
            return np.load(io.BytesIO(repo[blob.encode()].data))

    def pygit2() -> np.ndarray:
        import pygit2

        return np.load(io.BytesIO(pygit2.Repository(str(work / "ours"))[blob].data))

    return {CAT_FILE: cat_file, "dulwich": dulwich} | ({"pygit2": pygit2} if has_module("pygit2") else {})


def _write_hdf5(path: Path, array: np.ndarray) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=array)


def _read_hdf5(path: Path) -> np.ndarray:
    import h5py

    with h5py.File(path) as file:
        return file["data"][:]
