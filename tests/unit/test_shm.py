"""Attaching: arrays are mapped and read-only, sets are whole, and neither Git nor a repository is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import shm
from calibvcs.errors import InvalidDataError, MissingFileError

WHEN = 5


@pytest.fixture
def repository(tmp_path: Path) -> calibvcs.Repository:
    calibvcs.init(tmp_path / "constants", bare=True)
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add("opal1000-1", longname="opal1000_7")
        repository.add("opal1000-1", "pedestals", np.arange(20, dtype="f4").reshape(4, 5), begin=0, message="Dark")
        repository.add("opal1000-1", "notes", "Größe\n", begin=0, message="Text", force_reason="a new ctype")
        return repository


def exported(repository: calibvcs.Repository, folder: Path) -> shm.Attached:
    repository.export_shm(folder, detectors=["opal1000-1"], when=WHEN)
    return shm.attach(folder)


def newer(repository: calibvcs.Repository, value: float) -> None:
    repository.add("opal1000-1", "pedestals", np.full((4, 5), value, "f4"), begin=0, message="Newer")


def test_a_set_is_a_mapping_of_mappings(repository: calibvcs.Repository, tmp_path: Path) -> None:
    attached = exported(repository, tmp_path / "out")
    assert attached.detectors == tuple(attached) == ("opal1000-1",)
    assert len(attached) == 1
    assert sorted(attached["opal1000-1"]) == ["notes", "pedestals"]
    assert attached["opal1000-1"]["notes"] == "Größe\n"
    assert np.array_equal(attached["opal1000-1"]["pedestals"], np.arange(20).reshape(4, 5))
    assert attached.commit == repository.commit
    known = attached.describe("opal1000-1", "pedestals")
    assert (known.version, known.validity, known.unit) == ("v1", "0-end", "ADU")
    assert known.document["calibvcs_at"] == repository.commit
    assert attached.commit[:12] in repr(attached)
    for missing in [("opal1000-1", "pixel_rms"), ("other", "pedestals")]:
        with pytest.raises(KeyError):
            attached.describe(*missing)
    with pytest.raises(KeyError):
        attached["other"]


def test_arrays_are_maps_that_nobody_can_write_into(repository: calibvcs.Repository, tmp_path: Path) -> None:
    array = exported(repository, tmp_path / "out")["opal1000-1"]["pedestals"]
    assert isinstance(array, np.ndarray)
    assert not array.flags.writeable
    assert not array.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True
    with pytest.raises(TypeError):
        exported(repository, tmp_path / "out")["opal1000-1"]["pedestals"] = 3


def test_maps_outlive_their_files(repository: calibvcs.Repository, tmp_path: Path) -> None:
    before = exported(repository, tmp_path / "out")
    assert not before.stale()
    assert before.refresh() is before
    newer(repository, 100)
    after = exported(repository, tmp_path / "out")
    assert before.stale()
    assert float(before["opal1000-1"]["pedestals"][0, 1]) == 1
    assert float(after["opal1000-1"]["pedestals"][0, 1]) == 100
    assert before.refresh().commit == after.commit
    (tmp_path / "out" / "calibvcs" / "index.json").unlink()
    assert before.stale()


def test_equal_arrays_are_one_file(repository: calibvcs.Repository, tmp_path: Path) -> None:
    repository.add("opal1000-1", "pixel_rms", np.arange(20, dtype="f4").reshape(4, 5), begin=0, message="The same")
    attached = exported(repository, tmp_path / "out")
    assert len(attached.index.payloads) == 1
    assert np.shares_memory(attached["opal1000-1"]["pixel_rms"], attached["opal1000-1"]["pedestals"])


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        shm.attach(tmp_path)


def test_a_payload_that_is_gone_is_told(repository: calibvcs.Repository, tmp_path: Path) -> None:
    attached = exported(repository, tmp_path / "out")
    for name in attached.index.payloads:
        (tmp_path / "out" / "calibvcs" / name).unlink()
    with pytest.raises(MissingFileError, match=r"\.npy"):
        shm.attach(tmp_path / "out")


def test_a_payload_of_other_form_is_told(repository: calibvcs.Repository, tmp_path: Path) -> None:
    (name,) = exported(repository, tmp_path / "out").index.payloads
    np.save(tmp_path / "other.npy", np.zeros((2, 2)))
    (tmp_path / "other.npy").replace(tmp_path / "out" / "calibvcs" / name)
    with pytest.raises(InvalidDataError, match=r"float64 \(2, 2\); the index says float32 \(4, 5\)"):
        shm.attach(tmp_path / "out")


def test_it_needs_neither_git_nor_a_repository() -> None:
    program = "import sys; from calibvcs import shm; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert not {"dulwich", "typer", "rich", "h5py", "tomllib", "tomlkit", "calibvcs.store", "calibvcs.api"} & modules
