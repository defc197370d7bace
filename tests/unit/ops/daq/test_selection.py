"""Which detectors a run has, and what they are in the repository."""

from __future__ import annotations

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import InvalidNameError, InvalidOptionError, UnknownDetectorError, UnknownRunError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.daq.selection import Selection, ShmRequest, select
from calibvcs.sources.protocol import SourceDetector


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path = tmp_path_factory.mktemp("selection") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        calibvcs.init(path, bare=True)
        with calibvcs.open(path) as repository:
            for name, longname in [
                ("jungfrau-000001", "jungfrau_a-1_b-2_c-3"), ("jungfrau-000002", "jungfrau_d-4"), ("jungfrau-000003", "jungfrau_a-1_e-5"),
                ("epix100-000001", ""), ("cspad-detnum1234", "cspad_detnum1234"), ("twin-1", "twin_x"), ("twin-2", "twin_x"),
            ]:  # fmt: skip
                repository.detector.add(name, longname=longname)
            repository.alias.add("front", "jungfrau-000001", begin=0, end=1000, message="First")
            repository.alias.add("front", "jungfrau-000002", begin=1000, message="Exchanged")
            repository.run.mark("mfx1:7", kind="data", begin=500, end=600, message="Data")
            repository.run.mark("mfx1:8", kind="data", begin=2000, end=2100, message="Data")
            repository.add("jungfrau-000002", "pixel_rms", np.ones((3, 1, 512, 1024), "f4"), begin=0, message="RMS")
            return repository._session.catalogue()


def seen(name: str, longname: str, *, normal: bool = True) -> SourceDetector:
    return SourceDetector(name, longname.split("_")[0], longname, (0,), normal)


def from_data(
    catalogue: Catalogue, *sources: SourceDetector, experiment: str = "", skip: tuple[str, ...] = ()
) -> Selection:
    return select(catalogue, ShmRequest(experiment, time=5, sources=sources, skipped=skip))


def meant(selection: Selection) -> dict[str, str]:
    return {one.source.name: str(one.detector.name) if one.detector else "" for one in selection.found}


def test_a_unique_id_finds_its_detector(catalogue: Catalogue) -> None:
    selection = from_data(catalogue, seen("jf", "jungfrau_a-1_b-2_c-3"), seen("two", "jungfrau_d-4"))
    assert meant(selection) == {"jf": "jungfrau-000001", "two": "jungfrau-000002"}
    assert selection.notes == ()


def test_some_segments_find_the_one_detector_that_has_all_of_them_and_that_is_told(catalogue: Catalogue) -> None:
    selection = from_data(catalogue, seen("jf", "jungfrau_b-2_c-3"))
    assert meant(selection) == {"jf": "jungfrau-000001"}
    assert "jf is taken for jungfrau-000001" in selection.notes[0]


@pytest.mark.parametrize(
    ("longname", "reason"),
    [
        ("jungfrau_a-1", "jungfrau-000001, jungfrau-000003 have all its segments"),
        ("jungfrau_z-9", "no detector has the unique id jungfrau_z-9"), ("jungfrau_a", "no detector has the unique id"),
        ("epix_d-4", "no detector"), ("jungfrau", "no detector"), ("", "no unique id"), ("twin_x", "twin-1, twin-2 all have"),
    ],
)  # fmt: skip
def test_what_is_not_found_is_told(catalogue: Catalogue, longname: str, reason: str) -> None:
    (found,) = from_data(catalogue, seen("jf", longname)).found
    assert found.detector is None
    assert reason in found.reason


def test_short_names_are_names_too(catalogue: Catalogue) -> None:
    assert meant(from_data(catalogue, seen("e", "epix100_000001"))) == {"e": "epix100-000001"}


def test_the_test_experiment_of_psana_has_one_detector(catalogue: Catalogue) -> None:
    selection = from_data(catalogue, seen("any", "opal_123"), experiment="xpptut15")
    assert meant(selection) == {"any": "cspad-detnum1234"}
    assert selection.sources[0].longname == "opal_123"


def test_what_is_no_detector_is_no_detector(catalogue: Catalogue) -> None:
    assert meant(from_data(catalogue, seen("epics", "epics_1", normal=False), seen("two", "jungfrau_d-4"))) == {
        "two": "jungfrau-000002"
    }


@pytest.mark.parametrize("skip", [("two",), ("all",)])
def test_skipped_ones_stay_in_the_list(catalogue: Catalogue, skip: tuple[str, ...]) -> None:
    (found,) = from_data(catalogue, seen("two", "jungfrau_d-4"), skip=skip).found
    assert found.skipped
    assert found.detector is None


@pytest.mark.parametrize(("time", "name"), [(5, "jungfrau-000001"), (1500, "jungfrau-000002")])
def test_an_alias_means_what_it_meant_then(catalogue: Catalogue, time: float, name: str) -> None:
    assert meant(select(catalogue, ShmRequest(time=time, detectors=("front",)))) == {"front": name}


def test_a_run_tells_the_time_and_without_one_it_is_the_last(catalogue: Catalogue) -> None:
    first = select(catalogue, ShmRequest("mfx1", 7, detectors=("front",)))
    assert (first.time, first.run, meant(first)) == (500, 7, {"front": "jungfrau-000001"})
    last = select(catalogue, ShmRequest("mfx1", detectors=("front",)))
    assert (last.time, last.run, meant(last)) == (2000, 8, {"front": "jungfrau-000002"})
    assert select(catalogue, ShmRequest("mfx1", 7, time=1500, detectors=("front",))).time == 1500
    data = select(catalogue, ShmRequest("mfx1", 7, sources=(seen("two", "jungfrau_d-4"),)))
    assert data.time == 500


def test_a_detector_without_unique_id_is_told(catalogue: Catalogue) -> None:
    selection = select(catalogue, ShmRequest(time=5, detectors=("epix100-000001",)))
    assert selection.sources[0].longname == "epix100_000001"
    assert "has no longname" in selection.notes[0]


@pytest.mark.parametrize(
    ("request_", "error", "text"),
    [
        (ShmRequest(time=5), InvalidOptionError, "nothing says which detectors"),
        (ShmRequest(detectors=("front",)), InvalidOptionError, "the time is not known"),
        (ShmRequest(run=7, detectors=("front",)), InvalidOptionError, "it goes with an experiment"),
        (ShmRequest("mfx1", 9, detectors=("front",)), UnknownRunError, "mfx1:9"),
        (ShmRequest("mfx1"), InvalidOptionError, "its run table names no detectors"),
        (ShmRequest("other"), InvalidOptionError, "knows no begin of a run"),
        (ShmRequest(time=5, detectors=("nope",)), UnknownDetectorError, "nope"),
        (ShmRequest(time=5, detectors=("front",), caches=("back",)), InvalidOptionError, "the detectors are front"),
        (ShmRequest(time=5, detectors=("front",), skipped=("back",)), InvalidOptionError, "the detectors are front"),
        (ShmRequest(time=5, detectors=("front",), xtc_dir="x"), InvalidOptionError, "the data tell"),
    ],
)
def test_what_cannot_be_understood_is_told(
    catalogue: Catalogue, request_: ShmRequest, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        select(catalogue, request_)


def test_names_in_the_data_never_become_paths(catalogue: Catalogue) -> None:
    hostile = seen("../x", "jungfrau_d-4")
    with pytest.raises(InvalidNameError, match="experiment"):
        from_data(catalogue, hostile, experiment="../../etc/x")
    with pytest.raises(InvalidOptionError, match="cannot be the name of a file"):
        select(catalogue, ShmRequest(time=5, sources=(hostile,), caches=("../x",)))


def test_a_request_can_be_asked_again(catalogue: Catalogue) -> None:
    for request in [
        ShmRequest("mfx1", detectors=("front",), caches=("front",)),
        ShmRequest("mfx1", 7, sources=(seen("two", "jungfrau_d-4"), seen("x", "x_1")), skipped=("x",)),
    ]:
        selection = select(catalogue, request)
        recalled = ShmRequest.recalled(request.recorded(selection))
        assert recalled is not None
        again = select(catalogue, recalled)
        assert (again.time, again.run, meant(again)) == (selection.time, selection.run, meant(selection))
        assert recalled.caches == request.caches
    assert ShmRequest.recalled({}) is None
    assert ShmRequest.recalled({**request.recorded(selection), "sources": [{"name": 3}]}) is None
