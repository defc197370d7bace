"""What another repository lacks, against what an obvious walk finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.objects.encoding import encode_commit, encode_tree
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry
from calibvcs.store.remotes.missing import Lacking, is_ancestor, missing_objects
from tests.unit.store.packs_by_hand import loose


def who(time: int) -> Signature:
    return Signature("Grace Hopper", "grace@example.org", time)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> GitStore:
    return initialise(tmp_path_factory.mktemp("missing") / "store", bare=True)


def put(store: GitStore, kind: str, data: bytes) -> str:
    return loose(store.folder / "objects", data, kind)


def tree_of(store: GitStore, files: dict[tuple[str, str], int]) -> str:
    folders: dict[str, dict[str, TreeEntry]] = {}
    for (folder, name), content in files.items():
        blob = put(store, "blob", b"%d" % content)
        folders.setdefault(folder, {})[name] = TreeEntry(FILE_MODE, blob)
    entries = {name: TreeEntry(TREE_MODE, put(store, "tree", encode_tree(inside))) for name, inside in folders.items()}
    return put(store, "tree", encode_tree({**entries, "submodule": TreeEntry(0o160000, "5" * 40)}))


def closure(store: GitStore, wants: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(wants)
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        kind = store.kind(one)
        if kind == "commit":
            waiting += [store.commit(one).tree, *store.commit(one).parents]
        elif kind == "tree":
            waiting += [entry.id for entry in store.tree(one).values() if entry.mode != 0o160000]
        elif kind == "tag":
            found_tag = store.tag(one)
            assert found_tag
            waiting.append(found_tag.commit)
    return found


files = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.integers(0, 5), min_size=1, max_size=6
)
histories = st.lists(
    st.tuples(files, st.lists(st.integers(0, 30), max_size=3), st.integers(0, 9)), min_size=1, max_size=12
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, st.sets(st.integers(0, 11), min_size=1), st.sets(st.integers(0, 11)), st.booleans())
def test_with_it_the_other_one_has_everything(
    store: GitStore,
    history: list[tuple[dict[tuple[str, str], int], list[int], int]],
    wants: set[int],
    haves: set[int],
    clocks_agree: bool,
) -> None:
    if clocks_agree:
        times = sorted(time for _, _, time in history)
        history = [(content, parents, time) for (content, parents, _), time in zip(history, times, strict=True)]
    commits: list[str] = []
    for content, parents, time in history:
        above = tuple(dict.fromkeys(commits[number % len(commits)] for number in parents)) if commits else ()
        text = encode_commit(tree_of(store, content), above, who(time), who(time), f"Change {len(commits)}")
        commits.append(put(store, "commit", text))
    wanted = {commits[number % len(commits)] for number in wants}
    had = {commits[number % len(commits)] for number in haves}
    lacking = missing_objects(store, wanted, [*had, "f" * 40])
    ids = [one.id for one in lacking]
    assert len(ids) == len(set(ids))
    assert all(store.kind(one.id) == one.kind for one in lacking)
    there = closure(store, had)
    assert set(ids) >= closure(store, wanted) - there
    assert set(ids) <= closure(store, wanted)
    new_commits = {one for one in closure(store, wanted) - there if store.kind(one) == "commit"}
    if clocks_agree:
        assert {one.id for one in lacking if one.kind == "commit"} == new_commits
    without = missing_objects(store, wanted, had, blobs=False)
    assert without == [one for one in lacking if one.kind != "blob"]
    for one in wanted:
        assert is_ancestor(store, one, commits[-1]) == (one in closure(store, {commits[-1]}))


def test_of_a_long_history_only_the_new_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with initialise(tmp_path, bare=True) as store:
        for number in range(30):
            edits = {f"d/{number}": store.put_blob([b"%d" % number])}
            store.commit_edits(store.tip(), edits, "Change", who(number), who(number))
        tip = store.tip() or ""
        old = store.commit(store.commit(tip).parents[0]).parents[0]
        read: list[str] = []
        commit = store.commit
        monkeypatch.setattr(store, "commit", lambda wanted: (read.append(wanted), commit(wanted))[1])
        assert len(missing_objects(store, [tip], [old])) == 2 * 4
        assert len(set(read)) < 5
        read.clear()
        assert missing_objects(store, [], [tip]) == missing_objects(store, [old], [tip, old]) == []
        assert not read


def test_tags_on_the_way_belong_to_it(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store:
        tip = store.commit_edits(None, {"a": store.put_blob([b"a"])}, "One", who(1), who(1))
        tag = store.create_tag("v1", tip, "One", who(2)).id
        upper = put(store, "tag", f"object {tag}\ntype tag\ntag v2\ntagger A <a> 1 +0000\n\nTwo\n".encode())
        assert missing_objects(store, [upper], [tip]) == [Lacking("tag", upper), Lacking("tag", tag)]
        assert missing_objects(store, [upper], [upper]) == []
        assert missing_objects(store, [tip], [upper]) == []
        assert len(missing_objects(store, [upper], [])) == 5


def test_what_is_missing_here_is_told(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store, pytest.raises(DamagedObjectError, match="missing"):
        missing_objects(store, ["a" * 40], [])
