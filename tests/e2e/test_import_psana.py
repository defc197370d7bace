"""``import psana`` with the installed program: from the web service and from a dump, and what a user gets wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.e2e.conftest import Program
from tests.servers.psana_dumps import write_archive
from tests.servers.psana_web import PsanaDatabase, psana_service
from tests.servers.starting import free_port

SHORT, EXPERIMENT, T = "jungfrau_000003", "mfx101332224", 1_743_000_000


@pytest.fixture
def database() -> PsanaDatabase:
    found = PsanaDatabase()
    found.name(SHORT, "jungfrau_8000000020000-230920-20004002c")
    for run in (3, 9):
        value = np.full((3, 1, 4, 8), 1000 + run, np.float32)
        fields = {"run": run, "run_end": run + 4, "time_sec": T + 100 * run, "comment": f"Dark run {run}"}
        found.deploy(EXPERIMENT, SHORT, T + 2000 + run, value, **fields)
    found.add(f"cdb_{EXPERIMENT}", SHORT, T + 3000, b"\x80\x04N.", ctype="pixel_gain")
    return found


def test_from_the_web_service_and_again(calibvcs: Program, database: PsanaDatabase) -> None:
    calibvcs("init", "constants")
    with psana_service(database) as url:
        first = calibvcs("import", "psana", url, "--repo", "constants")
        assert f"added jungfrau-000003/pedestals/{T + 300}-{T + 900}@v1" in first.out
        assert "data_type is 'any': a Python pickle, which is never loaded here" in first.out
        assert "note: jungfrau-000003/pedestals/1743000900-end stays open" in first.err
        again = calibvcs("import", "psana", url, "--repo", "constants", "--json")
    assert again.json["schema"] == "calibvcs.import/1"
    assert (again.json["added"], len(again.json["known"]), again.json["copies"]) == ([], 2, 2)
    log = calibvcs("log", "--repo", "constants").out
    assert "Author: ghopper <ghopper@psana01>" in log
    assert "Dark run 9" in log
    calibvcs("verify", "--repo", "constants")


def test_from_a_dump_with_a_run_table(calibvcs: Program, database: PsanaDatabase) -> None:
    calibvcs("init", "constants")
    write_archive(database, calibvcs.folder / "cdb.arc")
    table = calibvcs.folder / "runs.csv"
    table.write_text("run,begin,end\n" + "".join(f"{run},{T + 50 * run},{T + 50 * run + 40}\n" for run in range(1, 20)))
    words = ("import", "psana", "cdb.arc", "--run-table", table, "-e", EXPERIMENT, "--detector", SHORT)
    calibvcs(*words, "--repo", "constants", "--dry-run")
    done = calibvcs(*words, "--repo", "constants")
    assert f"added jungfrau-000003/pedestals/{T + 450}-{T + 700}@v1" in done.out
    assert done.err == ""
    calibvcs("get", "jungfrau-000003", "pedestals", "--time", str(T + 460), "-o", "out.npy", "--repo", "constants")
    assert float(np.load(calibvcs.folder / "out.npy").flat[0]) == 1009


MISTAKES: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("NOBODY",), 8, "refused"),
    (("ftp://host/ws",), 2, "http://HOST"),
    (("missing.arc",), 3, "missing.arc"),
    (("junk.arc",), 4, "does not begin as an archive"),
    (("cdb.arc", "--detector", "epix_000009"), 2, "--detector"),
    (("cdb.arc", "--detector", "../x"), 2, "not a detector name"),
    (("cdb.arc", "--experiment", "cxi1"), 2, "--experiment"),
    (("cdb.arc", "--run-table", "missing.csv", "-e", EXPERIMENT), 3, "missing.csv"),
    (("cdb.arc", "--since", "yesterday evening"), 2, "time"),
)


def test_mistakes_change_nothing(calibvcs: Program, database: PsanaDatabase) -> None:
    calibvcs("init", "constants")
    write_archive(database, calibvcs.folder / "cdb.arc")
    (calibvcs.folder / "junk.arc").write_bytes(b"junk")
    nobody = f"http://127.0.0.1:{free_port()}/ws"
    for words, code, said in MISTAKES:
        given = [nobody if word == "NOBODY" else word for word in words]
        done = calibvcs("import", "psana", *given, "--repo", "constants", expect=code)
        assert said in done.err
    assert json.loads(calibvcs("ls", "--json", "--repo", "constants").out)["constants"] == []
