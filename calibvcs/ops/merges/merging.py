"""Merging two commits on their trees, constant by constant; no worktree and no payload is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from calibvcs.errors import InvalidOptionError
from calibvcs.model.three_way import Conflict, Judge, Rules, Settled
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.merges.content import Taken, merge_content, taken_at
from calibvcs.ops.merges.three_trees import Trees
from calibvcs.ops.merges.virtual_base import virtual_base
from calibvcs.ops.tagging.standing import Standings
from calibvcs.store.refs.merge_base import merge_bases
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of merging two commits; nothing is written yet.

    Attributes
    ----------
    ours, theirs : str
        Ids of the two commits.
    bases : tuple of str
        Ids of the commits where the histories parted; several where they have merged each other crosswise.
    kind : {"up-to-date", "fast-forward", "merge"}
        Whether ours has all of theirs already; whether theirs has all of ours, so that the branch can go there without
        a commit; or whether a commit with both as parents is needed.
    edits : mapping of path to blob id or bytes
        For a merge: edits of ours, None takes a file away. Where a conflict is open, ours stays.
    taken : tuple of Taken
        What theirs brings to ours.
    conflicts : tuple of Conflict
        What both changed and no rule settled; while there are any, nothing must be committed.
    settled : tuple of Settled
        Conflicts that were settled, and how.
    """

    ours: str
    theirs: str
    bases: tuple[str, ...]
    kind: Literal["up-to-date", "fast-forward", "merge"]
    edits: Mapping[str, str | bytes | None] = field(default_factory=dict)
    taken: tuple[Taken, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    settled: tuple[Settled, ...] = ()


def merge(store: ReadableStore, ours: str, theirs: str, rules: Rules | None = None) -> Merged:
    """Merge two commits.

    What one side left as it was since the histories parted is taken from the other one. A constant is merged as a
    whole, data and metadata; both sides have the same change where they differ in provenance only. Aliases, runs and
    entries of detectors are merged one by one, everything else file by file.

    Parameters
    ----------
    store : ReadableStore
        Where both are; nothing is written.
    ours, theirs : str
        Ids of the commits.
    rules : Rules, optional
        How conflicts are to be settled. Default leaves them open.

    Returns
    -------
    Merged
        What the merge would do.

    Raises
    ------
    InvalidOptionError
        If the histories have nothing in common.
    NotCalibvcsError, UnsupportedFormatError
        If one of them is not a repository that this program knows.
    InvalidDocumentError
        If something that is to be taken from theirs is no plain file.
    DamagedObjectError
        If a commit, a tree or a record is missing or damaged.
    """
    for side in (ours, theirs):
        _ = Catalogue(Snapshot(store, side)).settings
    bases = merge_bases(store.commit, [ours], [theirs])
    if not bases:
        reason = "this history and the own one have no commit in common"
        raise InvalidOptionError("merge", theirs, reason, "name a commit of this repository, or of a clone of it")
    if theirs in bases:
        return Merged(ours, theirs, bases, "up-to-date")
    trees = Trees(store)
    our_tree, their_tree = (store.commit(side).tree for side in (ours, theirs))
    if ours in bases:
        taken = tuple(taken_at(place) for place in trees.places(our_tree, our_tree, their_tree))
        return Merged(ours, theirs, bases, "fast-forward", taken=taken)
    judge = Judge(rules or Rules(), Standings(store, ours, theirs).newer)
    content = merge_content(trees, virtual_base(trees, store.commit, bases), our_tree, their_tree, judge)
    return Merged(
        ours,
        theirs,
        bases,
        "merge",
        content.edits,
        tuple(sorted(content.taken, key=lambda one: one.name)),
        tuple(sorted(judge.open, key=lambda one: one.name)),
        tuple(sorted(judge.settled, key=lambda one: one.conflict.name)),
    )
