"""Parameters of detectors, ctypes and ranges."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    InvalidNameError,
    InvalidOptionError,
    LockedError,
    MergeConflictError,
    NothingToChangeError,
    UnknownConstantError,
    UnknownDetectorError,
    UnknownParameterError,
    UnknownVersionError,
)

CAMERA = "opal1000-1"
RANGE = f"{CAMERA}/pedestals/0-end"
LEVELS = [CAMERA, f"{CAMERA}/pedestals", RANGE]


@pytest.mark.parametrize("target", LEVELS)
def test_set_get_and_unset(repository: Repository, target: str) -> None:
    done = repository.param.set(target, {"bias": 300, "roi": np.arange(2), "note": ""}, message="By the log")
    assert done.parameters == {"bias": 300, "roi": [0, 1], "note": ""}
    assert done.commit == repository.commit
    assert repository.param.get(target).parameters == done.parameters
    assert repository.param.get(target, ["roi"]).parameters == {"roi": [0, 1]}
    assert repository.param.unset(target, ["roi", "note"]).parameters == {"bias": 300}
    assert repository.param.get(target, at=done.commit).parameters == done.parameters
    assert repository.param.unset(target, ["bias"]).parameters == {}
    assert repository.verify(deep=True).sound


@pytest.mark.parametrize("target", LEVELS)
def test_what_is_refused(repository: Repository, target: str) -> None:
    repository.param.set(target, {"bias": 1})
    before = repository.commit
    with pytest.raises(NothingToChangeError):
        repository.param.set(target, {"bias": 1})
    with pytest.raises(UnknownParameterError, match="it has bias"):
        repository.param.unset(target, ["mode"])
    with pytest.raises(UnknownParameterError, match="no parameter 'mode'"):
        repository.param.get(target, ["mode"])
    for bad in ({"dcs": {}}, {"": 1}, {"a\n": 1}, {"a": object()}, {}):
        with pytest.raises(InvalidOptionError):
            repository.param.set(target, bad)
    assert repository.commit == before
    assert repository.param.set(target, {"bias": 1.0}).parameters == {"bias": 1.0}


def test_names_of_targets(repository: Repository) -> None:
    assert repository.param.set("front", {"a": 1}).target == CAMERA
    assert repository.param.set("front/pedestals/0-end", {"a": 1}).target == f"{RANGE}@v1"
    for given, error in (
        ("opal1000-9", UnknownDetectorError), (f"{CAMERA}/pedestal", UnknownConstantError),
        (f"{CAMERA}/pedestals/5-end", UnknownConstantError), (f"{RANGE}@v9", UnknownVersionError),
        (f"{CAMERA}@v1", InvalidNameError), (f"{CAMERA}/pedestals@v1", InvalidNameError), ("a/b/c/d", InvalidNameError),
    ):  # fmt: skip
        with pytest.raises(error):
            repository.param.set(given, {"a": 2})


def test_trailers(repository: Repository) -> None:
    for target in LEVELS:
        repository.param.set(target, {"bias": 1})
    newest = repository.log(limit=3).commits
    assert [entry.action for entry in newest] == ["param"] * 3
    assert [[touched.constant for touched in entry.constants] for entry in newest] == [[RANGE], [], []]
    assert newest[0].subject == f"Set bias of {RANGE}"
    assert [entry.action for entry in repository.log(RANGE).commits] == ["param", "add"]


def test_a_lock_protects_them(repository: Repository) -> None:
    repository.lock(RANGE, message="Golden")
    with pytest.raises(LockedError, match="Golden"):
        repository.param.set(RANGE, {"a": 1})
    repository.param.set(f"{CAMERA}/pedestals", {"a": 1})


def test_they_belong_to_a_version_and_come_back_with_it(repository: Repository) -> None:
    repository.param.set(RANGE, {"bias": 1})
    repository.add(CAMERA, "pedestals", np.full((4, 5), 11, np.float32), begin=0, message="New")
    assert repository.param.get(RANGE).parameters == {}
    assert repository.param.get(f"{RANGE}@v1").parameters == {"bias": 1}
    with pytest.raises(InvalidOptionError, match="default set"):
        repository.param.set(f"{RANGE}@v1", {"bias": 2})
    repository.param.set(RANGE, {"bias": 3})
    repository.withdraw(RANGE, message="Warm")
    repository.default.set(f"{RANGE}@v1", message="Back")
    assert repository.param.get(RANGE).parameters == {"bias": 1}
    repository.default.set(f"{RANGE}@v2", message="It was not warm")
    shown = repository.show(RANGE)
    assert (shown.meta.parameters, shown.meta.withdrawn) == ({"bias": 3}, False)
    assert repository.verify(deep=True).sound


def test_a_server_takes_them(repository: Repository, folder: Path) -> None:
    hub = folder.parent / "hub"
    calibvcs.clone(folder, hub, bare=True)
    calibvcs.clone(hub, folder.parent / "mine")
    with calibvcs.open(folder.parent / "mine") as mine:
        for target in LEVELS:
            mine.param.set(target, {"bias": 1})
        mine.push()
    with calibvcs.open(hub) as served:
        assert [served.param.get(target).parameters for target in LEVELS] == [{"bias": 1}] * 3


def test_an_edit_by_hand_is_one_of_them(repository: Repository, folder: Path) -> None:
    repository.param.set(f"{CAMERA}/pedestals", {"bias": 1})
    file = folder / "opal1000" / CAMERA / "pedestals" / "ctype.toml"
    file.write_text("# by hand\n" + file.read_text().replace("1", "2"))
    repository.commit_edits(message="By hand")
    assert repository.log(limit=1).commits[0].action == "param"
    repository.param.set(f"{CAMERA}/pedestals", {"mode": "low"})
    assert "# by hand\n" in file.read_text()
    assert repository.param.get(f"{CAMERA}/pedestals").parameters == {"bias": 2, "mode": "low"}


def test_a_dry_run_changes_nothing(repository: Repository, folder: Path) -> None:
    before = repository.commit
    assert repository.param.set(CAMERA, {"a": 1}, dry_run=True).parameters == {"a": 1}
    assert repository.commit == before
    assert subprocess.run(["git", "-C", folder, "status", "--short"], capture_output=True, check=True).stdout == b""


@pytest.fixture
def clones(folder: Path) -> list[Path]:
    """Return two clones of one repository, whose pedestals have a parameter."""
    with calibvcs.open(folder) as repository:
        repository.param.set(f"{CAMERA}/pedestals", {"bias": 0})
    calibvcs.clone(folder, folder.parent / "hub", bare=True)
    return [Path(calibvcs.clone(folder.parent / "hub", folder.parent / name).path) for name in ("one", "two")]


def test_two_people_set_different_ones(clones: list[Path]) -> None:
    with calibvcs.open(clones[0]) as one, calibvcs.open(clones[1]) as two:
        for number, each in enumerate((one, two)):
            for target in LEVELS[:2]:
                each.param.set(target, {f"of_{number}": number})
        one.push()
        two.pull()
        assert two.param.get(LEVELS[0]).parameters == {"of_0": 0, "of_1": 1}
        assert two.param.get(LEVELS[1]).parameters == {"bias": 0, "of_0": 0, "of_1": 1}
        assert two.verify(deep=True).sound
        two.push()


@pytest.mark.parametrize(("settle", "value"), [("ours", 2), ("theirs", 1)])
def test_two_people_set_the_same_one(clones: list[Path], settle: str, value: int) -> None:
    with calibvcs.open(clones[0]) as one, calibvcs.open(clones[1]) as two:
        one.param.set(LEVELS[1], {"bias": 1, "mine": 1})
        two.param.set(LEVELS[1], {"bias": 2})
        one.push()
        with pytest.raises(MergeConflictError, match=f"{CAMERA}/pedestals:parameters.bias"):
            two.pull()
        two.pull(settle=settle)
        assert two.param.get(LEVELS[1]).parameters == {"bias": value, "mine": 1}


def test_the_log_of_a_detector_and_of_a_ctype_shows_them(repository: Repository) -> None:
    for target in LEVELS:
        repository.param.set(target, {"bias": 1})

    def subjects(pattern: str) -> list[str]:
        return [entry.subject for entry in repository.log(pattern).commits if entry.action == "param"]

    told = [f"Set bias of {target}" for target in reversed(LEVELS)]
    assert subjects(CAMERA) == told
    assert subjects(f"{CAMERA}/pedestals") == subjects(f"{CAMERA}/ped*") == told[:2]
    assert subjects(RANGE) == told[:1]
    assert subjects(f"{CAMERA}/geometry") == []
