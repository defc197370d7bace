"""What psana 4.3.4 reads in real files, our reader reads too, bit for bit."""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path

import numpy as np
import pytest

import calibvcs.sources
from calibvcs.sources.runs import look, look_in
from calibvcs.sources.xtc2 import Xtc2Source

NAMES = (
    "test_jungfrau05M_calib.xtc2", "test_epix_calib.xtc2", "chunking/xpptut15-r0014-s000-c000.xtc2",
    "multirun_w_new_config/xpptut15-r0014-s000-c000.xtc2",
)  # fmt: skip


@pytest.fixture
def xtc2(shared_data: Path) -> Path:
    return shared_data / "xtc2"


def test_the_reference_has_no_other_files(xtc2: Path) -> None:
    assert set(json.loads((xtc2 / "reference.json").read_text())) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_reads_as_psana_reads_it(name: str, xtc2: Path) -> None:
    wanted = json.loads((xtc2 / "reference.json").read_text())[name]
    with Xtc2Source([xtc2 / name], chunks=False) as source:
        assert source.notes == ()
        runs = wanted.get("runs", [wanted])
        assert len(runs) == len(source.runs)
        for run, ours in zip(runs, source.runs, strict=True):
            assert (ours.experiment, ours.run, ours.stamp) == (run["experiment"], run["run"], run["begin_timestamp"])
            longnames = {detector.name: detector.longname for detector in ours.detectors}
            assert longnames | run["detectors"] == longnames
            named = {name for name in run["detectors"] if name not in {"epics", "scan"}}
            assert named == {detector.name for detector in ours.detectors if detector.normal}
            events = list(source.events(run["run"]))
            if "events" not in run:
                assert [event.stamp for event in events] == run["event_timestamps"]
                continue
            for event, theirs in zip(events, run["events"], strict=True):
                (array,) = event.arrays.values()
                assert event.stamp == theirs["timestamp"]
                assert list(array.shape) == theirs["shape"]
                assert array.dtype == theirs["dtype"]
                assert hashlib.sha256(np.ascontiguousarray(array)).hexdigest() == theirs["sha256"]
                assert array.mean() == theirs["mean"]


@pytest.mark.parametrize("name", NAMES)
def test_the_head_tells_what_the_file_tells(name: str, xtc2: Path) -> None:
    found = look(xtc2 / name)
    with Xtc2Source([xtc2 / name]) as source:
        assert found.state == "usable"
        assert (found.experiment, found.run, found.stamp) == (source.experiment, source.run, source.runs[0].stamp)
        assert found.detectors == source.detectors
        assert found.begin == source.runs[0].begin


def test_frames_are_those_that_psana_saved(shared_data: Path) -> None:
    for name, saved in (("jungfrau05M", "mfx101332224-r0007-jungfrau"), ("epix", "ueddaq02-r0109-epixquad")):
        path = shared_data / "xtc2" / f"test_{name}_calib.xtc2"
        with (
            calibvcs.sources.open(path) as ours,
            calibvcs.sources.open(shared_data / "frames" / f"{saved}.npy") as theirs,
        ):
            pairs = zip(ours.events(), theirs.events(), strict=True)
            for event, other in pairs:
                (a,), (b,) = event.arrays.values(), other.arrays.values()
                assert np.array_equal(a, b)
                assert isinstance(a.base, mmap.mmap), "a view of the file, not a copy"


def test_small_data_and_chunks_give_the_same_events(xtc2: Path) -> None:
    for folder, events in (("chunking", 15), ("multirun_w_new_config", 15)):
        path = xtc2 / folder / "xpptut15-r0014-s000-c000.xtc2"
        with calibvcs.sources.open(path) as plain, calibvcs.sources.open(path, small_data=True) as small:
            pairs = list(zip(plain.events(), small.events(), strict=True))
            assert len(pairs) == events
            for event, other in pairs:
                assert event.stamp == other.stamp
                assert event.arrays.keys() == other.arrays.keys()
                assert all(np.array_equal(event.arrays[name], other.arrays[name]) for name in event.arrays)
            if folder == "chunking":
                assert plain.runs[0].end is not None
                assert plain.notes == small.notes == ()


def test_a_later_chunk_needs_the_configure_of_the_first_one(xtc2: Path) -> None:
    folder = xtc2 / "chunking"
    first = folder / "xpptut15-r0014-s000-c000.xtc2"
    with Xtc2Source([folder / "data-r0001-s000-c001.xtc2"], configure=first) as source:
        stamps = [event.stamp for event in source.events()]
    with Xtc2Source([first]) as whole:
        assert stamps == [event.stamp for event in whole.events()][-5:]


def test_values_that_psana_shows(xtc2: Path) -> None:
    with Xtc2Source([xtc2 / "chunking" / "xpptut15-r0014-s000-c000.xtc2"]) as source:
        event = next(source.events())
        values = event.values("xpphsd")[0]
        assert (values["raw.floatPgp"], values["raw.intPgp"], values["fex.charStrFex"]) == (1.0, 2, "Test String")
        assert (values["fex.enumFex1"].value, values["fex.enumFex1"].label) == (-2, "HighGain")
        epics = [found.all_values()["epics"] for found in source.transitions() if found.service.name == "SlowUpdate"]
        assert epics == [{1: {"raw.HX2:DVD:GCC:01:PMON": 41.0, "raw.HX2:DVD:GPI:01:PMON": "Test String"}}]
    with Xtc2Source([xtc2 / "test_epix_calib.xtc2"]) as source:
        settings = source.settings("epixquad")
        assert sorted(settings) == [0, 1, 2, 3]
        assert settings[0]["config.asicPixelConfig"].shape == (4, 176, 192)
        assert settings[0]["config.trbit"].tolist() == [0, 0, 0, 0]


def test_folders_are_looked_into(xtc2: Path) -> None:
    found = look_in(xtc2)
    assert [(run.experiment, run.run) for run in found.runs] == [("ueddaq02", 109), ("mfx101332224", 7)]
    assert found.passed_over == ()
    assert [run.run for run in look_in(xtc2, "ueddaq02").runs] == [109]
    assert [one.state for one in look_in(xtc2, "ueddaq02").passed_over] == ["foreign"]
