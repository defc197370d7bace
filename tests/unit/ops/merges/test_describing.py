"""A conflict as a person sees it."""

from __future__ import annotations

import pytest

from calibvcs.api.wire import as_json
from calibvcs.formats.toml import meta_toml
from calibvcs.model.commits import Action
from calibvcs.model.layout import constant_folder
from calibvcs.model.names import ConstantName
from calibvcs.ops.merges.describing import ConflictDescription, describe
from calibvcs.ops.merges.merging import merge
from tests.unit.ops.branches import GAIN, PEDESTALS, Branches, array_bytes, files_of, metadata

GEOMETRY = ConstantName.parse("opal-1/geometry/0-end")


@pytest.fixture
def store() -> Branches:
    return Branches()


def described(store: Branches, ours: str, theirs: str) -> ConflictDescription:
    merged = merge(store, ours, theirs)
    (conflict,) = merged.conflicts
    found = describe(store, merged, conflict)
    assert (found.kind, found.name, found.base) == (conflict.kind, conflict.name, conflict.base)
    assert (found.ours.value, found.theirs.value) == (conflict.ours, conflict.theirs)
    assert as_json(found)["schema"] == "calibvcs.conflict/1"
    return found


def test_it_shows_by_how_much_each_side_differs_from_the_base_and_who_did_it(store: Branches) -> None:
    base = store.add(store.first, PEDESTALS, 1)
    ours = store.add(store.add(base, PEDESTALS, 2, who="Ada"), GAIN, 7)
    changed = store.commit(ours).parents[0]
    theirs = store.add(store.add(base, PEDESTALS, 9), PEDESTALS, 5, who="Grace", time=1_767_225_600)
    found = described(store, ours, theirs)
    assert (found.ours.commit, found.ours.author, found.ours.subject, found.ours.version) == (
        changed,
        "Ada",
        "Set 2",
        "v2",
    )
    assert (found.theirs.commit, found.theirs.author, found.theirs.date, found.theirs.version) == (
        theirs, "Grace", "2026-01-01T00:00:00Z", "v3"
    )  # fmt: skip
    for difference, amount in ((found.ours.difference, 1), (found.theirs.difference, 4), (found.apart, 3)):
        assert difference is not None
        assert difference.array is not None
        assert difference.status == "changed"
        assert difference.array.max_abs == amount


def test_without_a_base_the_two_sides_are_compared(store: Branches) -> None:
    found = described(store, store.add(store.first, GAIN, 2), store.add(store.first, GAIN, 5))
    assert (found.base, found.ours.difference, found.theirs.difference) == ("", None, None)
    assert found.apart is not None
    assert found.apart.array is not None
    assert found.apart.array.max_abs == 3


def test_a_mark_is_told_by_the_metadata(store: Branches) -> None:
    base = store.add(store.first, PEDESTALS, 1)
    found = described(store, store.mark(base, Action.WITHDRAW, PEDESTALS, 1), store.add(base, PEDESTALS, 2))
    assert found.ours.difference is not None
    assert {entry.field: entry.b for entry in found.ours.difference.metadata} == {
        "withdrawn": "True", "withdrawn_reason": "Bad"
    }  # fmt: skip
    assert (found.ours.subject, found.ours.version, found.theirs.version) == ("Mark", "v1", "v2")


def test_a_constant_that_one_side_took_away(store: Branches) -> None:
    base = store.add(store.first, PEDESTALS, 1)
    gone = store.on(base, files_of(PEDESTALS, None), "Take it away\n", who="Eve")
    found = described(store, gone, store.add(base, PEDESTALS, 2))
    assert (found.ours.value, found.ours.version, found.ours.author, found.ours.subject) == (
        "",
        "",
        "Eve",
        "Take it away",
    )
    assert (found.ours.difference, found.apart, found.theirs.difference is None) == (None, None, False)


def test_geometry_is_compared_panel_by_panel(store: Branches) -> None:
    commits = [store.first]
    for parent, shift in ((0, 0.0), (1, 10.0), (1, 30.0)):
        text = f"IP 0 OPAL:V1 0 {shift} 0 0 0 0 0 0 0 0\n".encode()
        meta = meta_toml.encode(metadata().__class__("text"))
        folder = constant_folder(GEOMETRY)
        commits.append(store.on(commits[parent], {f"{folder}/geometry.txt": text, f"{folder}/meta.toml": meta}))
    found = described(store, commits[2], commits[3])
    for difference, amount in ((found.ours.difference, 10), (found.theirs.difference, 30), (found.apart, 20)):
        assert difference is not None
        assert difference.geometry is not None
        assert [panel.dx for panel in difference.geometry.panels if panel.dx] == [amount]


def test_data_that_are_not_there_are_told(store: Branches) -> None:
    base = store.add(store.first, PEDESTALS, 1)
    ours, theirs = store.add(base, PEDESTALS, 2), store.add(base, PEDESTALS, 3)
    del store._objects[store.put_blob([array_bytes(2)])]
    found = described(store, ours, theirs)
    assert "missing" in found.ours.trouble
    assert (found.ours.difference, found.ours.author) == (None, "Ada")
    assert (found.theirs.trouble, found.theirs.difference is None) == ("", False)


def test_a_row_of_a_record_with_the_commit_that_changed_this_row(store: Branches) -> None:
    path = "experiments/mfx1.toml"
    row = "[[runs]]\nrun = {}\ncomment = '{}'\n"
    base = store.on(store.first, {path: row.format(1, "a").encode()})
    changed = store.on(base, {path: row.format(1, "b").encode()}, "Ours\n")
    ours = store.on(changed, {path: (row.format(1, "b") + row.format(2, "x")).encode()}, "Later\n")
    theirs = store.on(base, {path: b""}, "Theirs\n")
    found = described(store, ours, theirs)
    assert (found.name, found.base, found.ours.value, found.theirs.value) == (
        "mfx1:1", "run = 1, comment = 'a'", "run = 1, comment = 'b'", ""
    )  # fmt: skip
    assert (found.ours.commit, found.theirs.commit, found.ours.subject) == (changed, theirs, "Ours")
    assert (found.ours.difference, found.apart, found.ours.version) == (None, None, "")


def test_who_changed_it_is_found_through_merges(store: Branches) -> None:
    base = store.add(store.first, PEDESTALS, 1)
    changed = store.add(base, PEDESTALS, 2)
    ours = store.add(store.merge(store.add(base, GAIN, 3), changed), GAIN, 4)
    found = described(store, ours, store.add(base, PEDESTALS, 5))
    assert found.ours.commit == changed
