"""Objects as bytes: Git's ids, its order of names, and what is read of objects that were made elsewhere."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.model.commits import Signature
from calibvcs.store.objects.encoding import (
    clean_person,
    decode_commit,
    decode_signature,
    decode_tag,
    decode_tree,
    encode_commit,
    encode_signature,
    encode_tag,
    encode_tree,
    object_id,
)
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ID = "0123456789" * 4
GRACE = Signature("Grace Hopper", "grace@example.org", 1_767_225_600, 60)

ids = st.binary(min_size=20, max_size=20).map(bytes.hex)
names = st.text(min_size=1, max_size=12).filter(lambda name: "/" not in name and "\0" not in name)
entries = st.builds(TreeEntry, st.sampled_from([FILE_MODE, TREE_MODE, 0o100755, 0o120000, 0o160000]), ids)
signatures = st.builds(
    Signature,
    st.text(st.characters(exclude_categories=("C",)), max_size=20).map(clean_person),
    st.text(st.characters(exclude_categories=("C",)), max_size=20).map(clean_person),
    st.integers(0, 2**32 - 1),
    st.integers(-14 * 60, 14 * 60),
)


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def test_ids_are_those_of_git() -> None:
    assert object_id("blob", [b""]) == object_id("blob", []) == EMPTY_BLOB
    assert object_id("tree", [encode_tree({})]) == EMPTY_TREE
    assert object_id("blob", [b"what is up, doc?"]) == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_an_id_does_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert object_id("blob", pieces) == object_id("blob", [whole])
    assert object_id("blob", pieces) == _sha1(b"blob %d\0%s" % (len(whole), whole))


def test_folders_sort_as_if_they_ended_in_a_slash() -> None:
    entries = {name: TreeEntry(FILE_MODE, ID) for name in ("a.b", "a0", "a-b", "B", "ä")}
    data = encode_tree({"a": TreeEntry(TREE_MODE, ID), **entries})
    assert list(decode_tree(data, ID)) == ["B", "a-b", "a.b", "a", "a0", "ä"]
    assert data.startswith(b"100644 B\0" + bytes.fromhex(ID))
    assert b"40000 a\0" in data


@given(st.dictionaries(names, entries, max_size=8))
def test_a_tree_is_read_as_it_was_written(tree: dict[str, TreeEntry]) -> None:
    assert decode_tree(encode_tree(tree), ID) == tree


def test_a_name_that_is_not_utf8_is_read() -> None:
    (name,) = decode_tree(b"100644 caf\xe9\0" + bytes(20), ID)
    assert name.encode(errors="surrogateescape") == b"caf\xe9"


@pytest.mark.parametrize(
    "damage",
    [
        b"1", b"100644", b"100644 ", b"100644 a", b"100644 a\0", b"100644 a\0" + bytes(19), b"100644 \0" + bytes(20),
        b"ABC a\0" + bytes(20), b"10064499 a\0" + bytes(20), b"100644 a\0" + bytes(21), b" a\0" + bytes(20),
        b"100644 a\0" + bytes(20) + b"100644 b\0",
    ],
)  # fmt: skip
def test_a_damaged_tree_is_told_by_its_id(damage: bytes) -> None:
    with pytest.raises(DamagedObjectError, match="no readable tree") as caught:
        decode_tree(damage, ID)
    assert caught.value.object_id == ID


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader_of_trees(data: bytes) -> None:
    with suppress(DamagedObjectError):
        decode_tree(data, ID)


@given(signatures)
def test_a_signature_is_read_as_it_was_written(signature: Signature) -> None:
    assert decode_signature(encode_signature(signature)) == signature


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        (GRACE, "Grace Hopper <grace@example.org> 1767225600 +0100"),
        (Signature("A", "b", 5, -570), "A <b> 5 -0930"),
        (Signature(" A\n<B> ", "<c>", 0, 0), "A\nB <c> 0 +0000".replace("\n", "")),
        (Signature("", "", 7, 765), " <> 7 +1245"),
    ],
)
def test_a_signature_is_written_as_git_does(signature: Signature, text: str) -> None:
    assert encode_signature(signature) == text


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("A B <a@b> 12 +0000", Signature("A B", "a@b", 12)),
        ("<a@b> 12 +0130", Signature("", "a@b", 12, 90)),
        ("A <a@b> 12", Signature("A", "a@b", 12)),
        ("A <a@b> -12 -0100", Signature("A", "a@b", -12, -60)),
        ("nothing like it", Signature("nothing like it", "", 0)),
        ("", Signature("", "", 0)),
    ],
)
def test_signatures_made_elsewhere_are_read(text: str, signature: Signature) -> None:
    assert decode_signature(text) == signature


@given(ids, st.lists(ids, max_size=3), signatures, signatures, st.text(st.characters(exclude_categories=("Cs",))))
def test_a_commit_is_read_as_it_was_written(
    tree: str, parents: list[str], author: Signature, committer: Signature, text: str
) -> None:
    commit = decode_commit(encode_commit(tree, tuple(parents), author, committer, text), ID)
    assert (commit.id, commit.tree, commit.parents, commit.text) == (ID, tree, tuple(parents), text)
    assert (commit.author, commit.committer) == (author, committer)


def test_a_signed_commit_is_read_without_its_signature() -> None:
    text = (
        f"tree {ID}\nparent {ID}\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n"
        "gpgsig -----BEGIN SSH SIGNATURE-----\n tree of lies\n parent none\n \n -----END SSH SIGNATURE-----\n"
        "encoding ISO-8859-1\n\nSubject \N{LATIN SMALL LETTER E WITH ACUTE}\n\nBody\n"
    )
    commit = decode_commit(text.encode("latin-1"), ID)
    assert (commit.tree, commit.parents) == (ID, (ID,))
    assert (commit.author.name, commit.committer.name) == ("A", "B")
    assert commit.text.startswith("Subject ")
    assert commit.text.endswith("\n\nBody\n")


def test_a_commit_without_a_message_is_read() -> None:
    head = f"tree {ID}\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n"
    for data in (head, head + "\n"):
        assert decode_commit(data.encode(), ID).text == ""


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"nonsense", b"\xff\xfe\0", b"tree 12\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n\nx",
        f"tree {ID}\n\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n".encode(),
        f"tree {ID}\nauthor A <a> 1 +0000\n\nx".encode(), f"tree {ID}x\nauthor A\ncommitter B\n\n".encode(),
    ],
)  # fmt: skip
def test_a_damaged_commit_is_told_by_its_id(data: bytes) -> None:
    with pytest.raises(DamagedObjectError, match="no readable commit"):
        decode_commit(data, ID)


@given(ids, signatures, st.text(st.characters(exclude_categories=("Cs",))))
def test_a_tag_is_read_as_it_was_written(commit: str, tagger: Signature, text: str) -> None:
    tag = decode_tag(encode_tag("run24/golden", commit, tagger, text), ID, "run24/golden")
    assert (tag.name, tag.commit, tag.id, tag.tagger, tag.text) == ("run24/golden", commit, ID, tagger, text)


def test_a_tag_without_a_tagger_is_read() -> None:
    tag = decode_tag(f"object {ID}\ntype commit\ntag old\n\ntext\n".encode(), EMPTY_BLOB, "old")
    assert (tag.commit, tag.tagger, tag.text) == (ID, None, "text\n")


@pytest.mark.parametrize("data", [b"", b"object\n\n", b"object 12\n\n", b"type commit\n\nx", b"\xff"])
def test_a_damaged_tag_is_told_by_its_id(data: bytes) -> None:
    with pytest.raises(DamagedObjectError, match="no readable tag"):
        decode_tag(data, ID, "name")


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [("Zoë", "Zoë"), (" a. ", "a"), ("<a>", "a"), ("a<b>c\nd", "abcd"), ("\"O'Neil\\", "O'Neil"), ("...", "")],
)
def test_a_person_loses_what_git_forbids(given_name: str, clean: str) -> None:
    assert clean_person(given_name) == clean
