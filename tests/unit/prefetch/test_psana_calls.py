"""The functions that programs call by psana's names: their arguments, their meaning, their answers."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import MissingFileError, NoRepositoryError, UnknownRunError
from calibvcs.prefetch import (
    ensure_valid_calibconst,
    get_latest_run,
    load_existing_run,
    needs_update,
    update_calib,
)
from tests import xtc2_writer

EXPERIMENT = "mfx101332224"
BEGIN = 1_767_225_600
CAMERAS = {"front": ("opal1000", ["1"]), "back": ("opal1000", ["2"])}
INFO = {"front": "opal1000_1", "back": "opal1000_2"}


def pedestals(level: float) -> np.ndarray:
    return np.random.default_rng(1).normal(level, 5, (4, 5)).astype(np.float32)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> calibvcs.Repository:
    """Return a repository with two cameras, named by the environment."""
    calibvcs.init(tmp_path / "constants")
    monkeypatch.setenv("CALIBVCS_REPO", str(tmp_path / "constants"))
    opened = calibvcs.open()
    for number in (1, 2):
        opened.detector.add(f"opal1000-{number}")
        opened.add(f"opal1000-{number}", "pedestals", pedestals(1000 * number), begin=1000, message="Dark")
    return opened


@pytest.fixture
def xtc(tmp_path: Path) -> Path:
    """Return a folder with run 7."""
    write(tmp_path / "xtc", 7)
    return tmp_path / "xtc"


def write(folder: Path, run: int, experiment: str = EXPERIMENT, begin: int = 0) -> None:
    path = folder / f"{experiment}-r{run:04d}-s000-c000.xtc2"
    xtc2_writer.write_run(path, experiment=experiment, run=run, begin=BEGIN + (begin or run), detectors=CAMERAS)


def test_the_latest_run_is_the_one_that_began_last(xtc: Path, tmp_path: Path) -> None:
    write(xtc, 9, begin=5)  # numbers do not count, nor do other experiments
    write(xtc, 30, "xpp000001")
    assert get_latest_run(tmp_path, EXPERIMENT, None, xtc) == 7
    assert get_latest_run(tmp_path, EXPERIMENT, logging.getLogger(), xtc_dir=str(xtc)) == 7
    assert get_latest_run(tmp_path, "", None, xtc) == 30
    assert get_latest_run(tmp_path, "rix000001", None, xtc) is None
    for lost in (None, tmp_path / "nowhere"):
        with pytest.raises(MissingFileError):
            get_latest_run(tmp_path, EXPERIMENT, None, lost)


def test_the_files_of_other_experiments_are_no_existing_run(tmp_path: Path) -> None:
    assert load_existing_run(tmp_path / "nowhere", EXPERIMENT) == -1
    for name in (
        "mfx101332224_r0007",
        "mfx101332224_r0012",
        "mfx1013322240_r0030",
        "other_r0040",
        "mfx101332224_r-001",
    ):
        (tmp_path / f"calibconst_{name}.pkl").touch()
    (tmp_path / "calibconst_mfx101332224_r0099.pkl.inprogress").touch()
    assert load_existing_run(tmp_path, EXPERIMENT) == 12
    assert load_existing_run(tmp_path, "mfx.01332224") == -1


@pytest.mark.parametrize(
    ("latest", "existing", "answer"),
    [
        ({"a": "x_1"}, {"a": "x_1"}, False),
        ({"a": "x_1"}, {"a": "x_1", "b": "x_2"}, False),
        ({"a": "x_1"}, {"a": "x_2"}, True),
        ({"a": "x_1", "b": "x_2"}, {"a": "x_1"}, True),
        ({"a": "x_1"}, {}, True),
        ({"a": "x_1"}, None, True),
        ({}, None, False),
    ],
)
def test_files_serve_a_run_if_they_have_its_detectors(
    latest: dict[str, str], existing: dict[str, str] | None, answer: bool
) -> None:
    assert needs_update(latest, existing) is answer


def test_valid_constants_are_what_the_repository_says(
    repository: calibvcs.Repository, xtc: Path, tmp_path: Path
) -> None:
    output = tmp_path / "shm"
    constants, run = ensure_valid_calibconst(EXPERIMENT, 7, INFO, str(xtc), ["back"], output)
    assert run == 7
    assert constants["back"] is None
    values, document = constants["front"]["pedestals"]
    np.testing.assert_array_equal(values, repository.get("opal1000-1", "pedestals", BEGIN).data)
    assert not values.flags.writeable
    assert document["calibvcs_commit"]
    constants, run = ensure_valid_calibconst(EXPERIMENT, 8, INFO, str(xtc), ["back"], output)
    assert run == 8 or not (output / f"calibconst_{EXPERIMENT}_r0008.pkl").exists()


def test_only_what_changed_is_written(
    repository: calibvcs.Repository, xtc: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "shm"
    update_calib(EXPERIMENT, output_dir=output, xtc_dir=xtc)
    before = (output / "calibconst.pkl").stat()
    write(xtc, 8)
    update_calib(EXPERIMENT, output_dir=output, xtc_dir=xtc)
    assert (output / "calibconst.pkl").stat().st_mtime_ns == before.st_mtime_ns
    assert load_existing_run(output, EXPERIMENT) == 7
    repository.add("opal1000-2", "pedestals", pedestals(2100), begin=1000, message="Another dark")
    log = logging.getLogger("of.the.caller")
    with caplog.at_level(logging.INFO, "of.the.caller"):
        update_calib(EXPERIMENT, None, None, output, log, xtc, "front")
    assert "wrote files for run mfx101332224:8" in caplog.text
    assert load_existing_run(output, EXPERIMENT) == 8
    constants, run = ensure_valid_calibconst(EXPERIMENT, 8, INFO, xtc, "front", output)
    assert (run, constants["front"]) == (8, None)
    assert np.median(constants["back"]["pedestals"][0]) > 2050


def test_the_begin_of_a_run_may_come_from_the_run_table(repository: calibvcs.Repository, tmp_path: Path) -> None:
    output = tmp_path / "shm"
    with pytest.raises(UnknownRunError):
        ensure_valid_calibconst(EXPERIMENT, 7, INFO, None, [], output)
    with pytest.raises(MissingFileError, match="no usable run"):
        update_calib(EXPERIMENT, 7, None, output, repo=repository.location)
    repository.run.mark(f"{EXPERIMENT}:7", kind="data", begin=BEGIN, message="Run 7")
    _, run = ensure_valid_calibconst(EXPERIMENT, 7, INFO, None, [], output)
    assert run == 7


def test_trouble_is_raised_unless_what_is_there_serves_the_run(
    repository: calibvcs.Repository, xtc: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output, lost = tmp_path / "shm", tmp_path / "lost"
    with pytest.raises(NoRepositoryError):
        ensure_valid_calibconst(EXPERIMENT, 7, INFO, xtc, [], output, repo=lost)
    constants, _ = ensure_valid_calibconst(EXPERIMENT, 7, INFO, xtc, [], output, repo=repository.location)
    again, run = ensure_valid_calibconst(EXPERIMENT, 7, INFO, xtc, [], output, repo=lost)
    assert (set(again), run) == (set(constants), 7)
    assert "go on being used" in caplog.text
    with pytest.raises(NoRepositoryError):
        ensure_valid_calibconst(EXPERIMENT, 7, {**INFO, "side": "opal1000_3"}, xtc, [], output, repo=lost)
    (output / f"calibconst_{EXPERIMENT}_r0007.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(NoRepositoryError):
        ensure_valid_calibconst(EXPERIMENT, 7, INFO, xtc, [], output, repo=lost)
