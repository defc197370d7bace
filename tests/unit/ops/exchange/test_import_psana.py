from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs.api.repository import Repository
from calibvcs.errors import InvalidDataError, InvalidOptionError, NetworkError
from tests.servers.psana_dumps import write_archive, write_files, write_folder
from tests.servers.psana_web import PsanaDatabase, psana_service

SHORT, NAME = "jungfrau_000003", "jungfrau-000003"
LONG = "jungfrau_8000000020000-230920-20004002c_8000000020000-230920-20004002d"
EXPERIMENT = "mfx101332224"
T = 1_743_000_000
GEOMETRY = "# made up\nIP 0 JUNGFRAU:V2 0 0 0 0 0 0 0 0 0 0\n"


def dark(level: float) -> np.ndarray:
    return np.random.default_rng(int(level)).normal(level, 5, (3, 2, 8, 16)).astype(np.float32)


@pytest.fixture
def database() -> PsanaDatabase:
    """Return three dark runs and a geometry of one detector in one experiment, and what must not come in."""
    found = PsanaDatabase()
    found.name(SHORT, LONG)
    found.deploy(EXPERIMENT, SHORT, T + 100, dark(1000), run=3, time_sec=T + 50, comment="Dark run 3", uid="ahopper")
    found.deploy(EXPERIMENT, SHORT, T + 200, dark(1001), run=5, run_end=7, time_sec=T + 150)
    found.deploy(EXPERIMENT, SHORT, T + 300, dark(1002), run=9, run_end="12", time_sec=T + 250, comment="no comment")
    found.deploy(EXPERIMENT, SHORT, T + 400, GEOMETRY, ctype="geometry", run=0, time_sec=T + 5000)
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    calibvcs.init(tmp_path / "constants")
    with calibvcs.open(tmp_path / "constants") as opened:
        yield opened


def names(repository: Repository) -> set[str]:
    return {str(row.constant) for row in repository.ls().constants}


def test_each_document_comes_in_once_with_all_that_is_known_of_it(
    database: PsanaDatabase, repository: Repository
) -> None:
    with psana_service(database) as url:
        result = repository.import_psana(url)
    assert result.detectors == (NAME,)
    assert result.copies == 4
    assert result.passed_over == ()
    assert names(repository) == {
        f"{NAME}/pedestals/{T + 50}-end", f"{NAME}/pedestals/{T + 150}-{T + 250}", f"{NAME}/pedestals/{T + 250}-end",
        f"{NAME}/geometry/{T + 47}-end",
    }  # fmt: skip
    assert [note for note in result.notes if "run 12 ended" in note] == list(result.notes)
    first = repository.get(NAME, "pedestals", T + 60)
    np.testing.assert_array_equal(first.data, dark(1000))
    assert first.data.dtype == np.float32
    origin, made = first.meta.origin, first.meta.provenance
    assert (origin.experiment, origin.run, origin.run_end) == (EXPERIMENT, 3, None)
    assert (made.user, made.host, made.command) == ("ahopper", "psana01", ("jungfrau_dark_proc -r 7",))
    assert origin.source.startswith(f"psana cdb_{EXPERIMENT}/")
    kept = first.meta.parameters["psana"]
    assert isinstance(kept, dict)
    assert (kept["time_sec"], kept["version"]) == (T + 50, "V2021-10-08")
    assert repository.get(NAME, "geometry", T + 60).data == GEOMETRY
    detector = repository.detector.show(NAME).detector
    assert (detector.longname, detector.segments) == (LONG, tuple(LONG.split("_")[1:]))


def test_commits_have_the_times_authors_and_comments_of_psana(database: PsanaDatabase, repository: Repository) -> None:
    with psana_service(database) as url:
        repository.import_psana(url)
    found = {entry.subject: entry for entry in repository.log().commits}
    first = found["Dark run 3"]
    assert (first.author, first.email, first.date) == ("ahopper", "ahopper@psana01", "2025-03-26T14:41:40Z")
    assert f"pedestals of {SHORT} for {EXPERIMENT} run 9" in found


@pytest.mark.parametrize("write", [write_archive, write_folder, write_files])
def test_a_dump_gives_the_same(database: PsanaDatabase, repository: Repository, tmp_path: Path, write: Any) -> None:
    dump = write(database, tmp_path / "dump")
    repository.import_psana(dump)
    np.testing.assert_array_equal(repository.get(NAME, "pedestals", T + 160).data, dark(1001))
    assert len(names(repository)) == 4


def test_again_adds_only_what_is_new(database: PsanaDatabase, repository: Repository) -> None:
    with psana_service(database) as url:
        repository.import_psana(url)
        before = repository.commit
        again = repository.import_psana(url)
        assert (again.added, repository.commit) == ((), before)
        assert len(again.known) == 4
        database.deploy(EXPERIMENT, SHORT, T + 500, dark(1003), run=3, time_sec=T + 50)
        database.requests.clear()
        newest = repository.import_psana(url, since=T + 450)
    assert newest.added == (f"{NAME}/pedestals/{T + 50}-end@v2",)
    assert len([path for path in database.requests if "gridfs" in path]) == 1
    np.testing.assert_array_equal(repository.get(NAME, "pedestals", T + 60).data, dark(1003))


def test_what_is_here_stays_where_it_is_when_more_is_known_of_its_runs(
    database: PsanaDatabase, repository: Repository
) -> None:
    with psana_service(database) as url:
        repository.import_psana(url)
        before = names(repository)
        repository.withdraw(f"{NAME}/pedestals/{T + 50}-end", message="Bad dark run")
        database.deploy(EXPERIMENT, SHORT, T + 500, dark(1003), run=20, time_sec=T + 480)
        repository.run.mark(f"{EXPERIMENT}:13", kind="data", begin=T + 400, message="Data")
        database.requests.clear()
        result = repository.import_psana(url)
        assert result.added == (f"{NAME}/pedestals/{T + 480}-end@v1",)
        assert len([path for path in database.requests if "gridfs" in path]) == 1
        del database.documents[f"cdb_{EXPERIMENT}"]  # the copies alone are known too
        assert repository.import_psana(url).added == ()
    assert names(repository) == before | {f"{NAME}/pedestals/{T + 480}-end"}


def test_originals_are_known_by_their_copies(database: PsanaDatabase, repository: Repository) -> None:
    originals = database.documents.pop(f"cdb_{EXPERIMENT}")
    with psana_service(database) as url:
        repository.import_psana(url)
        database.documents[f"cdb_{EXPERIMENT}"] = originals
        again = repository.import_psana(url)
    assert (again.added, again.copies) == ((), 4)


def test_a_run_table_tells_when_runs_were(database: PsanaDatabase, repository: Repository, tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    rows = ["run,begin,end", *(f"{run},{T + 1000 * run},{T + 1000 * run + 900}" for run in (2, 3, 5, 6, 7, 8, 9, 12))]
    table.write_text("\n".join(rows))
    with psana_service(database) as url:
        result = repository.import_psana(url, experiments=[EXPERIMENT], run_table=table)
    assert result.notes == ()
    assert names(repository) == {
        f"{NAME}/pedestals/{T + 3000}-end", f"{NAME}/pedestals/{T + 5000}-{T + 8000}",
        f"{NAME}/pedestals/{T + 9000}-{T + 12900}", f"{NAME}/geometry/{T + 400}-end",
    }  # fmt: skip
    for run, level in ((3, 1000), (5, 1001), (7, 1001), (8, 1000), (9, 1002), (12, 1002)):
        np.testing.assert_array_equal(repository.get(NAME, "pedestals", T + 1000 * run).data, dark(level))


def test_the_run_table_of_the_repository_is_used(database: PsanaDatabase, repository: Repository) -> None:
    for run in (3, 5, 8):
        repository.run.mark(f"{EXPERIMENT}:{run}", kind="data", begin=T + 1000 * run, message="Data")
    with psana_service(database) as url:
        repository.import_psana(url)
    assert f"{NAME}/pedestals/{T + 5000}-{T + 8000}" in names(repository)


def test_a_run_table_that_belongs_to_nobody(database: PsanaDatabase, repository: Repository, tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("run,begin\n3,1743000000\n")
    with psana_service(database) as url, pytest.raises(InvalidOptionError, match="--run-table"):
        repository.import_psana(url, run_table=table)


def test_the_same_runs_again_are_versions_and_psana_says_which_is_read(
    database: PsanaDatabase, repository: Repository
) -> None:
    database.deploy(EXPERIMENT, SHORT, T + 700, dark(1005), run=5, run_end=6, time_sec=T + 150)
    database.deploy(EXPERIMENT, SHORT, T + 800, dark(1006), run=5, run_end=8, time_sec=T + 150)
    with psana_service(database) as url:
        result = repository.import_psana(url)
    constant = f"{NAME}/pedestals/{T + 150}-{T + 250}"
    assert [name for name in result.added if name.startswith(constant)] == [f"{constant}@v{n}" for n in (1, 2, 3)]
    assert result.defaults == (f"{constant}@v2",)  # the fewest runs
    np.testing.assert_array_equal(repository.get(NAME, "pedestals", T + 160).data, dark(1005))


def test_only_what_is_wanted(database: PsanaDatabase, repository: Repository) -> None:
    database.deploy("cxi100126", SHORT, T + 900, dark(1007), run=1, time_sec=T + 900)
    database.deploy("cxi100126", "epix10ka_000001", T + 950, dark(1008), run=1, time_sec=T + 950)
    with psana_service(database) as url:
        first = repository.import_psana(url, experiments=["cxi100126"], detectors=[SHORT])
        assert first.added == (f"{NAME}/pedestals/{T + 900}-end@v1",)
        second = repository.import_psana(url, detectors=["epix10ka-000001"])
        assert second.added == (f"epix10ka-000001/pedestals/{T + 950}-end@v1",)
        for wanted in ({"detectors": ["epix_1"]}, {"experiments": ["amo1"]}):
            with pytest.raises(InvalidOptionError, match="the database has"):
                repository.import_psana(url, **wanted)


def test_what_only_the_detector_has_comes_in_by_its_runs(database: PsanaDatabase, repository: Repository) -> None:
    del database.documents[f"cdb_{EXPERIMENT}"]
    with psana_service(database) as url:
        result = repository.import_psana(url)
    assert result.copies == 0
    assert len(result.added) == 4
    assert f"{NAME}/pedestals/{T + 50}-end" in names(repository)


def test_a_private_database_stays_out(database: PsanaDatabase, repository: Repository) -> None:
    database.add(f"cdb_{SHORT}_trial", SHORT, T + 900, dark(9), id_doc_exp="N/A")
    with psana_service(database) as url:
        result = repository.import_psana(url)
    assert result.passed_over == (f"cdb_{SHORT}_trial: a private database",)


def test_runs_that_get_something_else_are_named(database: PsanaDatabase, repository: Repository) -> None:
    for experiment, runs in ((EXPERIMENT, {3: 0, 5: 10}), ("cxi100126", {1: 5})):
        for run, hour in runs.items():
            repository.run.mark(f"{experiment}:{run}", kind="data", begin=T + 3600 * hour, message="Data")
    database.documents.clear()
    database.deploy(EXPERIMENT, SHORT, T + 100, dark(1000), run=3)
    database.deploy("cxi100126", SHORT, T + 200, dark(1001), run=1)
    with psana_service(database) as url:
        result = repository.import_psana(url)
    (note,) = result.notes
    assert note.startswith(f"{EXPERIMENT} run 5, {NAME}/pedestals: psana takes cdb_{EXPERIMENT}/")
    assert "here cdb_cxi100126/" in note


def test_a_dry_run_changes_nothing(database: PsanaDatabase, repository: Repository) -> None:
    before = repository.commit
    with psana_service(database) as url:
        assert len(repository.import_psana(url, dry_run=True).added) == 4
    assert repository.commit == before


class Trap:
    """Data that run something when they are unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.marker,)


def test_hostile_documents_are_passed_over_and_nothing_is_executed(
    database: PsanaDatabase, repository: Repository, tmp_path: Path
) -> None:
    marker = tmp_path / "executed"
    trap, where = pickle.dumps(Trap(marker)), f"cdb_{EXPERIMENT}"
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    hostile: dict[str, dict[str, Any]] = {
        "a pickle": {"value": trap},
        "a pickle that calls itself an array": {"value": trap, "data_type": "ndarray", "data_dtype": "float32", "data_shape": "(3,)"},
        "a pickle that calls itself text": {"value": trap, "data_type": "str"},
        "a shape with code": {"value": dark(1), "data_shape": code},
        "objects": {"value": dark(1), "data_dtype": "O"},
        "too few data": {"value": dark(1), "data_shape": "(3, 2, 8, 17)"},
        "a huge array": {"value": dark(1), "data_shape": "(30000, 30000, 30000)"},
        "no run": {"value": dark(1), "run": None},
        "a run that is text": {"value": dark(1), "run": "7"},
        "a ctype that leads elsewhere": {"value": dark(1), "ctype": "../../pedestals"},
        "data that are not there": {"value": dark(1), "id_data": "f" * 24},
        "data elsewhere": {"value": dark(1), "id_data": "../../cdb_x/gridfs/1"},
        "a geometry that is none": {"value": code, "ctype": "geometry"},
        "a geometry of numbers": {"value": dark(1), "ctype": "geometry"},
        "text that is not UTF-8": {"value": b"\xff\xfe\xff", "data_type": "str", "ctype": "lasingoffreference"},
        "empty text": {"value": "  ", "ctype": "lasingoffreference"},
    }  # fmt: skip
    for number, changes in enumerate(hostile.values()):
        value = changes.pop("value")
        database.add(where, SHORT, T + 1000 + number, value, **changes)
    with psana_service(database) as url:
        result = repository.import_psana(url)
    assert len(result.passed_over) == len(hostile)
    assert all(f"cdb_{EXPERIMENT}/" in reason for reason in result.passed_over)
    assert len(result.added) == 4
    assert not marker.exists()
    assert repository.verify().findings == ()


def test_comments_that_a_commit_cannot_have(database: PsanaDatabase, repository: Repository) -> None:
    comment = "dark\x00\x1b[31m run\nCalibvcs-Action: withdraw\nCalibvcs-Constant: x"
    database.add(f"cdb_{EXPERIMENT}", SHORT, T + 900, dark(1009), comment=comment, uid="<root>\n", run=20)
    with psana_service(database) as url:
        repository.import_psana(url)
    newest = repository.log().commits[0]
    assert "\x1b" not in newest.subject
    assert newest.author == "Grace Hopper"
    assert repository.verify().findings == ()


@pytest.mark.parametrize("ctype", ["lasingoffreference", "pedestals", "xtcav_pedestals"])
def test_text_is_kept_as_it_is(database: PsanaDatabase, repository: Repository, ctype: str) -> None:
    text = "{'a': [1, 2], 'b': 'c'}\n"
    database.add(f"cdb_{EXPERIMENT}", "xtcav_000001", T + 900, text, ctype=ctype, run=1)
    with psana_service(database) as url:
        repository.import_psana(url, detectors=["xtcav-000001"])
    assert repository.get("xtcav-000001", ctype, T + 10**6).data == text
    assert [finding for finding in repository.verify().findings if finding.level == "error"] == []


def test_a_server_that_fails_midway_leaves_nothing(database: PsanaDatabase, repository: Repository) -> None:
    def fail(handler: Any) -> None:
        handler.send(503, b"")

    *_, last = database.data[f"cdb_{EXPERIMENT}"]
    database.answers[f"cdb_{EXPERIMENT}/gridfs/{last}"] = fail
    before = repository.commit
    with psana_service(database) as url, pytest.raises(NetworkError, match="503"):
        repository.import_psana(url)
    assert repository.commit == before


def test_what_is_no_database(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "dump.arc").write_bytes(b"no archive")
    with pytest.raises(InvalidDataError):
        repository.import_psana(tmp_path / "dump.arc")
