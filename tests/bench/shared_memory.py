"""``shm``: a whole set of constants into shared memory for psana and for `attach`, and out of it again."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import calibvcs
from calibvcs import shm
from calibvcs.formats.psana import psana_pickle
from calibvcs.ops.daq.export_shm import ShmExport
from calibvcs.store.objects.new_file import NewFile
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder

DETECTOR, LONGNAME, TIME = "jungfrau-000016", "jungfrau_16", 5
MEMCPY, DUMP = "memcpy into a new file", "pickle.dump, protocol 5"
PICKLE = "calibvcs: calibconst.pkl from arrays in memory"
EXPORT, AGAIN = "calibvcs: export_shm, pickle and attachable set", "calibvcs: export_shm, pedestals changed"
LOAD, ATTACH = "pickle.load", "calibvcs: attach"
NP_LOAD, NP_MAP = "np.load of every array", "np.load(mmap_mode='r') of every array"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    shape = arrays.QUICK if quick else arrays.jungfrau(32)
    rounds = 1 if quick else 4
    with _memory() as memory, folder() as work:
        stored = _constants(shape)
        wanted = {ctype: _as_psana_wants(ctype, array) for ctype, array in stored.items()}
        with _repository(work, stored, shape) as repository:
            first = repository.commit
            changed = arrays.stamp(stored["pedestals"].copy(), 1)
            repository.add(DETECTOR, "pedestals", changed, begin=0, message="Newer dark")
            written = _writing(memory, repository, first, stored, wanted, rounds)
            read = _reading(memory, repository, first, stored, wanted, rounds)
    return [written, read]


def _constants(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return five constants as they are stored: status words in 16 bits."""
    return {
        "pedestals": arrays.pedestals(shape, 1),
        "pixel_rms": arrays.rms(shape, 2),
        "pixel_gain": arrays.gain(shape, 3),
        "pixel_status": arrays.status(shape, 4).astype(np.uint16),
        "pixel_offset": arrays.pedestals(shape, 5),
    }


def _as_psana_wants(ctype: str, array: np.ndarray) -> np.ndarray:
    return array.astype(np.uint64) if ctype == "pixel_status" else array


@contextmanager
def _memory() -> Iterator[Path]:
    """Give an empty folder in shared memory."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="calibvcs-bench-", dir=place))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def _repository(work: Path, stored: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> Iterator[calibvcs.Repository]:
    calibvcs.init(work / "constants", bare=True)
    with calibvcs.open(work / "constants") as repository:
        repository.detector.add(DETECTOR, longname=LONGNAME, parameters={"panel_shape": list(shape[-2:])})
        for ctype, array in stored.items():
            repository.add(DETECTOR, ctype, array, begin=0, message="Dark", force_reason="a benchmark")
        yield repository


def _writing(
    memory: Path,
    repository: calibvcs.Repository,
    first: str,
    stored: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    rounds: int,
) -> Table:
    def emptied(name: str) -> Path:
        shutil.rmtree(memory / name, ignore_errors=True)
        (memory / name).mkdir()
        return memory / name

    def memcpy() -> Path:
        place = memory / "memcpy"
        for ctype, array in wanted.items():
            target = np.memmap(place / ctype, array.dtype, "w+", shape=array.shape)
            np.copyto(target, array)
        return place

    def memcpy_right(place: object) -> bool:
        assert isinstance(place, Path)
        return all(np.array_equal(np.fromfile(place / c, a.dtype), a.reshape(-1)) for c, a in wanted.items())

    held = {"det_info": {DETECTOR: LONGNAME}, "calib_const": {DETECTOR: {c: (a, {}) for c, a in wanted.items()}}}

    def dump() -> Path:
        path = memory / "dump" / "calibconst.pkl"
        with path.open("wb") as file:
            pickle.dump(held, file, protocol=5)
        return path

    def ours() -> Path:
        path = memory / "ours" / "calibconst.pkl"
        with NewFile(path.parent, prefix="calibconst.", mode=0o644) as file:
            file.write(list(psana_pickle.constants_pickle(held["det_info"], held["calib_const"])))
            file.sync()
            file.rename(path)
        return path

    def right(path: object) -> bool:
        assert isinstance(path, Path)
        return _holds(path, wanted)

    def export(commit: str | None = None) -> ShmExport:
        return repository.export_shm(memory / "export", detectors=[DETECTOR], when=TIME, at=commit)

    def first_export() -> object:
        return export(first)

    def all_written(done: object) -> bool:
        assert isinstance(done, ShmExport)
        return done.written == len(stored) and _holds(memory / "export" / "calibconst.pkl", wanted)

    def one_written(done: object) -> bool:
        assert isinstance(done, ShmExport)
        return (done.written, done.kept) == (1, len(stored) - 1)

    def exported_before() -> None:
        emptied("export")
        export(first)

    ways = {
        MEMCPY: Way(memcpy, memcpy_right, lambda: emptied("memcpy")),
        DUMP: Way(dump, right, lambda: emptied("dump")),
        PICKLE: Way(ours, right, lambda: emptied("ours")),
        EXPORT: Way(first_export, all_written, lambda: emptied("export")),
        AGAIN: Way(export, one_written, exported_before),
    }
    rows = measure(ways, rounds)
    for name in ("memcpy", "dump", "ours", "export"):
        shutil.rmtree(memory / name)
    shape = "x".join(map(str, stored["pedestals"].shape))
    sizes = (sum(a.nbytes for a in held.values()) / 1e6 for held in (wanted, stored))
    about = "five constants {}, {:.0f} MB for psana, {:.0f} MB as stored, into shared memory".format(shape, *sizes)
    targets = (Target(PICKLE, 1.1, MEMCPY), Target(PICKLE, 1.1, DUMP), Target(EXPORT, 2.5, MEMCPY))
    return Table("shm export", about, tuple(rows), MEMCPY, targets)


def _holds(path: Path, wanted: Mapping[str, np.ndarray]) -> bool:
    """Tell whether a pickle holds the arrays that psana wants."""
    with path.open("rb") as file:
        found = pickle.load(file)["calib_const"][DETECTOR]  # noqa: S301 - as psana does, with what was written here
    return set(found) == set(wanted) and all(arrays.same(found[ctype][0], array) for ctype, array in wanted.items())


def _reading(
    memory: Path,
    repository: calibvcs.Repository,
    first: str,
    stored: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    rounds: int,
) -> Table:
    repository.export_shm(memory / "export", detectors=[DETECTOR], when=TIME, at=first)
    for ctype, array in stored.items():
        np.save(memory / f"{ctype}.npy", array)

    def load() -> Any:
        with (memory / "export" / "calibconst.pkl").open("rb") as file:
            return pickle.load(file)  # noqa: S301 - as psana does, with what was written here

    def load_right(found: Any) -> bool:
        return all(arrays.same(found["calib_const"][DETECTOR][c][0], a) for c, a in wanted.items())

    def each(mode: Any) -> dict[str, np.ndarray]:
        return {ctype: np.load(memory / f"{ctype}.npy", mmap_mode=mode) for ctype in stored}

    def right(found: Any) -> bool:
        return all(arrays.same(np.asarray(found[ctype]), array) for ctype, array in stored.items())

    ways = {
        LOAD: Way(load, load_right),
        NP_LOAD: Way(lambda: each(None), right),
        NP_MAP: Way(lambda: each("r"), right, repeat=20),
        ATTACH: Way(lambda: shm.attach(memory / "export"), lambda found: right(found[DETECTOR]), repeat=20),
    }
    rows = measure(ways, rounds + 1)
    about = "the same five constants out of shared memory; a map reads a page when it is touched"
    return Table("shm attach", about, tuple(rows), LOAD, (Target(ATTACH, 1e-3), Target(ATTACH, 50, LOAD, faster=True)))
