from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects import large_tree
from calibvcs.store.objects.encoding import decode_tree, encode_tree
from calibvcs.store.objects.large_tree import LargeTree, folders, tree_of
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

RANGE = st.tuples(st.integers(1_000_000_000, 1_000_000_060), st.one_of(st.just("end"), st.integers(10**9, 10**9 + 99)))
NAMES = st.one_of(
    RANGE.map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.sampled_from(["0-end", "5-9", "ctype.toml", "1000000030-end.old", "40000 1000000030-end", "a b", "ä", "z"]),
)
# Ids that look like the beginning of an entry: nothing may be found within them.
IDS = st.one_of(
    st.binary(min_size=20, max_size=20),
    st.sampled_from([b"40000 1000000030-end", b"\0" * 20, b"0000 1000000031-end\0", b"-end\x0040000 1000000031"[:20]]),
    st.sampled_from([b"xxxxxxxxxxxxxx40000 ", b"xxxxxxxxxxxxxxx40000", b" 1000000030-end\0" + b"x" * 4]),
)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, st.tuples(IDS, st.booleans()), max_size=60))
def test_it_says_what_a_decoded_tree_says(given_names: dict[str, tuple[bytes, bool]]) -> None:
    entries = {n: TreeEntry(FILE_MODE if file else TREE_MODE, id_.hex()) for n, (id_, file) in given_names.items()}
    data = encode_tree(entries)
    tree, plain = LargeTree(data, "1" * 40), decode_tree(data, "1" * 40)
    assert dict(tree) == plain == entries
    assert list(tree) == list(plain)
    assert len(tree) == len(plain)
    assert tree.folders() == folders(plain)
    for name in {*entries, "1000000030-end", "1000000031-1000000050", "nothing", "", "1000000000-end"}:
        assert tree.get(name) == plain.get(name)
        assert (name in tree) == (name in plain)


def test_every_range_of_many_is_found() -> None:
    entries = {
        f"{10**9 + 7 * n}-{'end' if n % 3 else 2 * 10**9}": TreeEntry(TREE_MODE, os.urandom(20).hex())
        for n in range(3000)
    }
    entries["0-end"] = TreeEntry(TREE_MODE, "0" * 40)
    tree = tree_of(encode_tree(entries), "1" * 40)
    assert isinstance(tree, LargeTree)
    assert all(tree[name] == entry for name, entry in entries.items())
    assert f"{10**9 + 1}-end" not in tree


@pytest.mark.parametrize("cut", [1, 5, 19, 20, 21, 30])
def test_a_tree_that_is_cut_is_damaged(cut: int) -> None:
    entries = {f"{10**9 + n}-end": TreeEntry(TREE_MODE, "ab" * 20) for n in range(large_tree.SMALL // 30)}
    data = encode_tree(entries)
    with pytest.raises(DamagedObjectError, match="no readable tree"):
        tree_of(data[:-cut], "1" * 40)
