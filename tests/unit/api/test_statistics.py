"""``stats``, ``trend``, ``blame``, ``bisect`` on a real repository."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    InvalidOptionError,
    MissingProgramError,
    NotHereError,
    UnknownConstantError,
    UnknownVersionError,
)
from calibvcs.ops.statistics.bisect import Step

DETECTOR = "jungfrau-3"
PEDESTALS = f"{DETECTOR}/pedestals/0-end"
ABOVE = [sys.executable, "-c", "import sys, numpy; sys.exit(int(numpy.load(sys.argv[1]).max() > 2850))"]


def level(number: int) -> np.ndarray:
    """Return pedestals of v1, v2, ...: v2 changes segment 1 of gain 0, v3 gain 2, v4 one pixel."""
    data = np.full((3, 2, 2, 3), 2800, np.float32)
    data[1:] += 10
    if number >= 2:
        data[0, 1] += 20
    if number >= 3:
        data[2] += 100
    if number >= 4:
        data[1, 0, 1, 2] = 7
    return data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(DETECTOR, segments=["a", "b"], parameters={"panel_shape": [2, 3]})
        for number in range(1, 5):
            repository.add(DETECTOR, "pedestals", level(number), begin=0, message=f"Dark {number}\n\nLong story")
        repository.add(DETECTOR, "pedestals", level(1), begin=5000, end=6000, message="Another time")
        status = np.zeros((3, 2, 2, 3), np.uint16)
        status[0, 0, 0] = [1, 3, 4]
        repository.add(DETECTOR, "pixel_status", status, begin=0, message="Status")
        repository.add(DETECTOR, "settings", "gain = 3\n", begin=0, message="x", force_reason="New here")
    return folder


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    with calibvcs.open(folder) as repository:
        yield repository


def commit_of(repository: Repository, version: str) -> str:
    return repository.show(f"{PEDESTALS}@{version}").commit


# --- stats ------------------------------------------------------------------------------------------------------


def test_stats_of_a_version(repository: Repository) -> None:
    found = repository.stats(f"{PEDESTALS}@v2")
    assert (found.version, found.author, found.comment, found.unit) == ("v2", "Grace Hopper", "Dark 2", "ADU")
    assert [(one.gain, one.segment, one.median) for one in found.gains] == [
        (0, None, 2810.0), (1, None, 2810.0), (2, None, 2810.0),
    ]  # fmt: skip
    assert [(one.gain, one.segment, one.median) for one in found.segments[:2]] == [(0, 0, 2800.0), (0, 1, 2820.0)]
    assert found.gains[0].rms == 10.0
    assert found.segments == repository.show(f"{PEDESTALS}@v2").segments


def test_stats_at_an_older_commit(repository: Repository) -> None:
    old = commit_of(repository, "v1")
    assert repository.stats(PEDESTALS, at=old).commit == old
    assert repository.stats(f"{PEDESTALS}@{old}").gains[0].rms == 0


def test_stats_of_status_words(repository: Repository) -> None:
    gain = repository.stats(f"{DETECTOR}/pixel_status").gains[0]
    assert (gain.bad, gain.bits) == (3, {1: 2, 2: 1, 4: 1})


def test_stats_of_what_has_none(repository: Repository) -> None:
    with pytest.raises(InvalidOptionError, match="it is text"):
        repository.stats(f"{DETECTOR}/settings")
    with pytest.raises(UnknownConstantError):
        repository.stats(f"{DETECTOR}/pedestals/7-8")


# --- trend ------------------------------------------------------------------------------------------------------


def test_trend_over_history(repository: Repository) -> None:
    found = repository.trend(PEDESTALS)
    assert found.over == "history"
    assert [(line.version, line.default, line.comment) for line in found.lines] == [
        (f"v{n}", n == 4, f"Dark {n}") for n in range(1, 5)
    ]
    assert [line.gains[2].median for line in found.lines] == [2810.0, 2810.0, 2910.0, 2910.0]
    assert not found.lines[0].segments
    assert repository.trend(PEDESTALS) == found  # from the second time on nothing is read


def test_trend_marks_the_default_and_what_is_withdrawn(repository: Repository) -> None:
    repository.default.set(f"{PEDESTALS}@v2", message="Back")
    repository.withdraw(f"{DETECTOR}/pedestals/5000-6000", message="Light leak")
    found = repository.trend(f"{DETECTOR}/pedestals").lines
    assert [line.version for line in found if line.default and line.constant == PEDESTALS] == ["v2"]
    assert {line.constant.rpartition("/")[2] for line in found if line.withdrawn} == {"5000-6000"}


def test_trend_over_validity(repository: Repository) -> None:
    found = repository.trend(f"{DETECTOR}/pedestals", defaults=True)
    assert [(line.begin, line.end, line.version) for line in found.lines] == [(0, None, "v4"), (5000, 6000, "v1")]
    assert found.over == "validity"
    assert [line.begin for line in repository.trend(DETECTOR, defaults=True, since=1).lines] == [5000]
    assert [line.begin for line in repository.trend(PEDESTALS, defaults=True, until=4999).lines] == [0]


def test_trend_in_bounds_of_time(repository: Repository) -> None:
    assert not repository.trend("*", until="2001-01-01").lines
    assert len(repository.trend("*", since="2001-01-01").lines) == 6


def test_trend_of_many_tells_what_is_text(repository: Repository) -> None:
    told: list[tuple[int, int]] = []
    found = repository.trend("*", segments=True, progress=lambda done, of: told.append((done, of)))
    assert found.texts == (f"{DETECTOR}/settings/0-end",)
    assert told == [(n, 6) for n in range(1, 7)]
    assert all(len(line.segments) == 6 for line in found.lines)


def test_trend_goes_on_where_data_are_not_to_be_had(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    from calibvcs.ops.statistics import array_summaries

    def elsewhere(*_: object) -> None:
        raise NotHereError("/data/central.git", "there is no repository", blob="0" * 40)

    monkeypatch.setattr(array_summaries, "stored_array", elsewhere)
    lines = repository.trend(PEDESTALS).lines
    assert all("/data/central.git" in line.problem and not line.gains for line in lines)
    assert len(lines) == 4


# --- blame ------------------------------------------------------------------------------------------------------


def test_blame_of_every_block(repository: Repository) -> None:
    found = repository.blame(PEDESTALS)
    names = {commit.commit: commit.version for commit in found.commits}
    assert [names[block.commit] for block in found.blocks] == ["v1", "v2", "v4", "v1", "v3", "v3"]
    assert [commit.version for commit in found.commits] == ["v4", "v3", "v2", "v1"]
    assert {commit.action for commit in found.commits} == {"add"}


def test_blame_of_some(repository: Repository) -> None:
    v2, v3 = commit_of(repository, "v2"), commit_of(repository, "v3")
    assert [(b.gain, b.segment, b.commit) for b in repository.blame(PEDESTALS, gain=2, segment=1).blocks] == [
        (2, 1, v3)
    ]
    assert [block.commit for block in repository.blame(PEDESTALS, gain=0, segment=1).blocks] == [v2]
    assert len(repository.blame(PEDESTALS, segment=0).blocks) == 3


def test_blame_of_an_older_version(repository: Repository) -> None:
    found = repository.blame(f"{PEDESTALS}@v2")
    assert {commit.version for commit in found.commits} == {"v1", "v2"}


def test_what_was_brought_back_is_blamed_on_who_did_it(repository: Repository) -> None:
    restored = repository.default.set(f"{PEDESTALS}@v2", message="Back").commit
    found = repository.blame(PEDESTALS)
    assert {block.commit for block in found.blocks if (block.gain, block.segment) in {(1, 0), (2, 0), (2, 1)}} == {
        restored
    }
    (first, *_) = (commit for commit in found.commits if commit.commit == restored)
    assert (first.action, first.version, first.comment) == ("restore", "v2", "Back")
    repository.lock(PEDESTALS, message="Good")
    assert repository.blame(PEDESTALS).blocks == found.blocks


def test_blame_of_what_is_not_there(repository: Repository) -> None:
    with pytest.raises(InvalidOptionError, match="0 to 2"):
        repository.blame(PEDESTALS, gain=3)
    with pytest.raises(InvalidOptionError, match="0 to 1"):
        repository.blame(PEDESTALS, segment=2)
    with pytest.raises(InvalidOptionError, match="text"):
        repository.blame(f"{DETECTOR}/settings")


def test_another_dtype_changes_all(repository: Repository) -> None:
    wide = np.full((3, 2, 2, 3), 1, np.uint64)
    wide[0, 0, 0, 0] = 0
    repository.add(DETECTOR, "pixel_status", wide, begin=0, message="Wide", force_reason="x")
    assert len(repository.blame(f"{DETECTOR}/pixel_status").commits) == 1


# --- a pixel ----------------------------------------------------------------------------------------------------


def test_a_pixel(repository: Repository) -> None:
    found = repository.pixel_history(PEDESTALS, 1, 2, segment=0)
    assert [(change.by.version, change.values) for change in found.changes] == [
        ("v4", (2800.0, 7.0, 2910.0)), ("v3", (2800.0, 2810.0, 2910.0)), ("v1", (2800.0, 2810.0, 2810.0)),
    ]  # fmt: skip
    assert (found.unit, found.pixel.gains, found.older) == ("ADU", (0, 1, 2), "")
    found = repository.pixel_history(PEDESTALS, 1, 2, segment=0, gain=0)
    assert [change.by.version for change in found.changes] == ["v1"]


def test_integers_stay_integers(repository: Repository) -> None:
    found = repository.pixel_history(f"{DETECTOR}/pixel_status", 0, 1, segment=0, gain=0)
    assert repr(found.changes[0].values) == "(3,)"


def test_a_pixel_that_older_data_do_not_have(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-1")
        for rows in (2, 4):
            data = np.full((rows, 2), rows, np.float32)
            repository.add("opal1000-1", "pedestals", data, begin=0, message="x", force_reason="x")
        found = repository.pixel_history("opal1000-1/pedestals", 3, 1)
        assert [(change.by.version, change.values) for change in found.changes] == [("v2", (4.0,))]
        assert "2x2" in found.older
        assert not repository.pixel_history("opal1000-1/pedestals", 1, 1).older


@pytest.mark.parametrize(
    ("row", "column", "options", "said"),
    [
        (2, 0, {"segment": 0}, "2 rows and 3 columns"), (0, 3, {"segment": 0}, "2 rows"), (-1, 0, {"segment": 0}, "2 rows"),
        (0, 0, {}, "which one"), (0, 0, {"segment": 2}, "0 to 1"), (0, 0, {"segment": -1}, "0 to 1"),
        (0, 0, {"segment": 0, "gain": 3}, "0 to 2"),
    ],
)  # fmt: skip
def test_a_pixel_that_is_not_there(
    repository: Repository, row: int, column: int, options: dict[str, int], said: str
) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        repository.pixel_history(PEDESTALS, row, column, **options)


def test_what_has_no_pixels(repository: Repository) -> None:
    repository.add(DETECTOR, "common_mode", np.array([1.0, 2.0]), begin=0, message="x")
    with pytest.raises(InvalidOptionError, match="no rows and columns"):
        repository.pixel_history(f"{DETECTOR}/common_mode", 0, 0)
    with pytest.raises(InvalidOptionError, match="text"):
        repository.pixel_history(f"{DETECTOR}/settings", 0, 0)


# --- bisect -----------------------------------------------------------------------------------------------------


def test_bisect_finds_the_turn(repository: Repository) -> None:
    told: list[Step] = []
    found = repository.bisect(PEDESTALS, ABOVE, report=told.append)
    assert found.found is not None
    assert (found.found.version, found.before.version, found.turned) == ("v3", "v2", "bad")
    assert [(step.version, step.verdict) for step in found.steps] == [
        ("v1", "good"), ("v4", "bad"), ("v2", "good"), ("v3", "bad"),
    ]  # fmt: skip
    assert tuple(told) == found.steps
    assert found.difference is not None
    assert found.difference.array is not None
    assert found.difference.array.largest_median == 100


def test_bisect_finds_what_made_it_good(repository: Repository) -> None:
    below = [*ABOVE[:2], ABOVE[2].replace(">", "<=")]
    found = repository.bisect(PEDESTALS, shlex.join(below), good="v4", bad="v1")
    assert found.found is not None
    assert (found.found.version, found.turned) == ("v3", "good")


def test_bisect_puts_the_path_where_it_is_wanted(repository: Repository, tmp_path: Path) -> None:
    program = "import sys; assert sys.argv[2:] == ['--quiet']; sys.exit(sys.argv[1] != 'file=' + sys.argv[1][5:] or 'v4' in sys.argv[1])"
    found = repository.bisect(PEDESTALS, [sys.executable, "-c", program, "file={}", "--quiet"])
    assert found.found is not None
    assert found.found.version == "v4"


def test_bisect_gives_up_where_versions_are_skipped(repository: Repository) -> None:
    program = "import sys; sys.exit(0 if '-v1' in sys.argv[1] else 1 if '-v4' in sys.argv[1] else 125)"
    found = repository.bisect(PEDESTALS, [sys.executable, "-c", program])
    assert found.found is None
    assert found.candidates == ("v2", "v3", "v4")
    program = "import sys; sys.exit({'1': 0, '2': 125, '3': 1, '4': 1}[sys.argv[1][-5]])"
    assert repository.bisect(PEDESTALS, [sys.executable, "-c", program]).candidates == ("v2", "v3")


def test_equal_data_are_tested_once(repository: Repository, tmp_path: Path) -> None:
    repository.add(DETECTOR, "pedestals", level(1), begin=0, message="As it was")
    log = tmp_path / "log"
    program = f"import sys; open({str(log)!r}, 'a').write(sys.argv[1] + chr(10)); sys.exit('v4' in sys.argv[1])"
    with pytest.raises(InvalidOptionError, match="says it is good"):
        repository.bisect(PEDESTALS, [sys.executable, "-c", program])
    assert len(log.read_text().splitlines()) == 1


def test_bisect_of_text(repository: Repository) -> None:
    repository.add(DETECTOR, "settings", "gain = 4\n", begin=0, message="x")
    program = "import sys; sys.exit('4' in open(sys.argv[1]).read() and sys.argv[1].endswith('.txt'))"
    found = repository.bisect(f"{DETECTOR}/settings", [sys.executable, "-c", program])
    assert found.found is not None
    assert found.found.version == "v2"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (["true"], "says it is good"), (["false"], "says it is bad"), ("sh -c 'exit 125'", "skips it"),
        ("sh -c 'exit 128'", "ended with 128"), ("sh -c 'kill -9 $$'", "signal 9"), ("", "a program is needed"),
        ("'", "taken apart"), ("sh -c 'exit 127'", "says it is bad"),
    ],
)  # fmt: skip
def test_bisect_with_a_test_that_does_not_do(repository: Repository, run: str | list[str], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        repository.bisect(PEDESTALS, run)


def test_no_shell_reads_the_command(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError):
        repository.bisect(PEDESTALS, f"true;touch {tmp_path}/made")
    with pytest.raises(MissingProgramError, match="no-such-program"):
        repository.bisect(PEDESTALS, "no-such-program")
    assert not (tmp_path / "made").exists()


def test_bisect_of_versions_that_are_not_there(repository: Repository) -> None:
    with pytest.raises(UnknownVersionError):
        repository.bisect(PEDESTALS, ["true"], good="v9")
    with pytest.raises(InvalidOptionError, match="--good vN"):
        repository.bisect(f"{PEDESTALS}@v2", ["true"])
