"""Trees: what edits of single files do to them, held against a plain dict of paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calibvcs.store.objects.encoding import decode_tree, encode_tree, object_id
from calibvcs.store.objects.trees import changed_files, edited, find, walk
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

# Few names and little depth, so that edits meet: files beside folders, folders that lose their last file.
names = st.sampled_from(["a", "b", "a.b", "a-b", "data.npy"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
blobs = st.sampled_from([f"{digit}" * 40 for digit in "123"])
edit_lists = st.lists(st.dictionaries(paths, st.none() | blobs, max_size=6), max_size=5)


class Trees:
    """Trees in memory; every look at one is counted."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.read_ids: list[str] = []

    def read(self, tree_id: str) -> Mapping[str, TreeEntry]:
        return decode_tree(self.read_data(tree_id), tree_id)

    def read_data(self, tree_id: str) -> bytes:
        self.read_ids.append(tree_id)
        return self.data[tree_id]

    def edit(self, tree_id: str | None, edits: Mapping[str, str | None]) -> str:
        root, made = edited(self.read_data, tree_id, edits)
        assert all(object_id("tree", [data]) == made_id for made_id, data in made.items())
        self.data.update(made)
        return root

    def files(self, tree_id: str) -> dict[str, str]:
        return {path: entry.id for path, entry in walk(self.read, tree_id)}


def meet(a: str, b: str) -> bool:
    """Tell whether one path would be a folder of the other one."""
    return a.startswith(f"{b}/") or b.startswith(f"{a}/")


def sensible(edits: Mapping[str, str | None]) -> bool:
    """Tell whether no two files are set of which one would be a folder of the other."""
    present = [path for path, blob in edits.items() if blob]
    return not any(meet(a, b) for a in present for b in present)


def model_edit(files: Mapping[str, str], edits: Mapping[str, str | None]) -> dict[str, str]:
    """Do the obvious: removals first, then every file that is set takes the place of whatever is in its way."""
    after = {path: blob for path, blob in files.items() if edits.get(path, blob) is not None}
    for path, blob in edits.items():
        if blob:
            after = {other: kept for other, kept in after.items() if not meet(other, path)}
            after[path] = blob
    return after


def simply_edited(
    trees: Trees, tree_id: str | None, edits: Mapping[tuple[str, ...], str | None], made: dict[str, bytes]
) -> str | None:
    """Decode every tree on the way, change it and encode it again."""
    entries = dict(trees.read(tree_id)) if tree_id else {}
    below: dict[str, dict[tuple[str, ...], str | None]] = {}
    for (name, *rest), blob in edits.items():
        if rest:
            below.setdefault(name, {})[tuple(rest)] = blob
        elif blob is not None:
            entries[name] = TreeEntry(FILE_MODE, blob)
        elif name in entries and not entries[name].is_tree:
            del entries[name]
    for name, inner in below.items():
        present = entries.get(name)
        folder = simply_edited(trees, present.id if present and present.is_tree else None, inner, made)
        if folder is None and present and present.is_tree:
            del entries[name]
        elif folder is not None:
            entries[name] = TreeEntry(TREE_MODE, folder)
    if not entries:
        return None
    data = encode_tree(entries)
    new_id = object_id("tree", [data])
    if new_id != tree_id:
        made[new_id] = data
    return new_id


@given(edit_lists)
@example([{"a/a": "1" * 40}, {"a": "1" * 40, "a.b": "1" * 40}])
def test_edits_make_the_trees_that_decoding_and_encoding_makes(edit_list: list[dict[str, str | None]]) -> None:
    trees, root = Trees(), None
    for edits in edit_list:
        expected: dict[str, bytes] = {}
        simple = simply_edited(trees, root, {tuple(path.split("/")): blob for path, blob in edits.items()}, expected)
        found, made = edited(trees.read_data, root, edits)
        assert found == (simple or EMPTY_TREE)
        assert made == (expected if simple else {**expected, EMPTY_TREE: b""})
        root = found
        trees.data.update(made)


@given(edit_lists)
def test_edits_do_what_they_do_to_a_dict_of_paths(edit_list: list[dict[str, str | None]]) -> None:
    trees, root, model = Trees(), None, dict[str, str]()
    for edits in filter(sensible, edit_list):
        root = trees.edit(root, edits)
        model = model_edit(model, edits)
        assert trees.files(root) == model


@given(st.dictionaries(paths, blobs, max_size=8).filter(sensible), st.randoms())
def test_a_tree_depends_on_its_files_and_not_on_how_it_came_about(files: dict[str, str], chance: object) -> None:
    trees = Trees()
    at_once = trees.edit(None, files)
    order = sorted(files)
    chance.shuffle(order)  # type: ignore[attr-defined]
    one_by_one = None
    for path in order:
        one_by_one = trees.edit(one_by_one, {path: "9" * 40})
        one_by_one = trees.edit(one_by_one, {path: files[path]})
    assert at_once == (one_by_one or EMPTY_TREE)


@given(
    st.dictionaries(paths, blobs, max_size=8).filter(sensible),
    st.dictionaries(paths, blobs, max_size=8).filter(sensible),
)
def test_changed_files_are_those_that_differ(old: dict[str, str], new: dict[str, str]) -> None:
    trees = Trees()
    before, after = trees.edit(None, old), trees.edit(None, new)
    expected = {path for path in {*old, *new} if old.get(path) != new.get(path)}
    assert set(changed_files(trees.read, before, after)) == expected
    assert set(changed_files(trees.read, None, after)) == set(new)
    assert set(changed_files(trees.read, after, None)) == set(new)


def test_files_are_told_in_the_order_of_git() -> None:
    trees = Trees()
    root = trees.edit(None, {"a/x": "1" * 40, "a.b": "1" * 40, "a0": "1" * 40, "B/y": "1" * 40})
    assert list(trees.files(root)) == ["B/y", "a.b", "a/x", "a0"]


def test_no_files_are_the_empty_tree() -> None:
    trees = Trees()
    assert trees.edit(None, {}) == EMPTY_TREE
    assert trees.edit(trees.edit(None, {"a/b": "1" * 40}), {"a/b": None}) == EMPTY_TREE
    assert EMPTY_TREE in trees.data


@pytest.mark.parametrize(
    ("edits", "left"),
    [
        ({"d/e/f": None}, {"d/g": "1", "h": "1"}),
        ({"d/e/f": None, "d/g": None}, {"h": "1"}),
        ({"d": None}, {"d/e/f": "1", "d/g": "1", "h": "1"}),
        ({"d/e/f": None, "d/g": None, "d": "2"}, {"d": "2", "h": "1"}),
        ({"h": None, "h/i": "2"}, {"d/e/f": "1", "d/g": "1", "h/i": "2"}),
        ({"h/i": None}, {"d/e/f": "1", "d/g": "1", "h": "1"}),
        ({"x/y/z": None}, {"d/e/f": "1", "d/g": "1", "h": "1"}),
    ],
)
def test_removals_take_files_and_empty_folders_only(edits: dict[str, str | None], left: dict[str, str]) -> None:
    trees = Trees()
    root = trees.edit(None, {"d/e/f": "1" * 40, "d/g": "1" * 40, "h": "1" * 40})
    after = trees.edit(root, {path: blob and blob * 40 for path, blob in edits.items()})
    assert trees.files(after) == {path: blob * 40 for path, blob in left.items()}


def test_what_does_not_change_is_neither_written_nor_opened() -> None:
    trees = Trees()
    root = trees.edit(None, {"a/b/c": "1" * 40, "d/e/f": "1" * 40, "d/g": "1" * 40})
    assert edited(trees.read_data, root, {})[1] == {}
    assert edited(trees.read_data, root, {"a/b/c": "1" * 40})[1] == {}
    trees.read_ids.clear()
    made = edited(trees.read_data, root, {"a/b/c": "2" * 40})[1]
    assert len(made) == len(trees.read_ids) == 3  # the root, a and a/b
    trees.read_ids.clear()
    after = trees.edit(root, {"a/b/c": "2" * 40})
    trees.read_ids.clear()
    assert list(changed_files(trees.read, root, after)) == ["a/b/c"]
    assert len(trees.read_ids) == 6  # the same three, old and new; nothing of d


def test_an_edited_file_is_a_plain_one() -> None:
    trees = Trees()
    tree = b"100755 run\0" + bytes(20)
    trees.data["0" * 40] = tree
    assert find(trees.read, trees.edit("0" * 40, {"run": "1" * 40}), "run") == TreeEntry(FILE_MODE, "1" * 40)
    assert find(trees.read, trees.edit("0" * 40, {"x": "1" * 40}), "run") == TreeEntry(0o100755, "0" * 40)


def test_find_returns_what_a_path_names() -> None:
    trees = Trees()
    root = trees.edit(None, {"a/b/c": "1" * 40})
    assert find(trees.read, root, "") == TreeEntry(TREE_MODE, root)
    assert find(trees.read, root, "a/b/c") == TreeEntry(FILE_MODE, "1" * 40)
    folder = find(trees.read, root, "a/b")
    assert folder is not None
    assert folder.is_tree
    for absent in ("b", "a/c", "a/b/d", "a/b/c/d", "a/b/c/d/e"):
        assert find(trees.read, root, absent) is None
