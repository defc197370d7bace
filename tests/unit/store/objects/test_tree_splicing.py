"""One tree as its bytes: what is cut in and out of it, held against all of it decoded, changed and encoded again."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import decode_tree, encode_tree
from calibvcs.store.objects.tree_splicing import TreeBytes
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

ID = "7" * 40

# Names that are the begin of others, with letters that sort before and behind the slash; not ASCII, and not UTF-8.
names = st.one_of(
    st.sampled_from(["a", "a.b", "a-b", "a0", "a b", "ab", "A", "b", "ä", "日", "a\udcff", "100644 a", "40000 a"]),
    st.text(st.sampled_from("ab.-0/~ é").filter(lambda letter: letter != "/"), min_size=1, max_size=3),
    st.integers(0, 10**10).map("{}-end".format),
)
# Ids that look like entries: with zero bytes, spaces, modes and names in them.
ids = st.one_of(
    st.sampled_from([b"40000 a\0" + b"40000 a\0".ljust(12, b"\0"), bytes(20), b"\0a 40000 b\0100644 c\0d", b"\n" * 20]),
    st.binary(min_size=20, max_size=20),
).map(lambda some: some[:20].ljust(20, b"\0").hex())
entries = st.builds(TreeEntry, st.sampled_from([FILE_MODE, TREE_MODE, 0o100755, 0o120000, 0o160000]), ids)
trees = st.dictionaries(names, entries, max_size=12)


def changed(tree: dict[str, TreeEntry], changes: dict[str, TreeEntry | None]) -> bytes:
    """Do the obvious."""
    after = {**tree, **changes}
    return encode({name: entry for name, entry in after.items() if entry is not None})


def encode(tree: dict[str, TreeEntry]) -> bytes:
    """Encode a tree whose names need not be UTF-8."""
    ordered = sorted(tree.items(), key=lambda item: os.fsencode(item[0]) + (b"/" if item[1].is_tree else b""))
    return b"".join(b"%o %s\0%s" % (entry.mode, os.fsencode(name), bytes.fromhex(entry.id)) for name, entry in ordered)


@given(trees, st.dictionaries(names, st.none() | entries, max_size=12))
@example({"a": TreeEntry(TREE_MODE, ID), "a.b": TreeEntry(FILE_MODE, ID)}, {"a": TreeEntry(FILE_MODE, ID)})
@example({"a": TreeEntry(FILE_MODE, ID), "a.b": TreeEntry(FILE_MODE, ID)}, {"a": TreeEntry(TREE_MODE, ID), "a0": None})
@example({}, {"a": TreeEntry(TREE_MODE, ID), "a-b": TreeEntry(TREE_MODE, ID), "a0": TreeEntry(TREE_MODE, ID)})
def test_changes_do_what_they_do_to_the_decoded_tree(
    tree: dict[str, TreeEntry], changes: dict[str, TreeEntry | None]
) -> None:
    assert TreeBytes(encode(tree), ID).changed(changes) == changed(tree, changes)


@given(trees, names)
def test_a_name_is_found_where_it_is(tree: dict[str, TreeEntry], name: str) -> None:
    found = TreeBytes(encode(tree), ID)
    for some in (name, *tree):
        assert found.find(some) == tree.get(some)


@given(trees.map(encode), st.data())
def test_a_tree_that_is_cut_short_is_damage_or_a_shorter_tree(data: bytes, draw: st.DataObject) -> None:
    length = draw.draw(st.integers(0, len(data)))
    try:
        expected = decode_tree(data[:length], ID)
    except DamagedObjectError:
        with pytest.raises(DamagedObjectError, match="no readable tree"):
            TreeBytes(data[:length], ID)
    else:
        assert TreeBytes(data[:length], ID).changed({}) == encode(expected)


@given(st.binary(max_size=100))
def test_no_bytes_break_it(data: bytes) -> None:
    try:
        tree = TreeBytes(data, ID)
        tree.find("a")
        tree.changed({"a": None, "b": TreeEntry(FILE_MODE, ID)})
    except DamagedObjectError as error:
        assert error.object_id == ID  # noqa: PT017 - most bytes are damage


@pytest.mark.parametrize("head", [b"10x644 a", b" a", b"40000 ", b"40000", b"a"])
def test_an_entry_that_is_none_is_damage(head: bytes) -> None:
    tree = TreeBytes(head + b"\0" + bytes(20), ID)
    with pytest.raises(DamagedObjectError, match="no readable tree"):
        tree.find("a")


def test_one_change_in_a_large_tree_leaves_all_others_as_they_are() -> None:
    chance = random.Random(4)
    tree = {
        f"{begin}-{chance.choice(['end', str(begin + 900)])}": TreeEntry(TREE_MODE, chance.randbytes(20).hex())
        for begin in chance.sample(range(10**9, 10**10), 3000)
    }
    data = encode_tree(tree)
    some = chance.sample(sorted(tree), 5)
    changes: dict[str, TreeEntry | None] = {
        some[0]: None, some[1]: TreeEntry(FILE_MODE, ID), some[2]: TreeEntry(TREE_MODE, ID), "0-end": TreeEntry(TREE_MODE, ID),
        "9": TreeEntry(TREE_MODE, ID), "5000000000-end": TreeEntry(TREE_MODE, ID), "nothing": None,
    }  # fmt: skip
    assert TreeBytes(data, ID).changed(changes) == changed(tree, changes)
    assert TreeBytes(data, ID).find(some[3]) == tree[some[3]]
