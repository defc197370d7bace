"""``restore``: files of a worktree go back to what the branch has; what was edited in them is gone then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.ops.worktree.edit_selection import selection
from calibvcs.ops.worktree.edits import edits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.worktree.edit_selection import Named
    from calibvcs.store.worktrees.worktree import Worktree


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back.

    Attributes
    ----------
    files : tuple of str
        Paths that are again as the branch has them.
    kept : tuple of str
        Paths that the branch does not have: no file is ever deleted. They left the index of Git.
    """

    schema: ClassVar[str] = "calibvcs.restore/1"

    files: tuple[str, ...]
    kept: tuple[str, ...]


def restore_edits(
    worktree: Worktree, catalogue: Catalogue, names: Sequence[Named], now: float, *, dry_run: bool = False
) -> Restored:
    """Bring files back to the state of the branch.

    Parameters
    ----------
    worktree : Worktree
        The files.
    catalogue : Catalogue
        The commit that the branch stands on.
    names : sequence of Named
        Which; nothing means all of them.
    now : float
        When an alias is to be resolved, UNIX seconds.
    dry_run : bool, optional
        Whether to tell only what would be brought back.

    Returns
    -------
    Restored
        What was not as the branch has it.

    Raises
    ------
    UnknownConstantError
        If something that is named is neither edited nor in the commit.
    AlreadyExistsError
        If something else stands in the way; it is left alone.
    WriterBusyError
        If another program holds the index.
    """
    found = edits_of(worktree, catalogue.snapshot)
    edited = [*(one.path for one in found.look.files), *found.unmerged]
    chosen = selection(catalogue, names, edited, now)
    known = {one.path for one in found.look.files if one.committed or one.staged} | set(found.unmerged)
    foreign = set() if names else {one.path for one in found.left}
    kept = tuple(sorted(path for path in chosen - foreign if catalogue.snapshot.blob_id(path.rstrip("/")) is None))
    wanted = sorted(chosen & known)
    done = wanted if dry_run or not wanted else worktree.restore(wanted)
    return Restored(tuple(path for path in done if path not in kept), kept)
