"""The verbs that look, on a real repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    InvalidNameError,
    InvalidOptionError,
    InvalidTimeError,
    NoValidConstantError,
    UnknownConstantError,
    UnknownDetectorError,
    UnknownRevisionError,
    UnknownRunError,
    UnknownTagError,
    UnknownVersionError,
)
from calibvcs.model.times import PSANA_EPOCH, RunName

CAMERA = "opal1000-1"
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z, begin of run mfx1:7
FALLBACK, FIRST = f"{CAMERA}/pedestals/0-end", f"{CAMERA}/pedestals/{BEGIN}-end"


def dark(level: float) -> np.ndarray:
    return np.full((4, 5), level, np.float32)


def test_constant(repository: Repository) -> None:
    constant = repository.get(CAMERA, "pedestals", BEGIN)
    assert str(constant.name) == FIRST
    assert np.array_equal(constant.data, dark(20))
    assert (constant.meta.dtype, constant.meta.shape, constant.meta.dims) == ("float32", (4, 5), ("row", "column"))
    assert (constant.meta.unit, constant.meta.convention) == ("ADU", "subtract")
    assert (constant.meta.origin.experiment, constant.meta.origin.run) == ("mfx1", 7)
    assert (constant.validity.begin, constant.validity.end) == (BEGIN, None)
    assert constant.version == "v1"
    (entry,) = repository.log(FIRST).commits
    assert constant.commit == entry.commit
    assert constant.at == repository.commit
    assert repr(constant) == f"<Constant {FIRST} float32 (4, 5) ADU blob {constant.blob[:12]}>"


def test_data_are_read_only(repository: Repository) -> None:
    data = repository.get(CAMERA, "pedestals", BEGIN).data
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        data.flags.writeable = True


@dataclass
class Event:
    """An event of psana, as far as it is asked."""

    timestamp: int


STAMP = (BEGIN - PSANA_EPOCH) << 32
WHENS = [
    BEGIN,
    float(BEGIN),
    np.int64(BEGIN),
    np.float64(BEGIN),
    str(BEGIN),
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    datetime(2026, 1, 1),  # noqa: DTZ001 - naive is UTC
    datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    np.datetime64("2026-01-01"),
    np.datetime64("2026-01-01T00:00:00", "ns"),
    STAMP,
    np.uint64(STAMP),
    Event(STAMP),
    "mfx1:7",
    "mfx1:r0007",
    RunName("mfx1", 7),
]


@pytest.mark.parametrize("when", WHENS, ids=repr)
def test_every_kind_of_time_means_the_same(repository: Repository, when: Any) -> None:
    assert str(repository.get(CAMERA, "pedestals", when).name) == FIRST
    assert repository.choose(CAMERA, "pedestals", when).time == BEGIN
    assert repository.why("front", "pedestals", when).chosen == FIRST


@pytest.mark.parametrize(
    "when",
    [BEGIN - 1e-3, "2025-12-31T23:59:59.9", datetime(2025, 12, 31, tzinfo=UTC), STAMP - (1 << 32) + 999_999_000],
    ids=repr,
)
def test_just_before_the_begin_the_fallback_is_in_force(repository: Repository, when: Any) -> None:
    assert str(repository.get(CAMERA, "pedestals", when).name) == FALLBACK


@pytest.mark.parametrize("when", [None, "", "soon", -1, float("nan"), True, 2**40, np.datetime64("NaT", "s"), [BEGIN]])
def test_what_is_no_time_is_told(repository: Repository, when: Any) -> None:
    for verb in (repository.get, repository.choose, repository.why):
        with pytest.raises(InvalidTimeError):
            verb(CAMERA, "pedestals", when)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (UnknownDetectorError, lambda r: r.get("opal1000-9", "pedestals", 5)),
        (UnknownDetectorError, lambda r: r.get("front", "pedestals", BEGIN - 1)),  # not yet its name
        (UnknownConstantError, lambda r: r.get(CAMERA, "pixel_rms", 5)),
        (UnknownRunError, lambda r: r.get(CAMERA, "pedestals", "mfx1:8")),
        (UnknownRevisionError, lambda r: r.get(CAMERA, "pedestals", 5, at="nowhere")),
        (InvalidNameError, lambda r: r.get("OPAL-1", "pedestals", 5)),
        (InvalidNameError, lambda r: r.get(CAMERA, "Pedestals", 5)),
        (UnknownVersionError, lambda r: r.show(f"{FIRST}@v7")),
        (InvalidOptionError, lambda r: r.show(f"{CAMERA}/pedestals")),
        (UnknownDetectorError, lambda r: r.ls("opal1000-9")),
        (UnknownConstantError, lambda r: r.ls(f"{CAMERA}/pixel_rms")),
        (InvalidOptionError, lambda r: r.log(grep="(")),
        (InvalidOptionError, lambda r: r.diff(CAMERA, "HEAD")),
        (UnknownRevisionError, lambda r: r.verify(at="nowhere")),
        (UnknownDetectorError, lambda r: r.detector.show("opal1000-9")),
        (UnknownDetectorError, lambda r: r.alias.resolve("back")),
        (InvalidOptionError, lambda r: r.run.ls(kind="darkness")),
        (UnknownTagError, lambda r: r.tag.show("none")),
        (UnknownConstantError, lambda r: r.default.show(f"{CAMERA}/pedestals/5-6")),
    ],
)
def test_what_is_not_there_is_told(
    repository: Repository, error: type[Exception], call: Callable[[Repository], object]
) -> None:
    with pytest.raises(error):
        call(repository)


def test_no_match_is_an_error_that_lists_the_nearest(repository: Repository) -> None:
    repository.add(CAMERA, "pixel_rms", dark(5), begin=100, end=200, message="Why")
    with pytest.raises(NoValidConstantError) as caught:
        repository.get(CAMERA, "pixel_rms", 200)
    assert caught.value.nearest == ("100-200",)


def test_at(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    before = repository.commit
    repository.tag.create("golden", message="What the paper used")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2105-01-01T00:00:00Z")
    repository.add(CAMERA, "pedestals", dark(21), begin=BEGIN, message="Why")
    assert repository.get(CAMERA, "pedestals", BEGIN).version == "v2"
    for at in ("golden", before, before[:8], "HEAD~1", "2104-12-31"):
        constant = repository.get(CAMERA, "pedestals", BEGIN, at=at)
        assert (constant.version, constant.at, constant.data[0, 0]) == ("v1", before, 20)
        assert repository.choose(CAMERA, "pedestals", BEGIN, at=at).at == before
        assert repository.why(CAMERA, "pedestals", BEGIN, at=at).at == before
        assert repository.ls(at=at).at == before
        assert repository.show(FIRST, at=at).version == "v1"
        assert repository.log(at=at).commits[0].commit == before
        assert repository.verify(at=at).at == before
        assert len(repository.default.show(FIRST, at=at).versions) == 1
    root = repository.log().commits[-1].commit
    assert repository.detector.ls(at=root).detectors == ()
    assert repository.alias.ls(at=root).aliases == ()
    assert repository.run.ls(at=root).runs == ()


def test_an_open_repository_sees_what_others_commit(repository: Repository, folder: Path) -> None:
    assert repository.get(CAMERA, "pedestals", 5).version == "v1"
    with calibvcs.open(folder) as other:
        other.add(CAMERA, "pedestals", dark(11), begin=0, message="Why")
    assert repository.get(CAMERA, "pedestals", 5).version == "v2"


def test_choose_writes_byte_for_byte(repository: Repository, folder: Path, tmp_path: Path) -> None:
    for output in (tmp_path / "one.npy", str(tmp_path / "two.npy")):
        chosen = repository.choose(CAMERA, "pedestals", BEGIN, output=output)
        assert chosen.output == str(output)
        assert Path(output).read_bytes() == (folder / "opal1000" / FIRST / "data.npy").read_bytes()
    assert (chosen.constant, chosen.shape, chosen.unit, chosen.considered) == (FIRST, (4, 5), "ADU", 2)


def test_looking(repository: Repository, tmp_path: Path) -> None:
    assert [row.constant for row in repository.ls("*/ped*").constants] == [FALLBACK, FIRST]
    assert [row.constant for row in repository.ls("front/pedestals", valid_at="mfx1:7").constants] == [FIRST]
    shown = repository.show(FIRST)
    assert (shown.version, shown.author, shown.segments[0].median) == ("v1", "Grace Hopper", 20)
    assert repository.show(f"{CAMERA}/geometry").panels == ("IP:V1/0 CAMERA:V1/0",)
    why = repository.why(CAMERA, "pedestals", BEGIN)
    assert [one.constant for one in why.candidates] == [FIRST, FALLBACK]
    assert len(repository.log().commits) == 8
    assert len(repository.log(author="GRACE", since=0, until="now", grep="^pedestals", limit=5).commits) == 2
    (difference,) = repository.diff(FALLBACK, FIRST).constants
    assert (difference.status, difference.array.changed, difference.array.largest_median) == ("changed", 20, 10)
    np.save(tmp_path / "same.npy", dark(20))
    assert repository.diff(str(tmp_path / "same.npy"), FIRST).same
    assert repository.diff("HEAD~3", "HEAD").same is False
    found = repository.verify(deep=True)
    assert (found.sound, found.constants, found.objects) == (True, 3, 3)
