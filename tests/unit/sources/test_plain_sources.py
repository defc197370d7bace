"""Frames in npy and HDF5 files, and the door that tells one format from another."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import calibvcs.sources
from calibvcs.errors import InvalidDataError, InvalidOptionError, MissingFileError, UnknownRunError
from tests import xtc2_writer as w

FRAMES = np.arange(3 * 2 * 4 * 6, dtype=np.uint16).reshape(3, 2, 4, 6)


def read(path: Path, **options: object) -> list[np.ndarray]:
    with calibvcs.sources.open(path, **options) as source:
        return [array for event in source.events() for array in event.arrays.values()]


@pytest.mark.parametrize(
    ("array", "axes", "wanted"),
    [
        (FRAMES, None, FRAMES),
        (FRAMES[:, 0], None, FRAMES[:, :1]),
        (FRAMES[0, 0], None, FRAMES[:1, :1]),
        (FRAMES[0], "src", FRAMES[:1]),
        (FRAMES.astype("<f4"), None, FRAMES),
        (FRAMES[:0], None, FRAMES[:0]),
    ],
    ids=["esrc", "erc", "rc", "src", "float", "none"],
)
def test_axes_of_npy(array: np.ndarray, axes: str | None, wanted: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    found = read(tmp_path / "x.npy", axes=axes)
    assert len(found) == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_npy_without_times_tells_none(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", FRAMES)
    with calibvcs.sources.open(tmp_path / "x.npy") as source:
        event = next(source.events())
        assert math.isnan(event.time)
        assert (event.stamp, source.runs[0].begin, source.experiment) == (0, None, None)
        assert event.values("detector") == {}


def test_a_folder_of_npy_grows(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    np.save(tmp_path / "b.npy", FRAMES[0])
    with calibvcs.sources.open(tmp_path, times=None) as source:
        assert len(list(source.events())) == 4
        np.save(tmp_path / "c.npy", FRAMES[1])
        assert source.refresh() == 1
        assert np.array_equal(list(source.events())[-1].arrays["detector"], FRAMES[1])
        np.save(tmp_path / "d.npy", FRAMES[1, :, :2])
        with pytest.raises(InvalidDataError, match=r"frames of \(2, 2, 6\) uint16, in a.npy they are \(2, 4, 6\)"):
            source.refresh()


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array(["text"]), "not that of an array of integers or floats"),
        (np.array([object()], dtype=object), "not that of an array of integers or floats"),
        (FRAMES.astype(">u2"), "not that of an array of integers or floats"),
        (np.asfortranarray(FRAMES[0, 0]), "not that of an array of integers or floats"),
        (np.zeros(5, np.uint16), "two to four axes"),
        (FRAMES[:, :0], r"shape \(3, 0, 4, 6\)"),
    ],
    ids=["text", "objects", "big endian", "fortran", "one axis", "empty"],
)
def test_what_npy_is_refused(array: np.ndarray, reason: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(InvalidDataError, match=reason):
        calibvcs.sources.open(tmp_path / "x.npy")


def test_npy_files_that_lie(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", FRAMES)
    content = (tmp_path / "x.npy").read_bytes()
    for cut in (8, 11, 60, 127, 128, len(content) - 1):
        (tmp_path / "y.npy").write_bytes(content[:cut])
        with pytest.raises(InvalidDataError):
            calibvcs.sources.open(tmp_path / "y.npy")
    (tmp_path / "y.npy").write_bytes(content.replace(b"(3, 2, 4, 6)", b"(9, 9, 9, 9)"))
    with pytest.raises(InvalidDataError, match="takes 13122 bytes, the file holds 288"):
        calibvcs.sources.open(tmp_path / "y.npy")
    (tmp_path / "y.npy").write_bytes(content.replace(b"(3, 2, 4, 6)", b"(2, ,6, 3, )"))
    with pytest.raises(InvalidDataError, match="shape"):
        calibvcs.sources.open(tmp_path / "y.npy")


def test_times_have_to_fit(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", FRAMES)
    for times, reason in (([1.0], "times of shape"), ([1, 2, math.nan], "not finite"), (["a", "b", "c"], "no numbers")):
        with pytest.raises(InvalidDataError, match=reason):
            calibvcs.sources.open(tmp_path / "x.npy", times=times)
    assert [event.time for event in calibvcs.sources.open(tmp_path / "x.npy", times=[5, 6, 7]).events()] == [5, 6, 7]


def test_hdf5_datasets_that_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("entry/data/left", data=FRAMES[:, 0], chunks=True, compression="gzip")
        file["entry/data/right"] = FRAMES
        file["entry/stamps"] = np.array([w.stamp(1_767_225_600 + n) for n in range(3)], np.uint64)
    fields = {"left": "/entry/data/left", "right": "entry/data/right"}
    with calibvcs.sources.open(tmp_path / "x.h5", fields=fields, times="/entry/stamps", run=3) as source:
        for number, event in enumerate(source.events(3)):
            assert event.time == 1_767_225_600 + number
            assert np.array_equal(event.arrays["left"], FRAMES[number, :1])
            assert np.array_equal(event.arrays["right"], FRAMES[number])
    events = source.events()
    with pytest.raises(InvalidDataError, match="event 0"):
        next(events).arrays["left"]
    with pytest.raises(InvalidDataError, match="no dataset /DETECTOR/frames"):
        calibvcs.sources.open(tmp_path / "x.h5")
    with pytest.raises(InvalidOptionError, match="there is no such dataset"):
        calibvcs.sources.open(tmp_path / "x.h5", fields={"left": "entry/nothing"})
    with pytest.raises(InvalidOptionError, match="there is no such dataset"):
        calibvcs.sources.open(tmp_path / "x.h5", fields={"left": "entry"})


def test_hdf5_does_not_lead_to_other_files(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret/frames"] = FRAMES
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["linked"] = h5py.ExternalLink("other.h5", "/secret")
        file.create_group("soft")["frames"] = h5py.ExternalLink("other.h5", "/secret/frames")
        layout = h5py.VirtualLayout(FRAMES.shape, np.uint16)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "secret/frames", FRAMES.shape)
        file.create_group("virtual").create_virtual_dataset("frames", layout)
        raw = tmp_path / "other.raw"
        raw.write_bytes(FRAMES.tobytes())
        stored = {"external": [(str(raw), 0, FRAMES.nbytes)]}
        file.create_group("external").create_dataset("frames", FRAMES.shape, np.uint16, **stored)
    for name in ("virtual", "external"):
        with pytest.raises(InvalidDataError, match="takes its data from other files"):
            calibvcs.sources.open(tmp_path / "x.h5", fields={name: f"{name}/frames"})
    for name in ("linked", "soft"):
        with pytest.raises(InvalidOptionError, match="there is no such dataset"):
            calibvcs.sources.open(tmp_path / "x.h5", fields={name: f"{name}/frames"})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: file.create_dataset("a/frames", data=["text"]), "frames are"),
        (lambda file: file.create_dataset("a/frames", (3, 1 << 15, 1 << 15), np.float64), "8589934592 bytes; allowed"),
        (lambda file: file.create_dataset("a/frames", (1 << 40, 2, 2), np.uint8, chunks=(1, 2, 2)), "allowed"),
        (lambda file: [file.create_dataset(f"{n}/frames", (n, 2, 2), "u1") for n in (3, 4)], "do not fit each other"),
        (
            lambda file: [file.create_dataset("a/frames", data=FRAMES), file.create_dataset("times", data=[1.0])],
            "times has",
        ),
    ],
    ids=["text", "large frame", "many events", "counts", "times"],
)
def test_what_hdf5_is_refused(make: Callable[[h5py.File], object], reason: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        make(file)
    with pytest.raises(InvalidDataError, match=reason):
        calibvcs.sources.open(tmp_path / "x.h5")


def test_hdf5_that_is_cut_off(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/frames"] = FRAMES
    content = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidDataError, match="HDF5 cannot open it"):
        calibvcs.sources.open(tmp_path / "x.h5")


def test_the_format_is_told_by_content(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    with h5py.File(tmp_path / "b", "w", userblock_size=512) as file:
        file["a/frames"] = FRAMES
    w.write_run(tmp_path / "c.bin")
    (tmp_path / "a.npy").rename(tmp_path / "a.dat")
    formats = [calibvcs.sources.open(tmp_path / name).format for name in ("a.dat", "b", "c.bin")]
    assert formats == ["npy", "hdf5", "xtc2"]


def test_what_has_no_format(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text, and nothing else, of more than twenty-four bytes")
    (tmp_path / "nothing").touch()
    (tmp_path / "folder").mkdir()
    for name, reason in (("text", "neither as XTC2 nor"), ("nothing", "is empty"), ("folder", "holds neither")):
        with pytest.raises(InvalidDataError, match=reason):
            calibvcs.sources.open(tmp_path / name)
    np.save(tmp_path / "folder" / "a.npy", FRAMES)
    w.write_run(tmp_path / "folder" / "a.xtc2")
    with pytest.raises(InvalidDataError, match="holds both"):
        calibvcs.sources.open(tmp_path / "folder")
    with pytest.raises(MissingFileError):
        calibvcs.sources.open(tmp_path / "nowhere")
    with pytest.raises(InvalidOptionError):
        calibvcs.sources.open([])


def test_options_have_to_go_with_the_format(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    path = w.write_run(tmp_path / "a.xtc2")
    for name, option in (("a.npy", "chunks"), ("a.npy", "fields"), ("a.xtc2", "axes"), ("a.xtc2", "times")):
        with pytest.raises(InvalidOptionError, match=f"{option}: it does not go with"):
            calibvcs.sources.open(tmp_path / name, **{option: False})
    with pytest.raises(InvalidOptionError, match="allowed are esrc"):
        calibvcs.sources.open(tmp_path / "a.npy", axes="xyz")
    with pytest.raises(InvalidOptionError, match="several files"):
        calibvcs.sources.open([tmp_path / "a.npy", path])


def test_a_folder_of_runs(tmp_path: Path) -> None:
    for run in (3, 4):
        w.write_run(tmp_path / f"x-r{run:04d}-s000-c000.xtc2", run=run, begin=1_767_225_600 + run)
    assert calibvcs.sources.open(tmp_path, run=4).run == 4
    with pytest.raises(InvalidOptionError, match="holds several runs: mfx101332224:3, mfx101332224:4"):
        calibvcs.sources.open(tmp_path)
    with pytest.raises(UnknownRunError, match="known: mfx101332224:3, mfx101332224:4"):
        calibvcs.sources.open(tmp_path, run=5)
    with pytest.raises(InvalidDataError, match="no usable run"):
        calibvcs.sources.open(tmp_path, experiment="other")
    path = tmp_path / "x-r0004-s000-c000.xtc2"
    small = tmp_path / "smalldata" / "x-r0004-s000-c000.smd.xtc2"
    small.parent.mkdir()
    small.write_bytes(w.small_data(path.read_bytes()))
    with calibvcs.sources.open(tmp_path, run=4, small_data=True) as source:
        assert len(list(source.events())) == 3
        assert source.paths == (small, path)


def test_importing_the_package_costs_nothing() -> None:
    program = "import sys, calibvcs.sources; print({'numpy', 'h5py', 'calibvcs.sources.opening'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
