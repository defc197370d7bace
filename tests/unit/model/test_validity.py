"""Validity ranges: half-open, in whole seconds, an open end behind everything."""

import math
import pickle

import pytest

from calibvcs.errors import CalibvcsError, InvalidNameError, InvalidRangeError, InvalidTimeError
from calibvcs.model.validity import TIME_LIMIT, Validity


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [("0-end", 0, None), ("0-1", 0, 1), ("1767225600-end", 1_767_225_600, None), ("4294967294-4294967295", 2**32 - 2, 2**32 - 1)],
)  # fmt: skip
def test_a_range_prints_as_it_is_parsed(text: str, begin: int, end: int | None) -> None:
    validity = Validity.parse(text)
    assert (validity.begin, validity.end, str(validity)) == (begin, end, text)
    assert pickle.loads(pickle.dumps(validity)) == validity  # noqa: S301 - our own


@pytest.mark.parametrize(
    "text",
    ["", "end", "0", "0-", "-5", "end-0", "00-5", "01-5", "0-05", "0-End", "0-END", " 0-end", "0-end\n", "0 - end", "0-+5", "1.5-end",
     "0--1", "0-1-2", "0_end", "1e3-end", "\u0661-end", "12345678901-end"],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError, match="range"):
        Validity.parse(text)


@pytest.mark.parametrize(("begin", "end"), [(5, 5), (5, 4), (1, 0)])
def test_an_empty_range_is_refused(begin: int, end: int) -> None:
    with pytest.raises(InvalidRangeError, match=f"{begin}-{end}"):
        Validity(begin, end)
    with pytest.raises(InvalidRangeError):
        Validity.parse(f"{begin}-{end}")


@pytest.mark.parametrize(
    ("begin", "end"), [(-1, None), (-1, 5), (TIME_LIMIT, None), (0, TIME_LIMIT), (5, TIME_LIMIT + 1)]
)
def test_a_range_lies_between_1970_and_2106(begin: int, end: int | None) -> None:
    with pytest.raises(InvalidTimeError, match="1970 to 2106"):
        Validity(begin, end)


def test_a_time_too_late_for_a_folder_is_told_as_a_time() -> None:
    with pytest.raises(InvalidTimeError):
        Validity.parse("4294967296-end")
    with pytest.raises(CalibvcsError):
        Validity.parse("0-9999999999")


def test_begin_is_part_of_a_range() -> None:
    assert 10 in Validity(10, 20)
    assert 9.999999 not in Validity(10, 20)


def test_end_is_not_part_of_a_range() -> None:
    assert 20 not in Validity(10, 20)
    assert 19.999999 in Validity(10, 20)


def test_an_open_range_has_no_last_second() -> None:
    assert TIME_LIMIT - 1 in Validity(10)
    assert math.inf in Validity(10)
    assert 9 not in Validity(10)


def test_what_is_not_a_number_lies_in_no_range() -> None:
    no_number = math.inf - math.inf
    assert no_number not in Validity(0)


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        ("0-10", "10-20", False),  # touching
        ("0-10", "9-20", True),
        ("0-10", "11-20", False),
        ("0-10", "0-10", True),
        ("0-10", "2-3", True),  # nested
        ("0-10", "0-5", True),
        ("0-10", "5-10", True),
        ("0-end", "5-6", True),
        ("0-end", "100-end", True),
        ("5-end", "0-5", False),  # touching an open one
        ("5-end", "0-6", True),
        ("5-end", "4-5", False),
    ],
)
def test_ranges_overlap_where_a_second_lies_in_both(a: str, b: str, overlap: bool) -> None:
    first, second = Validity.parse(a), Validity.parse(b)
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap
    assert overlap is any(t in first and t in second for t in range(200))


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("10-20", "0-end"),
        ("10-end", "9-10"),
        ("10-20", "10-21"),
        ("10-20", "10-end"),
        ("10-end", "0-5"),
        ("1-2", "0-2"),
    ],
)
def test_a_later_begin_then_an_earlier_end_is_stronger(stronger: str, weaker: str) -> None:
    strong, weak = Validity.parse(stronger), Validity.parse(weaker)
    assert strong.precedence > weak.precedence
    assert weak < strong
    assert weak <= strong
    assert strong > weak
    assert strong >= weak
    assert not strong < weak


def test_a_range_is_as_strong_as_itself() -> None:
    assert Validity(10, 20).precedence == Validity(10, 20).precedence
    assert not Validity(10) < Validity(10)
    assert Validity(10) <= Validity(10)


def test_ranges_sort_the_weakest_first() -> None:
    texts = ["10-20", "0-end", "15-end", "10-end", "0-5"]
    assert [str(v) for v in sorted(map(Validity.parse, texts))] == ["0-end", "0-5", "10-end", "10-20", "15-end"]


@pytest.mark.parametrize(
    ("text", "time", "distance"),
    [("10-20", 10, 0), ("10-20", 19, 0), ("10-20", 20, 1), ("10-20", 25, 6), ("10-20", 4, 6), ("10-end", 10**9, 0), ("10-end", 0, 10)],
)  # fmt: skip
def test_distance_is_zero_inside_and_seconds_outside(text: str, time: int, distance: int) -> None:
    assert Validity.parse(text).distance(time) == distance


def test_equal_ranges_are_one_key() -> None:
    assert {Validity(0), Validity(0), Validity(0, 5)} == {Validity.parse("0-end"), Validity.parse("0-5")}
