"""Where only the data of a constant are missing, as in a squeezed clone: everything but the data can still be asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import DamagedObjectError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    calibvcs.init(tmp_path / "constants", bare=True)
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add("opal1000-1")
        array = np.arange(64, dtype=np.float32).reshape(8, 8)
        added = repository.add("opal1000-1", "pedestals", array, begin=0, message="Dark")
    blob = added.constants[0].blob
    (tmp_path / "constants" / "objects" / blob[:2] / blob[2:]).unlink()
    return tmp_path / "constants"


def test_it_is_chosen_listed_and_explained(path: Path) -> None:
    with calibvcs.open(path) as repository:
        assert repository.choose("opal1000-1", "pedestals", 5).version == "v1"
        assert repository.why("opal1000-1", "pedestals", 5).chosen == "opal1000-1/pedestals/0-end"
        assert repository.log("opal1000-1/pedestals").commits[0].subject == "Dark"
        row = repository.ls().constants[0]
        assert (row.bytes, row.shape, row.version) == (None, (8, 8), "v1")


def test_its_data_are_an_error_that_names_it(path: Path) -> None:
    with calibvcs.open(path) as repository, pytest.raises(DamagedObjectError, match="opal1000-1/pedestals/0-end"):
        repository.get("opal1000-1", "pedestals", 5)


def test_a_size_that_was_not_known_is_not_remembered(path: Path) -> None:
    with calibvcs.open(path) as repository:
        assert repository.ls().constants[0].bytes is None
        repository.detector.add("opal1000-2")
        array = np.arange(64, dtype=np.float32).reshape(8, 8)
        repository.add("opal1000-2", "pedestals", array, begin=7, message="The same data, which brings them back")
        assert [row.bytes for row in repository.ls().constants] == [384, 384]
