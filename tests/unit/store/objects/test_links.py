"""What objects refer to, and malformed ones."""

from __future__ import annotations

import pytest

from calibvcs.store.objects.links import links

A, B, C = "a" * 40, "b" * 40, "c" * 40


def raw(*ids: str) -> set[bytes]:
    return {bytes.fromhex(one) for one in ids}


def test_a_tree_refers_to_folders_and_files_but_not_to_submodules() -> None:
    tree = b"40000 d\0" + bytes.fromhex(A) + b"100644 f\0" + bytes.fromhex(B) + b"160000 s\0" + bytes.fromhex(C)
    assert links("tree", tree, blobs=True) == raw(A, B)
    assert links("tree", tree, blobs=False) == raw(A)
    assert links("tree", b"", blobs=True) == set()


def test_a_commit_refers_to_its_tree_and_parents() -> None:
    people = b"author A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nparent of all\n"
    assert links("commit", f"tree {A}\n".encode() + people, blobs=True) == raw(A)
    assert links("commit", f"tree {A}\nparent {B}\nparent {C}\n".encode() + people, blobs=False) == raw(A, B, C)


def test_a_tag_refers_to_one_object_and_a_blob_to_none() -> None:
    assert links("tag", f"object {A}\ntype commit\ntag v1\n\nx".encode(), blobs=True) == raw(A)
    assert links("blob", b"tree " + A.encode(), blobs=True) == set()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("tree", b"x"), ("tree", b"100644 a\0short"), ("tree", b"100644 a\0" + bytes(20) + b"!"), ("tree", b"100644 \0" + bytes(20)),
        ("tree", b"100644 a/b\0" + bytes(20)), ("tree", b"9 a\0" + bytes(20)), ("commit", b""), ("commit", b"tree x\n"),
        ("commit", f"parent {A}\ntree {A}\n".encode()), ("tag", b""), ("tag", f"object {A}\ntype other\ntag x".encode()),
    ],
)  # fmt: skip
def test_malformed_objects_are_refused(kind: str, content: bytes) -> None:
    with pytest.raises(ValueError, match="malformed"):
        links(kind, content, blobs=True)
