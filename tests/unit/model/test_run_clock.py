from __future__ import annotations

import pytest

from calibvcs.model.run_clock import run_clock
from calibvcs.model.runs import Run, RunKind, RunTable


def table(*runs: tuple[int, int | None, int | None]) -> RunTable:
    return RunTable("mfx101332224", runs=tuple(Run(n, RunKind.DATA, begin, end) for n, begin, end in runs))


def test_known_runs_have_their_second() -> None:
    clock = run_clock(table((3, 1000, None), (5, 2000, 2600)), {})
    assert dict(clock.begins) == {3: 1000, 5: 2000}


def test_a_hint_between_its_neighbours_is_taken() -> None:
    assert run_clock(table((3, 1000, None), (5, 2000, None)), {4: [1500]}).begins[4] == 1500


@pytest.mark.parametrize(
    ("hint", "begin"),
    [(9000, 1999), (10, 1999), (1000, 1999), (2000, 1999)],
    ids=["deployed long after", "an old time", "the second of the run before", "the second of the next run"],
)
def test_a_hint_elsewhere_says_nothing_and_no_known_run_is_cut_short(hint: int, begin: int) -> None:
    assert run_clock(table((3, 1000, None), (5, 2000, None)), {4: [hint]}).begins[4] == begin


def test_runs_before_the_first_known_one_lie_before_it() -> None:
    assert dict(run_clock(table((7, 5000, None)), {0: [9999], 1: [9999]}).begins) == {0: 4993, 1: 4994, 7: 5000}


def test_runs_behind_the_last_known_one_lie_behind_it() -> None:
    assert dict(run_clock(table((7, 5000, None)), {9: [10]}).begins) == {7: 5000, 9: 5002}


def test_the_next_hint_is_taken_where_the_first_one_says_nothing() -> None:
    assert run_clock(table((3, 1000, None), (5, 2000, None)), {4: [10, 1700]}).begins[4] == 1700


def test_a_hint_while_a_known_run_was_going_on_says_nothing() -> None:
    assert run_clock(table((3, 1000, 1600), (5, 2000, None)), {4: [1500]}).begins[4] == 1999
    assert run_clock(table((3, 1000, 1600)), {4: [1500]}).begins[4] == 1600


def test_without_a_table_later_runs_are_later() -> None:
    assert dict(run_clock(table(), {1: [800], 5: [500], 9: [700]}).begins) == {1: 496, 5: 500, 9: 700}


def test_no_second_lies_before_the_first_one() -> None:
    assert run_clock(table((9, 3, None)), {0: [1]}).begins[0] == 0


@pytest.mark.parametrize(
    ("first", "last", "validity", "exact"),
    [
        (3, None, "1000-end", True),
        (3, 4, "1000-2000", True),
        (3, 3, "1000-2000", True),
        (3, 5, "1000-2600", True),
        (3, 6, "1000-end", False),
        (4, 5, "1500-2600", True),
    ],
)
def test_ranges_of_runs(first: int, last: int | None, validity: str, exact: bool) -> None:
    clock = run_clock(table((3, 1000, None), (5, 2000, 2600)), {4: [1500]} if first == 4 else {})
    found, is_exact = clock.validity(first, last)
    assert (str(found), is_exact) == (validity, exact)


def test_a_run_without_a_begin_in_the_table_is_like_an_unknown_one() -> None:
    clock = run_clock(table((3, 1000, None), (4, None, None), (5, 2000, None)), {4: [1700]})
    assert str(clock.validity(3, 3)[0]) == "1000-1700"
