"""``push`` and ``propose``: what was changed here goes to the repository that this clone came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import BranchMovedError, NothingToChangeError
from calibvcs.model.names import parse_proposal
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.merges.integrating import integrate
from calibvcs.ops.merges.preview import Preview, preview
from calibvcs.ops.patience import Patience
from calibvcs.ops.sharing.pulling import fetch, take_in, tracked
from calibvcs.store.memory import MemoryStore
from calibvcs.store.remotes.remote import Pushed, RefUpdate
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.three_way import Rules
    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Progress, Remote
    from calibvcs.store.remotes.settings import RemoteSettings

PROPOSALS = "refs/heads/proposals/"


@dataclass(frozen=True, slots=True)
class PushedBranch:
    """What a push did.

    Attributes
    ----------
    origin, branch : str
        Where to, and the branch there.
    before, commit : str
        The commits that it stood on, and stands on; the first is empty for a new branch.
    merged : bool
        Whether changes of others were merged before.
    preview : Preview or None
        Which defaults change there, and for which runs.
    objects, bytes : int
        How many objects went, and in how many bytes.
    said : str
        What the other side said.
    """

    schema: ClassVar[str] = "calibvcs.push/1"

    origin: str
    branch: str
    before: str
    commit: str
    merged: bool
    preview: Preview | None
    objects: int
    bytes: int
    said: str


def push(
    store: GitStore,
    remote: Remote,
    known: RemoteSettings,
    author: Person,
    rules: Rules | None = None,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> PushedBranch:
    """Bring the branch to where this clone came from; what others changed meanwhile is merged first.

    Parameters
    ----------
    store : GitStore
        This clone.
    remote : Remote
        The repository that it came from, open.
    known : RemoteSettings
        What this clone knows of it.
    author : Person
        Who merges, where that is needed.
    rules : Rules, optional
        How conflicts are to be settled; default leaves them open.
    dry_run : bool, optional
        Whether only to tell what would change.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    PushedBranch
        What went there.

    Raises
    ------
    NothingToChangeError
        If the other repository has all of it.
    MergeConflictError
        If something that both changed is not settled.
    PushRefusedError
        If a rule there refuses.
    BranchMovedError
        If others were faster all the time.
    NetworkError
        If it cannot be reached.
    """
    branch = store.branch
    name = f"{known.name}/{branch}"
    patience = Patience(branch)
    while True:
        fetch(store, remote, known, progress)
        theirs = tracked(store, known, branch)
        kind, here = "", MemoryStore(store) if dry_run else store
        if theirs and dry_run:
            kind = integrate(here, author, theirs, name, rules)[0].kind
        elif theirs:
            kind = take_in(store, remote, known, author, theirs, name, rules, progress=progress).kind
        tip = here.tip() or ""
        if theirs == tip:
            raise NothingToChangeError(f"{known.url} {branch}", "has all of this branch already")
        try:
            done = Pushed() if dry_run else _moved(store, remote, known, branch, theirs, tip, progress)
        except BranchMovedError:
            patience.overtaken()
            continue
        changes = preview(Catalogue(Snapshot(here, theirs)), Catalogue(Snapshot(here, tip)))
        return _told(known, branch, theirs, tip, done, changes, merged=kind == "merge")


def propose(
    store: GitStore,
    remote: Remote,
    known: RemoteSettings,
    user: str,
    name: str,
    *,
    withdraw: bool = False,
    progress: Progress | None = None,
) -> PushedBranch:
    """Bring the commits of this clone to where it came from, for somebody who may write there to look at.

    Parameters
    ----------
    store : GitStore
        This clone.
    remote : Remote
        The repository that it came from, open.
    known : RemoteSettings
        What this clone knows of it.
    user, name : str
        Whose proposal, and what it is called: ``proposals/USER/NAME``.
    withdraw : bool, optional
        Whether it is taken away.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    PushedBranch
        What went there.

    Raises
    ------
    InvalidNameError
        If the name cannot be that of a branch.
    NothingToChangeError
        If there is nothing to propose, or no such proposal.
    PushRefusedError
        If a rule there refuses.
    NetworkError
        If it cannot be reached.
    """
    branch = parse_proposal(user, name)
    fetch(store, remote, known, progress)
    there, theirs = tracked(store, known, branch), tracked(store, known, store.branch)
    tip = None if withdraw else store.tip()
    if withdraw and there is None:
        raise NothingToChangeError(branch, f"is not at {known.url}")
    if not withdraw and tip in {there, theirs}:
        raise NothingToChangeError(branch, "would bring nothing new")
    done = _moved(store, remote, known, branch, there, tip, progress)
    changes = preview(Catalogue(Snapshot(store, theirs)), Catalogue(Snapshot(store, tip))) if tip else None
    return _told(known, branch, there, tip, done, changes)


def _moved(
    store: GitStore,
    remote: Remote,
    known: RemoteSettings,
    branch: str,
    old: str | None,
    new: str | None,
    progress: Progress | None,
) -> Pushed:
    """Move a branch there, and remember where it stands now, as the next fetch would tell."""
    done = remote.push(store, [RefUpdate(f"refs/heads/{branch}", old, new)], progress=progress)
    if new:
        store.set_ref(f"refs/remotes/{known.name}/{branch}", old, new)
    return done


def _told(
    known: RemoteSettings,
    branch: str,
    before: str | None,
    commit: str | None,
    done: Pushed,
    changes: Preview | None,
    *,
    merged: bool = False,
) -> PushedBranch:
    here = known.url, branch, before or "", commit or ""
    return PushedBranch(*here, merged, changes, done.objects, done.size, done.said)
