"""One large array into a repository and back, beside what else could keep it; every result is compared bit for bit."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import calibvcs
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from tests.bench.harness import machine, measure, record, table

SHAPES = {"50 MB": (3, 8, 512, 1024), "200 MB": (3, 32, 512, 1024)}
QUICK = {"6 MB": (3, 1, 512, 1024)}


def pedestals(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 pedestals as a dark run of 1000 integer frames gives them: noise down to the last bit."""
    level = np.random.default_rng(seed).normal(2800, 40, shape)
    return (np.round(level * 1000) / 1000).astype(np.float32)


def _synced(path: Path, write: Callable[[Path], object]) -> None:
    write(path)
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def writing(shape: tuple[int, ...], rounds: int) -> list[str]:
    """Return the lines of the table for writing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        array = pedestals(shape, 1)
        counter = iter(range(10**9))

        def new() -> np.ndarray:
            # One value differs every time: nothing is written that is there already.
            array[(0,) * array.ndim] = next(counter)
            return array

        store = initialise(folder / "store", bare=True)
        calibvcs.init(folder / "added", bare=True)
        repository = calibvcs.open(folder / "added")
        repository.detector.add("jungfrau-000016")
        subprocess.run(["git", "init", "-q", "--bare", folder / "git"], check=True)

        def put() -> None:
            from calibvcs.formats import npy

            header, values = npy.encode(new())
            store.put_blob([header, values])

        def hash_object() -> None:
            np.save(folder / "data.npy", new())
            subprocess.run(
                ["git", "--git-dir", folder / "git", "hash-object", "-w", folder / "data.npy"], check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip

        def dulwich() -> None:
            from dulwich.objects import Blob
            from dulwich.repo import Repo

            buffer = io.BytesIO()
            np.save(buffer, new())
            with Repo(str(folder / "git")) as repo:
                repo.object_store.add_object(Blob.from_string(buffer.getvalue()))

        def add() -> None:
            begin = next(counter)
            added = repository.add("jungfrau-000016", "pedestals", new(), begin=begin, message="Dark")
            assert added.constants[0].version == "v1"

        ways: dict[str, Callable[[], object]] = {
            "np.save + fsync": lambda: _synced(folder / "plain.npy", lambda path: np.save(path, new())),
            "calibvcs: put one object": put,
            "calibvcs: whole add, with gate and comparison": add,
            "git hash-object -w": hash_object,
            "dulwich add_object": dulwich,
        }
        if find_spec("pygit2"):
            import pygit2

            peer = pygit2.Repository(str(folder / "git"))

            def create_blob() -> None:
                buffer = io.BytesIO()
                np.save(buffer, new())
                peer.create_blob(buffer.getvalue())

            ways["pygit2 create_blob"] = create_blob
        timings = measure(ways, rounds)
        blob = store.put_blob([b"".join(_saved(array))])
        assert subprocess.run(["git", "--git-dir", folder / "store", "fsck"], check=True, capture_output=True)
        assert store.blob(blob) == b"".join(_saved(array))
        store.close()
        repository.close()
    return table(timings, "np.save + fsync")


def reading(shape: tuple[int, ...], rounds: int) -> list[str]:
    """Return the lines of the table for reading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        array = pedestals(shape, 7)
        np.save(folder / "plain.npy", array)
        calibvcs.init(folder / "constants", bare=True)
        repository = calibvcs.open(folder / "constants")
        repository.detector.add("jungfrau-000016")
        added = repository.add("jungfrau-000016", "pedestals", array, begin=0, message="Dark").constants[0]
        store = GitStore(folder / "constants")

        def get() -> None:
            with calibvcs.open(folder / "constants") as fresh:  # a process that has not seen the object yet
                assert fresh.get("jungfrau-000016", "pedestals", 5).data.shape == shape

        def load_and_hash() -> None:
            hashlib.sha1(np.load(folder / "plain.npy")).hexdigest()  # noqa: S324 - as Git does

        def cat_file() -> None:
            subprocess.run(
                ["git", "--git-dir", folder / "constants", "cat-file", "blob", added.blob],
                check=True,
                stdout=subprocess.DEVNULL,
            )

        def dulwich() -> None:
            from dulwich.repo import Repo

            with Repo(str(folder / "constants")) as repo:
                np.load(io.BytesIO(repo[added.blob.encode()].data))

        ways: dict[str, Callable[[], object]] = {
            "np.load": lambda: np.load(folder / "plain.npy"),
            "np.load + SHA-1": load_and_hash,
            "calibvcs: get, opened anew, hash checked": get,
            "calibvcs: get again, in the same process": lambda: repository.get("jungfrau-000016", "pedestals", 5),
            "git cat-file blob": cat_file,
            "dulwich + np.load": dulwich,
        }
        if find_spec("pygit2"):
            import pygit2

            ways["pygit2 + np.load"] = lambda: np.load(
                io.BytesIO(pygit2.Repository(str(folder / "constants"))[added.blob].data)
            )
        timings = measure(ways, rounds)
        assert np.array_equal(repository.get("jungfrau-000016", "pedestals", 5).data, array)
        store.close()
        repository.close()
    return table(timings, "np.load")


def _saved(array: np.ndarray) -> list[bytes]:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return [buffer.getvalue()]


def main(*, quick: bool) -> None:
    """Measure and write the sections into the document."""
    for size, shape in (QUICK if quick else SHAPES).items():
        rounds = 3 if quick else 5
        for name, section in (("write", writing), ("read", reading)):
            lines = [
                f"{machine()}; float32 pedestals {'x'.join(map(str, shape))}, {size}; warm cache.",
                "",
                *section(shape, rounds),
            ]
            print(f"\n### {name} {size}\n\n" + "\n".join(lines))
            if not quick:
                record(f"{name} {size}", lines)
