"""The chooser against the rule written down the obvious way: second by second, candidate by candidate."""

import random

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.model.choose import Outcome, choose, explain
from calibvcs.model.validity import Validity

OPEN = 10**6


@st.composite
def validities(draw: st.DrawFn) -> Validity:
    begin = draw(st.integers(0, 12))
    return Validity(begin, draw(st.none() | st.integers(begin + 1, 16)))


# Few different seconds, so that ranges overlap, touch, nest, and begin or end together all the time.
RANGES = st.lists(validities(), unique=True, max_size=8)
TIMES = st.integers(0, 18) | st.floats(0, 18) | st.sampled_from([0, 0.5, 16, 17, 2**32 - 1])
PICKS = st.lists(st.booleans(), min_size=8, max_size=8)


def by_hand(ranges: list[Validity], time: float, withdrawn: set[Validity]) -> Validity | None:
    best = None
    for candidate in ranges:
        end = OPEN**2 if candidate.end is None else candidate.end
        if candidate in withdrawn or not candidate.begin <= time < end:
            continue
        if best is None:
            best = candidate
            continue
        best_end = OPEN**2 if best.end is None else best.end
        if candidate.begin > best.begin or (candidate.begin == best.begin and end < best_end):
            best = candidate
    return best


def picked(ranges: list[Validity], picks: list[bool]) -> set[Validity]:
    return {validity for validity, pick in zip(ranges, picks, strict=False) if pick}


@given(RANGES, TIMES, PICKS)
def test_the_chooser_is_the_rule(ranges: list[Validity], time: float, picks: list[bool]) -> None:
    withdrawn = picked(ranges, picks)
    assert choose(ranges, time, withdrawn) == by_hand(ranges, time, withdrawn)
    assert choose(ranges, time) == by_hand(ranges, time, set())


@given(RANGES, TIMES, PICKS, st.randoms(use_true_random=False))
def test_the_order_of_the_ranges_does_not_matter(
    ranges: list[Validity], time: float, picks: list[bool], rng: random.Random
) -> None:
    withdrawn = picked(ranges, picks)
    shuffled = rng.sample(ranges, len(ranges))
    assert choose(shuffled, time, withdrawn) == choose(ranges, time, withdrawn)
    assert explain(shuffled, time, withdrawn) == explain(ranges, time, withdrawn)


@given(RANGES, TIMES, PICKS)
def test_the_explanation_agrees_with_the_choice(ranges: list[Validity], time: float, picks: list[bool]) -> None:
    withdrawn = picked(ranges, picks)
    candidates = explain(ranges, time, withdrawn)
    assert sorted(candidate.validity for candidate in candidates) == sorted(ranges), "each range once"
    chosen = [candidate.validity for candidate in candidates if candidate.outcome is Outcome.CHOSEN]
    winner = choose(ranges, time, withdrawn)
    assert chosen == ([] if winner is None else [winner])
    for candidate in candidates:
        assert candidate.reason
        covers = time in candidate.validity
        assert covers == (candidate.outcome not in {Outcome.NOT_YET_VALID, Outcome.NO_LONGER_VALID})
        assert (covers and candidate.validity in withdrawn) == (candidate.outcome is Outcome.WITHDRAWN)
        if candidate.outcome is Outcome.BEGINS_EARLIER:
            assert winner
            assert candidate.validity.begin < winner.begin
        if candidate.outcome is Outcome.ENDS_LATER:
            assert winner
            assert winner.end is not None
            assert candidate.validity.begin == winner.begin


@given(RANGES, TIMES, PICKS)
def test_what_lies_in_front_of_the_winner_is_withdrawn(ranges: list[Validity], time: float, picks: list[bool]) -> None:
    outcomes = [candidate.outcome for candidate in explain(ranges, time, picked(ranges, picks))]
    if Outcome.CHOSEN in outcomes:
        assert set(outcomes[: outcomes.index(Outcome.CHOSEN)]) <= {Outcome.WITHDRAWN}
    covering = [outcome not in {Outcome.NOT_YET_VALID, Outcome.NO_LONGER_VALID} for outcome in outcomes]
    assert covering == sorted(covering, reverse=True), "ranges that cover the time come first"


@given(RANGES, TIMES, PICKS)
def test_a_range_that_is_withdrawn_is_as_good_as_not_there(
    ranges: list[Validity], time: float, picks: list[bool]
) -> None:
    withdrawn = picked(ranges, picks)
    assert choose(ranges, time, withdrawn) == choose([v for v in ranges if v not in withdrawn], time)


@given(RANGES, st.floats(0, 18))
def test_the_choice_changes_at_whole_seconds_only(ranges: list[Validity], time: float) -> None:
    assert choose(ranges, time) == choose(ranges, int(time))


@given(RANGES, validities(), TIMES)
def test_a_later_begin_supersedes(ranges: list[Validity], new: Validity, time: float) -> None:
    if all(new.begin > validity.begin for validity in ranges):
        assert choose([*ranges, new], time) == (new if time in new else choose(ranges, time))
