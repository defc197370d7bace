"""Run ranges as ranges of seconds, and back."""

from pathlib import Path

import pytest

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats.calib.calib_directory import RunSpan
from calibvcs.model.runs import Run, RunKind, RunTable
from calibvcs.model.validity import Validity
from calibvcs.ops.exchange.run_ranges import RunTimes, read_run_table


def times(*runs: tuple[int, int | None] | tuple[int, int | None, int | None]) -> RunTimes:
    return RunTimes(RunTable("xpp1", runs=tuple(Run(run[0], RunKind.DATA, *run[1:]) for run in runs)))


KNOWN = times((5, 500), (6, 600), (7, 700, 790), (9, 900, 990))


@pytest.mark.parametrize(
    ("span", "validity"),
    [
        ("0-end", "0-end"),
        ("5-end", "500-end"),
        ("5-5", "500-600"),
        ("0-6", "0-700"),
        ("6-7", "600-900"),  # run 8 is in no table, the next one is 9
        ("7-9", "700-990"),
        ("7-8", "700-900"),
    ],
)
def test_runs_become_seconds(span: str, validity: str) -> None:
    assert str(KNOWN.validity(RunSpan.parse(span))) == validity
    KNOWN.check()


def test_all_missing_runs_are_listed() -> None:
    known = times((5, 500), (6, None), (7, 700))
    assert [known.validity(RunSpan.parse(text)) for text in ("6-end", "3-4", "5-7", "5-20")] == [None] * 4
    with pytest.raises(InvalidDataError, match="lacks the begin of runs 3, 6, 8, 21") as caught:
        known.check()
    assert "calibvcs run mark xpp1:3" in caught.value.hint


@pytest.mark.parametrize("begins", [(500, 500), (500, 400)])
def test_begins_have_to_rise(begins: tuple[int, int]) -> None:
    with pytest.raises(InvalidDataError, match=f"run 6 begins at {begins[1]}, run 5 at 500"):
        times((5, begins[0]), (6, begins[1]))


@pytest.mark.parametrize(
    ("validity", "span", "said"),
    [
        ("0-end", "0-end", ""),
        ("500-end", "5-end", ""),
        ("100-end", "0-end", ""),
        ("100-600", "0-5", ""),
        ("501-end", "6-end", "it begins before run 6"),
        ("600-650", "6-6", "it ends in or after run 6"),
        ("700-790", "7-7", ""),
        ("700-990", "7-9", ""),
        ("901-end", None, "no run of the table begins in it"),
        ("100-500", None, "no run of the table begins in it"),
        ("501-600", None, "no run of the table begins in it"),
    ],
)
def test_seconds_become_runs(validity: str, span: str | None, said: str) -> None:
    found, told = KNOWN.span(Validity.parse(validity))
    assert (found and str(found), told) == (span, said)


def test_runs_that_a_name_cannot_have() -> None:
    late = times((9998, 100), (9999, 200), (10000, 300), (10001, 400))
    assert late.span(Validity(300)) == (None, "no run of the table begins in it")
    span, said = late.span(Validity(100, 400))
    assert str(span) == "9998-end"
    assert "above 9999" in said


def test_what_would_win_wrongly_is_left_out() -> None:
    long, short, later = Validity(510), Validity(520, 700), Validity(530)
    written, left_out = KNOWN.spans([long, short])
    assert {validity: str(one.span) for validity, one in written.items()} == {long: "6-end", short: "6-6"}
    assert not left_out
    written, left_out = KNOWN.spans([long, short, later])
    assert list(written) == [later]
    assert set(left_out) == {long, short}


def test_the_run_that_was_going_on() -> None:
    assert [KNOWN.run_at(time) for time in (499, 500, 599.9, 600, 789, 790, 800, 989.5, 990)] == [
        None, 5, 5, 6, 7, None, None, 9, None,
    ]  # fmt: skip
    assert times((5, 500)).run_at(501) is None
    assert times().run_at(501) is None


def test_a_table_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("run,begin\n5,500\n")
    assert read_run_table(tmp_path / "runs.csv", "xpp1").begin_of(5) == 500
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(MissingFileError):
            read_run_table(path, "xpp1")
