"""Legacy calib directories: taken over, written, and looked at before the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    InvalidDataError,
    InvalidNameError,
    InvalidOptionError,
    LockedError,
    MissingFileError,
    StorageError,
    UnknownDetectorError,
)
from calibvcs.formats import text_array
from calibvcs.ops.exchange.taking_over import TakenOver

JUNGFRAU = "CxiEndstation.0:Jungfrau.0"
DETECTOR = "jungfrau-cxiendstation.0-jungfrau.0"
PEDESTALS = f"Jungfrau::CalibV1/{JUNGFRAU}/pedestals"
GEOMETRY = "# as drawn\r\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
FIRST_RUN = 1_460_000_000
RUNS = range(32)


def begin(run: int) -> int:
    return FIRST_RUN + 1000 * run + run * run


@pytest.fixture
def run_table(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text("run,begin\n" + "".join(f"{run},{begin(run)}\n" for run in RUNS))
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    calibvcs.init(tmp_path / "constants")
    return calibvcs.open(tmp_path / "constants")


def put(calib: Path, name: str, array: np.ndarray | str) -> np.ndarray | str:
    path = calib / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((array if isinstance(array, str) else text_array.encode(array)).encode())
    return array


def values(seed: int, dtype: str = "f4") -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, 10, (3, 2, 4, 5)).astype(dtype)


@pytest.fixture
def calib(tmp_path: Path) -> Path:
    """Return a calib directory with pedestals for 0-end, 10-20 and 15-end, and other ctypes."""
    folder = tmp_path / "CXI" / "cxi11216" / "calib"
    for seed, span in enumerate(("0-end", "10-20", "15-end")):
        put(folder, f"{PEDESTALS}/{span}.data", values(seed))
    base = f"Jungfrau::CalibV1/{JUNGFRAU}"
    put(folder, f"{base}/pixel_status/3-9.data", np.full((3, 2, 4, 5), 2**64 - 1, "u8"))
    put(folder, f"{base}/geometry/0-end.data", GEOMETRY)
    put(folder, f"{base}/common_mode/0-end.data", "7 1 100\n")
    put(folder, "Camera::CalibV1/DetInfo(XcsEndstation.0:Opal1000.0)/pixel_gain/5-end.data", np.ones((2, 2), "f4") * 2)
    return folder


def lcls_choice(folder: Path, run: int) -> Path | None:
    """Return the file of a ctype that LCLS' readers take, written down from their description and nothing else."""
    files = []
    for path in folder.glob("*.data"):
        begin, end = path.stem.split("-")
        files.append((int(begin), 9999 if end == "end" else int(end), path))
    for first, last, path in sorted(files, key=lambda file: (file[0], -file[1]), reverse=True):
        if first <= min(run, 9999) <= last:
            return path
    return None


def check_choices(repository: Repository, calib: Path, detectors: dict[str, str]) -> int:
    """Compare what every run gets here with what LCLS' readers take; return how many were compared."""
    compared = 0
    for ctype_folder in calib.glob("*::CalibV1/*/*"):
        detector, ctype = detectors[ctype_folder.parent.name], ctype_folder.name
        for run in RUNS[:31]:
            file = lcls_choice(ctype_folder, run)
            if file is None:
                with pytest.raises(calibvcs.CalibvcsError):
                    repository.get(detector, ctype, begin(run))
                continue
            found = repository.get(detector, ctype, begin(run)).data
            if ctype == "geometry":
                assert found == file.read_bytes().decode()
                continue
            text = [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]
            parse = float if found.dtype.kind == "f" else int
            wanted = np.array([parse(word) for line in text for word in line.split()], found.dtype)
            assert found.ravel().tobytes() == wanted.tobytes()
            compared += 1
    return compared


def test_every_run_gets_what_lcls_readers_took(
    repository: Repository, calib: Path, run_table: Path, tmp_path: Path
) -> None:
    done = repository.import_calibdir(calib.parent, run_table=run_table, experiment="cxi11216")
    opal = "opal1000-xcsendstation.0-opal1000.0"
    detectors = {JUNGFRAU: DETECTOR, "XcsEndstation.0:Opal1000.0": opal, "DetInfo(XcsEndstation.0:Opal1000.0)": opal}
    assert done.detectors == (DETECTOR, opal)
    assert len(done.added) == 7
    assert done.passed_over == ()
    assert check_choices(repository, calib, detectors) > 60
    assert repository.get(DETECTOR, "pixel_status", begin(5)).data.max() == 2**64 - 1
    assert repository.get(DETECTOR, "common_mode", 0).data.tolist() == [7, 1, 100]
    gain = repository.get(opal, "pixel_gain", begin(9)).meta
    assert (gain.convention, gain.origin.run, gain.origin.run_end) == ("multiply", 5, None)
    assert gain.origin.experiment == "cxi11216"
    assert gain.origin.source == "XcsEndstation.0:Opal1000.0"
    assert gain.provenance.inputs[0].path.endswith("pixel_gain/5-end.data")
    assert repository.verify(deep=True).sound

    again = repository.import_calibdir(calib, run_table=run_table, experiment="cxi11216")
    assert again.added == again.detectors == ()
    assert len(again.known) == 7
    assert again.commit == done.commit

    out = tmp_path / "out" / "calib"
    exported = repository.export_calibdir(out, run_table=run_table)
    assert (exported.left_out, exported.notes) == ((), ())
    assert all(file.written for file in exported.files)
    assert check_choices(repository, out, detectors) > 60
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.data")}
    assert names == {
        path.relative_to(calib).as_posix().replace("DetInfo(", "").replace("0)/", "0/")
        for path in calib.rglob("*.data")
    }
    assert not any(file.written for file in repository.export_calibdir(out, run_table=run_table).files)

    calibvcs.init(tmp_path / "second")
    with calibvcs.open(tmp_path / "second") as second:
        second.import_calibdir(out, run_table=run_table)
        assert check_choices(second, calib, detectors) > 60
        rows = [row.constant for row in repository.ls().constants]
        assert rows == [row.constant for row in second.ls().constants]
        assert all(repository.show(row).blob == second.show(row).blob for row in rows)


def test_the_shared_directory(shared_data: Path, repository: Repository, run_table: Path, tmp_path: Path) -> None:
    calib = shared_data / "calibdir"
    detectors = {
        JUNGFRAU: "jungfrau-000007",
        "XcsEndstation.0:Opal1000.0": "opal1000-xcsendstation.0-opal1000.0",
    }
    mapping = [f"{JUNGFRAU}=jungfrau-000007"]
    done = repository.import_calibdir(calib, run_table=run_table, mapping=mapping)
    assert len(done.added) == 8
    (backup,) = done.passed_over
    assert "0-end.data-2016-05-01-10:11:12: a backup; --backups takes it in" in backup
    assert check_choices(repository, calib, detectors) == 31 * 4 + 24
    repository.export_calibdir(tmp_path / "out", run_table=run_table, mapping=mapping)
    assert check_choices(repository, tmp_path / "out", detectors) == 31 * 4 + 24
    history = tmp_path / "out/Camera::CalibV1/XcsEndstation.0:Opal1000.0/pedestals/HISTORY"
    assert (
        "file:0-end.data copy_of:pedestals.txt exp:xcs01016 run:10 app:calibman user:expert host:psana1 "
        "cptime:2016-05-01T10:11:12+0000 comment:N/A"
    ) in history.read_text()


# --- history and backups --------------------------------------------------------------------------------------


def backed_up(calib: Path) -> None:
    for seed, name in enumerate(("0-end.data-2015-01-01-00:00:00", "0-end.data-2016-01-01T00:00:00", "0-end.data")):
        put(calib, f"{PEDESTALS}/{name}", values(seed))
    (calib / PEDESTALS / "HISTORY").write_text(
        "file:0-end.data copy_of:a.txt exp:cxi1 run:0004 app:x user:bob host:h1 cptime:2014-06-01T00:00:00 comment:First\n"
        "file:0-end.data copy_of:b.txt exp:cxi1 run:0007 app:x user:ann host:h2 cptime:2016-01-01T00:00:01 "
        "comment:Calibvcs-Action: none\n"
    )


def history(repository: Repository, done: TakenOver) -> list[tuple[str, str, str]]:
    versions = repository.default.show(done.added[-1].partition("@")[0]).versions
    return [(version.date, version.author, version.comment) for version in versions]


def test_backups_are_older_versions(repository: Repository, tmp_path: Path) -> None:
    calib = tmp_path / "calib"
    backed_up(calib)
    done = repository.import_calibdir(calib, backups=True)
    assert [name.partition("@")[2] for name in done.added] == ["v1", "v2", "v3"]
    versions = {comment: (date, author) for date, author, comment in history(repository, done)}
    assert versions["First"] == ("2014-06-01T00:00:00Z", "bob")
    assert versions[f"Take over {PEDESTALS}/0-end.data-2016-01-01T00:00:00"] == ("2015-01-01T00:00:00Z", "Grace Hopper")
    assert versions["> Calibvcs-Action: none"] == ("2016-01-01T00:00:01Z", "ann")
    found = repository.get(DETECTOR, "pedestals", 5)
    assert found.version == "v3"
    assert np.array_equal(found.data, values(2))
    assert found.meta.parameters["calibdir"]["copy_of"] == "b.txt"
    assert found.meta.provenance.user == "ann"
    assert repository.import_calibdir(calib, backups=True).added == ()


def test_without_them_they_are_only_named(repository: Repository, tmp_path: Path) -> None:
    backed_up(tmp_path / "calib")
    put(tmp_path / "calib", f"{PEDESTALS}/0-end.data-20159999999999", values(9))
    done = repository.import_calibdir(tmp_path / "calib", timezone="America/Los_Angeles")
    assert len(done.added) == 1
    assert len(done.passed_over) == 3
    assert sum("its name tells no time" in line for line in done.passed_over) == 1
    assert history(repository, done) == [("2016-01-01T08:00:01Z", "ann", "> Calibvcs-Action: none")]


def test_an_unknown_zone_is_refused(repository: Repository, calib: Path) -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(InvalidOptionError, match="timezone"):
            repository.import_calibdir(calib, timezone=zone)


# --- what cannot be taken over --------------------------------------------------------------------------------


def test_nothing_is_changed_where_runs_are_missing(repository: Repository, calib: Path) -> None:
    before = repository.commit
    with pytest.raises(InvalidDataError, match="lacks the begin of runs 3, 5, 10, 15, 21"):
        repository.import_calibdir(calib)
    repository.run.mark("cxi1:3", kind="data", begin=500, message="a run")
    with pytest.raises(InvalidDataError, match="run table of cxi1: it lacks the begin of runs 5, 10, 15, 21"):
        repository.import_calibdir(calib, experiment="cxi1")
    assert [row.constant for row in repository.ls().constants] == []
    assert before


def test_files_that_cannot_be_read_are_all_told(repository: Repository, calib: Path, run_table: Path) -> None:
    before = repository.commit
    put(calib, f"{PEDESTALS}/1-2.data", "# SHAPE __import__('os').abort()\n1 2\n")
    put(calib, f"{PEDESTALS}/2-3.data", "# NDIM 1\n# DIM:0 999999999999\n1 2\n")
    put(calib, f"{PEDESTALS}/3-4.data", "1 2\0\n")
    (calib / PEDESTALS / "4-5.data").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(InvalidDataError, match=r"1-2.data: SHAPE .* and 1 more") as caught:
        repository.import_calibdir(calib, run_table=run_table)
    assert "--skip-unreadable" in caught.value.hint
    assert repository.commit == before
    done = repository.import_calibdir(calib, run_table=run_table, skip_unreadable=True)
    assert len(done.added) == 7
    assert len(done.passed_over) == 4
    assert any("in a calib directory, data are text" in line for line in done.passed_over)


def test_a_dry_run_changes_nothing(repository: Repository, calib: Path, run_table: Path) -> None:
    before = repository.commit
    assert len(repository.import_calibdir(calib, run_table=run_table, dry_run=True).added) == 7
    assert repository.commit == before


def test_a_locked_default_is_kept(repository: Repository, calib: Path, run_table: Path) -> None:
    repository.import_calibdir(calib, run_table=run_table)
    repository.lock(f"{DETECTOR}/pedestals/0-end", message="golden")
    put(calib, f"{PEDESTALS}/0-end.data", values(99))
    with pytest.raises(LockedError):
        repository.import_calibdir(calib, run_table=run_table)


# --- sources and detectors ------------------------------------------------------------------------------------


def test_sources_mean_detectors(repository: Repository, tmp_path: Path) -> None:
    calib = tmp_path / "calib"
    for number, device in enumerate(("Jungfrau.0", "Jungfrau.1", "Jungfrau.2", "Newdet.0")):
        put(calib, f"Jungfrau::CalibV1/Cxi.0:{device}/pedestals/0-end.data", values(number))
    repository.detector.add("jungfrau-1", longname="something else")
    repository.detector.add("jungfrau-2", longname="Cxi.0:Jungfrau.1")
    repository.alias.add("front", "jungfrau-1", source="Cxi.0:Jungfrau.0")
    done = repository.import_calibdir(calib, mapping=["Cxi.0:Jungfrau.2=jungfrau-3"])
    assert done.detectors == ("jungfrau-3", "newdet-cxi.0-newdet.0")
    for number, name in enumerate(("jungfrau-1", "jungfrau-2", "jungfrau-3", "newdet-cxi.0-newdet.0")):
        assert np.array_equal(repository.get(name, "pedestals", 1).data, values(number))
    assert repository.detector.show("newdet-cxi.0-newdet.0").detector.parameters == {"calib_group": "Jungfrau::CalibV1"}
    out = tmp_path / "out"
    exported = repository.export_calibdir(out)
    assert {file.path for file in exported.files} == {
        path.relative_to(calib).as_posix() for path in calib.rglob("*.data")
    }


@pytest.mark.parametrize(
    ("mapping", "error", "found"),
    [
        (["Cxi.0:Jungfrau.0"], InvalidOptionError, "SOURCE=DETNAME is needed"),
        (["Cxi=jungfrau-1"], InvalidNameError, "is not a source"),
        (["Cxi.0:Jungfrau.0=Jungfrau 1"], InvalidNameError, "detector name"),
        (
            ["Cxi.0:Jungfrau.9=jungfrau-1"],
            InvalidOptionError,
            "the sources there are Cxi.0:Jungfrau.0, Cxi.0:Jungfrau.1",
        ),
        (["Cxi.0:Jungfrau.0=jungfrau-1"] * 2, InvalidOptionError, "is jungfrau-1 already"),
        (["Cxi.0:Jungfrau.0=jungfrau-1", "Cxi.0:Jungfrau.1=jungfrau-1"], InvalidOptionError, "means the same constant"),
    ],
)
def test_mappings_that_say_nothing(
    repository: Repository, tmp_path: Path, mapping: list[str], error: type[Exception], found: str
) -> None:
    for number in range(2):
        put(tmp_path / "c", f"Jungfrau::CalibV1/Cxi.0:Jungfrau.{number}/pedestals/0-end.data", values(number))
    with pytest.raises(error, match=found):
        repository.import_calibdir(tmp_path / "c", mapping=mapping)


def test_a_source_of_two_detectors_is_asked_for(repository: Repository, tmp_path: Path) -> None:
    put(tmp_path / "c", f"{PEDESTALS}/0-end.data", values(0))
    repository.detector.add("jungfrau-1", longname=JUNGFRAU)
    repository.detector.add("jungfrau-2", longname=JUNGFRAU)
    with pytest.raises(InvalidOptionError, match="it may be jungfrau-1, jungfrau-2") as caught:
        repository.import_calibdir(tmp_path / "c")
    assert f"--map {JUNGFRAU}=jungfrau-1" in caught.value.hint
    repository.import_calibdir(tmp_path / "c", mapping=[f"{JUNGFRAU}=jungfrau-2"])
    repository.detector.add("epix100-1")
    repository.add("epix100-1", "pedestals", values(1)[0, 0], begin=0, message="no source")
    with pytest.raises(InvalidOptionError, match="its name in the DAQ"):
        repository.export_calibdir(tmp_path / "out")


# --- export ---------------------------------------------------------------------------------------------------


def test_what_has_no_runs_is_told(repository: Repository, run_table: Path, tmp_path: Path) -> None:
    repository.detector.add("jungfrau-1", longname=JUNGFRAU)
    add = {"message": "made", "force_reason": "a test"}
    repository.add("jungfrau-1", "pedestals", values(0), begin=begin(3) - 5, end=begin(9) + 7, **add)
    repository.add("jungfrau-1", "pedestals", values(1), begin=begin(3) - 9, end=begin(3) - 4, **add)
    repository.add("jungfrau-1", "pedestals", values(2), begin=begin(3) - 9, end=begin(5), **add)
    repository.add("jungfrau-1", "pixel_rms", values(3), begin=0, **add)
    repository.withdraw("jungfrau-1/pixel_rms/0-end", message="wrong")
    repository.add("jungfrau-1", "pixel_max", np.ones((2, 2), "u2"), begin=begin(5), **add)
    done = repository.export_calibdir(tmp_path / "out", run_table=run_table, decimals=3)
    assert [file.path.rpartition("/")[2] for file in done.files] == ["3-9.data", "5-end.data"]
    assert len(done.left_out) == 3
    assert sum("it is withdrawn" in line for line in done.left_out) == 1
    (note,) = done.notes
    assert f"{begin(3) - 5}-{begin(9) + 7} is written for runs 3-9: it begins before run 3; it ends in or after" in note
    text = (tmp_path / "out" / PEDESTALS / "3-9.data").read_text()
    assert f"{values(0).flat[0]:.3f}" in text.split()
    assert not any(
        f.written for f in repository.export_calibdir(tmp_path / "out", run_table=run_table, decimals=3).files
    )


def test_files_that_were_there_are_kept(repository: Repository, tmp_path: Path) -> None:
    calib = tmp_path / "calib"
    put(calib, f"{PEDESTALS}/0-end.data", values(0))
    repository.import_calibdir(calib)
    old = put(calib, f"{PEDESTALS}/0-end.data", "1 2 3\n")
    put(calib, f"{PEDESTALS}/5-end.data", values(5))
    (calib / PEDESTALS / "HISTORY").write_bytes(b"file:x comment:no line end")
    done = repository.export_calibdir(calib, detectors=[DETECTOR])
    (file,) = done.files
    assert file.written
    assert (calib / PEDESTALS / file.backup).read_text() == old
    assert done.notes == (f"{PEDESTALS}/5-end.data was there and is not in the repository; readers may choose it",)
    lines = (calib / PEDESTALS / "HISTORY").read_text().splitlines()
    assert lines[0] == "file:x comment:no line end"
    assert "app:calibvcs user:grace" in lines[1]
    assert len(lines) == 2
    assert sorted(path.name for path in (calib / PEDESTALS).iterdir()) == sorted(
        ["0-end.data", file.backup, "5-end.data", "HISTORY"]
    )


def test_an_unknown_detector_is_told(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(UnknownDetectorError):
        repository.export_calibdir(tmp_path / "out", detectors=["nobody-1"])


# --- overlay --------------------------------------------------------------------------------------------------


def test_an_overlay_goes_before_the_repository(
    repository: Repository, calib: Path, run_table: Path, tmp_path: Path
) -> None:
    found = repository.in_overlay(calib.parent, DETECTOR, "pedestals", "cxi11216:16", output=tmp_path / "a.npy")
    assert found is not None
    assert found.path.endswith("15-end.data")
    assert (found.run, found.first, found.last, found.considered) == (16, 15, None, 3)
    assert np.array_equal(found.load(), values(2))
    assert np.array_equal(np.load(tmp_path / "a.npy"), values(2))
    assert repository.in_overlay(calib, DETECTOR, "pixel_status", "cxi11216:10") is None
    assert repository.in_overlay(calib, DETECTOR, "pixel_rms", "cxi11216:10") is None
    geometry = repository.in_overlay(calib, DETECTOR, "geometry", "cxi11216:10")
    assert geometry is not None
    assert (geometry.load(), geometry.dtype, geometry.shape) == (GEOMETRY, "text", ())
    with pytest.raises(UnknownDetectorError):
        repository.in_overlay(calib, "nobody", "pedestals", "cxi11216:16")
    with pytest.raises(MissingFileError):
        repository.in_overlay(tmp_path / "nowhere", DETECTOR, "pedestals", "cxi11216:16")


def test_an_overlay_finds_the_run_of_a_time(repository: Repository, calib: Path) -> None:
    with pytest.raises(InvalidOptionError, match="in no run table"):
        repository.in_overlay(calib, DETECTOR, "pedestals", begin(12) + 5)
    for experiment in ("cxi11216", "mfx1"):
        repository.run.mark(f"{experiment}:12", kind="data", begin=begin(12), end=begin(13), message="a run")
    found = repository.in_overlay(calib, DETECTOR, "pedestals", begin(12) + 5)
    assert found is not None
    assert (found.run, found.first) == (12, 10)
    (calib / "Jungfrau::CalibV1").rename(calib.parents[2] / "Jungfrau::CalibV1")
    with pytest.raises(InvalidOptionError, match="cxi11216:12, mfx1:12"):
        repository.in_overlay(calib.parents[2], DETECTOR, "pedestals", begin(12) + 5)


def test_an_overlay_that_cannot_be_read_is_not_passed_over(repository: Repository, calib: Path) -> None:
    put(calib, f"{PEDESTALS}/15-end.data", "1 two\n")
    with pytest.raises(InvalidDataError, match="'two'"):
        repository.in_overlay(calib, DETECTOR, "pedestals", "cxi11216:16")


def test_a_disk_that_refuses_is_told(repository: Repository, calib: Path, run_table: Path, tmp_path: Path) -> None:
    repository.import_calibdir(calib, run_table=run_table)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Jungfrau::CalibV1").write_text("in the way")
    with pytest.raises(StorageError, match=r"common_mode|geometry|Jungfrau"):
        repository.export_calibdir(tmp_path / "out", run_table=run_table)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Jungfrau::CalibV1"]
