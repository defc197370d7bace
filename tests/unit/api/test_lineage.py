"""Detectors that replaced each other, and readers who ask for the predecessor's constants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibvcs import Repository
from calibvcs.errors import InvalidDocumentError, InvalidOptionError, NoValidConstantError, UnknownConstantError
from calibvcs.formats.toml import detector_toml
from calibvcs.model.names import DetectorName

OLD, NEW, NEWEST = "opal1000-1", "opal1000-2", "opal1000-3"


@pytest.fixture
def successors(repository: Repository) -> Repository:
    """Return the repository with two generations of successors: the first has pedestals of 30 from second 1000 on."""
    repository.detector.add(NEW, predecessor=OLD, predecessor_until=1000)
    repository.detector.add(NEWEST, predecessor=NEW)
    repository.add(NEW, "pedestals", np.full((4, 5), 30, np.float32), begin=1000, message="New")
    return repository


def test_dates(successors: Repository) -> None:
    record = successors.detector.set(OLD, successor=NEW, successor_since="mfx1:7").detector
    assert (record.successor, record.successor_since) == (NEW, "2026-01-01T00:00:00Z")
    record = successors.detector.show(NEW).detector
    assert (record.predecessor, record.predecessor_until) == (OLD, "1970-01-01T00:16:40Z")
    assert successors.detector.set(NEW, longname="x").detector.predecessor_until == "1970-01-01T00:16:40Z"
    assert successors.detector.set(NEW, predecessor=NEWEST).detector.predecessor_until == ""
    assert successors.detector.set(NEW, predecessor="").detector.predecessor == ""
    with pytest.raises(InvalidOptionError, match="goes with a predecessor"):
        successors.detector.set(NEW, predecessor_until=5)


@pytest.mark.parametrize("text", ["someday", "mfx1:7", "2026-13-01"])
def test_a_date_in_the_file_is_a_time(text: str) -> None:
    data = f'predecessor = "opal1000-2"\npredecessor_until = "{text}"\n'.encode()
    with pytest.raises(InvalidDocumentError, match="predecessor_until"):
        detector_toml.decode(data, DetectorName.parse(OLD))


@pytest.mark.parametrize(
    ("name", "time", "level", "found"),
    [(NEW, 1000, 30, NEW), (NEW, 999, 10, OLD), (NEWEST, 1000, 30, NEW), (NEWEST, 999, 10, OLD), (OLD, 999, 10, OLD)],
)
def test_the_nearest_predecessor_is_taken(
    successors: Repository, name: str, time: int, level: int, found: str, tmp_path: Path
) -> None:
    constant = successors.get(name, "pedestals", time, fallback="predecessor")
    assert (constant.data[0, 0], str(constant.name.detector)) == (level, found)
    told = (
        ""
        if found == name
        else f"{name} has no pedestals that is valid at this time: this is the constant of its predecessor {found}"
    )
    chosen = successors.choose(name, "pedestals", time, fallback="predecessor", output=tmp_path / "out.npy")
    why = successors.why(name, "pedestals", time, fallback="predecessor")
    assert constant.fallback == chosen.fallback == why.fallback == told
    assert (told in repr(constant)) is True
    assert chosen.constant == why.chosen == str(constant.name)
    assert np.array_equal(np.load(tmp_path / "out.npy"), constant.data)


def test_nobody_gets_it_who_does_not_ask(successors: Repository) -> None:
    with pytest.raises(NoValidConstantError):
        successors.get(NEW, "pedestals", 999)
    with pytest.raises(UnknownConstantError):
        successors.get(NEWEST, "pedestals", 999)
    with pytest.raises(InvalidOptionError, match="'predecessor' is the only one"):
        successors.get(NEW, "pedestals", 999, fallback="successor")


def test_where_no_predecessor_has_it_the_error_is_that_of_the_detector(successors: Repository) -> None:
    with pytest.raises(UnknownConstantError, match=f"{NEW}/pixel_rms"):
        successors.get(NEW, "pixel_rms", 5, fallback="predecessor")
    successors.detector.set(OLD, predecessor=NEWEST)  # a circle
    with pytest.raises(UnknownConstantError, match=f"{NEW}/pixel_rms"):
        successors.get(NEW, "pixel_rms", 5, fallback="predecessor")


def test_what_is_withdrawn_falls_back_too(successors: Repository) -> None:
    successors.withdraw(f"{NEW}/pedestals/1000-end", message="Warm")
    assert successors.get(NEW, "pedestals", 2000, fallback="predecessor").data[0, 0] == 10


def test_what_is_withdrawn_is_found_by_those_who_ask_for_it(successors: Repository) -> None:
    before = successors.get(NEW, "pedestals", 2000)
    successors.withdraw(f"{NEW}/pedestals/1000-end", message="Warm")
    found = successors.get(NEW, "pedestals", 2000, allow_withdrawn=True)
    assert (found.blob, found.meta.withdrawn, found.version) == (before.blob, True, before.version)
    chosen = successors.choose(NEW, "pedestals", 2000, allow_withdrawn=True)
    assert (chosen.constant, chosen.withdrawn) == (f"{NEW}/pedestals/1000-end", True)
    assert successors.get(NEW, "pedestals", 2000, fallback="predecessor", allow_withdrawn=True).blob == before.blob
    assert not successors.choose(NEW, "pedestals", 2000, fallback="predecessor", allow_withdrawn=False).withdrawn
    with pytest.raises(NoValidConstantError, match="withdrawn") as refused:
        successors.get(NEW, "pedestals", 2000)
    assert "--allow-withdrawn" in refused.value.hint
