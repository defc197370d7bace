"""The run table: runs become times, both ends of a run range included."""

import pytest

from calibvcs.errors import InvalidRangeError, UnknownRunError
from calibvcs.model.runs import Run, RunKind, RunReason, RunTable
from calibvcs.model.validity import Validity

TABLE = RunTable(
    "mfx101332224",
    "MFX",
    (
        Run(1, RunKind.DARK, 100, 150, RunReason.POWER_CYCLED),
        Run(2, RunKind.DATA, 200, 290),
        Run(3, RunKind.DATA),  # its begin is not known
        Run(5, RunKind.DATA, 500, 590),  # run 4 was never marked
        Run(6, RunKind.DATA, 600),  # not over
    ),
)


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        (1, 1, 100, 200),  # one run: to the begin of the next, not to its own end
        (1, 2, 100, 500),  # run 3 has no begin: the next known one counts
        (1, 5, 100, 600),
        (2, 3, 200, 500),  # the last run needs no begin
        (5, 5, 500, 600),
        (5, 6, 500, None),  # nothing is behind run 6, and it is not over
        (6, 6, 600, None),
        (2, None, 200, None),  # run 2 to end
    ],
)
def test_a_run_range_lasts_to_the_begin_of_the_next_known_run(
    first: int, last: int | None, begin: int, end: int | None
) -> None:
    assert TABLE.validity(first, last) == Validity(begin, end)


def test_the_last_known_run_ends_with_itself() -> None:
    table = RunTable("mfx1", "", (Run(1, RunKind.DATA, 100, 190), Run(2, RunKind.DATA, 200, 290)))
    assert table.validity(1, 2) == Validity(100, 290)
    assert table.validity(2, 2) == Validity(200, 290)


def test_the_pause_behind_a_run_belongs_to_it() -> None:
    assert 160 in TABLE.validity(1, 1), "run 1 ended at 150, run 2 begins at 200"
    assert 200 not in TABLE.validity(1, 1)


@pytest.mark.parametrize(("first", "last"), [(2, 1), (6, 5)])
def test_a_run_range_that_runs_backwards_is_refused(first: int, last: int) -> None:
    with pytest.raises(InvalidRangeError):
        TABLE.validity(first, last)


@pytest.mark.parametrize(("first", "last"), [(3, None), (3, 5), (4, 5), (1, 4), (7, 7), (1, 99)])
def test_a_run_that_is_not_known_is_told_with_those_that_are(first: int, last: int | None) -> None:
    with pytest.raises(UnknownRunError) as caught:
        TABLE.validity(first, last)
    assert caught.value.experiment == "mfx101332224"
    assert caught.value.known == ("1", "2", "5", "6")
    assert f"run mark mfx101332224:{caught.value.run}" in caught.value.hint


def test_the_begin_of_a_run_is_a_time() -> None:
    assert TABLE.begin_of(2) == 200
    with pytest.raises(UnknownRunError):
        TABLE.begin_of(3)


def test_a_run_that_begins_with_1970_has_a_begin() -> None:
    assert RunTable("mfx1", "", (Run(0, RunKind.DATA, 0, 5),)).validity(0, 0) == Validity(0, 5)


def test_runs_are_ordered_by_number() -> None:
    table = TABLE.marked(Run(4, RunKind.DARK, 400, 450, RunReason.OPPORTUNISTIC))
    assert [run.run for run in table.runs] == [1, 2, 3, 4, 5, 6]
    assert (table.experiment, table.instrument) == ("mfx101332224", "MFX")
    assert table.validity(1, 2) == Validity(100, 400), "what is known now ends the range earlier"


def test_a_run_that_is_marked_again_is_replaced() -> None:
    table = TABLE.marked(Run(2, RunKind.FLAT, 201))
    assert len(table.runs) == 5
    assert table.begin_of(2) == 201
    assert TABLE.begin_of(2) == 200, "the table itself does not change"


def test_a_run_can_be_taken_out() -> None:
    table = TABLE.unmarked(2)
    assert [run.run for run in table.runs] == [1, 3, 5, 6]
    assert (table.experiment, table.instrument) == ("mfx101332224", "MFX")
    with pytest.raises(UnknownRunError):
        table.unmarked(2)


def test_kinds_and_reasons_are_the_words_of_the_file() -> None:
    assert [str(kind) for kind in RunKind] == ["data", "dark", "flat", "charge-injection"]
    assert [str(reason) for reason in RunReason] == [
        "power-cycled",
        "temperature",
        "opportunistic",
        "looks-wrong",
        "other",
    ]
