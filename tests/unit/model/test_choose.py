"""The rule that chooses, with the examples of LCLS, and the reasons it gives."""

import pytest

from calibvcs.model.choose import Candidate, Outcome, choose, explain
from calibvcs.model.validity import Validity

LCLS = tuple(map(Validity.parse, ("0-end", "10-20", "15-end")))


def ranges(*texts: str) -> list[Validity]:
    return [Validity.parse(text) for text in texts]


@pytest.mark.parametrize(
    ("time", "chosen"),
    [
        (0, "0-end"),
        (9, "0-end"),
        (10, "10-20"),
        (12, "10-20"),
        (14, "10-20"),
        (15, "15-end"),
        (16, "15-end"),
        (25, "15-end"),
    ],
)
def test_the_largest_begin_wins(time: int, chosen: str) -> None:
    assert str(choose(LCLS, time)) == chosen


def test_for_equal_begin_the_smallest_end_wins() -> None:
    given = ranges("10-end", "10-20", "10-15")
    assert [str(choose(given, time)) for time in (10, 14, 15, 19, 20)] == ["10-15", "10-15", "10-20", "10-20", "10-end"]


def test_touching_ranges_hand_over_at_the_second() -> None:
    given = ranges("0-10", "10-20")
    assert str(choose(given, 9.999999)) == "0-10"
    assert str(choose(given, 10)) == "10-20"
    assert choose(given, 20) is None


def test_an_older_open_range_comes_back_behind_a_short_one() -> None:
    assert str(choose(ranges("0-end", "10-20"), 20)) == "0-end"


def test_where_nothing_is_valid_nothing_is_chosen() -> None:
    assert choose([], 5) is None
    assert choose(ranges("10-20"), 5) is None
    assert choose(ranges("10-20"), 20) is None
    assert choose(ranges("0-end"), float("nan")) is None


def test_withdrawn_ranges_are_skipped() -> None:
    assert str(choose(LCLS, 16, ranges("15-end"))) == "10-20"
    assert str(choose(LCLS, 16, ranges("15-end", "10-20"))) == "0-end"
    assert choose(LCLS, 16, LCLS) is None
    assert str(choose(LCLS, 12, ranges("15-end"))) == "10-20", "one that is out of the way anyhow changes nothing"


def outcomes(candidates: tuple[Candidate, ...]) -> list[tuple[str, Outcome]]:
    return [(str(candidate.validity), candidate.outcome) for candidate in candidates]


def test_every_range_is_explained_the_best_first() -> None:
    assert outcomes(explain(LCLS, 16)) == [
        ("15-end", Outcome.CHOSEN),
        ("10-20", Outcome.BEGINS_EARLIER),
        ("0-end", Outcome.BEGINS_EARLIER),
    ]
    assert outcomes(explain(LCLS, 12)) == [
        ("10-20", Outcome.CHOSEN),
        ("0-end", Outcome.BEGINS_EARLIER),
        ("15-end", Outcome.NOT_YET_VALID),
    ]
    assert outcomes(explain(LCLS, 30, ranges("15-end"))) == [
        ("15-end", Outcome.WITHDRAWN),
        ("0-end", Outcome.CHOSEN),
        ("10-20", Outcome.NO_LONGER_VALID),
    ]


def test_ranges_that_do_not_cover_the_time_come_nearest_first() -> None:
    given = ranges("100-200", "300-400", "20-30", "10-20")
    assert outcomes(explain(given, 35)) == [
        ("20-30", Outcome.NO_LONGER_VALID),
        ("10-20", Outcome.NO_LONGER_VALID),
        ("100-200", Outcome.NOT_YET_VALID),
        ("300-400", Outcome.NOT_YET_VALID),
    ]


@pytest.mark.parametrize(
    ("given", "time", "withdrawn", "validity", "outcome", "words"),
    [
        ("0-end 10-20", 12, "", "10-20", Outcome.CHOSEN, "largest begin"),
        ("0-end 10-20", 12, "", "0-end", Outcome.BEGINS_EARLIER, "begins 10 s before 10-20"),
        ("10-end 10-20", 12, "", "10-end", Outcome.ENDS_LATER, "begins with 10-20, but ends later"),
        ("0-end 10-20", 5, "", "10-20", Outcome.NOT_YET_VALID, "begins 5 s after the time"),
        ("0-end 10-20", 9.75, "", "10-20", Outcome.NOT_YET_VALID, "begins 0.25 s after the time"),
        ("0-end 10-20", 20, "", "10-20", Outcome.NO_LONGER_VALID, "ended at 20; the end is not part of a range"),
        ("0-end 10-20", 12, "10-20", "10-20", Outcome.WITHDRAWN, "its default is withdrawn"),
        ("0-end 10-20", 12, "0-end 10-20", "0-end", Outcome.WITHDRAWN, "its default is withdrawn"),
        # withdrawn and outside: that it is outside comes first, since restoring it would not help
        ("0-end 10-20", 20, "10-20", "10-20", Outcome.NO_LONGER_VALID, "ended at 20"),
    ],
)
def test_each_outcome_has_its_reason(
    given: str, time: float, withdrawn: str, validity: str, outcome: Outcome, words: str
) -> None:
    found = {str(c.validity): c for c in explain(ranges(*given.split()), time, ranges(*withdrawn.split()))}
    assert found[validity].outcome is outcome
    assert words in found[validity].reason


def test_nothing_is_chosen_where_everything_is_withdrawn() -> None:
    candidates = explain(ranges("0-end", "10-20"), 12, ranges("0-end", "10-20"))
    assert [candidate.outcome for candidate in candidates] == [Outcome.WITHDRAWN, Outcome.WITHDRAWN]


def test_an_iterator_will_do() -> None:
    assert str(choose(iter(LCLS), 16)) == "15-end"
    assert len(explain(iter(LCLS), 16)) == 3
