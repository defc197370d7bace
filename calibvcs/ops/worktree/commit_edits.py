"""``commit``: what was edited by hand in a worktree becomes one commit, once the gate lets it pass."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, DirtyWorktreeError
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message, clean_comment
from calibvcs.ops import transaction
from calibvcs.ops.add import Added
from calibvcs.ops.candidate import Candidate, State
from calibvcs.ops.worktree.committable import committable
from calibvcs.ops.worktree.edits import edits_of, has_new_data
from calibvcs.ops.worktree.hand_made import new_constant, new_metadata, read_data, read_small
from calibvcs.ops.worktree.hand_made_records import action_of, check_record, with_records
from calibvcs.store.objects.file_content import content_id
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.worktrees.files import Taken, same_file

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.metadata import Provenance
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Payload
    from calibvcs.ops.worktree.edit_selection import Named
    from calibvcs.ops.worktree.edits import EditedConstant, LeftFile
    from calibvcs.store.protocol import Store
    from calibvcs.store.worktrees.look import LookedAt
    from calibvcs.store.worktrees.worktree import Worktree


@dataclass(frozen=True, slots=True)
class EditsCommitted:
    """What was committed.

    Attributes
    ----------
    constants : tuple of Added
        Constants with new data, as for ``add``.
    edited : tuple of str
        Constants of which the metadata changed, and the paths of what stands beside constants.
    left : tuple of LeftFile
        Files of the worktree that are none of the format, and were left alone.
    commit : str
        The commit.
    """

    schema: ClassVar[str] = "calibvcs.commit/1"

    constants: tuple[Added, ...]
    edited: tuple[str, ...]
    left: tuple[LeftFile, ...]
    commit: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be committed, and how.

    Attributes
    ----------
    names : tuple of Named
        What is meant; nothing means everything.
    message : str
        Why.
    provenance : Provenance
        What is recorded of this program run.
    now : float
        When an alias is to be resolved, UNIX seconds.
    force_reason : str
        Why data that the gate refuses are right all the same; empty lets the gate decide.
    """

    names: tuple[Named, ...]
    message: str
    provenance: Provenance
    now: float
    force_reason: str = ""


def commit_edits(store: Store, worktree: Worktree, author: Person, wish: Wish) -> EditsCommitted:
    """Commit what was edited.

    Parameters
    ----------
    store : Store
        Where to; for a dry run one in memory.
    worktree : Worktree
        The files.
    author : Person
        Who does it.
    wish : Wish
        What, and why.

    Returns
    -------
    EditsCommitted
        Constants, records and the commit.

    Raises
    ------
    NothingToCommitError
        If nothing was edited.
    RemovedConstantError
        If files were taken away: there is no deletion.
    GateRefusedError, LockedError, InvalidDataError
        If what was edited must not be committed.
    AlreadyExistsError
        If a merge of C Git is not finished.
    DirtyWorktreeError
        If a file was edited while it was read.
    """
    subject = Message(clean_comment(wish.message)).subject
    if worktree.merging:
        advice = "git commit finishes it, git merge --abort gives it up"
        raise AlreadyExistsError("an unfinished merge of C Git", "MERGE_HEAD", advice)
    taking = _Taking(store, worktree, wish, subject)
    many = len(edits_of(worktree, Snapshot(store, store.tip())).constants) > 1
    with worktree.taking(taking.taken), store.batch() if many else nullcontext():
        commit, done = transaction.commit(store, author, taking.plan)
    return replace(done, commit=commit, constants=tuple(replace(one, commit=commit) for one in done.constants))


class _Taking:
    """The edits of a worktree on their way into a commit, planned anew for each state of the branch."""

    def __init__(self, store: Store, worktree: Worktree, wish: Wish, subject: str) -> None:
        self._store, self._worktree, self._wish, self._subject = store, worktree, wish, subject
        self.taken: dict[str, Taken] = {}
        self._written: dict[tuple[str, os.stat_result | None], str] = {}
        self._looked = 0

    def plan(self, catalogue: Catalogue) -> transaction.Plan[EditsCommitted]:
        """Return the commit that the edits make on a state of the branch."""
        self.taken.clear()
        found = committable(edits_of(self._worktree, catalogue.snapshot), catalogue, self._wish.names, self._wish.now)
        self._looked = found.look.looked
        edits: dict[str, bytes | str | None] = {}
        records = {one.path: self._record(one) for one in found.records}
        edits.update(records)
        state = State(with_records(catalogue, records))
        added = {}
        actions: dict[ConstantName, Action | None] = {}
        for one in found.constants:
            if has_new_data(one.files, one.data):
                added[one.name] = self._data(state, one, edits)
            else:
                actions[one.name] = self._metadata(catalogue, one, edits)
        reason = self._wish.force_reason if any(one.forced for one in added.values()) else ""
        action, names = _action(tuple(added), actions, records)
        message = Message(self._wish.message, action, names, forced=reason)
        edited = (*map(str, actions), *records)
        return transaction.Plan(edits, message, EditsCommitted(tuple(added.values()), edited, found.left, ""))

    def _record(self, one: LookedAt) -> bytes:
        data, self.taken[one.path] = read_small(self._worktree.root, one.path, self._looked)
        check_record(one.path, data)
        return data

    def _data(self, state: State, one: EditedConstant, edits: dict[str, bytes | str | None]) -> Added:
        looked = one.files[one.data]
        meta = self._meta(state.catalogue, one)
        payload = read_data(self._worktree.root, looked, one.name)
        new, warnings = new_constant(state.catalogue, one, payload, meta, self._wish.provenance)
        candidate = Candidate(state, new, force=bool(self._wish.force_reason))
        candidate.check()
        blob = self._put(looked, payload)
        version = candidate.version(blob)
        of_constant = candidate.edits(blob)
        edits.update(of_constant)
        gone = (file.path for file in one.files.values() if file.content is None)
        self.taken.update(dict.fromkeys(gone, Taken()))
        self.taken[looked.path] = self._taken(looked, payload, blob)
        forced = tuple(map(str, candidate.verdict.refusals))
        warnings = (*candidate.verdict.warnings, *warnings)
        return Added(one.name, version, "", blob, candidate.changes, warnings, forced)

    def _metadata(
        self, catalogue: Catalogue, one: EditedConstant, edits: dict[str, bytes | str | None]
    ) -> Action | None:
        made = new_metadata(catalogue, one.name, self._meta(catalogue, one) or b"", self._subject)
        edits[f"{layout.constant_folder(one.name)}/{layout.META_FILE}"] = made.data
        return made.action

    def _meta(self, catalogue: Catalogue, one: EditedConstant) -> bytes | None:
        """Return the ``meta.toml`` of an edited constant; None where it has none."""
        path = f"{layout.constant_folder(one.name)}/{layout.META_FILE}"
        looked = one.files.get(layout.META_FILE)
        if looked is None:
            return catalogue.snapshot.read(path)
        if looked.content is None:
            return None
        data, self.taken[path] = read_small(self._worktree.root, path, self._looked)
        return data

    def _put(self, one: LookedAt, payload: Payload) -> str:
        """Write data into the store, once for all attempts."""
        key = one.path, one.found
        if key not in self._written:
            self._written[key] = self._store.put_blob(payload.buffers)
        if one.found is None or not same_file(one.found, (self._worktree.root / one.path).lstat()):
            raise DirtyWorktreeError((one.path,))
        return self._written[key]

    def _taken(self, one: LookedAt, payload: Payload, blob: str) -> Taken:
        """Return what the file holds: what is stored, unless ``numpy.save`` would write the array in another way."""
        file, head = self._worktree.root / one.path, bytes(payload.buffers[0])
        with file.open("rb") as stream:
            same = stream.read(len(head)) == head and os.fstat(stream.fileno()).st_size == sum(
                map(len, payload.buffers)
            )
        return Taken(blob if same else content_id(file), one.found, self._looked)


def _action(
    added: tuple[ConstantName, ...], metadata: dict[ConstantName, Action | None], records: dict[str, bytes]
) -> tuple[Action | None, tuple[ConstantName, ...]]:
    """Return what the trailers of the commit say; nothing where no single verb would have done the same."""
    if added:
        return Action.ADD, added
    if not metadata:
        return action_of(records), ()
    actions = set(metadata.values())
    action = next(iter(actions)) if len(actions) == 1 and not records else None
    return action, tuple(metadata) if action else ()
