"""Walks through random histories, with clocks that lie, against sets that are computed in full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.ops.receiving.ancestors import Ancestry, Budget, Graph, Node, TooMuchError

Histories = dict[str, Node]


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    """Return commits named by their number; each has up to three older ones as parents, and any time at all."""
    nodes: Histories = {}
    for number in range(draw(st.integers(1, 14))):
        parents = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        nodes[str(number)] = Node(tuple(map(str, sorted(parents))), draw(st.integers(0, 9)), "")
    return nodes


def led_to(nodes: Histories, *tips: str) -> set[str]:
    found, waiting = set[str](), list(tips)
    while waiting:
        commit = waiting.pop()
        if commit not in found:
            found.add(commit)
            waiting += nodes[commit].parents
    return found


def graph(nodes: Histories, steps: int = 100_000) -> Graph:
    return Graph(nodes.__getitem__, Budget(steps, "steps"))


@given(histories(), st.data())
def test_ancestry_holds_all_that_led_to_its_tips(nodes: Histories, data: st.DataObject) -> None:
    tips = data.draw(st.lists(st.sampled_from(sorted(nodes)), max_size=3))
    expected = led_to(nodes, *tips)
    ancestry = Ancestry(graph(nodes), tips, lambda _: True)
    asked = data.draw(st.permutations(sorted(nodes)))
    assert {commit for commit in asked if commit in ancestry} == expected


@given(histories(), st.data())
def test_what_is_new_comes_whole_and_in_order(nodes: Histories, data: st.DataObject) -> None:
    tip, old = (data.draw(st.sampled_from(sorted(nodes))) for _ in range(2))
    walked = graph(nodes)
    found = walked.since(tip, Ancestry(walked, [old], lambda _: True), 100)
    assert set(found) == led_to(nodes, tip) - led_to(nodes, old)
    assert len(set(found)) == len(found)
    for place, commit in enumerate(found):
        assert not set(nodes[commit].parents) & set(found[place:])


@given(histories(), st.data())
def test_bases_are_common_and_hold_all_best_ones(nodes: Histories, data: st.DataObject) -> None:
    one, other = (data.draw(st.sampled_from(sorted(nodes))) for _ in range(2))
    common = led_to(nodes, one) & led_to(nodes, other)
    best = {commit for commit in common if not any(commit in led_to(nodes, c) - {c} for c in common)}
    assert best <= set(graph(nodes).bases(one, other)) <= common


def test_a_walk_that_is_too_long_is_ended() -> None:
    nodes = {str(number): Node((str(number - 1),) if number else (), number, "") for number in range(1000)}
    with pytest.raises(TooMuchError, match="50 steps"):
        graph(nodes, 50).bases("999", "0")
    walked = graph(nodes)
    with pytest.raises(TooMuchError, match="10 new commits"):
        walked.since("999", Ancestry(walked, [], lambda _: True), 10)
