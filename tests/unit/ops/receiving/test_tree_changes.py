"""What a commit changed: nothing hides in a merge, and nothing that others did is put down to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.ops.receiving.ancestors import Budget, Graph, Node
from calibvcs.ops.receiving.raw_objects import RawTree
from calibvcs.ops.receiving.tree_changes import Changes
from calibvcs.store.objects.encoding import object_id

Files = dict[str, str]


class Toy:
    """Commits whose trees are given as paths and contents."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.trees: dict[str, RawTree] = {}

    def tree(self, files: Files) -> str:
        entries: dict[str, tuple[str, str]] = {}
        folders: dict[str, Files] = {}
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = content
            else:
                entries[name] = "100644", content * 40
        entries |= {name: ("40000", self.tree(inner)) for name, inner in folders.items()}
        rows = sorted(entries.items())
        data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(found) for name, (mode, found) in rows)
        tree = object_id("tree", [data])
        self.trees[tree] = RawTree(data)
        return tree

    def commit(self, files: Files, *parents: str) -> str:
        name = str(len(self.nodes))
        self.nodes[name] = Node(parents, len(self.nodes), self.tree(files))
        return name

    def changed(self, commit: str) -> dict[str, str | None]:
        graph = Graph(self.nodes.__getitem__, Budget(10_000, "steps"))
        changes = Changes(graph, self.trees.__getitem__, Budget(10_000, "files"))
        return {t.path: t.after.id[0] if t.after else None for t in changes.of(self.nodes[commit])}


def test_a_commit_changes_what_differs_from_its_parent() -> None:
    toy = Toy()
    first = toy.commit({"a": "1", "b/c": "1", "d/e": "1"})
    assert toy.changed(first) == {"a": "1", "b/c": "1", "d/e": "1"}
    second = toy.commit({"a": "2", "b/c": "1", "b/x": "3"}, first)
    assert toy.changed(second) == {"a": "2", "b/x": "3", "d": None}
    third = toy.commit({"a/b": "1", "b": "2"}, second)
    assert toy.changed(third) == {"a": None, "a/b": "1", "b": "2"}


def test_a_merge_that_follows_from_its_sides_changes_nothing() -> None:
    toy = Toy()
    base = toy.commit({"a": "1", "b": "1", "c/d": "1", "e": "1"})
    ours = toy.commit({"a": "2", "b": "1", "c/d": "1", "e": "1"}, base)
    theirs = toy.commit({"a": "1", "b": "3", "c/d": "4", "f": "5"}, base)
    merge = toy.commit({"a": "2", "b": "3", "c/d": "4", "f": "5"}, ours, theirs)
    assert toy.changed(merge) == {}


def test_a_folder_of_which_each_side_took_a_part_away_changes_nothing() -> None:
    toy = Toy()
    base = toy.commit({"a": "1", "b/c": "1", "b/d": "1"})
    ours, theirs = toy.commit({"a": "1", "b/c": "1"}, base), toy.commit({"a": "1", "b/d": "1"}, base)
    assert toy.changed(toy.commit({"a": "1"}, ours, theirs)) == {}
    assert toy.changed(toy.commit({"a": "1"}, ours, base)) == {"b/c": None}


def test_what_takes_back_the_work_of_a_side_is_a_change() -> None:
    toy = Toy()
    base = toy.commit({"a": "1", "b": "1"})
    ours = toy.commit({"a": "2", "b": "1"}, base)
    theirs = toy.commit({"a": "1", "b": "3"}, base)
    assert toy.changed(toy.commit({"a": "1", "b": "3"}, ours, theirs)) == {"a": "1"}
    assert toy.changed(toy.commit({"a": "2", "b": "1"}, ours, theirs)) == {"b": "1"}
    assert toy.changed(toy.commit({"a": "9", "b": "3"}, ours, theirs)) == {"a": "9"}
    assert toy.changed(toy.commit({"b": "3"}, ours, theirs)) == {"a": None}


def test_an_old_state_that_is_merged_again_is_a_change() -> None:
    toy = Toy()
    base = toy.commit({"a": "1"})
    tip = toy.commit({"a": "2"}, base)
    assert toy.changed(toy.commit({"a": "1"}, tip, base)) == {"a": "1"}
    assert toy.changed(toy.commit({"a": "2"}, tip, base)) == {}


def test_histories_without_a_common_commit_do_not_follow() -> None:
    toy = Toy()
    assert toy.changed(toy.commit({"a": "1"}, toy.commit({"a": "1"}), toy.commit({"a": "2"}))) == {"a": "1"}


def test_the_folder_of_a_constant_is_one_thing() -> None:
    toy = Toy()
    folder = "d/d-1/pedestals/0-end"
    base = toy.commit({f"{folder}/data.npy": "1", f"{folder}/meta.toml": "1"})
    ours = toy.commit({f"{folder}/data.npy": "2", f"{folder}/meta.toml": "1"}, base)
    theirs = toy.commit({f"{folder}/data.npy": "1", f"{folder}/meta.toml": "2"}, base)
    merge = toy.commit({f"{folder}/data.npy": "2", f"{folder}/meta.toml": "2"}, ours, theirs)
    assert toy.changed(merge) == {f"{folder}/data.npy": "2", f"{folder}/meta.toml": "2"}
    assert toy.changed(toy.commit({f"{folder}/data.npy": "2", f"{folder}/meta.toml": "1"}, ours, base)) == {}


states = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=3, max_size=3)


def _files(values: list[str | None]) -> Files:
    return {path: value for path, value in zip(("a", "b/c", "b/d"), values, strict=True) if value}


@given(states, st.lists(states, min_size=2, max_size=3), states)
def test_a_merge_is_held_against_the_three_way_rule(
    base: list[str | None], sides: list[list[str | None]], after: list[str | None]
) -> None:
    toy = Toy()
    root = toy.commit(_files(base))
    merge = toy.commit(_files(after), *[toy.commit(_files(side), root) for side in sides])
    expected = set()
    for place, path in enumerate(("a", "b/c", "b/d")):
        values = [side[place] for side in sides]
        others = [value for value in values if value != after[place]]
        if others and not (after[place] in values and all(value == base[place] for value in others)):
            expected.add(path)
    assert set(toy.changed(merge)) == expected
