"""Constants as plain files, and trees in the layout of the repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    AlreadyExistsError,
    InvalidDataError,
    LockedError,
    MissingFileError,
    NothingToChangeError,
    NotWritableError,
    StorageError,
    UnknownConstantError,
)

# --- plain files ----------------------------------------------------------------------------------------------


def test_what_is_in_force_becomes_plain_files(repository: Repository, tmp_path: Path) -> None:
    done = repository.export_npy(tmp_path / "a" / "out", when="mfx1:7")
    assert [file.path for file in done.files] == ["opal1000-1/geometry/geometry.txt", "opal1000-1/pedestals/data.npy"]
    assert np.load(tmp_path / "a/out/opal1000-1/pedestals/data.npy").max() == 20
    assert 'unit = "ADU"' in (tmp_path / "a/out/opal1000-1/pedestals/meta.toml").read_text()
    index = json.loads((tmp_path / "a/out/index.json").read_text())
    assert index["schema"] == "calibvcs.export.npy/1"
    assert index["at"] == repository.commit
    assert index["files"][1]["version"] == "v1"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["out"]


def test_all_defaults_stand_in_folders_of_their_ranges(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    repository.withdraw("opal1000-1/pedestals/0-end", message="wrong")
    repository.add("opal1000-1", "pedestals", np.full((4, 5), 5, "f4"), begin=7, end=9, message="a short one")
    done = repository.export_npy(tmp_path / "out", detectors=["front", "opal1000-1"], ctypes=["pedestals"])
    assert [file.constant for file in done.files] == ["opal1000-1/pedestals/7-9", "opal1000-1/pedestals/1767225600-end"]
    assert done.left_out == ("opal1000-1/pedestals/0-end: it is withdrawn",)
    assert np.load(tmp_path / "out/opal1000-1/pedestals/7-9/data.npy").max() == 5


def test_what_is_not_valid_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.add("jungfrau-3", "pedestals", np.full((3, 2, 2, 3), 5, "f4"), begin=7, end=9, message="a short one")
    done = repository.export_npy(tmp_path / "out", when=9)
    assert done.left_out == ("jungfrau-3/pedestals: no range is valid at 9",)


def test_plain_files_are_all_there_or_none(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(AlreadyExistsError):
            repository.export_npy(tmp_path / name)
    with pytest.raises((StorageError, NotWritableError)):
        repository.export_npy(tmp_path / "file" / "below")
    with pytest.raises(UnknownConstantError):
        repository.export_npy(tmp_path / "out", ctypes=["pixel_gain"])
    blob = repository.show("opal1000-1/geometry/0-end").blob
    path = Path(repository.location) / ".git" / "objects" / blob[:2] / blob[2:]
    assert path.exists()
    path.chmod(0o644)
    path.write_bytes(b"junk")
    with pytest.raises(calibvcs.CalibvcsError):
        repository.export_npy(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["constants", "file", "full"]


# --- trees ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(folder: Path, tmp_path: Path) -> Path:
    """Return the tree of the repository, as ``git archive`` writes it."""
    target = tmp_path / "tree"
    target.mkdir()
    data = subprocess.run(["git", "archive", "HEAD"], cwd=folder, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x", "-C", target], input=data, check=True)
    return target


@pytest.fixture
def other(tmp_path: Path) -> Repository:
    calibvcs.init(tmp_path / "other")
    return calibvcs.open(tmp_path / "other")


def test_a_tree_comes_in_as_one_commit(tree: Path, other: Repository, repository: Repository) -> None:
    (tree / "README.md").write_text("hello")
    (tree / "opal1000" / "link.txt").symlink_to("/etc/hostname")
    assert other.import_tree(tree, dry_run=True).files == 10
    done = other.import_tree(tree, message="From the old place")
    assert len(done.constants) == 3
    assert done.commit == other.commit
    passed_over = dict(line.split(": ") for line in done.passed_over)
    assert passed_over["README.md"] == passed_over["opal1000/link.txt"] == "no file of the format"
    assert passed_over[".calibvcs/repository.toml"] == "the repository has its own"
    assert other.log(limit=1).commits[0].subject == "From the old place"
    assert other.verify(deep=True).sound
    assert [row.constant for row in other.ls().constants] == [row.constant for row in repository.ls().constants]
    assert np.array_equal(other.get("front", "pedestals", "mfx1:7").data, np.full((4, 5), 20, "f4"))
    with pytest.raises(NothingToChangeError):
        other.import_tree(tree)


def test_a_tree_changes_no_record_and_no_locked_default(tree: Path, repository: Repository) -> None:
    record = tree / "opal1000" / "opal1000-1" / "detector.toml"
    kept = record.read_text()
    record.write_text(kept.replace("opal1000_0001", "another"))
    with pytest.raises(AlreadyExistsError, match=r"detector\.toml"):
        repository.import_tree(tree)
    record.write_text(kept)
    np.save(tree / "opal1000/opal1000-1/pedestals/0-end/data.npy", np.full((4, 5), 11, "f4"))
    assert repository.import_tree(tree).constants == ("opal1000-1/pedestals/0-end",)
    assert repository.get("opal1000-1", "pedestals", 5).version == "v2"
    repository.lock("opal1000-1/pedestals/0-end", message="golden")
    np.save(tree / "opal1000/opal1000-1/pedestals/0-end/data.npy", np.full((4, 5), 12, "f4"))
    with pytest.raises(LockedError):
        repository.import_tree(tree)


def test_a_broken_tree_is_refused_as_a_whole(tree: Path, other: Repository, tmp_path: Path) -> None:
    before = other.commit
    (tree / "opal1000/opal1000-1/pedestals/0-end/data.npy").write_bytes(b"\x93NUMPY junk")
    with pytest.raises(InvalidDataError, match="no tree in format 1"):
        other.import_tree(tree)
    with pytest.raises(MissingFileError):
        other.import_tree(tmp_path / "nowhere")
    assert other.commit == before
