"""``stats``, ``trend``, ``blame``, ``bisect`` as a user calls them."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Program, dark

CONSTANT = "opal1000-1/pedestals/1000-end"


@pytest.fixture
def third(calibvcs: Program, repository: Path) -> Path:
    """Return a repository with three dark runs, the second one with a step of 20 ADU, the third with a NaN more."""
    data = dark((4, 5)) + np.float32(20)
    for name, comment in (("second", "After a power cycle"), ("third", "A dead pixel, forced in")):
        if name == "third":
            data[1, 2] = np.nan
        np.save(calibvcs.folder / f"{name}.npy", data)
        force = ["--force", "--reason", "It is dead"] if name == "third" else []
        words = ["add", "opal1000-1", "pedestals", f"{name}.npy", "--begin", "1000", "-m", comment, *force]
        calibvcs(*words, "--repo", repository)
    return repository


def test_a_morning_after(calibvcs: Program, third: Path) -> None:
    def run(*words: str, expect: int = 0) -> str:
        return calibvcs(*words, expect=expect, cwd=third).out

    stats = run("stats", CONSTANT)
    assert "pedestals/1000-end@v3  float32 4x5 ADU" in stats
    assert stats.splitlines()[-1].split()[-2:] == ["1", "0"]  # one NaN, no zero

    *lines, last = run("trend", "opal1000-1").splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["v1", "v2"]
    assert last.startswith("*  v3")
    assert last.endswith("A dead pixel, forced in")
    assert [row["median"] for row in csv.DictReader(io.StringIO(run("trend", CONSTANT, "--csv")))][1:] == [
        str(float(np.median((dark((4, 5)) + np.float32(20)).astype("f8")))),
        str(float(np.nanmedian(np.load(calibvcs.folder / "third.npy").astype("f8")))),
    ]
    bad = run("trend", CONSTANT, "--what", "bad").splitlines()
    assert [row.split()[2 + row.startswith("*")] for row in bad[2:]] == ["0", "0", "1"]
    assert "NaN, infinite or zero" in bad[0]

    blamed = run("blame", CONSTANT)
    assert "v3" in blamed
    assert "A dead pixel" in blamed
    pixel = run("blame", CONSTANT, "--pixel", "1,2").splitlines()
    assert [line.split()[0] for line in pixel[2:]] == ["v3", "v2", "v1"]
    assert pixel[2].split()[2] == "nan"

    test = (
        f"{sys.executable} -c 'import sys, numpy; print(7); sys.exit(bool(numpy.isnan(numpy.load(sys.argv[1])).any()))'"
    )
    done = calibvcs("bisect", CONSTANT, "--run", test, cwd=third)
    assert f"{CONSTANT}@v3 is the first bad one, after v2" in done.out
    assert "1 of 20 values differ" in done.out
    assert "7" not in done.out.splitlines()[0].replace("1000", "")
    assert [line.split()[:2] for line in done.err.splitlines() if line.startswith("v")] == [
        ["v1", "good"], ["v3", "bad"], ["v2", "good"],
    ]  # fmt: skip


def test_json(calibvcs: Program, third: Path) -> None:
    def schema(*words: str) -> dict[str, object]:
        found: dict[str, object] = calibvcs(*words, "--json", cwd=third).json
        return found

    assert schema("stats", CONSTANT)["schema"] == "calibvcs.stats/1"
    assert len(schema("trend", CONSTANT)["lines"]) == 3  # type: ignore[arg-type]
    assert schema("blame", CONSTANT)["blocks"] == [{"gain": None, "segment": None, "commit": _tip(calibvcs, third)}]
    assert schema("blame", CONSTANT, "--pixel", "0,0")["schema"] == "calibvcs.pixel-history/1"
    size = f"{sys.executable} -c 'import sys; sys.exit(chr(51) in sys.argv[1][-5])'"
    found = schema("bisect", CONSTANT, "--run", size)
    assert (found["schema"], found["turned"]) == ("calibvcs.bisect/1", "bad")


def _tip(calibvcs: Program, folder: Path) -> str:
    commit: str = calibvcs("stats", CONSTANT, "--json", cwd=folder).json["commit"]
    return commit


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["stats", "opal1000-1/gain"], 3, "opal1000-1/gain"), (["stats", CONSTANT, "--json", "--csv"], 2, "--json"),
        (["trend", "opal1000-1", "--what", "mode"], 2, "median, rms, bad"), (["trend"], 2, "PATTERN"),
        (["blame", CONSTANT, "--pixel", "3"], 2, "--pixel 12,40"), (["blame", CONSTANT, "--pixel", "9,9"], 2, "4 rows"),
        (["blame", CONSTANT, "--segment", "0"], 2, "no such axis"), (["blame", f"{CONSTANT}@v9"], 3, "v9"),
        (["bisect", CONSTANT], 2, "--run"), (["bisect", CONSTANT, "--run", "true"], 2, "says it is good"),
        (["bisect", CONSTANT, "--run", "no-such-program"], 3, "no-such-program"),
    ],
)  # fmt: skip
def test_mistakes(calibvcs: Program, repository: Path, words: list[str], code: int, said: str) -> None:
    done = calibvcs(*words, expect=code, cwd=repository)
    assert said in done.err
    assert not done.out or "--json" in words
