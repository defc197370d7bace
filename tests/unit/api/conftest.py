"""A real repository on disk, with two detectors, a fallback and one dark run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from tests.conftest import Builder

GEOMETRY = "# a camera of one panel\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"


@pytest.fixture
def folder(tmp_path: Path, built_once: Builder) -> Path:
    """Return the folder of the repository: pedestals are 10 ADU, and 20 ADU from the begin of run mfx1:7 on."""
    return built_once(_with_two_cameras, tmp_path / "constants")


def _with_two_cameras(folder: Path) -> None:
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-1", longname="opal1000_0001")
        repository.detector.add("jungfrau-3", segments=["a", "b"], parameters={"panel_shape": [2, 3]})
        repository.alias.add("front", "opal1000-1", begin=1_767_225_600)
        begin, end = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"
        repository.run.mark("mfx1:7", kind="dark", reason="other", begin=begin, end=end, message="First dark run")
        for level, when in ((10, {"begin": 0}), (20, {"experiment": "mfx1", "run": 7})):
            data = np.full((4, 5), level, np.float32)
            repository.add("opal1000-1", "pedestals", data, message=f"Pedestals of {level} ADU", **when)
        repository.add("opal1000-1", "geometry", GEOMETRY, begin=0, message="As drawn")


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    """Return the repository, open."""
    with calibvcs.open(folder) as repository:
        yield repository
