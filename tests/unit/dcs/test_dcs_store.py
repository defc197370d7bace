"""Every method of the published interface, over a repository and over a file: the same script, the same results."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

import calibvcs
from calibvcs.dcs import DCRange, DCStore, DCType, DCVersion
from calibvcs.errors import (
    AlreadyExistsError,
    EmptyCommentError,
    GateRefusedError,
    InvalidDataError,
    InvalidNameError,
    InvalidOptionError,
    InvalidRangeError,
    InvalidTimeError,
    LockedError,
    NoValidConstantError,
    UnknownConstantError,
    UnknownDetectorError,
    UnknownRunError,
    UnknownVersionError,
)

DETECTOR = "opal1000-1"
BEGIN, END = 1_471_000_000, 1_471_086_400
PSANA_1990 = 631_152_000
GEOMETRY = "# geometry\n\nIP 0 CSPAD2X1:V1 0  0 0 0  0 0 0  0 0 0\n"

Make = Callable[[], DCStore]


def pixels(value: float) -> np.ndarray:
    return np.full((4, 5), value, np.float32)


@pytest.fixture(params=["repository", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Return what opens a new store, and opens it again."""
    opened: list[DCStore] = []

    def again() -> DCStore:
        where = tmp_path / f"{DETECTOR}.h5" if request.param == "file" else tmp_path / "constants"
        opened.append(DCStore(where) if request.param == "file" else DCStore(where, DETECTOR))
        return opened[-1]

    calibvcs.init(tmp_path / "constants")
    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(make: Make) -> DCStore:
    """Return a store with two ranges of pedestals, the first one with two versions."""
    store = make()
    first = store.add_ctype("pedestals").add_range(BEGIN, END)
    first.add_version(tsprod=BEGIN + 10).add_calib(pixels(1))
    first.add_version(tsprod=BEGIN + 20, nda=pixels(2))
    store.add_ctype("pedestals").add_range(END).add_version(tsprod=END + 10, nda=pixels(3))
    store.save("Dark runs")
    return store


@pytest.fixture
def script(tmp_path: Path) -> DCStore:
    """Return a store over a repository, with a run table."""
    calibvcs.init(tmp_path / "constants")
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add(DETECTOR)
        for value, begin in ((1, BEGIN), (2, END)):
            repository.add(DETECTOR, "pedestals", pixels(value), begin=begin, message=f"Dark {value}")
        repository.run.mark("cxi01516:7", kind="data", begin=END + 5, message="Data")
    return DCStore(tmp_path / "constants", DETECTOR)


# --- the detector


def test_names_of_the_detector(make: Make) -> None:
    store = make()
    assert (store.dettype(), store.detid(), store.detname()) == ("opal1000", "1", DETECTOR)
    assert (store.predecessor(), store.successor(), store.ctypes()) == (None, None, [])


def test_time_of_the_store(store: DCStore, make: Make) -> None:
    store.set_tscfile(1_400_000_000.5)
    assert store.tscfile() == 1_400_000_000.5
    store.save("When it was made")
    assert make().tscfile() == 1_400_000_000.5


def test_names_may_be_written_in_upper_case(store: DCStore, make: Make) -> None:
    store.set_dettype("OPAL1000")
    store.set_detid("1")
    store.set_detname("OPAL1000-1")
    store.save("As the DAQ writes it")
    assert (make().dettype(), make().detid(), make().detname()) == ("OPAL1000", "1", "OPAL1000-1")


def test_lineage_in_a_file(tmp_path: Path) -> None:
    with DCStore(tmp_path / "cspad-2.h5") as store:
        store.set_predecessor("cspad-1")
        store.set_successor("cspad-3")
        store.save("Replaced")
    with DCStore(tmp_path / "cspad-2.h5") as store:
        assert (store.predecessor(), store.successor()) == ("cspad-1", "cspad-3")
        store.set_predecessor(None)
        assert store.predecessor() is None
        with pytest.raises(InvalidNameError):
            store.set_successor("no name")


def test_lineage_in_a_repository(script: DCStore, tmp_path: Path) -> None:
    script.set_predecessor("cspad-1")
    with pytest.raises(UnknownDetectorError):
        script.save("Replaced")
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.detector.add("cspad-1")
        script.save("Replaced")
        assert repository.detector.show(DETECTOR).detector.predecessor == "cspad-1"
    assert DCStore(tmp_path / "constants", DETECTOR).predecessor() == "cspad-1"
    script.set_predecessor(DETECTOR)
    with pytest.raises(InvalidOptionError, match="follow itself"):
        script.save("Wrong")


def test_a_detector_of_a_repository_keeps_its_name(script: DCStore) -> None:
    script.set_detname("cspad-9")
    with pytest.raises(InvalidOptionError, match="upper case"):
        script.save("Other")


# --- ctypes, ranges, versions


def test_ctypes(store: DCStore, make: Make) -> None:
    added = store.add_ctype("pixel_rms")
    assert isinstance(added, DCType)
    assert added.ctype() == "pixel_rms"
    assert store.add_ctype("pixel_rms") is added is store.ctypeobj("pixel_rms")
    assert store.ctypes() == ["pedestals", "pixel_rms"]
    assert store.ctypeobj("pixel_gain") is None
    store.save("A ctype without ranges")
    assert make().ctypes() == ["pedestals", "pixel_rms"]
    assert (store.del_ctype("pixel_rms"), store.del_ctype("pixel_rms")) == ("pixel_rms", None)
    store.save("Not needed")
    assert make().ctypes() == ["pedestals"]
    with pytest.raises(InvalidNameError):
        store.add_ctype("no name")


def test_ranges(store: DCStore, make: Make) -> None:
    pedestals = store.ctypeobj("pedestals")
    assert pedestals.ranges() == [f"{BEGIN}-{END}", f"{END}-end"]
    first, last = (pedestals.rangeobj(key) for key in pedestals.ranges())
    assert isinstance(first, DCRange)
    assert (first.begin(), first.end(), last.begin(), last.end()) == (BEGIN, END, END, "end")
    assert pedestals.rangeobj(BEGIN, END) is first
    assert pedestals.rangeobj(END) is pedestals.rangeobj(END, "end") is last
    assert pedestals.rangeobj(5) is None
    assert pedestals.add_range(BEGIN, END) is first
    with pytest.raises(InvalidRangeError):
        pedestals.add_range(END, BEGIN)
    pedestals.add_range(7, 9)
    store.save("A range without versions")
    assert make().ctypeobj("pedestals").ranges() == ["7-9", f"{BEGIN}-{END}", f"{END}-end"]
    assert make().ctypeobj("pedestals").rangeobj(7, 9).versions() == []
    assert pedestals.del_range(7, 9) == "7-9"
    assert pedestals.del_range(7, 9) is None
    store.save("Not needed")
    assert make().ctypeobj("pedestals").ranges() == [f"{BEGIN}-{END}", f"{END}-end"]


def test_a_deleted_range_is_not_chosen(store: DCStore, make: Make) -> None:
    assert store.ctypeobj("pedestals").del_range(f"{END}-end") == f"{END}-end"
    store.save("The shutter was open")
    with pytest.raises(NoValidConstantError, match=f"{BEGIN}-{END}"):
        make().pedestals(END + 100)
    added = store.ctypeobj("pedestals").add_range(END)
    added.add_version(nda=pixels(4))
    store.save("Once more")
    assert make().pedestals(END + 100)[0, 0] == 4
    assert make().ctypeobj("pedestals").rangeobj(END).versions() == added.versions()


def test_versions(store: DCStore, make: Make) -> None:
    first = store.ctypeobj("pedestals").rangeobj(BEGIN, END)
    assert (first.versions(), first.versdef()) == ([1, 2], 2)
    version = first.versobj(1)
    assert isinstance(version, DCVersion)
    assert version.tsprod() == BEGIN + 10
    assert np.array_equal(version.calib(), pixels(1))
    assert version.calib().dtype == np.float32
    assert first.versobj() is first.versobj(2)
    assert first.versobj(BEGIN + 15.5) is version
    assert first.versobj(3) is None
    assert first.add_version(nda=pixels(5)).vnum() == 3
    store.save("Dark run 5")
    assert (first.versions(), make().pedestals(BEGIN)[0, 0]) == ([1, 2, 3], 5)
    with pytest.raises(InvalidOptionError, match="4 or more"):
        first.add_version(2)


def test_default_version(store: DCStore, make: Make) -> None:
    first = store.ctypeobj("pedestals").rangeobj(BEGIN, END)
    first.set_versdef(1)
    store.save("The first one was better")
    again = make().ctypeobj("pedestals").rangeobj(BEGIN, END)
    assert (again.versdef(), again.versions()) == (1, [1, 2])
    assert make().pedestals(BEGIN)[0, 0] == 1
    first.add_version(nda=pixels(5))
    store.save("It stays the default, as nobody said otherwise")
    assert make().pedestals(BEGIN)[0, 0] == 1
    first.set_versdef(None)
    store.save("The last one is")
    assert make().pedestals(BEGIN)[0, 0] == 5
    with pytest.raises(UnknownVersionError):
        first.set_versdef(9)


def test_a_deleted_version_is_not_shown(store: DCStore, make: Make) -> None:
    first = store.ctypeobj("pedestals").rangeobj(BEGIN, END)
    assert first.del_version() == 2
    assert first.del_version(8) is None
    store.save("It was warm")
    assert make().ctypeobj("pedestals").rangeobj(BEGIN, END).versions() == [1]
    assert make().pedestals(BEGIN)[0, 0] == 1
    with pytest.raises(UnknownVersionError):
        make().get("pedestals", BEGIN, 2)
    new = first.add_version(nda=pixels(6)).vnum()
    store.save("Again")
    assert make().ctypeobj("pedestals").rangeobj(BEGIN, END).versions() == [1, new]
    assert make().pedestals(BEGIN)[0, 0] == 6


def test_production_time(store: DCStore, make: Make) -> None:
    version = store.ctypeobj("pedestals").rangeobj(BEGIN, END).versobj(2)
    version.set_tsprod(BEGIN + 0.25)
    store.save("By the log")
    assert make().ctypeobj("pedestals").rangeobj(BEGIN, END).versobj(2).tsprod() == BEGIN + 0.25


def test_a_version_needs_data(store: DCStore) -> None:
    version = store.ctypeobj("pedestals").rangeobj(BEGIN, END).add_version()
    for use in (version.calib, lambda: store.save("Nothing")):
        with pytest.raises(InvalidDataError, match="no data"):
            use()


# --- reading


def test_choosing(store: DCStore) -> None:
    assert store.get("pedestals", BEGIN)[0, 0] == 2
    assert store.get("pedestals", BEGIN, vers=1)[0, 0] == 1
    assert store.get("pedestals", BEGIN, vers=BEGIN + 12.0)[0, 0] == 1
    assert store.pedestals(END + 1)[0, 0] == 3
    with pytest.raises(NoValidConstantError, match=f"{BEGIN}-{END}"):
        store.pedestals(BEGIN - 1)
    with pytest.raises(UnknownConstantError, match=f"{DETECTOR}/pedestals"):
        store.get("pedestal", BEGIN)
    with pytest.raises(InvalidOptionError, match="version"):
        store.get("pedestals", BEGIN, vers="last")


def test_times(store: DCStore) -> None:
    stamp = (END - PSANA_1990) << 32 | 999
    event = SimpleNamespace(timestamp=stamp)
    for tsp in (
        END,
        float(END),
        np.float64(END),
        np.int64(END),
        stamp,
        np.uint64(stamp),
        event,
        "2016-08-13T11:06:40Z",
    ):
        assert store.pedestals(tsp)[0, 0] == 3
    assert store.pedestals((END - 1 - PSANA_1990) << 32)[0, 0] == 2
    with pytest.raises(InvalidTimeError):
        store.pedestals(("cxi01516", "seven", 1))


def test_the_run_of_an_experiment(script: DCStore, tmp_path: Path) -> None:
    assert script.pedestals(("cxi01516", 7))[0, 0] == 2
    with pytest.raises(UnknownRunError):
        script.pedestals(("cxi01516", 8))
    with DCStore(tmp_path / f"{DETECTOR}.h5") as store:
        store.add_ctype("pedestals")
        with pytest.raises(InvalidTimeError, match="no table of runs"):
            store.pedestals(("cxi01516", 7))


@pytest.mark.parametrize(
    ("ctype", "dtype"),
    [
        ("pedestals", "f4"), ("pixel_status", "u2"), ("pixel_rms", "f4"), ("pixel_mask", "u1"), ("pixel_gain", "f4"),
        ("pixel_bkgd", "f4"), ("common_mode", "f8"),
    ],
)  # fmt: skip
def test_shortcuts(make: Make, ctype: str, dtype: str) -> None:
    store = make()
    data = np.arange(1, 17, dtype=dtype) if ctype == "common_mode" else np.ones((4, 5), dtype)
    store.add_ctype(ctype).add_range(0).add_version(nda=data)
    store.save("New")
    for one in (store, make()):
        found = getattr(one, ctype)(BEGIN)
        assert np.array_equal(found, data)
        assert found.dtype == data.dtype
        assert np.array_equal(getattr(one, ctype)(BEGIN, 1), data)


def test_geometry_is_text(make: Make) -> None:
    store = make()
    store.add_ctype("geometry").add_range(0).add_version(nda=GEOMETRY)
    store.save("Measured")
    assert store.geometry(BEGIN) == make().geometry(BEGIN) == make().get("geometry", BEGIN) == GEOMETRY


def test_what_is_not_saved_is_seen_by_nobody_else(store: DCStore, make: Make) -> None:
    store.ctypeobj("pedestals").rangeobj(BEGIN, END).add_version(nda=pixels(9))
    assert store.pedestals(BEGIN)[0, 0] == 9
    assert make().pedestals(BEGIN)[0, 0] == 2
    store.load()
    assert store.pedestals(BEGIN)[0, 0] == 2


# --- parameters and history, on all four levels


def levels(store: DCStore) -> list[DCStore | DCType | DCRange | DCVersion]:
    pedestals = store.ctypeobj("pedestals")
    of_range = pedestals.rangeobj(BEGIN, END)
    return [store, pedestals, of_range, of_range.versobj()]


def free(parameters: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in parameters.items() if not key.startswith("calibvcs_")}


def test_parameters(store: DCStore, make: Make) -> None:
    values = {"experiment": "cxi01516", "run": 7, "bias": 300.5, "roi": [1, 2], "text": ""}
    for level in levels(store):
        assert free(level.dictpars()) == {}
        assert level.par("bias") is None
        for key, value in values.items():
            level.add_par(key, value)
        level.add_par("run", np.int32(7))
        level.dictpars().clear()
        with pytest.raises(InvalidOptionError, match="reserved"):
            level.add_par("calibvcs_commit", "mine")
        with pytest.raises(InvalidOptionError):
            level.add_par("file", open)
    store.save("Noted")
    for level in levels(make()):
        assert free(level.dictpars()) == values
        assert level.par("bias") == 300.5
        assert type(level.par("run")) is int
    for level in levels(store):
        level.del_par("run")
        level.del_par("never")
    store.save("Wrong run")
    for level in levels(make()):
        assert level.par("run") is None
        assert level.par("bias") == 300.5
    for level in levels(store):
        level.set_dictpars({"bias": 301.5, "new": "x"})
    store.save("Anew")
    for level in levels(make()):
        assert free(level.dictpars()) == {"bias": 301.5, "new": "x"}


def test_history(store: DCStore, make: Make) -> None:
    for level in levels(store):
        level.add_history("Power cycled", 1_470_000_000)
        level.add_history("At the same time", 1_470_000_000)
        level.add_history("Now")
        with pytest.raises(InvalidOptionError):
            level.add_history("")
    store.save("Noted")
    for level in levels(make()):
        found = level.histdict()
        assert found[1_470_000_000.0] == "Power cycled"
        assert found[1_470_000_000.000001] == "At the same time"
        lines = level.history().split("\n")
        assert lines[:2] == ["2016-07-31T21:20:00 Power cycled", "2016-07-31T21:20:00 At the same time"]
        assert any(line.endswith(" Now") for line in lines)
        assert level.history("%Y").startswith("2016 Power cycled\n")


def test_what_is_noted_outlives_new_versions(store: DCStore, make: Make) -> None:
    for level in levels(store):
        level.add_par("kept", 1)
    store.save("Noted")
    first = store.ctypeobj("pedestals").rangeobj(BEGIN, END)
    first.add_version(nda=pixels(7))
    store.save("Dark run 7")
    first.set_versdef(2)
    store.save("Back")
    for level in levels(make()):
        assert level.par("kept") == 1


# --- a repository underneath


def test_a_save_is_a_commit(script: DCStore, tmp_path: Path) -> None:
    folder = tmp_path / "constants"
    before = calibvcs.open(folder).log().commits
    rms = script.add_ctype("pixel_rms")
    rms.add_par("unit", "ADU")
    rms.add_range(BEGIN).add_version(nda=pixels(5))
    script.add_ctype("pixel_gain").add_range(0).add_version(nda=pixels(1))
    script.add_par("hutch", "CXI")
    made = script.save("Dark run 12\n\nWarm.")
    with calibvcs.open(folder) as repository:
        newest, *older = repository.log().commits
        assert (newest.commit, newest.action, newest.subject, newest.body) == (made, "add", "Dark run 12", "Warm.")
        assert [entry.commit for entry in older] == [entry.commit for entry in before]
        assert {touched.constant for touched in newest.constants} == {
            f"{DETECTOR}/pixel_rms/{BEGIN}-end", f"{DETECTOR}/pixel_gain/0-end",
        }  # fmt: skip
        assert repository.param.get(f"{DETECTOR}/pixel_rms").parameters == {"unit": "ADU"}
        assert repository.param.get(DETECTOR).parameters == {"hutch": "CXI"}
        assert repository.verify(deep=True).sound
        assert script.save("Nothing new") == made == repository.commit
    assert subprocess.run(["git", "-C", folder, "status", "--porcelain"], capture_output=True, check=True).stdout == b""


def test_deletion_is_withdrawal(script: DCStore, tmp_path: Path) -> None:
    script.ctypeobj("pedestals").del_range(END)
    script.save("The shutter was open")
    with calibvcs.open(tmp_path / "constants") as repository:
        rows = {row.constant: row.withdrawn for row in repository.ls().constants}
        assert rows == {f"{DETECTOR}/pedestals/{BEGIN}-end": False, f"{DETECTOR}/pedestals/{END}-end": True}
        assert repository.get(DETECTOR, "pedestals", END + 5).data[0, 0] == 1
        assert repository.show(f"{DETECTOR}/pedestals/{END}-end").meta.withdrawn_reason == "The shutter was open"
        assert repository.verify(deep=True).sound


def test_nothing_is_written_where_something_is_refused(script: DCStore, tmp_path: Path) -> None:
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.lock(f"{DETECTOR}/pedestals/{END}-end", message="Golden")
        before = repository.commit
        script.add_ctype("pixel_rms").add_range(0).add_version(nda=pixels(5))
        script.ctypeobj("pedestals").del_range(END)
        with pytest.raises(LockedError, match="Golden"):
            script.save("Try")
        script.load()
        script.ctypeobj("pedestals").rangeobj(BEGIN).add_version(nda=pixels(0))
        with pytest.raises(GateRefusedError):
            script.save("All zero")
        assert repository.commit == before
        with pytest.raises(EmptyCommentError):
            script.save(" ")
        script.save("All zero", force_reason="A test pattern")
        assert repository.log().commits[0].forced == "A test pattern"


def test_data_of_a_version_never_change(script: DCStore) -> None:
    with pytest.raises(InvalidOptionError, match="never change"):
        script.ctypeobj("pedestals").rangeobj(BEGIN).versobj(1).add_calib(pixels(2))


def test_notes_of_an_older_version_stay(script: DCStore) -> None:
    first = script.ctypeobj("pedestals").rangeobj(BEGIN)
    first.add_version(nda=pixels(8))
    script.save("Dark")
    first.versobj(1).add_par("late", 1)
    with pytest.raises(InvalidOptionError, match="set_versdef"):
        script.save("Late")


def test_what_verbs_wrote_is_shown(script: DCStore, tmp_path: Path) -> None:
    with calibvcs.open(tmp_path / "constants") as repository:
        constant = f"{DETECTOR}/pedestals/{BEGIN}-end"
        repository.add(
            DETECTOR,
            "pedestals",
            pixels(4),
            begin=BEGIN,
            message="Dark 4",
            experiment="cxi1",
            run=4,
            parameters={"a": 1},
        )
        repository.param.set(constant, {"b": 2})
        repository.default.set(f"{constant}@v1", message="Back")
        script.load()
    version = script.ctypeobj("pedestals").rangeobj(BEGIN).versobj(2)
    assert free(version.dictpars()) == {"a": 1, "b": 2, "experiment": "cxi1", "run": 4}
    assert version.history().endswith(" Dark 4")
    assert script.ctypeobj("pedestals").rangeobj(BEGIN).versdef() == 1
    assert DCStore(tmp_path / "constants", DETECTOR.upper()).ctypes() == ["pedestals"]
    with pytest.raises(InvalidNameError):
        DCStore(tmp_path / "constants", "no name")
    with pytest.raises(InvalidOptionError, match="name of a detector"):
        DCStore(tmp_path / "constants")


def test_an_open_repository_and_an_alias(script: DCStore, tmp_path: Path) -> None:
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.alias.add("ds2", DETECTOR)
        with DCStore(repository, "ds2") as store:
            assert store.detname() == DETECTOR
            store.add_par("by", "alias")
            store.save("By its alias")
        assert repository.param.get(DETECTOR).parameters == {"by": "alias"}


# --- a file underneath


def test_the_file_is_one_of_the_original_schema(tmp_path: Path) -> None:
    path = tmp_path / f"{DETECTOR}.h5"
    with DCStore(path) as store:
        store.set_tscfile(BEGIN)
        of_range = store.add_ctype("pedestals").add_range(BEGIN + 0.5)
        of_range.add_version(tsprod=BEGIN + 2, nda=pixels(1)).add_par("run", 7)
        store.save("Dark run 7")
    with h5py.File(path) as file:
        group = file[f"pedestals/{BEGIN}-end"]
        assert (group["begin"][0], group["end"][0], group["versdef"][0]) == (BEGIN + 0.5, b"end", 0)
        assert (group["v0001/tsprod"][0], group["v0001/_parameters/run"][0]) == (BEGIN + 2, 7)
        assert np.array_equal(group["v0001/data"], pixels(1))
        assert (file["detname"][0], file["tscfile"][0]) == (DETECTOR.encode(), BEGIN)
        assert [text[0] for text in file["_history"].values()] == [b"Dark run 7"]


def test_a_file_that_somebody_else_changed_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / f"{DETECTOR}.h5"
    with DCStore(path) as one, DCStore(path) as other:
        one.add_par("a", 1)
        one.save("First")
        other.add_par("b", 2)
        with pytest.raises(AlreadyExistsError, match="newer state"):
            other.save("Second")
        other.load()
        other.add_par("b", 2)
        other.save("Second")
        one.load()
        assert one.dictpars() == {"a": 1, "b": 2}


def test_an_export_is_not_replaced_any_more_once_it_was_changed(script: DCStore, tmp_path: Path) -> None:
    path = tmp_path / f"{DETECTOR}.h5"
    with calibvcs.open(tmp_path / "constants") as repository:
        repository.export_hdf5(path, detectors=[DETECTOR], versions="all")
        repository.export_hdf5(path, detectors=[DETECTOR], versions="all")
        with DCStore(path) as store:
            assert store.pedestals(END)[0, 0] == 2
            store.add_par("mine", 1)
            store.save("Mine")
        with pytest.raises(AlreadyExistsError):
            repository.export_hdf5(path, detectors=[DETECTOR], versions="all")
