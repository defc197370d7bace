"""``export --shm`` and its check: what psana gets and what is left out, what is kept, and what is stale."""

from __future__ import annotations

import pickle
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs import shm
from calibvcs.errors import (
    InvalidDataError,
    InvalidOptionError,
    MissingFileError,
    NotWritableError,
    TagNotAcceptedError,
    UnknownDetectorError,
)
from calibvcs.formats.psana.psana_unpickle import decode_constants
from calibvcs.sources.protocol import SourceDetector
from tests.xtc2_writer import write_run

NAME = "jungfrau-000001"
LONGNAME = "jungfrau_1-2_3-4"
GEOMETRY = (
    "# title\r\n   \n"
    "JFCAMERA:V1 0 JUNGFRAU:V2 0 0 -19525 0 90 0 0 0.01 0 0\n  # indented\n"
    "JFCAMERA:V1 0 JUNGFRAU:V2 1 0 19525 0 90 0 0 0.01 0 0\n"
    "IP:V1 0 JFCAMERA:V1 0 0 0 100000 0 0 0 0 0 0\n"
)
SMALL = {"panel_shape": [4, 8]}
SHAPE = (3, 2, 4, 8)


def pedestals(level: float = 1000, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return (level + np.arange(np.prod(shape)).reshape(shape) / 100).astype(np.float32)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that is copied for every test."""
    path = tmp_path_factory.mktemp("template") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        calibvcs.init(path, bare=True)
        with calibvcs.open(path) as repository:
            repository.detector.add(NAME, longname=LONGNAME, parameters=SMALL)
            repository.add(NAME, "pedestals", pedestals(), begin=0, message="Dark")
            repository.add(NAME, "pixel_status", np.zeros(SHAPE, np.uint16), begin=0, message="Status")
    return path


@pytest.fixture
def repository(tmp_path: Path, template: Path) -> calibvcs.Repository:
    shutil.copytree(template, tmp_path / "constants")
    return calibvcs.open(tmp_path / "constants")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def export(repository: calibvcs.Repository, out: Path, **more: Any) -> Any:
    return repository.export_shm(out, **{"detectors": [NAME], "when": 5, **more})


def held(out: Path, name: str = NAME) -> Any:
    return pickle.loads((out / "calibconst.pkl").read_bytes())["calib_const"][name]  # noqa: S301 - written here


def files(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def test_psana_gets_its_dtypes_and_everyone_else_what_is_stored(repository: calibvcs.Repository, out: Path) -> None:
    done = export(repository, out)
    values = held(out)
    assert values["pixel_status"][0].dtype == np.uint64
    assert values["pixel_status"][1]["data_dtype"] == "uint64"
    assert np.array_equal(values["pedestals"][0], pedestals())
    attached = shm.attach(out)[NAME]
    assert attached["pixel_status"].dtype == np.uint16
    assert np.array_equal(attached["pedestals"], pedestals())
    assert (done.written, done.kept) == (2, 0)
    assert done.commit == repository.commit == values["pedestals"][1]["calibvcs_at"]


def test_payloads_are_the_blobs_of_the_repository(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    for path in (out / "calibvcs").glob("*.npy"):
        words = ["git", "hash-object", path]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == path.stem


def test_what_did_not_change_is_not_written_again(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    before = {path.name: path.stat().st_ino for path in (out / "calibvcs").glob("*.npy")}
    repository.add(NAME, "pedestals", pedestals(1001), begin=0, message="Newer dark")
    done = export(repository, out)
    after = {path.name: path.stat().st_ino for path in (out / "calibvcs").glob("*.npy")}
    assert (done.written, done.kept) == (1, 1)
    assert len(before.items() & after.items()) == 1
    assert len(after) == 2


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600, 0o444])
def test_files_have_the_permissions_that_were_asked_for(repository: calibvcs.Repository, out: Path, mode: int) -> None:
    export(repository, out, mode=0o644)
    export(repository, out, mode=mode)
    assert {stat.S_IMODE((out / name).stat().st_mode) for name in files(out)} == {mode}
    assert (
        stat.S_IMODE((out / "calibvcs").stat().st_mode)
        == {0o644: 0o755, 0o640: 0o750, 0o600: 0o700, 0o444: 0o755}[mode]
    )
    export(repository, out)


def test_nan_is_refused_and_left_out_where_that_is_allowed(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    before = {name: (out / name).read_bytes() for name in files(out)}
    bad = pedestals()
    bad[1, 1, 2, 3] = np.nan
    repository.add(NAME, "pedestals", bad, begin=0, message="Broken", force_reason="a test")
    with pytest.raises(InvalidDataError, match=r"jungfrau-000001/pedestals/0-end: it has NaN") as caught:
        export(repository, out)
    assert "--allow-missing" in caught.value.hint
    assert {name: (out / name).read_bytes() for name in files(out)} == before
    done = export(repository, out, allow_missing=True)
    assert any("left out for psana: it has NaN" in note for note in done.notes)
    assert set(held(out)) == {"pixel_status"}
    assert np.isnan(shm.attach(out)[NAME]["pedestals"][1, 1, 2, 3])
    assert {one.ctype: one.for_psana for one in done.detectors[0].constants} == {
        "pedestals": False,
        "pixel_status": True,
    }


def test_common_mode_of_an_epix10ka_is_left_out(repository: calibvcs.Repository, out: Path) -> None:
    repository.detector.add("epix10ka-1", longname="epix10ka_1")
    repository.add("epix10ka-1", "common_mode", np.array([1.0, 2.0]), begin=0, message="Common mode")
    done = repository.export_shm(out, detectors=["epix10ka-1"], when=5)
    assert held(out, "epix10ka-1") == {}
    assert any("common_mode" in note for note in done.notes)
    assert "common_mode" in shm.attach(out)["epix10ka-1"]


def test_geometry_is_mended_for_psana_alone(repository: calibvcs.Repository, out: Path) -> None:
    repository.add(NAME, "geometry", GEOMETRY, begin=0, message="Geometry")
    export(repository, out, caches=[NAME])
    text = held(out)["geometry"][0]
    assert "\r" not in text
    assert "\n# indented\n" in text
    assert shm.attach(out)[NAME]["geometry"] == GEOMETRY
    cache = pickle.loads((out / f"{NAME}_calibc_cache.pkl").read_bytes())["raw"]  # noqa: S301 - written here
    assert cache["_pix_rc"][0].shape == (2, 512, 1024)
    assert cache["dmulti_pix_to_img_idx"] == {}


def test_an_image_geometry_is_computed_once(repository: calibvcs.Repository, out: Path) -> None:
    repository.add(NAME, "geometry", GEOMETRY, begin=0, message="Geometry")
    cache = out / f"{NAME}_calibc_cache.pkl"
    export(repository, out, caches=[NAME])
    first = cache.stat().st_ino
    repository.add(NAME, "pedestals", pedestals(1001), begin=0, message="Newer dark")
    export(repository, out, caches=[NAME])
    assert cache.stat().st_ino == first
    repository.add(NAME, "geometry", GEOMETRY.replace("19525", "19600"), begin=0, message="Moved")
    export(repository, out, caches=[NAME])
    assert cache.stat().st_ino != first
    export(repository, out)
    assert not cache.exists()


def test_a_cache_without_geometry_is_told(repository: calibvcs.Repository, out: Path) -> None:
    done = export(repository, out, caches=[NAME])
    assert f"{NAME}_calibc_cache.pkl is not written: {NAME} has no geometry in force" in done.notes
    assert not repository.check_shm(out, detectors=[NAME], when=5, caches=[NAME]).fresh


def test_files_of_the_run_before_go(repository: calibvcs.Repository, out: Path) -> None:
    for run in (7, 8):
        repository.run.mark(f"mfx1:{run}", kind="data", begin=100 * run, end=100 * run + 50, message="Data")
        export(repository, out, when=None, experiment="mfx1", run=run)
        assert {name for name in files(out) if name.endswith(".pkl")} == {
            "calibconst.pkl",
            f"calibconst_mfx1_r000{run}.pkl",
        }
        assert (out / f"calibconst_mfx1_r000{run}.pkl").read_bytes() == (out / "calibconst.pkl").read_bytes()


def test_litter_of_the_dead_goes_and_what_others_wrote_stays(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    payload = "e" * 40 + ".npy"
    ours = [
        "calibconst.pkl.12-0123456789ab.inprogress",
        f"calibvcs/{payload}.12-0123456789ab.inprogress",
        f"calibvcs/{payload}",
    ]
    theirs = [
        "calibconst.pkl.inprogress",
        "other.bin.12-0123456789ab.inprogress",
        "calibconst_mfx9_r0001.pkl",
        "notes.txt",
    ]
    for name in [*ours, *theirs]:
        (out / name).write_bytes(b"x")
    export(repository, out)
    assert not files(out) & set(ours)
    assert files(out) >= set(theirs)


def test_a_payload_that_was_cut_off_is_written_again(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    for path in (out / "calibvcs").glob("*.npy"):
        path.write_bytes(path.read_bytes()[:-1])
    assert export(repository, out).written == 2
    assert np.array_equal(shm.attach(out)[NAME]["pedestals"], pedestals())


def test_a_folder_in_the_way_is_told_before_anything_changes(repository: calibvcs.Repository, out: Path) -> None:
    (out / "calibconst.pkl").mkdir(parents=True)
    with pytest.raises(NotWritableError, match="it is a folder"):
        export(repository, out)
    assert files(out) == set()


def test_a_writer_waits_for_the_one_before(repository: calibvcs.Repository, out: Path, tmp_path: Path) -> None:
    export(repository, out)
    program = "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), 2); print(1, flush=True); time.sleep(0.5)"
    with subprocess.Popen([sys.executable, "-c", program, out / "calibvcs"], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        begin = time.monotonic()
        export(repository, out)
        assert other.poll() is not None or time.monotonic() - begin > 0.3


def source(name: str, longname: str, *segments: int) -> SourceDetector:
    return SourceDetector(name, longname.partition("_")[0], longname, segments or (0,))


def test_a_detector_that_is_not_there_is_an_error_that_names_it(repository: calibvcs.Repository, out: Path) -> None:
    run = [source("jungfrau", LONGNAME, 0, 1), source("hsd", "hsd_1"), source("cam", "opal_2")]
    with pytest.raises(UnknownDetectorError, match=r"'hsd'; no detector has the unique id hsd_1; also missing: cam"):
        repository.export_shm(out, sources=run, when=5)
    assert not out.exists()
    done = repository.export_shm(out, sources=run, when=5, allow_missing=True)
    assert any("hsd has no constants: no detector has the unique id hsd_1" in note for note in done.notes)
    det_info, constants = decode_constants((out / "calibconst.pkl").read_bytes(), "calibconst.pkl")
    assert det_info == {"jungfrau": LONGNAME, "hsd": "hsd_1", "cam": "opal_2"}
    assert constants["hsd"] is None
    assert set(constants["jungfrau"]) == {"pedestals", "pixel_status"}
    repository.export_shm(out, sources=run, when=5, skip=["hsd", "cam"])


def test_names_with_odd_letters_come_through(repository: calibvcs.Repository, out: Path) -> None:
    name = "ca\udc80m\u00e9ra"
    repository.export_shm(out, sources=[source(name, LONGNAME, 0, 1)], when=5)
    assert shm.attach(out).detectors == (name,)
    assert decode_constants((out / "calibconst.pkl").read_bytes(), "calibconst.pkl")[0] == {name: LONGNAME}


def test_segments_of_the_data_have_to_fit(repository: calibvcs.Repository, out: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"psana needs \(3, 1, 4, 8\)"):
        repository.export_shm(out, sources=[source("jungfrau", LONGNAME, 0)], when=5)


@pytest.fixture
def xtc_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "xtc"
    folder.mkdir()
    return folder


def test_the_latest_run_of_a_folder_tells_detectors_and_time(
    repository: calibvcs.Repository, out: Path, xtc_dir: Path
) -> None:
    begin = 1_700_000_000
    detectors = {"jungfrau": ("jungfrau", ["1-2", "3-4"]), "epics": ("epics", ["9"])}
    repository.detector.add("jungfrau-000002", longname="jungfrau_1-2_3-4_5-6")
    repository.add(NAME, "pixel_rms", np.ones(SHAPE, np.float32), begin=begin + 150, message="From run 8 on")
    for run in (7, 8):
        path = xtc_dir / f"mfx1-r{run:04d}-s000-c000.xtc2"
        write_run(path, experiment="mfx1", run=run, begin=begin + 200 * (run - 7), detectors=detectors, frames=1)
    (xtc_dir / "mfx1-r0009-s000-c000.xtc2").write_bytes(b"")
    done = repository.export_shm(out, xtc_dir=xtc_dir)
    assert (done.experiment, done.run, done.time) == ("mfx1", 8, begin + 200)
    assert [(one.name, one.detector, one.longname) for one in done.detectors] == [("jungfrau", NAME, LONGNAME)]
    assert "pixel_rms" in held(out, "jungfrau")
    assert repository.check_shm(out).fresh
    assert repository.check_shm(out, xtc_dir=xtc_dir).fresh
    repository.export_shm(out, xtc_dir=xtc_dir, experiment="mfx1", run=7)
    assert "pixel_rms" not in held(out, "jungfrau")
    assert not repository.check_shm(out, xtc_dir=xtc_dir).fresh
    repository.run.mark("mfx1:7", kind="data", begin=begin + 160, end=begin + 190, message="The run table counts")
    assert repository.export_shm(out, xtc_dir=xtc_dir, run=7).time == begin + 160


def test_a_folder_without_runs_is_told(repository: calibvcs.Repository, out: Path, xtc_dir: Path) -> None:
    (xtc_dir / "mfx1-r0009-s000-c000.xtc2").write_bytes(b"")
    with pytest.raises(MissingFileError, match="no usable run"):
        repository.export_shm(out, xtc_dir=xtc_dir)


def test_only_what_was_judged_good_enough(repository: calibvcs.Repository, out: Path) -> None:
    repository.tag.create("golden", message="All looked at")
    repository.add(NAME, "pedestals", pedestals(1001), begin=0, message="Newer dark")
    with pytest.raises(TagNotAcceptedError):
        export(repository, out, at="golden", accept=["published"])
    with pytest.raises(InvalidOptionError, match="--at TAG"):
        export(repository, out, accept=["published"])
    with pytest.raises(InvalidOptionError, match="published, signed"):
        export(repository, out, at="golden", accept=["good"])
    for state in ("validated", "published"):
        repository.tag.set_state("golden", state, comment="Yes")
    export(repository, out, at="golden", accept=["published"])
    assert float(held(out)["pedestals"][0][0, 0, 0, 0]) == 1000
    assert repository.check_shm(out, detectors=[NAME], when=5, at="golden", accept=["published"]).fresh


def test_nothing_there_is_stale(repository: calibvcs.Repository, out: Path) -> None:
    assert repository.check_shm(out, detectors=[NAME], when=5).differences == ("nothing was exported there",)
    export(repository, out)
    (out / "calibvcs" / "index.json").write_text("{}")
    assert repository.check_shm(out).differences == ("calibvcs/index.json cannot be understood",)


def test_a_commit_that_changes_nothing_here_is_told_apart(repository: calibvcs.Repository, out: Path) -> None:
    export(repository, out)
    assert repository.check_shm(out).fresh
    repository.detector.add("opal1000-1")
    checked = repository.check_shm(out)
    assert not checked.fresh
    assert checked.same_constants
    assert checked.differences[0].startswith("commit: ")
    assert checked.newest == repository.commit


def test_every_difference_is_named(repository: calibvcs.Repository, out: Path) -> None:
    run = [source("jungfrau", LONGNAME, 0, 1)]
    repository.export_shm(out, sources=run, when=5)
    repository.add(NAME, "pedestals", pedestals(1001), begin=0, message="Newer dark")
    repository.add(NAME, "pixel_rms", np.ones(SHAPE, np.float32), begin=0, message="RMS")
    (out / "calibconst.pkl").write_bytes(b"psana was here")
    next((out / "calibvcs").glob("*.npy")).unlink()
    other = [source("jungfrau", "jungfrau_9", 0, 1), source("hsd", "hsd_1")]
    assert len(repository.check_shm(out).differences) == 5
    text = "\n".join(repository.check_shm(out, sources=other, when=5).differences)
    for part in [
        "jungfrau: unique id jungfrau_1-2_3-4 there, jungfrau_9 now", "jungfrau: jungfrau-000001 there, no detector in the repository",
        "jungfrau/pedestals: 0-end v1 there, nothing in the repository", "hsd: it is missing there",
        "calibconst.pkl: it is not the file that was written", ".npy: it is gone",
    ]:  # fmt: skip
        assert part in text
    text = "\n".join(repository.check_shm(out).differences)
    assert "jungfrau/pedestals: 0-end v1 there, 0-end v2 in the repository" in text
    assert "jungfrau/pixel_rms: nothing there, 0-end v1 in the repository" in text


def test_a_withdrawn_constant_is_not_written(repository: calibvcs.Repository, out: Path) -> None:
    repository.withdraw(f"{NAME}/pixel_status/0-end", message="Wrong")
    done = export(repository, out)
    assert set(held(out)) == {"pedestals"}
    assert any("no pixel_status is valid" in note for note in done.notes)
