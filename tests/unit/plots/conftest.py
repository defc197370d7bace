"""A repository with a detector of two segments, three gain ranges, a status, a mask and a geometry that fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository

SHAPE = (3, 2, 8, 12)
GEOMETRY = """\
IP:V1 0 MTRX:V2:8:12:100:100 0 0 -700 0 90 0 0 0 0 0
IP:V1 0 MTRX:V2:8:12:100:100 1 0 700 0 90 0 0 0 0 0
"""
EVIL = "second </td><script>alert(1)</script> $\\frac{1}{0}$ & \"quoted\" 'too' \N{SNOWMAN}"


def pedestals() -> np.ndarray:
    """Return pedestals whose value tells gain and segment; a corner at row 0, column 0 stands out."""
    data = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
    data += np.array([1000, 2000, 3000], np.float32).reshape(3, 1, 1, 1) + np.arange(2).reshape(1, 2, 1, 1) * 100
    data[:, :, 0, 0] += 50
    return data


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a repository that is made once, and copied."""
    folder = tmp_path_factory.mktemp("pictures") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        _make(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return the folder of the repository."""
    shutil.copytree(made, tmp_path / "constants")
    return tmp_path / "constants"


def _make(folder: Path) -> None:
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        parameters = {"panel_shape": list(SHAPE[2:])}
        repository.detector.add("jungfrau-3", segments=["a", "b"], parameters=parameters)
        repository.detector.add("opal1000-1")
        status, mask = np.zeros(SHAPE, np.uint16), np.ones(SHAPE[1:], np.uint8)
        status[0, 1, 3, 4] = 9
        mask[0, :, 11] = 0
        first, second = pedestals(), pedestals()
        second[1, 0, 2:4] += 5
        second[0, 1, 3, 4] = np.nan
        for ctype, data, begin, why in (
            ("pixel_status", status, 1000, "Status"),
            ("pixel_mask", mask, 0, "Mask"),
            ("geometry", GEOMETRY, 0, "Geometry"),
            ("pedestals", first, 1000, "First dark"),
            ("pedestals", second, 1000, EVIL),
            ("common_mode", np.array([6, 5, 100, 10], np.float64), 0, "Parameters"),
        ):
            force = "the pixel is dead" if why in {EVIL, "Parameters"} else ""
            repository.add("jungfrau-3", ctype, data, begin=begin, message=why, force_reason=force)
        repository.add("opal1000-1", "pedestals", np.full((4, 5), 7, np.float32), begin=0, message="Flat")


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    """Return the repository, open."""
    with calibvcs.open(folder) as repository:
        yield repository
