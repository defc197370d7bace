"""The rule of every merge."""

from __future__ import annotations

from itertools import product

import pytest

from calibvcs.model.three_way import Conflict, Judge, Rule, Rules, Side, merge_keyed, pick

CONFLICT = Conflict("file", "README.md", ("README.md",), "1", "2", "3")


@pytest.mark.parametrize(("base", "ours", "theirs"), list(product([None, 1, 2, 3], repeat=3)))
def test_what_one_side_left_as_it_was_is_taken_from_the_other(
    base: int | None, ours: int | None, theirs: int | None
) -> None:
    side = pick(base, ours, theirs)
    if side is None:
        assert len({base, ours, theirs}) == 3
    else:
        assert {Side.OURS: ours, Side.THEIRS: theirs}[side] == (theirs if ours == base else ours)
        assert side is Side.OURS or ours != theirs, "nothing is taken that is there already"


def test_keys_are_merged_one_by_one() -> None:
    base, ours, theirs = (
        {1: "a", 2: "a", 3: "a", 4: "a"},
        {2: "b", 1: "a", 3: "b", 4: "a"},
        {1: "c", 2: "a", 3: "c", 5: "c"},
    )
    asked: list[int] = []

    def settle(key: int) -> Side:
        asked.append(key)
        return Side.THEIRS

    merged = merge_keyed(base, ours, theirs, settle)
    assert list(merged.items()) == [(2, "b"), (1, "c"), (3, "c"), (5, "c")]
    assert asked == [3]


@pytest.mark.parametrize("rule", [None, *Rule])
@pytest.mark.parametrize("newer", [None, *Side])
def test_a_judge_settles_by_rules_and_keeps_the_rest(rule: Rule | None, newer: Side | None) -> None:
    judge = Judge(Rules(rule), lambda _: newer)
    expected = newer if rule is Rule.NEWEST else Side(rule.value) if rule else None
    assert judge.side(CONFLICT) is (expected or Side.OURS)
    assert judge.open == ([] if expected else [CONFLICT])
    assert [(done.conflict, done.rule, done.side) for done in judge.settled] == (
        [(CONFLICT, rule, expected)] if expected else []
    )
    assert judge.disputed("README.md")
    assert not judge.disputed("LICENSE")


def test_an_attempt_counts_only_if_it_is_adopted() -> None:
    judge = Judge(Rules(single={"README.md": Rule.THEIRS}), lambda _: None)
    attempt = judge.attempt()
    assert attempt.side(CONFLICT) is Side.THEIRS
    assert not judge.settled
    judge.adopt(attempt)
    assert [done.side for done in judge.settled] == [Side.THEIRS]


def test_a_rule_for_one_goes_before_the_general_one() -> None:
    rules = Rules(Rule.OURS, {"a": Rule.THEIRS})
    assert (rules.of("a"), rules.of("b"), Rules().of("a")) == (Rule.THEIRS, Rule.OURS, None)
