"""The arrangement of many ranges chooses what the rule chooses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.model.choose import choose
from calibvcs.model.timeline import Timeline
from calibvcs.model.validity import Validity

SECONDS = st.one_of(
    st.integers(0, 30), st.integers(1_000_000_000, 1_000_000_030), st.integers(999_999_995, 1_000_000_005)
)
RANGES = st.tuples(SECONDS, st.one_of(st.none(), st.integers(1, 40))).map(
    lambda pair: Validity(pair[0], None if pair[1] is None else pair[0] + pair[1])
)
TIMES = st.one_of(SECONDS, SECONDS.map(lambda second: second + 0.5), st.sampled_from([-1, -0.5, 1e12, float("inf")]))


@settings(max_examples=400)
@given(ranges=st.sets(RANGES, max_size=40), time=TIMES, withdrawn=st.integers(0, 5))
def test_the_first_that_is_not_withdrawn_is_the_one_that_the_rule_chooses(
    ranges: set[Validity], time: float, withdrawn: int
) -> None:
    covering = list(Timeline(map(str, ranges)).covering(time))
    gone = covering[:withdrawn]
    assert next(iter(covering[withdrawn:]), None) == choose(ranges, time, gone)
    assert covering == sorted((v for v in ranges if time in v), key=lambda v: v.precedence, reverse=True)


@settings(max_examples=100, deadline=None)
@given(
    ended=st.integers(40, 400),
    rest=st.sets(RANGES, max_size=10),
    time=st.integers(1_000_000_000, 1_000_001_000),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_many_ranges_that_have_ended_are_passed_over(
    ended: int, rest: set[Validity], time: int, lengths: list[int]
) -> None:
    ranges = {Validity(1_000_000_000 + 2 * n, 1_000_000_000 + 2 * n + lengths[n % len(lengths)]) for n in range(ended)}
    ranges |= rest
    found = list(Timeline(map(str, ranges)).covering(time))
    assert found == sorted((v for v in ranges if time in v), key=lambda v: v.precedence, reverse=True)


@given(ranges=st.sets(RANGES, max_size=10), strange=st.lists(st.text("0123456789-end.x", max_size=14), max_size=5))
def test_what_is_no_range_is_passed_over(ranges: set[Validity], strange: list[str]) -> None:
    def valid(name: str) -> bool:
        try:
            Validity.parse(name)
        except Exception:  # noqa: BLE001 - whatever it is, it is no range
            return False
        return True

    timeline = Timeline([*map(str, ranges), *(name for name in strange if not valid(name))])
    assert timeline.ranges() == sorted(ranges)
    for time in (0, 7, 1_000_000_010):
        assert next(timeline.covering(time), None) == choose(ranges, time)
