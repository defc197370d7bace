"""``status``: what was edited in a worktree, and how far it is from its remote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import InvalidOptionError
from calibvcs.model import layout
from calibvcs.ops.sharing.tracking import tracking
from calibvcs.ops.worktree.edits import edits_of
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.ops.sharing.tracking import Tracking
    from calibvcs.ops.worktree.edits import EditedConstant, LeftFile, State
    from calibvcs.store.git import GitStore
    from calibvcs.store.worktrees.look import LookedAt
    from calibvcs.store.worktrees.worktree import Worktree

Staged = Literal["yes", "no", "partly"]

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class EditRow:
    """Something that differs from the commit.

    Attributes
    ----------
    name : str
        A constant, or the path of what is none.
    state : {"new", "changed", "removed"}
        Against the commit.
    staged : {"yes", "no", "partly"}
        Whether the index of Git holds it as the worktree does; ``calibvcs commit`` takes the worktree.
    files : tuple of str
        The files that differ; of a constant their names, without the folder.
    trouble : str
        Why ``commit`` would refuse it as it is; empty where nothing is known to be wrong.
    """

    name: str
    state: State
    staged: Staged
    files: tuple[str, ...]
    trouble: str


@dataclass(frozen=True, slots=True)
class WorktreeStatus:
    """What was edited, and how far the branch is from the one on the remote.

    Attributes
    ----------
    location : str
        The worktree.
    branch : str
        Its branch; ``HEAD`` where it is on none.
    commit : str
        Where the branch stands; empty where it has no commit.
    edits : tuple of EditRow
        Constants first, then what stands beside them.
    left : tuple of LeftFile
        Files that are none of the format, and why.
    unmerged : tuple of str
        Paths that a merge of C Git left in conflict.
    pending : int
        Changes that were committed, but whose writer was killed before the files had followed, or is still at it.
    remote : Tracking or None
        The branch on the remote; None where there is none.
    """

    schema: ClassVar[str] = "calibvcs.status/1"

    location: str
    branch: str
    commit: str
    edits: tuple[EditRow, ...]
    left: tuple[LeftFile, ...]
    unmerged: tuple[str, ...]
    pending: int
    remote: Tracking | None

    @property
    def clean(self) -> bool:
        """Whether nothing was edited, and no file is left over."""
        return not (self.edits or self.left or self.unmerged or self.pending)


def worktree_of(store: GitStore, verb: str) -> Worktree:
    """Return the worktree of a clone.

    Raises
    ------
    InvalidOptionError
        If it has none.
    """
    if store.worktree is None:
        allowed = "it is bare: there are no files to be edited"
        raise InvalidOptionError(verb, store.location, allowed, "work in a clone with a worktree: git clone URL PATH")
    return store.worktree


def status(store: GitStore) -> WorktreeStatus:
    """Tell what was edited; no lock is taken, and clean files are not read.

    Parameters
    ----------
    store : GitStore
        A clone with a worktree.

    Returns
    -------
    WorktreeStatus
        What differs from the commit that the branch stands on.

    Raises
    ------
    InvalidOptionError
        If it has no worktree.
    DamagedRepositoryError, DamagedObjectError
        If index or trees cannot be read.
    """
    worktree = worktree_of(store, "status")
    for _ in range(_ATTEMPTS):
        tip = store.tip()
        pending = worktree.pending()
        found = edits_of(worktree, Snapshot(store, tip))
        if store.tip() == tip and worktree.pending() == pending:
            break  # else a writer was at work, and index and commit may not belong together
    worktree.refresh(found.look)
    rows = [_constant_row(one) for one in found.constants]
    rows += [EditRow(one.path, _state(one), _staged([one]), (one.path,), one.trouble) for one in found.records]
    return WorktreeStatus(
        store.location,
        store.branch,
        tip or "",
        tuple(rows),
        found.left,
        found.unmerged,
        pending,
        tracking(store, tip),
    )


def _constant_row(one: EditedConstant) -> EditRow:
    order = {file: place for place, file in enumerate((*layout.PAYLOAD_FILES, layout.META_FILE))}
    files = tuple(sorted(one.files, key=order.__getitem__))
    return EditRow(str(one.name), one.state, _staged(one.files.values()), files, one.trouble)


def _state(one: LookedAt) -> State:
    if one.content is None:
        return "removed"
    return "changed" if one.committed else "new"


def _staged(files: Iterable[LookedAt]) -> Staged:
    files = list(files)
    if not any(one.is_staged for one in files):
        return "no"
    return "partly" if any(one.is_edited for one in files) else "yes"
