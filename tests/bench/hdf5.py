"""``hdf5``: constants into a file of the Detector Calibration Store and out of it, against h5py with the same arrays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np

import calibvcs
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table
from tests.bench.surroundings import folder

DETECTOR = "jungfrau-000016"
WRITE, WRITE_SYNC = "h5py: create_dataset", "h5py: create_dataset, fsync"
READ, READ_SAVE = "h5py: read all", "h5py: read all, np.save, fsync"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    shape = arrays.QUICK if quick else arrays.jungfrau(8)
    constants = {
        "pedestals": arrays.pedestals(shape, 1),
        "pixel_gain": arrays.gain(shape, 2),
        "pixel_rms": arrays.rms(shape, 3),
        "pixel_status": arrays.status(shape, 4),
        "pixel_mask": arrays.mask(shape[1:], 5),
    }
    rounds = 1 if quick else 5
    return [_export(constants, rounds), _import(constants, rounds)]


def _export(constants: dict[str, np.ndarray], rounds: int) -> Table:
    with folder() as work:
        repository = _filled(work / "ours", constants)
        target = work / "out.h5"

        def ours() -> object:
            repository.export_hdf5(target, detectors=[DETECTOR])
            return target

        def theirs(sync: bool) -> object:
            _write(target, constants)
            if sync:
                _sync(target)
            return target

        def right(_: object) -> bool:
            found = _read(target)
            return all(arrays.same(found.get(name), array) for name, array in constants.items())

        def clear() -> None:
            target.unlink(missing_ok=True)

        rows = measure(
            {
                WRITE: Way(lambda: theirs(sync=False), right, clear),
                WRITE_SYNC: Way(lambda: theirs(sync=True), right, clear),
                "calibvcs: export --hdf5": Way(ours, right, clear),
            },
            rounds,
        )
        repository.close()
    return Table(
        "export to HDF5", f"{_about(constants)}, out of a repository; warm page cache", tuple(rows), WRITE_SYNC
    )


def _import(constants: dict[str, np.ndarray], rounds: int) -> Table:
    with folder() as work:
        with _filled(work / "first", constants) as repository:
            repository.export_hdf5(work / "in.h5", detectors=[DETECTOR])
        place = work / "second"

        def clear() -> None:
            shutil.rmtree(place, ignore_errors=True)
            calibvcs.init(place, bare=True)

        def ours() -> object:
            with calibvcs.open(place) as repository:
                return repository.import_hdf5(work / "in.h5")

        def saved() -> object:
            for name, array in _read(work / "in.h5").items():
                np.save(place / f"{name}.npy", array)
                _sync(place / f"{name}.npy")
            return None

        def read(found: object) -> bool:
            return isinstance(found, dict) and all(arrays.same(found[name], a) for name, a in constants.items())

        def imported(_: object) -> bool:
            with calibvcs.open(place) as repository:
                return all(arrays.same(repository.get(DETECTOR, name, 5).data, a) for name, a in constants.items())

        def kept(_: object) -> bool:
            return all(arrays.same(np.load(place / f"{name}.npy"), a) for name, a in constants.items())

        rows = measure(
            {
                READ: Way(lambda: _read(work / "in.h5"), read, clear),
                READ_SAVE: Way(saved, kept, clear),
                "calibvcs: import hdf5": Way(ours, imported, clear),
            },
            rounds,
        )
    return Table(
        "import from HDF5", f"{_about(constants)}, into a new repository; warm page cache", tuple(rows), READ_SAVE
    )


def _filled(path: Path, constants: dict[str, np.ndarray]) -> calibvcs.Repository:
    calibvcs.init(path, bare=True)
    repository = calibvcs.open(path)
    repository.detector.add(DETECTOR)
    for name, array in constants.items():
        repository.add(DETECTOR, name, array, begin=0, message="Dark run")
    return repository


def _write(path: Path, constants: dict[str, np.ndarray]) -> None:
    with h5py.File(path, "w") as file:
        for name, array in constants.items():
            file[f"{name}/0-end/v0001/data"] = array


def _read(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path, "r") as file:
        groups = {name: group for name, group in file.items() if isinstance(group, h5py.Group) and name[0] != "_"}
        return {name: group["0-end/v0001/data"][()] for name, group in groups.items()}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _about(constants: dict[str, np.ndarray]) -> str:
    size = sum(array.nbytes for array in constants.values())
    shape = "x".join(map(str, constants["pedestals"].shape))
    return f"{len(constants)} constants of {shape} (float32, uint64, uint8), {size / 1e6:.0f} MB"
