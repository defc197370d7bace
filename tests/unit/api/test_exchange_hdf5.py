"""Files of the Detector Calibration Store into a real repository and out again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    AlreadyExistsError,
    InvalidDataError,
    InvalidOptionError,
    MissingFileError,
    NotWritableError,
    UnknownDetectorError,
)
from tests.dcs_files import GEOMETRY, dark, dump, make, without_ours

CAMERA = "opal1000-7"
BOUNDED = f"{CAMERA}/pedestals/1471000000-1471086401"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Repository]:
    """Return a repository without constants, bare: there are fewer files to be waited for."""
    calibvcs.init(tmp_path / "empty", bare=True)
    with calibvcs.open(tmp_path / "empty") as repository:
        yield repository


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Repository]:
    """Return another one."""
    calibvcs.init(tmp_path / "other", bare=True)
    with calibvcs.open(tmp_path / "other") as repository:
        yield repository


def exported(repository: Repository, path: Path, **options: object) -> Path:
    repository.export_hdf5(path, versions="all", **options)  # type: ignore[arg-type]
    return path


# --- there and back -------------------------------------------------------------------------------------------


def test_what_the_original_wrote_comes_out_again(
    empty: Repository, other: Repository, shared_data: Path, tmp_path: Path
) -> None:
    original = shared_data / "dcs" / "cspad-654321.h5"
    taken = empty.import_hdf5(original)
    assert (len(taken.added), taken.passed_over) == (6, ())
    assert taken.defaults == ("cspad-654321/pedestals/1471000000-1471086400@v1",)
    empty.export_hdf5(tmp_path / "out", versions="all")
    first = tmp_path / "out" / "cspad-654321.h5"
    assert without_ours(dump(first)) == dump(original)
    assert empty.verify(deep=True).sound
    other.import_hdf5(first)
    second = exported(other, tmp_path / "second.h5", detectors=["cspad-654321"])
    assert dump(second) == dump(first)
    assert second.read_bytes() == first.read_bytes()


def test_everything_that_a_file_can_say_comes_out_again(empty: Repository, other: Repository, tmp_path: Path) -> None:
    original = make(tmp_path / f"{CAMERA}.h5")
    taken = empty.import_hdf5(original)
    assert (len(taken.added), taken.passed_over) == (12, ())
    first = exported(empty, tmp_path / "first.h5", detectors=[CAMERA])
    assert without_ours(dump(first)) == dump(original)
    assert empty.diff_hdf5(original, first).same
    assert empty.diff_hdf5(original, CAMERA).same
    tip = empty.commit
    again = empty.import_hdf5(original)
    assert (again.added, again.defaults, again.detectors, empty.commit) == ((), (), (), tip)
    assert empty.import_hdf5(first).added == ()
    other.import_hdf5(first)
    assert dump(exported(other, tmp_path / "second.h5", detectors=[CAMERA])) == dump(first)
    for repository in (empty, other):
        assert repository.verify(deep=True).sound
        folder = Path(repository.location)
        subprocess.run(["git", "fsck", "--strict"], cwd=folder, check=True, capture_output=True)


def test_times_authors_comments_and_records_come_in(empty: Repository, tmp_path: Path) -> None:
    taken = empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"))
    versions = empty.default.show(BOUNDED).versions
    assert [(one.author, one.date, one.comment) for one in versions] == [
        ("expert", "2014-05-13T16:53:30Z", "dark 10"), ("expert", "2014-05-13T16:53:40Z", "dark 20"),
        ("expert", "2014-05-13T16:54:00Z", "dark 30"),
    ]  # fmt: skip
    assert empty.default.show(BOUNDED).version == "v2"
    assert taken.defaults == (f"{BOUNDED}@v2",)
    constant = empty.get(CAMERA, "pedestals", 1471000001)
    np.testing.assert_array_equal(constant.data, dark(20))
    assert (constant.meta.parameters["gain"], constant.meta.parameters["big"]) == (1.5, 2**62)
    assert (constant.meta.origin.run, constant.meta.origin.source) == (12, f"{CAMERA}.h5")
    assert constant.meta.parameters["dcs"] == {
        "version": 2,
        "tsprod": 1.4e9 + 20.125,
        "history": {"1400000009.000000": "dark 20"},
        "range": {
            "begin": 1471000000.25, "end": 1471086400.75, "versdef": 2, "parameters": {"run_begin": 12},
            "history": {"1400000002.000000": "range opened"},
        },
    }  # fmt: skip
    assert empty.get(CAMERA, "geometry", 5).data == GEOMETRY
    assert getattr(empty.get(CAMERA, "pixel_status", 5).data, "dtype", "") == np.uint64
    detector = empty.detector.show(CAMERA).detector
    assert (detector.predecessor, detector.successor, detector.created) == (
        "opal1000-6", "opal1000-8", "2014-05-13T16:53:20Z",
    )  # fmt: skip
    assert detector.parameters["temperature"] == -21.5
    (newest,) = empty.log(limit=1).commits
    assert "2014-05-13T16:53:21Z pedestals: first pedestals" in newest.body


def test_constants_of_ours_go_through_a_file_into_another_repository(
    empty: Repository, other: Repository, tmp_path: Path
) -> None:
    empty.detector.add(
        CAMERA,
        longname="opal1000_0007",
        segments=["a b", "c", "d", "e"],
        parameters={"panel_shape": [2, 4], "on": True},
    )
    empty.run.mark("mfx1:7", kind="dark", reason="other", begin=100, end=200, message="First dark run")
    for level in (10, 20, 30):
        empty.add(
            CAMERA, "pedestals", dark(level), begin=100, experiment="mfx1", run=7, unit="mV", convention="add",
            parameters={"bias": 300, "list": [1, {"a": 2.5}], "a/b": "x"}, message=f"Pedestals of {level}\n\nGood",
        )  # fmt: skip
    empty.add(CAMERA, "geometry", GEOMETRY, begin=0, message="As drawn")
    empty.default.set(f"{CAMERA}/pedestals/100-end@v2", message="Better")
    empty.lock(f"{CAMERA}/geometry/0-end", message="In use")
    first = exported(empty, tmp_path / "first.h5")
    found = dump(first)
    assert found["pedestals/100-end/versdef"] == ((1,), "<i8", (2).to_bytes(8, "little"))
    place = "pedestals/100-end/v0002/_parameters"
    ids = {one.version: one.commit for one in empty.default.show(f"{CAMERA}/pedestals/100-end").versions}
    assert found[f"{place}/calibvcs_commit"] == ((1,), "|S40", ids["v2"].encode())
    assert found[f"{place}/list.json"] == ((1,), "|S15", b'[1, {"a": 2.5}]')
    assert found[f"{place}/run"] == ((1,), "<i8", (7).to_bytes(8, "little"))
    assert found["geometry/0-end/_parameters/calibvcs_locked"] == ((1,), "|S6", b"In use")
    assert other.import_hdf5(first).passed_over == ()
    a, b = (repository.get(CAMERA, "pedestals", 150) for repository in (empty, other))
    np.testing.assert_array_equal(a.data, b.data)
    assert (b.version, b.meta.unit, b.meta.convention, b.meta.parameters["bias"]) == ("v2", "mV", "add", 300)
    assert b.meta.parameters["list"] == [1, {"a": 2.5}]
    assert (b.meta.origin, b.meta.provenance) == (a.meta.origin, a.meta.provenance)
    rows = [[(row.author, row.date, row.comment) for row in repository.default.show(f"{CAMERA}/pedestals/100-end").versions]
            for repository in (empty, other)]  # fmt: skip
    assert rows[0] == rows[1]
    ours, theirs = (repository.detector.show(CAMERA).detector for repository in (empty, other))
    assert (theirs.longname, theirs.segments, theirs.panel_shape) == (ours.longname, ours.segments, (2, 4))
    assert dump(exported(other, tmp_path / "second.h5")) == found


def test_what_is_new_here_joins_what_came_from_a_file(empty: Repository, tmp_path: Path) -> None:
    empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), ctypes=["pedestals"])
    empty.add(CAMERA, "pedestals", dark(50), begin=1471000000, end=1471086401, message="Newer")
    with h5py.File(exported(empty, tmp_path / "out.h5", detectors=[CAMERA])) as root:
        group = root["pedestals/1471000000-1471086401"]
        assert [name for name in group if name.startswith("v0")] == ["v0001", "v0002", "v0004", "v0005"]
        assert (group["versdef"][0], group["begin"][0], group["_parameters/run_begin"][0]) == (0, 1471000000.25, 12)
        assert (group["v0005/_parameters/calibvcs_version"][0], group["v0005/_history"].keys().__len__()) == (b"v4", 1)


# --- what is written ------------------------------------------------------------------------------------------


def test_defaults_alone_or_all_versions(empty: Repository, tmp_path: Path) -> None:
    empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), ctypes=["pedestals"])
    done = empty.export_hdf5(tmp_path / "out", ctypes=["pede*"])
    (file,) = done.files
    assert (file.detector, file.ctypes, file.ranges, file.versions) == (CAMERA, 1, 2, 2)
    assert file.bytes == Path(file.path).stat().st_size
    with h5py.File(file.path) as root:
        group = root["pedestals/1471000000-1471086401"]
        assert [name for name in group if name.startswith("v0")] == ["v0002"]
        np.testing.assert_array_equal(group["v0002/data"], dark(20))


def test_a_time_window_chooses_ranges(empty: Repository, tmp_path: Path) -> None:
    empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), ctypes=["pedestals"])
    for since, until, ranges in (
        (None, 1471086400, ["1471000000-1471086401"]), (1471086401, None, ["1471086400-end"]),
        (1471000000, 1471086401, ["1471000000-1471086401", "1471086400-end"]),
    ):  # fmt: skip
        done = empty.export_hdf5(
            tmp_path / "out.h5", detectors=[CAMERA], ctypes=["pedestals"], since=since, until=until
        )
        with h5py.File(done.files[0].path) as root:
            assert [name for name in root["pedestals"] if name[0] != "_" and name != "ctype"] == ranges


def test_what_is_withdrawn_is_left_out_and_told(empty: Repository, tmp_path: Path) -> None:
    empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), ctypes=["pixel_mask", "notes"])
    empty.withdraw(f"{CAMERA}/pixel_mask/0-end", message="Light leak")
    done = empty.export_hdf5(tmp_path / "out", detectors=[CAMERA])
    assert done.left_out == (f"{CAMERA}/pixel_mask/0-end: withdrawn (Light leak)",)
    assert "pixel_mask" not in dump(Path(done.files[0].path))


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_only_arrays_are_compressed(empty: Repository, other: Repository, tmp_path: Path, compression: str) -> None:
    empty.detector.add(CAMERA)
    data = np.tile(np.arange(64, dtype="u2"), (3, 70, 1))
    empty.add(CAMERA, "pixel_status", data, begin=0, message="Status")
    empty.add(CAMERA, "geometry", GEOMETRY + 99 * "# long\n", begin=0, message="As drawn")
    plain = exported(empty, tmp_path / "plain.h5")
    small = exported(empty, tmp_path / "small.h5", compression=compression)
    assert dump(small) == dump(plain)
    with h5py.File(small) as root:
        assert (root["pixel_status/0-end/v0001/data"].compression, root["pixel_status/0-end/begin"].compression) == (
            compression, None,
        )  # fmt: skip
        assert root["geometry/0-end/v0001/data"].compression is None
    other.import_hdf5(small)
    np.testing.assert_array_equal(other.get(CAMERA, "pixel_status", 1).data, data)


def test_an_export_replaces_its_own_file_and_no_other_one(empty: Repository, tmp_path: Path) -> None:
    original = make(tmp_path / f"{CAMERA}.h5")
    empty.import_hdf5(original, ctypes=["pedestals", "geometry"])
    before = original.read_bytes()
    with pytest.raises(AlreadyExistsError, match="no export wrote"):
        empty.export_hdf5(tmp_path, detectors=[CAMERA])
    assert original.read_bytes() == before
    target = exported(empty, tmp_path / "out.h5", detectors=[CAMERA])
    content = target.read_bytes()
    with h5py.File(target) as reader:  # whoever has the old file open keeps it
        empty.export_hdf5(target, detectors=[CAMERA], ctypes=["geometry"])
        assert "pedestals" in reader
    assert target.read_bytes() != content
    (tmp_path / "text.h5").write_text("mine")
    with pytest.raises(AlreadyExistsError):
        empty.export_hdf5(tmp_path / "text.h5", detectors=[CAMERA])
    assert not [path for path in tmp_path.iterdir() if "tmp" in path.name]


def test_requests_that_cannot_be_met(repository: Repository, tmp_path: Path) -> None:
    repository.add("jungfrau-3", "pedestals", np.ones((3, 2, 2, 3), "f4"), begin=0, message="Dark")
    with pytest.raises(InvalidOptionError, match="a file holds one detector, and 2 are asked for"):
        repository.export_hdf5(tmp_path / "out.h5")
    with pytest.raises(InvalidOptionError, match="no detector has a constant that was asked for"):
        repository.export_hdf5(tmp_path / "out", ctypes=["nothing"])
    with pytest.raises(UnknownDetectorError):
        repository.export_hdf5(tmp_path / "out", detectors=["opal1000-2"])
    with pytest.raises(UnknownDetectorError):
        repository.export_hdf5(tmp_path / "out", detectors=["none*"])
    with pytest.raises(InvalidOptionError, match="default or all"):
        repository.export_hdf5(tmp_path / "out", versions="some")  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="none, gzip or lzf"):
        repository.export_hdf5(tmp_path / "out", compression="zip")  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="needed, not one text"):
        repository.export_hdf5(tmp_path / "out", detectors="opal1000-1")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises((NotWritableError, calibvcs.errors.StorageError)):
        repository.export_hdf5(tmp_path / "file" / "out")
    assert [file.detector for file in repository.export_hdf5(tmp_path / "out").files] == ["jungfrau-3", "opal1000-1"]
    assert [file.detector for file in repository.export_hdf5(tmp_path / "f.h5", detectors=["front"]).files] == [
        "opal1000-1"
    ]


def test_a_state_of_the_past_is_written_as_it_was(repository: Repository, tmp_path: Path) -> None:
    then = repository.commit
    repository.add("opal1000-1", "pedestals", np.full((4, 5), 30, "f4"), begin=0, message="Newer")
    done = repository.export_hdf5(tmp_path / "out.h5", detectors=["opal1000-1"], at=then)
    assert done.commit == then
    with h5py.File(tmp_path / "out.h5") as root:
        assert root["pedestals/0-end/v0001/data"][0, 0] == 10


# --- parts, and what cannot be taken --------------------------------------------------------------------------


def test_transfer_by_type_time_and_version(empty: Repository, tmp_path: Path) -> None:
    file = make(tmp_path / f"{CAMERA}.h5")
    assert empty.import_hdf5(file, ctypes=["geometry"]).added == (f"{CAMERA}/geometry/0-end@v1",)
    one = empty.import_hdf5(file, ctypes=["pedestals"], when=1471000005, version=4)
    assert one.added == (f"{BOUNDED}@v1",)
    np.testing.assert_array_equal(empty.get(CAMERA, "pedestals", 1471000005).data, dark(30))
    # the end of a range belongs to it, but where another one begins, that one wins
    assert empty.import_hdf5(file, ctypes=["pedestals"], when=1471086400).added == (
        f"{CAMERA}/pedestals/1471086400-end@v1",
    )
    assert empty.import_hdf5(file, ctypes=["pedestals"], when=1471000005).added == (
        f"{BOUNDED}@v2", f"{BOUNDED}@v3",
    )  # fmt: skip
    renamed = empty.import_hdf5(file, ctypes=["hits"], detector="opal1000-9")
    assert renamed.added == ("opal1000-9/hits/0-end@v1",)
    for options, match in (
        ({"ctypes": ["none"]}, "the file has flags"), ({"ctypes": ["pedestals"], "when": 5}, "nothing of that"),
        ({"version": 9}, "nothing of that"), ({"version": 0}, "count from 1"),
    ):  # fmt: skip
        with pytest.raises(InvalidOptionError, match=match):
            empty.import_hdf5(file, **options)


def test_a_dry_run_changes_nothing(empty: Repository, tmp_path: Path) -> None:
    tip = empty.commit
    assert len(empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), dry_run=True).added) == 12
    assert empty.commit == tip
    assert empty.detector.ls().detectors == ()


def test_what_is_here_stays_where_a_file_says_something_else(empty: Repository, tmp_path: Path) -> None:
    empty.detector.add(CAMERA, longname="mine", parameters={"nruns": 99})
    assert empty.import_hdf5(make(tmp_path / f"{CAMERA}.h5"), ctypes=["notes"]).detectors == (
        "opal1000-6",
        "opal1000-8",
    )
    detector = empty.detector.show(CAMERA).detector
    assert (detector.longname, detector.parameters["nruns"], detector.parameters["experiment"]) == (
        "mine",
        99,
        "cxi01516",
    )


def test_what_cannot_be_taken_is_told(empty: Repository, tmp_path: Path) -> None:
    file = make(tmp_path / f"{CAMERA}.h5")
    with h5py.File(file, "a") as root:
        del root["geometry/0-end/v0001/data"], root["notes/0-end/v0001/data"], root["hits/0-end/v0001/data"]
        root["geometry/0-end/v0001/data"] = np.array([b"no geometry"])
        root["notes/0-end/v0001/data"] = np.array([b"\xff\xfe"])
        root["hits/0-end/v0001/data"] = np.array([b"a", b"b"])
        root.copy("flags", "Bad-Name")
        root.copy("flags", "FLAGS")
        for key, begin, end in (("9-5", 9.0, 5.0), ("1-2", 0.0, "end"), ("x", 1e12, "end")):
            group = root["flags"].create_group(key)
            group["begin"], group["end"] = [begin], [end]
            root.copy("flags/0-end/v0001", f"flags/{key}/v0001")
    taken = empty.import_hdf5(file)
    assert len(taken.added) == 9
    told = "\n".join(taken.passed_over)
    for part in (
        "/geometry/0-end/v0001: ", "/notes/0-end/v0001: it is not UTF-8", "/hits/0-end/v0001/data: it has 2 texts",
        "/Bad-Name: ", "is called flags here", "9-5: the range 9-5 is empty", "1-2: it is 0-end here, as 0-end is",
        "/x: time",
    ):  # fmt: skip
        assert part in told
    assert empty.verify(deep=True).sound


def test_a_detector_whose_name_is_none_here_is_named(empty: Repository, tmp_path: Path) -> None:
    file = make(tmp_path / "x.h5", "cspad-XppGon.0-Cspad.0")
    assert empty.import_hdf5(file, ctypes=["hits"]).added == ("cspad-xppgon.0-cspad.0/hits/0-end@v1",)
    with h5py.File(exported(empty, tmp_path / "out.h5", detectors=["*xpp*"])) as root:
        assert (root["detname"][0], root["detid"][0]) == (b"cspad-XppGon.0-Cspad.0", b"XppGon.0-Cspad.0")
    with h5py.File(file, "a") as root:
        root["detname"][0] = b"?"
    with pytest.raises(InvalidDataError, match="--detector DETNAME"):
        empty.import_hdf5(file)
    assert empty.import_hdf5(file, ctypes=["hits"], detector="cspad-5").added == ("cspad-5/hits/0-end@v1",)


def test_files_that_are_none(empty: Repository, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        empty.import_hdf5(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InvalidDataError, match="it is no HDF5 file"):
        empty.import_hdf5(tmp_path / "text.h5")
    assert empty.detector.ls().detectors == ()


# --- differences ----------------------------------------------------------------------------------------------


def test_differences_of_files(empty: Repository, tmp_path: Path) -> None:
    a, b = make(tmp_path / "a.h5", CAMERA), make(tmp_path / "b.h5", CAMERA)
    empty.import_hdf5(a)
    assert empty.diff(str(a), str(b)).same
    with h5py.File(b, "a") as root:
        root["pedestals/1471000000-1471086401/v0002/data"][1, 1, 1] += 5
        root["pedestals/1471000000-1471086401/versdef"][0] = 4
        root["pedestals/_parameters/unit"][0] = b"eV"
        root["weights/0-end/v0001/data"][0, 0, 0] = 7j
        root["pixel_rms/5-end/_history/1400000003.000000"][0] = b"something"
        root["predecessor"][0] = b"opal1000-5"
        del root["hits"], root["half/0-end/v0001/tsprod"], root["geometry/0-end/v0001/data"]
        root["geometry/0-end/v0001/data"] = np.array([GEOMETRY.replace("1.5", "2.5").encode()])
        del root["notes/0-end/v0001/data"]
        root["notes/0-end/v0001/data"] = np.array([b"warm"])
        root["flags/0-end/v0001/_parameters/x"] = [1]
        root.copy("flags/0-end/v0001", "flags/0-end/v0002")
    for difference in (empty.diff(str(a), str(b)), empty.diff(CAMERA, str(b)), empty.diff("main", str(b))):
        assert not difference.same
        found = {(one.b or one.a).partition(":")[2]: one for one in difference.constants}
        pixel = found["pedestals/1471000000-1471086401/v0002"].array
        assert pixel is not None
        assert (pixel.changed, pixel.max_abs) == (1, 5)
        assert [(f.field, f.a, f.b) for f in found["pedestals/1471000000-1471086401"].metadata] == [
            ("default", "2", "4")
        ]
        assert [(f.field, f.a, f.b) for f in found["pedestals"].metadata] == [("parameters.unit", "ADU", "eV")]
        assert [(f.field, f.b) for f in found["pixel_rms/5-end"].metadata] == [
            ("history.1400000003.000000", "something")
        ]
        assert [f.field for f in found[""].metadata] == ["predecessor"]
        assert (found["hits/0-end/v0001"].status, found["flags/0-end/v0002"].status) == ("removed", "added")
        assert [(f.field, f.b) for f in found["half/0-end/v0001"].metadata] == [("tsprod", "")]
        assert found["geometry/0-end/v0001"].geometry is not None
        assert found["notes/0-end/v0001"].text == "the texts differ"
        assert [f.field for f in found["flags/0-end/v0001"].metadata] == ["parameters.x"]
        assert "weights/0-end/v0001" in found
        assert found["flags/0-end"].metadata[0].field == "default"
        assert len(found) == 13
    with pytest.raises(InvalidOptionError, match=r"ends in \.h5"):
        empty.diff_hdf5(CAMERA, CAMERA)
    with pytest.raises(UnknownDetectorError):
        empty.diff("opal1000-99", str(a))


def test_a_file_is_compared_with_an_older_state(empty: Repository, tmp_path: Path) -> None:
    file = make(tmp_path / f"{CAMERA}.h5")
    then = empty.import_hdf5(file).commit
    empty.add(CAMERA, "pedestals", dark(50), begin=1471086400, message="Newer")
    assert [one.status for one in empty.diff(str(file), CAMERA).constants] == ["changed", "added"]
    assert empty.diff(str(file), f"{CAMERA}@{then}").same
    assert empty.diff(str(file), then).same
