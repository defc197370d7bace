"""What another state of the repository changes for readers."""

from __future__ import annotations

import pytest

from calibvcs.api.wire import as_json
from calibvcs.model.commits import Action
from calibvcs.ops.merges.preview import Preview, preview
from tests.unit.ops.branches import GAIN, LATER, PEDESTALS, Branches, files_of, metadata

RUNS = "experiments/mfx1.toml"
TABLE = "".join(
    f"[[runs]]\nrun = {run}\nkind = 'data'\nbegin = {begin}\n"
    for run, begin in ((1, 50), (2, 100), (3, 199), (4, 200), (9, 150))
)


@pytest.fixture
def store() -> Branches:
    return Branches()


@pytest.fixture
def start(store: Branches) -> str:
    return store.add(store.on(store.first, {RUNS: TABLE.encode()}), PEDESTALS, 1)


def looked(store: Branches, before: str, after: str) -> Preview:
    found = preview(store.at(before), store.at(after))
    assert (found.before, found.after) == (before, after)
    assert as_json(found)["schema"] == "calibvcs.preview/1"
    return found


def statuses(found: Preview) -> dict[str, tuple[str, str, str]]:
    return {row.constant: (row.status, row.before, row.after) for row in found.defaults}


def effects(found: Preview) -> list[tuple[int, int | None, str, str, tuple[int, ...]]]:
    return [
        (e.begin, e.end, e.before.rpartition("/")[2], e.after.rpartition("/")[2], e.runs[0].runs if e.runs else ())
        for e in found.effects
    ]


def test_nothing_changes_nothing(store: Branches, start: str) -> None:
    found = looked(store, start, start)
    assert (found.defaults, found.effects, found.files) == ((), (), ())


def test_a_range_that_is_added_supersedes_another_one_for_its_time(store: Branches, start: str) -> None:
    found = looked(store, start, store.add(start, LATER, 2, who="Grace"))
    assert statuses(found) == {str(LATER): ("added", "", "v1")}
    assert effects(found) == [(100, 200, "0-end@v1", "100-200@v1", (2, 3, 9))]
    (row,) = found.defaults
    assert (row.detector, row.ctype, row.begin, row.end, row.author, row.comment) == (
        "opal-1", "pedestals", 100, 200, "Grace", "Set 2"
    )  # fmt: skip


def test_what_is_superseded_already_is_not_noticed(store: Branches, start: str) -> None:
    before = store.add(start, LATER, 2)
    found = looked(store, before, store.add(before, PEDESTALS, 3))
    assert statuses(found) == {str(PEDESTALS): ("replaced", "v1", "v2")}
    assert effects(found) == [(0, 100, "0-end@v1", "0-end@v2", (1,)), (200, None, "0-end@v1", "0-end@v2", (4,))]


def test_withdrawn_and_brought_back(store: Branches, start: str) -> None:
    added = store.add(start, LATER, 2)
    withdrawn = store.mark(added, Action.WITHDRAW, LATER, 2)
    found = looked(store, added, withdrawn)
    assert statuses(found) == {str(LATER): ("withdrawn", "v1", "v1")}
    assert effects(found) == [(100, 200, "100-200@v1", "0-end@v1", (2, 3, 9))]
    back = store.add(withdrawn, LATER, 3)
    found = looked(store, withdrawn, back)
    assert statuses(found) == {str(LATER): ("brought back", "v1", "v2")}
    assert effects(found) == [(100, 200, "0-end@v1", "100-200@v2", (2, 3, 9))]
    replaced = store.on(withdrawn, files_of(LATER, 4, metadata().withdraw("Bad")))
    found = looked(store, withdrawn, replaced)
    assert (statuses(found), effects(found)) == ({str(LATER): ("replaced", "v1", "v2")}, [])


def test_the_first_constant_and_the_last_one(store: Branches, start: str) -> None:
    found = looked(store, start, store.add(start, GAIN, 2))
    assert effects(found) == [(0, None, "", "0-end@v1", (1, 2, 3, 4, 9))]
    assert [effect.ctype for effect in found.effects] == ["pixel_gain"]
    found = looked(store, start, store.on(start, files_of(PEDESTALS, None)))
    assert statuses(found) == {str(PEDESTALS): ("removed", "v1", "")}
    assert effects(found) == [(0, None, "0-end@v1", "", (1, 2, 3, 4, 9))]


def test_a_lock_and_another_provenance_change_no_default(store: Branches, start: str) -> None:
    locked = store.mark(start, Action.LOCK, PEDESTALS, 1)
    assert looked(store, start, locked).defaults == ()
    again = store.on(start, files_of(PEDESTALS, 1, metadata("grace")))
    assert looked(store, start, again).defaults == ()


def test_other_metadata_do(store: Branches, start: str) -> None:
    found = looked(store, start, store.on(start, files_of(PEDESTALS, 1, metadata(parameters={"bias": 300}))))
    assert statuses(found) == {str(PEDESTALS): ("metadata", "v1", "v1")}
    assert effects(found) == [(0, None, "0-end@v1", "0-end@v1", (1, 2, 3, 4, 9))]


def test_other_files_are_named_and_runs_are_those_of_the_new_state(store: Branches, start: str) -> None:
    tables = {RUNS: None, "experiments/mfx2.toml": b"[[runs]]\nrun = 1\nbegin = 100\n[[runs]]\nrun = 2\n"}
    after = store.add(store.on(start, tables), LATER, 2)
    found = looked(store, start, after)
    assert found.files == (RUNS, "experiments/mfx2.toml")
    assert [(runs.experiment, runs.runs) for runs in found.effects[0].runs] == [("mfx2", (1,))]
    assert preview(store.at(start), store.at(after), ["mfx3"]).effects[0].runs == ()


def test_an_empty_repository_is_a_state_like_any_other(store: Branches, start: str) -> None:
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.snapshot import Snapshot

    found = preview(Catalogue(Snapshot(store, None)), store.at(start))
    assert statuses(found) == {str(PEDESTALS): ("added", "", "v1")}
    assert len(found.files) == 3


def test_a_merge_that_is_not_written_yet_is_seen_on_top_of_the_store(store: Branches, start: str) -> None:
    ours, theirs = store.add(start, LATER, 2), store.add(start, GAIN, 3)
    found = looked(store, ours, store.merge(ours, theirs))
    assert statuses(found) == {str(GAIN): ("added", "", "v1")}
