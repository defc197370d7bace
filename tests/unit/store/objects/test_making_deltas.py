"""Deltas that are made: whatever the two objects are, applying one gives the other, and edits cost what they hold."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.store.objects.deltas import apply_delta
from calibvcs.store.objects.encoding import encode_tree
from calibvcs.store.objects.making_deltas import make_delta
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

entries = st.dictionaries(
    st.text("abc\0\n09-", min_size=1, max_size=6).filter(lambda name: "\0" not in name),
    st.builds(TreeEntry, st.sampled_from([FILE_MODE, TREE_MODE]), st.integers(0, 5).map(lambda n: f"{n:040x}")),
    max_size=40,
)
lines = st.lists(st.binary(max_size=30) | st.sampled_from([b"", b"a", b"b" * 400]), max_size=30).map(b"\n".join)


def ranges(count: int) -> dict[str, TreeEntry]:
    chance = random.Random(3)
    return {f"{1_700_000_000 + n}-end": TreeEntry(TREE_MODE, chance.randbytes(20).hex()) for n in range(count)}


@given(entries, entries)
def test_a_tree_comes_back(base: dict[str, TreeEntry], content: dict[str, TreeEntry]) -> None:
    old, new = encode_tree(base), encode_tree({**base, **content})
    for one, other in ((old, new), (new, old), (old, encode_tree(content))):
        assert apply_delta(one, make_delta("tree", one, other), 1 << 20) == other


@given(lines, lines)
def test_a_text_comes_back(base: bytes, content: bytes) -> None:
    for one, other in ((base, content), (base, base + content), (base, content + base), (base, base)):
        assert apply_delta(one, make_delta("blob", one, other), 1 << 20) == other


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_what_is_no_tree_comes_back_too(base: bytes, content: bytes) -> None:
    assert apply_delta(base, make_delta("tree", base, content), 1 << 20) == content


def test_edits_of_a_long_list_cost_what_they_hold() -> None:
    before = ranges(5000)
    after = dict(before)
    for number in (10, 2500, 4990):
        after[f"{1_700_000_000 + number}-1800000000"] = TreeEntry(TREE_MODE, "5" * 40)
    old, new = encode_tree(before), encode_tree(after)
    for one, other in ((old, new), (new, old)):
        delta = make_delta("tree", one, other)
        assert apply_delta(one, delta, 1 << 20) == other
        assert len(delta) < 300


def test_a_copy_may_be_longer_than_one_instruction_holds() -> None:
    base = random.Random(4).randbytes((1 << 24) + 70_000)
    delta = make_delta("blob", base, base + b"more")
    assert apply_delta(base, delta, 1 << 25) == base + b"more"
    assert len(delta) < 40
