"""What the journal says of any history, merges and clock errors included, is what reading every commit says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.model.commits import Action, Message, Signature
from calibvcs.model.names import ConstantName
from calibvcs.ops import history as histories
from calibvcs.ops.history import History
from calibvcs.store.derived import DerivedData
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.encoding import encode_commit
from calibvcs.store.objects.trees import edited
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.commits import Commit

CONSTANTS = tuple(
    ConstantName.parse(name)
    for name in ("epix-1/pedestals/0-end", "epix-1/pedestals/5-9", "epix-1/pixel_gain/0-end", "epix-10/pedestals/0-end")
)
RECORD = "epix/epix-1/detector.toml"
STEPS = st.tuples(
    st.lists(st.integers(0, 3), min_size=1, max_size=3),  # parents, counted back from the newest commit
    st.integers(-3, 3),  # error of the clock
    st.sampled_from(["add", "restore", "withdraw", "by hand", "take away", "detector", "merge"]),
    st.integers(0, len(CONSTANTS) - 1),
    st.integers(0, 2),  # which data
)


class Store(MemoryStore):
    """A store in memory with a history of any form."""

    def __init__(self, derived: DerivedData) -> None:
        super().__init__()
        self.derived = derived
        self.commits: list[str] = []

    def without_journal(self) -> Store:
        other = Store(DerivedData(None))
        other._objects = self._objects
        return other

    def grow(self, step: tuple[list[int], int, str, int, int]) -> None:
        back, error, kind, which, data = step
        parents = tuple(dict.fromkeys(self.commits[-1 - place] for place in back if place < len(self.commits)))
        constant = CONSTANTS[which]
        folder = f"epix/{constant.detector}/{constant.ctype}/{constant.validity}"
        blob = self.put_blob([b"data %d" % data])
        edits: dict[str, str | None] = {f"{folder}/data.npy": blob, f"{folder}/meta.toml": blob}
        message = Message(f"{kind} {len(self.commits)}")
        if kind in {"add", "withdraw"}:
            message = Message(message.comment, Action(kind), (constant, CONSTANTS[data]))
        elif kind == "restore":
            message = Message(message.comment, Action.RESTORE, (constant,), restored=self.commits[0] if parents else "")
        elif kind == "take away":
            edits = dict.fromkeys(edits)
        elif kind == "detector":
            edits = {f"epix/{constant.detector}/detector.toml": blob}
            message = Message(message.comment, Action.DETECTOR)
        elif kind == "merge":
            edits = {}
        tree, made = edited(self.tree_data, self.commit(parents[0]).tree if parents else None, edits)
        for content in made.values():
            self._put("tree", content)
        who = Signature("A Name", "a@b.c", 1000 + len(self.commits) + error, 60)
        self.commits.append(self._put("commit", encode_commit(tree, parents, who, who, message.encode())))


def told(history: History) -> object:
    return (
        [(event.commit, event.action, event.versions) for event in history.events()],
        [(history.count(c), history.versions(c), history.default(c)) for c in CONSTANTS],
        [history.defaults(some) for some in (CONSTANTS, CONSTANTS[1:3], ())],
        history.length,
    )


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=14),
    looks=st.lists(st.integers(0, 13), max_size=8),
    worth=st.integers(1, 4),
    together=st.booleans(),
)
def test_a_journal_tells_what_the_commits_tell(
    steps: Sequence[tuple[list[int], int, str, int, int]], looks: Sequence[int], worth: int, together: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, patch.object(histories, "_WORTH_WRITING", worth):
        store = Store(DerivedData(Path(folder) / "derived"))
        before: History | None = None
        for number, step in enumerate(steps):
            store.grow(step)
            for tip in [store.commits[-1], *(store.commits[look] for look in looks[:number] if look < number)]:
                plain = History(store.without_journal(), tip)
                found = History(store, tip, before if together else None)
                assert told(found) == told(plain)
                before = found if together else None
        store.derived.close()


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, min_size=3, max_size=12), prefix=st.sampled_from(["epix-1/", "epix-1/pixel_gain/", "x"]))
def test_asked_for_some_constants_it_leaves_none_of_them_out(
    steps: Sequence[tuple[list[int], int, str, int, int]], prefix: str
) -> None:
    with tempfile.TemporaryDirectory() as folder, patch.object(histories, "_WORTH_WRITING", 1):
        store = Store(DerivedData(Path(folder) / "derived"))
        for step in steps:
            store.grow(step)
            history = History(store, store.commits[-1])
        everything = list(history.events())
        wanted = {
            event.commit.id
            for event in everything
            if any(name.startswith(prefix) for name, _ in event.versions) or _changes(store, event.commit, RECORD)
        }
        some = [event.commit.id for event in history.events(prefix, [RECORD])]
        assert wanted <= set(some)
        assert some == [event.commit.id for event in everything if event.commit.id in set(some)]
        store.derived.close()


def _changes(store: Store, commit: Commit, path: str) -> bool:
    """Tell whether a commit that touches no constant changed a file, against all its parents."""
    if commit.message.constants or commit.message.action is None:
        return False
    now = Snapshot(store, commit.id).blob_id(path)
    return all(Snapshot(store, parent).blob_id(path) != now for parent in commit.parents or (None,))
