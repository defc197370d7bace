"""``write``: one array as a Git object, on disk when the call returns."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import numpy as np

from calibvcs.formats import npy
from calibvcs.store.initialise import initialise
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder, git, has_module, missing

FLOOR, OURS = "np.save + fsync", "calibvcs: one object"
HASH_OBJECT, DULWICH = "np.save, git hash-object -w", "dulwich add_object"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    sizes = {"1.6 MB": arrays.QUICK} if quick else {"50 MB": arrays.jungfrau(8), "200 MB": arrays.jungfrau(32)}
    rounds = {"50 MB": 7, "200 MB": 5}
    return [_table(size, shape, rounds.get(size, 1)) for size, shape in sizes.items()]


def _table(size: str, shape: tuple[int, ...], rounds: int) -> Table:
    array, counter = arrays.pedestals(shape, 1), itertools.count()
    with folder() as work, initialise(work / "ours", bare=True) as store:
        git(work, "init", "-q", "--bare", "peers")

        def put() -> str:
            return store.put_blob(npy.encode(array))

        def save() -> Path:
            path = new_file(work, "npy")
            np.save(path, array)
            return synced(path)

        def hash_object(*settings: str) -> str:
            np.save(work / "data.npy", array)
            words = ["git", "--git-dir", work / "peers", *settings, "hash-object", "-w", work / "data.npy"]
            return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

        def dulwich() -> str:
            from dulwich.objects import Blob
            from dulwich.repo import Repo

            with Repo(str(work / "peers")) as repo:
                blob = Blob.from_string(arrays.saved(array))
                repo.object_store.add_object(blob)
                return blob.id.decode()

        def pygit2() -> str:
            import pygit2

            return str(pygit2.Repository(str(work / "peers")).create_blob(arrays.saved(array)))

        def hdf5() -> Path:
            import h5py

            path = new_file(work, "h5")
            with h5py.File(path, "w") as file:
                file.create_dataset("data", data=array)
            return synced(path)

        def holds(repository: str, blob: object) -> bool:
            return git(work / repository, "cat-file", "blob", blob) == arrays.saved(array)

        def in_peers(blob: object) -> bool:
            return holds("peers", blob)

        def stamp() -> None:
            arrays.stamp(array, next(counter))

        ways = {
            FLOOR: Way(save, lambda path: arrays.same(np.load(str(path)), array), stamp),
            OURS: Way(put, lambda blob: holds("ours", blob), stamp),
            HASH_OBJECT: Way(hash_object, in_peers, stamp),
            f"{HASH_OBJECT}, core.compression=0": Way(lambda: hash_object("-c", "core.compression=0"), in_peers, stamp),
            DULWICH: Way(dulwich, in_peers, stamp),
        }
        if has_module("pygit2"):
            ways["pygit2 create_blob"] = Way(pygit2, in_peers, stamp)
        if has_module("h5py"):
            ways["h5py + fsync"] = Way(hdf5, lambda path: arrays.same(_read_hdf5(str(path)), array), stamp)
        rows = measure(ways, rounds)
        git(work / "ours", "fsck", "--strict")
    return Table(
        f"write {size}",
        f"float32 pedestals {'x'.join(map(str, shape))}, {size}",
        tuple(rows),
        FLOOR,
        (
            Target(OURS, 1.7, FLOOR),
            Target(OURS, 10, HASH_OBJECT, faster=True, label="git hash-object"),
            Target(OURS, 20, DULWICH, faster=True, label="dulwich"),
        ),
        missing("pygit2", "h5py"),
    )


_NUMBERS = itertools.count()


def new_file(folder: Path, suffix: str) -> Path:
    """Return a path that nothing was written to yet: a repository never writes into pages that are there already."""
    return folder / f"plain-{next(_NUMBERS)}.{suffix}"


def synced(path: Path) -> Path:
    """Wait until a file is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return path


def _read_hdf5(path: str) -> np.ndarray:
    import h5py

    with h5py.File(path) as file:
        return np.asarray(file["data"])
