"""Bringing commits of others into the branch: nothing to do, a step forward, or a merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import BranchMovedError, MergeConflictError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.merges.merging import merge
from calibvcs.ops.merges.message import merge_message
from calibvcs.ops.patience import Patience
from calibvcs.store.objects.trees import changed_files
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.three_way import Rules
    from calibvcs.ops.merges.merging import Merged
    from calibvcs.store.protocol import Store


def integrate(
    store: Store,
    author: Person,
    theirs: str,
    name: str,
    rules: Rules | None = None,
    *,
    comment: str = "",
    recorded: bool = False,
) -> tuple[Merged, str]:
    """Bring a commit, and all that led to it, into the branch.

    Parameters
    ----------
    store : Store
        Where to; it has the commit.
    author : Person
        Who merges.
    theirs : str
        Id of the commit.
    name : str
        What people call it: ``origin/main``.
    rules : Rules, optional
        How conflicts are to be settled; default leaves them open.
    comment : str, optional
        Why; default tells what was merged.
    recorded : bool, optional
        Whether a commit tells who merged, also where the branch could simply go on to the other commit.

    Returns
    -------
    tuple of Merged and str
        What was done, and the commit that the branch stands on now.

    Raises
    ------
    MergeConflictError
        If something that both changed is not settled; nothing was changed.
    DirtyWorktreeError
        If a file that would be replaced was edited by hand.
    BranchMovedError
        If others were faster all the time.
    """
    patience = Patience(store.branch)
    while True:
        ours = store.tip()
        if ours is None:
            raise BranchMovedError(store.branch)
        _ = Catalogue(Snapshot(store, ours)).settings  # nothing is merged into a repository that is not ours
        merged = merge(store, ours, theirs, rules)
        if merged.conflicts:
            raise MergeConflictError(name, tuple(f"{one.kind} {one.name}" for one in merged.conflicts))
        if merged.kind == "up-to-date":
            return merged, ours
        signed, committer = author.sign()
        try:
            edits: dict[str, str | None]
            if merged.kind == "fast-forward" and not recorded:
                store.advance(ours, theirs, f"fast-forward to {name}", committer)
                return merged, theirs
            if merged.kind == "fast-forward":
                edits = _difference(store, ours, theirs)
            else:
                edits = {p: store.put_blob([new]) if isinstance(new, bytes) else new for p, new in merged.edits.items()}
            text = merge_message(merged, name, comment)
            made = store.commit_edits(ours, edits, text, signed, committer, sign=author.signer, merged=theirs)
        except BranchMovedError:
            patience.overtaken()
        else:
            return merged, made


def _difference(store: Store, ours: str, theirs: str) -> dict[str, str | None]:
    """Return the edits that make one commit into the other."""
    then = Snapshot(store, theirs)
    paths = changed_files(store.tree, store.commit(ours).tree, store.commit(theirs).tree)
    return {path: then.blob_id(path) for path in paths}
