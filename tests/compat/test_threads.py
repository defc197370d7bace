"""Threads of one program share an open repository, while other programs write and pack it."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs

CAMERA = "opal1000-1"
CTYPES = {"pedestals": 10, "pixel_gain": 20, "pixel_rms": 30, "pixel_offset": 40}
PIXELS = (300, 300)


def git(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"


def noisy(level: float, seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(level, 0.25, PIXELS).astype(np.float32)


def pack_again_and_again(folder: Path) -> None:
    """Move all objects about, in every way that Git has."""
    for number in range(3):
        with calibvcs.open(folder) as other:
            for ctype, level in CTYPES.items():
                other.add(
                    CAMERA, ctype, noisy(level, number), begin=1000 + number, message="New", force_reason="why not"
                )
        git(folder, "repack", "-dq")
        with calibvcs.open(folder) as other:
            other.add(CAMERA, "pixel_max", noisy(50, number), begin=0, message="New", force_reason="why not")
        git(folder, "repack", "-dq")
        git(folder, "multi-pack-index", "write")
        git(folder, "repack", "-adq")
        git(folder, "pack-refs", "--all")


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "worktree"])
def test_readers_on_threads(tmp_path: Path, bare: bool) -> None:
    folder = tmp_path / "constants"
    calibvcs.init(folder, bare=bare)
    with calibvcs.open(folder) as repository:
        repository.detector.add(CAMERA)
        for ctype, level in CTYPES.items():
            repository.add(CAMERA, ctype, noisy(level, 99), begin=0, message="First", force_reason="why not")
    expected = {ctype: noisy(level, 99) for ctype, level in CTYPES.items()}
    finished = threading.Event()

    def read(repository: calibvcs.Repository, number: int) -> int:
        rounds, out = 0, np.empty(PIXELS, np.float32)
        while not finished.is_set() or rounds < 3:
            ctype = list(CTYPES)[(rounds + number) % len(CTYPES)]
            assert np.array_equal(repository.get(CAMERA, ctype, 5).data, expected[ctype])
            assert np.array_equal(repository.get(CAMERA, ctype, 5, out=out).data, expected[ctype])
            many = repository.get_many([(CAMERA, ctype) for ctype in CTYPES], 5 + 1000 * (rounds % 2))
            assert len({constant.at for constant in many}) == 1
            for constant, level in zip(many, CTYPES.values(), strict=True):
                assert abs(float(constant.data.mean()) - level) < 0.1  # type: ignore[union-attr]
                assert constant.version == "v1"
            rounds += 1
        return rounds

    with calibvcs.open(folder) as repository, ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read, repository, number) for number in range(4)]
        try:
            pool.submit(pack_again_and_again, folder).result()
        finally:
            finished.set()
        assert all(reader.result() >= 3 for reader in readers)
