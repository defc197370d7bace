"""Every source of raw frames gives the same frames, times and detectors, whatever the format of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import calibvcs.sources
from calibvcs.errors import UnknownDetectorError, UnknownRunError
from calibvcs.sources.protocol import Source
from tests import xtc2_writer as w

BEGIN = 1_767_225_600
TIMES = [BEGIN + 1.25, BEGIN + 2.5, BEGIN + 3.75]
FRAMES = np.random.default_rng(5).integers(0, 1 << 14, (3, 2, 4, 6), np.uint16)


def _xtc2(folder: Path) -> Source:
    blocks = w.raw_blocks("jungfrau", "jungfrau", ["a", "b"])
    stamps = [w.stamp(int(time), round(time % 1 * 1e9)) for time in TIMES]
    events = [w.event(stamp, blocks, list(frame)) for stamp, frame in zip(stamps, FRAMES, strict=True)]
    (folder / "x.xtc2").write_bytes(w.head(blocks, "mfx101332224", 7, w.stamp(BEGIN)) + b"".join(events))
    return calibvcs.sources.open(folder / "x.xtc2")


def _streams(folder: Path) -> Source:
    for number in range(2):
        blocks = w.raw_blocks("jungfrau", "jungfrau", {number: "ab"[number]})
        content = w.head(blocks, "mfx101332224", 7, w.stamp(BEGIN))
        for time, frame in zip(TIMES, FRAMES, strict=True):
            content += w.event(w.stamp(int(time), round(time % 1 * 1e9)), blocks, [frame[number]])
        (folder / f"mfx101332224-r0007-s00{number}-c000.xtc2").write_bytes(content)
    return calibvcs.sources.open(folder)


def _hdf5(folder: Path) -> Source:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "x.h5", "w") as file:
        file["jungfrau/frames"] = FRAMES
        file["times"] = TIMES
        file.attrs.update(experiment="mfx101332224", run=7)
        file["jungfrau"].attrs.update(dettype="jungfrau", longname="jungfrau_a_b")
    return calibvcs.sources.open(folder / "x.h5")


def _npy(folder: Path) -> Source:
    np.save(folder / "x.npy", FRAMES)
    np.save(folder / "x.times.npy", TIMES)
    return calibvcs.sources.open(folder / "x.npy", detector="jungfrau", experiment="mfx101332224", run=7)


def _npy_folder(folder: Path) -> Source:
    for number, frame in enumerate(FRAMES):
        np.save(folder / f"{number:05d}.npy", frame)
    np.save(folder / "times.npy", TIMES)
    return calibvcs.sources.open(folder, detector="jungfrau", experiment="mfx101332224", run=7)


@pytest.fixture(params=[_xtc2, _streams, _hdf5, _npy, _npy_folder], ids=lambda make: make.__name__.strip("_"))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return request.param(tmp_path)


def test_frames_and_times(source: Source) -> None:
    events = list(source.events())
    assert [event.time for event in events] == TIMES
    assert [event.stamp for event in events] == [w.stamp(int(time), round(time % 1 * 1e9)) for time in TIMES]
    for event, frame in zip(events, FRAMES, strict=True):
        assert list(event.arrays) == ["jungfrau"]
        array = event.arrays["jungfrau"]
        assert (array.dtype, array.shape) == (np.uint16, (2, 4, 6))
        assert np.array_equal(array, frame)
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 1
        assert dict(event.segments) == {"jungfrau": (0, 1)}
        assert event.damage == {}
        assert event.run == source.runs[0]
        with pytest.raises(KeyError):
            event.arrays["cspad"]


def test_runs_and_detectors(source: Source) -> None:
    assert (source.experiment, source.run, source.notes) == ("mfx101332224", 7, ())
    (run,) = source.runs
    assert (run.experiment, run.run) == ("mfx101332224", 7)
    assert run.begin is not None
    assert BEGIN <= run.begin <= TIMES[0]
    assert run.detectors == source.detectors
    (jungfrau,) = [one for one in source.detectors if one.normal]
    assert (jungfrau.name, jungfrau.segments) == ("jungfrau", (0, 1))
    assert jungfrau.longname in {"jungfrau_a_b", ""}


def test_runs_that_are_asked_for(source: Source) -> None:
    assert len(list(source.events(7))) == 3
    assert source.settings("jungfrau", 7) == source.settings("jungfrau") == {}
    with pytest.raises(UnknownRunError):
        next(source.events(8))
    with pytest.raises(UnknownRunError):
        source.settings("jungfrau", 8)
    with pytest.raises(UnknownDetectorError):
        source.settings("cspad")


def test_nothing_new(source: Source) -> None:
    assert source.refresh() == 0
    assert len(list(source.events())) == 3


def test_events_can_be_read_twice_and_arrays_stay(source: Source) -> None:
    with source:
        arrays = [event.arrays["jungfrau"] for event in source.events()]
        again = [event.arrays["jungfrau"] for event in source.events()]
    assert np.array_equal(arrays, FRAMES)
    assert np.array_equal(again, FRAMES)
