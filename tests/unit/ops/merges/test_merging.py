"""Merging two commits: what is taken, what is a conflict, how it is settled, and what history says afterwards."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidDocumentError, InvalidOptionError, NotCalibvcsError
from calibvcs.model.commits import Action
from calibvcs.model.layout import constant_folder
from calibvcs.model.names import ConstantName
from calibvcs.model.three_way import Rule, Rules, Side
from calibvcs.ops.merges import virtual_base
from calibvcs.ops.merges.content import Taken
from calibvcs.ops.merges.merging import merge
from calibvcs.ops.verify import verify
from calibvcs.store.protocol import TreeEntry
from tests.unit.ops.branches import FOLDER, GAIN, LATER, PEDESTALS, Branches, files_of, metadata

OURS, THEIRS, NEWEST = (Rules(rule) for rule in Rule)


@pytest.fixture
def store() -> Branches:
    return Branches()


@pytest.fixture
def parted(store: Branches) -> str:
    return store.add(store.first, PEDESTALS, 1)


# --- which kind of merge ------------------------------------------------------------------------------------------


def test_nothing_is_to_be_done_where_ours_has_it_all(store: Branches, parted: str) -> None:
    merged = merge(store, store.add(parted, PEDESTALS, 2), parted)
    assert (merged.kind, merged.edits, merged.taken) == ("up-to-date", {}, ())
    assert merge(store, parted, parted).kind == "up-to-date"


def test_where_theirs_has_it_all_no_commit_is_needed(store: Branches, parted: str) -> None:
    theirs = store.add(store.add(parted, PEDESTALS, 2), GAIN, 3)
    merged = merge(store, parted, theirs)
    assert (merged.kind, merged.edits, merged.bases) == ("fast-forward", {}, (parted,))
    assert merged.taken == (Taken("constant", str(PEDESTALS), "changed"), Taken("constant", str(GAIN), "added"))


def test_histories_of_their_own_are_refused(store: Branches) -> None:
    other = store.commit_of((), {".calibvcs/repository.toml": b"format = 1\nname = 'other'\n"})
    with pytest.raises(InvalidOptionError, match="no commit in common"):
        merge(store, store.first, other)


def test_what_is_no_repository_of_constants_is_refused(store: Branches) -> None:
    other = store.on(store.first, {".calibvcs/repository.toml": None})
    with pytest.raises(NotCalibvcsError):
        merge(store, store.first, other)


# --- constants ----------------------------------------------------------------------------------------------------


def test_different_constants_never_conflict(store: Branches, parted: str) -> None:
    ours, theirs = store.add(parted, LATER, 2), store.add(parted, GAIN, 3)
    merged = merge(store, ours, theirs)
    assert (merged.kind, merged.conflicts) == ("merge", ())
    assert merged.taken == (Taken("constant", str(GAIN), "added"),)
    commit = store.write(merged)
    assert [store.value(commit, one) for one in (PEDESTALS, LATER, GAIN)] == [1, 2, 3]
    assert verify(store.at(commit), deep=True).sound


def test_the_same_range_on_both_sides_is_a_conflict_and_ours_stays_until_it_is_settled(
    store: Branches, parted: str
) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2), store.add(parted, PEDESTALS, 3)
    merged = merge(store, ours, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.name, conflict.paths) == ("constant", str(PEDESTALS), (constant_folder(PEDESTALS),))
    assert len({conflict.base, conflict.ours, conflict.theirs, ""}) == 4
    assert (merged.edits, merged.taken, merged.settled) == ({}, (), ())


@pytest.mark.parametrize(
    ("rules", "value", "side"), [(OURS, 2, Side.OURS), (THEIRS, 3, Side.THEIRS), (NEWEST, 3, Side.THEIRS)]
)
def test_a_rule_settles_it(store: Branches, parted: str, rules: Rules, value: int, side: Side) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2), store.add(parted, PEDESTALS, 3)
    merged = merge(store, ours, theirs, rules)
    assert not merged.conflicts
    assert [(done.conflict.name, done.rule, done.side) for done in merged.settled] == [
        (str(PEDESTALS), rules.general, side)
    ]
    assert store.value(store.write(merged), PEDESTALS) == value


def test_a_rule_for_one_constant_goes_before_the_general_one(store: Branches, parted: str) -> None:
    ours, theirs = (store.add(store.add(parted, PEDESTALS, value), GAIN, value) for value in (2, 3))
    single = {str(PEDESTALS): Rule.THEIRS}
    assert [c.name for c in merge(store, ours, theirs, Rules(single=single)).conflicts] == [str(GAIN)]
    commit = store.merge(ours, theirs, Rules(Rule.OURS, single))
    assert [store.value(commit, one) for one in (PEDESTALS, GAIN)] == [3, 2]


def test_newest_goes_by_the_version_that_is_the_default_and_not_by_when_it_became_so(
    store: Branches, parted: str
) -> None:
    ours = store.mark(store.add(parted, PEDESTALS, 2, time=5000), Action.LOCK, PEDESTALS, 2)
    theirs = store.add(parted, PEDESTALS, 3, time=6000)
    back = store.restore(theirs, PEDESTALS, parted)
    assert store.value(store.merge(ours, theirs, NEWEST), PEDESTALS) == 3
    assert store.value(store.merge(theirs, ours, NEWEST), PEDESTALS) == 3
    assert merge(store, ours, back, NEWEST).kind == "merge"
    assert store.value(store.merge(ours, back, NEWEST), PEDESTALS) == 2


@pytest.mark.parametrize("how", ["same date", "same version", "taken away"])
def test_what_is_not_newer_stays_a_conflict(store: Branches, parted: str, how: str) -> None:
    ours = store.add(parted, PEDESTALS, 2, time=5000)
    theirs = store.add(parted, PEDESTALS, 3, time=5000)
    if how == "same version":
        ours, theirs = (store.mark(parted, action, PEDESTALS, 1) for action in (Action.LOCK, Action.WITHDRAW))
    elif how == "taken away":
        theirs = store.on(parted, files_of(PEDESTALS, None))
    assert len(merge(store, ours, theirs, NEWEST).conflicts) == 1
    assert len(merge(store, theirs, ours, NEWEST).conflicts) == 1


def test_new_data_on_one_side_and_a_mark_on_the_other_are_a_conflict(store: Branches, parted: str) -> None:
    added = store.add(parted, PEDESTALS, 2)
    for action in (Action.LOCK, Action.WITHDRAW):
        marked = store.mark(parted, action, PEDESTALS, 1)
        assert len(merge(store, added, marked).conflicts) == 1
        assert len(merge(store, marked, added).conflicts) == 1
        assert store.at(store.merge(added, marked, THEIRS)).metadata(PEDESTALS) == store.at(marked).metadata(PEDESTALS)


def test_taken_away_on_one_side_and_changed_on_the_other_is_a_conflict(store: Branches, parted: str) -> None:
    ours, theirs = store.on(parted, files_of(PEDESTALS, None)), store.add(parted, PEDESTALS, 2)
    assert len(merge(store, ours, theirs).conflicts) == 1
    assert store.value(store.merge(ours, theirs, OURS), PEDESTALS) is None
    assert store.value(store.merge(ours, theirs, THEIRS), PEDESTALS) == 2
    assert store.value(store.merge(theirs, ours, THEIRS), PEDESTALS) is None
    assert store.value(store.merge(store.add(parted, GAIN, 1), ours), PEDESTALS) is None


def test_the_same_change_on_both_sides_is_none(store: Branches, parted: str) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2), store.add(parted, PEDESTALS, 2)
    merged = merge(store, ours, theirs)
    assert (merged.kind, merged.conflicts, merged.settled, merged.taken) == ("merge", (), (), ())


def test_the_same_data_added_twice_are_none_either_and_the_newer_provenance_stays(store: Branches, parted: str) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2, user="ada"), store.add(parted, PEDESTALS, 2, user="grace")
    commits = [store.merge(ours, theirs), store.merge(theirs, ours)]
    assert {store.at(commit).metadata(PEDESTALS).provenance.user for commit in commits} == {"grace"}
    locked = store.on(theirs, files_of(PEDESTALS, 2, metadata("grace").lock("Good")))
    assert len(merge(store, ours, locked).conflicts) == 1


def test_nothing_but_plain_files_is_taken(store: Branches, parted: str) -> None:
    ours = store.add(parted, GAIN, 2)
    theirs = store.on(parted, {"README.md": b"Read me"})
    target = store.put_blob([b"/etc/passwd"])
    store._objects[store.tree_of(theirs)] = (
        "tree",
        store.tree_data(store.tree_of(theirs)).replace(b"100644 README", b"120000 README"),
    )
    assert store.tree(store.tree_of(theirs))["README.md"].mode == 0o120000
    with pytest.raises(InvalidDocumentError, match="mode 120000"):
        merge(store, ours, theirs)
    assert TreeEntry(0o120000, target)


# --- other files --------------------------------------------------------------------------------------------------


def test_settings_and_other_files_are_merged_as_a_whole(store: Branches) -> None:
    access, readme = ".calibvcs/access.toml", "README.md"
    base = store.on(store.first, {access: b"a = 1\nb = 1\n", readme: b"One\n"})
    ours, theirs = (
        store.on(base, {access: b"a = 2\nb = 1\n"}),
        store.on(base, {access: b"a = 1\nb = 2\n", readme: b"Two\n"}),
    )
    merged = merge(store, ours, theirs)
    assert [(c.kind, c.name) for c in merged.conflicts] == [("file", access)]
    assert merged.taken == (Taken("file", readme, "changed"),)
    assert store.read(store.merge(ours, theirs, THEIRS), access) == "a = 1\nb = 2\n"
    assert store.read(store.merge(ours, theirs, NEWEST), access) == "a = 1\nb = 2\n"
    assert store.read(store.merge(theirs, ours, NEWEST), access) == "a = 1\nb = 2\n"


@pytest.mark.parametrize("rule", [None, *Rule])
def test_a_file_against_a_folder(store: Branches, rule: Rule | None) -> None:
    base = store.on(store.first, {"x/y": b"1"})
    ours, theirs = store.on(base, {"x": b"2", "x/y": None}), store.on(base, {"x/y": b"3", "x/z": b"4"})
    assert [c.name for c in merge(store, ours, theirs).conflicts] == ["x"]
    if rule:
        commit = store.merge(ours, theirs, Rules(rule))
        assert store.read(commit, "x") == ("2" if rule is Rule.OURS else None)
        assert store.read(commit, "x/z") == (None if rule is Rule.OURS else "4")
        commit = store.merge(theirs, ours, Rules(rule))
        assert store.read(commit, "x") == ("2" if rule is Rule.THEIRS else None)


def test_a_detector_taken_away_on_one_side_and_used_on_the_other(store: Branches, parted: str) -> None:
    record = f"{FOLDER}/detector.toml"
    gone = store.on(parted, {record: None, **files_of(PEDESTALS, None)})
    used = store.add(parted, GAIN, 2)
    for ours, theirs in ((gone, used), (used, gone)):
        assert [(c.kind, c.name) for c in merge(store, ours, theirs).conflicts] == [("file", record)]
        for rules, kept in ((OURS, ours), (THEIRS, theirs)):
            commit = store.merge(ours, theirs, rules)
            assert (store.read(commit, record) is not None) == (kept == used)
            assert (store.value(commit, PEDESTALS), store.value(commit, GAIN)) == (None, 2)
            assert verify(store.at(commit)).sound == (kept == used)
    changed = store.on(used, {record: b'longname = "opal_2"\n'})
    assert [c.name for c in merge(store, gone, changed).conflicts] == [record]
    other = store.on(parted, {"README.md": b"Read me"})
    assert not merge(store, gone, other).conflicts
    assert not merge(store, other, gone).conflicts
    assert store.read(store.merge(other, gone), record) is None


# --- crosswise merges ---------------------------------------------------------------------------------------------


def test_after_crosswise_merges_what_one_side_changes_is_taken(store: Branches, parted: str) -> None:
    one, other = store.add(parted, PEDESTALS, 2), store.add(parted, GAIN, 3)
    left, right = store.merge(one, other), store.merge(other, one)
    ours, theirs = store.add(left, LATER, 5), store.add(right, PEDESTALS, 4)
    merged = merge(store, ours, theirs)
    assert set(merged.bases) == {one, other}
    commit = store.write(merged)
    assert [store.value(commit, name) for name in (PEDESTALS, LATER, GAIN)] == [4, 5, 3]


def test_going_back_behind_a_crosswise_merge_is_a_change(store: Branches, parted: str) -> None:
    one, other = store.add(parted, PEDESTALS, 2), store.add(parted, GAIN, 3)
    left, right = store.merge(one, other), store.merge(other, one)
    back = store.restore(left, PEDESTALS, parted)
    assert store.value(store.merge(back, right), PEDESTALS) == 1
    assert store.value(store.merge(right, back), PEDESTALS) == 1
    assert len(merge(store, back, store.add(right, PEDESTALS, 4)).conflicts) == 1


def test_what_crosswise_merges_settled_apart_is_a_conflict_again(store: Branches, parted: str) -> None:
    one, other = store.add(parted, PEDESTALS, 2), store.add(parted, PEDESTALS, 3)
    left, right = store.merge(one, other, OURS), store.merge(other, one, OURS)
    assert len(merge(store, left, right).conflicts) == 1
    agreed = store.merge(other, one, THEIRS)
    assert store.value(store.merge(left, agreed), PEDESTALS) == 2


def test_a_long_ladder_of_crosswise_merges_comes_to_an_end(store: Branches, parted: str) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2), store.add(parted, GAIN, 3)
    for step in range(25):
        ours, theirs = store.merge(ours, theirs), store.merge(theirs, ours)
        ours, theirs = store.add(ours, LATER, 10 + step), store.add(theirs, GAIN, 10 + step)
    commit = store.merge(ours, theirs)
    assert [store.value(commit, one) for one in (PEDESTALS, LATER, GAIN)] == [2, 34, 34]


def test_past_many_crosswise_merges_what_cannot_be_told_is_a_conflict(
    store: Branches, parted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = store.add(parted, PEDESTALS, 2), store.add(parted, GAIN, 3)
    left, right = store.merge(one, other), store.merge(other, one)
    ours, theirs = store.add(left, LATER, 5), store.add(right, PEDESTALS, 4)
    monkeypatch.setattr(virtual_base, "MOST_MERGES", 0)
    assert [c.name for c in merge(store, ours, theirs).conflicts] == [str(PEDESTALS)]
    assert not merge(store, ours, right).conflicts


# --- versions afterwards ------------------------------------------------------------------------------------------


def versions(store: Branches, commit: str, constant: ConstantName) -> tuple[list[str], str]:
    history = store.at(commit).history
    default = history.default(constant)
    return [version.commit.id for version in history.versions(constant)], default.commit.id if default else ""


@pytest.mark.parametrize("rules", [OURS, THEIRS])
def test_both_sides_count_and_the_default_is_the_one_that_was_chosen(
    store: Branches, parted: str, rules: Rules
) -> None:
    ours = store.add(parted, PEDESTALS, 2)
    theirs = store.add(store.add(parted, PEDESTALS, 3), PEDESTALS, 4)
    before = store.commit(theirs).parents[0]
    commit = store.merge(ours, theirs, rules)
    assert versions(store, commit, PEDESTALS) == ([parted, ours, before, theirs], ours if rules is OURS else theirs)
    again = store.add(commit, PEDESTALS, 5)
    assert versions(store, again, PEDESTALS) == ([parted, ours, before, theirs, again], again)


def test_the_same_data_on_both_sides_are_two_versions_and_the_later_is_the_default(
    store: Branches, parted: str
) -> None:
    ours, theirs = store.add(parted, PEDESTALS, 2), store.add(parted, PEDESTALS, 2)
    assert versions(store, store.merge(ours, theirs), PEDESTALS) == ([parted, ours, theirs], theirs)


def test_a_version_that_was_restored_stays_the_default(store: Branches, parted: str) -> None:
    newer = store.add(parted, PEDESTALS, 2)
    ours, theirs = store.restore(newer, PEDESTALS, parted), store.add(newer, GAIN, 3)
    for commit in (store.merge(ours, theirs), store.merge(theirs, ours)):
        assert versions(store, commit, PEDESTALS) == ([parted, newer], parted)
    later = store.add(newer, PEDESTALS, 4)
    assert versions(store, store.merge(ours, later, OURS), PEDESTALS) == ([parted, newer, later], parted)


def test_a_merge_is_no_version_of_anything(store: Branches, parted: str) -> None:
    commit = store.merge(store.add(parted, LATER, 2), store.add(parted, GAIN, 3))
    event = next(store.at(commit).history.events())
    assert (event.commit.id, event.versions, event.commit.message.subject) == (commit, (), "Merge main")


def test_the_message_tells_what_came_and_what_was_settled(store: Branches, parted: str) -> None:
    ours = store.add(parted, PEDESTALS, 2)
    theirs = store.add(store.add(parted, PEDESTALS, 3), GAIN, 3)
    text = store.commit(store.merge(ours, theirs, NEWEST)).text
    assert text == (
        "Merge main\n\nTaken from there: 2 constants.\n\nChanged on both sides:\n"
        f"- {PEDESTALS}: theirs (newest)\n\n"
        f"Calibvcs-Action: merge\nCalibvcs-Merged: {theirs}\nCalibvcs-Settled: theirs {PEDESTALS}\n"
    )


def test_a_detector_registered_on_both_sides_was_created_by_the_earlier_one(store: Branches) -> None:
    path = f"{FOLDER.replace('1', '2')}/detector.toml"
    ours = store.on(store.first, {path: b'longname = "a"\ncreated = "2026-01-02T00:00:00Z"\n'})
    theirs = store.on(store.first, {path: b'longname = "a"\ncreated = "2026-01-01T00:00:00Z"\n'})
    for commit in (store.merge(ours, theirs), store.merge(theirs, ours)):
        assert store.read(commit, path) == 'longname = "a"\ncreated = "2026-01-01T00:00:00Z"\n'
