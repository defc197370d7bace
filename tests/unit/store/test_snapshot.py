"""Paths at one commit, held against a plain walk from the root."""

from __future__ import annotations

import pytest

from calibvcs.model.commits import Signature
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.trees import find
from calibvcs.store.snapshot import Snapshot

PATHS = ("", "a", "a/b", "a/b/x", "a/x", "x", "y", "b", "a/y", "a/x/b", "/", "/x", "/a/x", "a/", "a//x", "a/b/", "//")
WHO = Signature("Grace", "grace@example.org", 0, 0)


@pytest.fixture
def store() -> MemoryStore:
    """A store with files at three depths."""
    store = MemoryStore()
    blob = store.put_blob([b"data"])
    store.commit_edits(None, dict.fromkeys(("x", "a/x", "a/b/x"), blob), "Begin\n", WHO, WHO)
    return store


@pytest.mark.parametrize("order", [PATHS, PATHS[::-1]], ids=["down", "up"])
def test_a_path_names_what_a_walk_from_the_root_finds(store: MemoryStore, order: tuple[str, ...]) -> None:
    snapshot = Snapshot(store, store.tip())
    for path in (*order, *order):
        assert snapshot.entry(path) == find(store.tree, snapshot.commit.tree, path), path


def test_without_a_commit_there_is_nothing() -> None:
    snapshot = Snapshot(MemoryStore(), None)
    assert [snapshot.entry(path) for path in PATHS] == [None] * len(PATHS)
    assert (dict(snapshot.names()), list(snapshot.files()), snapshot.read("x")) == ({}, [], None)
