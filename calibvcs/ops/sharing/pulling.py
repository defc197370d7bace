"""``fetch`` and ``pull``: what others changed comes into this clone, and into its branch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import UnknownRevisionError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.merges.integrating import integrate
from calibvcs.ops.sharing import squeezing
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.three_way import Rules
    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Fetched, Progress, Remote
    from calibvcs.store.remotes.settings import RemoteSettings


@dataclass(frozen=True, slots=True)
class FetchedRefs:
    """What a fetch brought.

    Attributes
    ----------
    origin : str
        Where from.
    moved : tuple of str
        Branches and tags that moved or are new, ``origin/main``.
    objects, bytes : int
        How many objects came, and in how many bytes.
    notices : tuple of str
        What the other side could not do.
    """

    schema: ClassVar[str] = "calibvcs.fetch/1"

    origin: str
    moved: tuple[str, ...]
    objects: int
    bytes: int
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did.

    Attributes
    ----------
    origin, branch : str
        Where from, and the branch, there and here.
    kind : {"up-to-date", "fast-forward", "merge"}
        What had to be done.
    before, commit : str
        The commits that the branch stood on, and stands on.
    taken : tuple of str
        Constants, records and files that came in.
    settled : tuple of str
        Conflicts, and the side that was taken.
    objects, bytes : int
        How many objects came, and in how many bytes.
    """

    schema: ClassVar[str] = "calibvcs.pull/1"

    origin: str
    branch: str
    kind: str
    before: str
    commit: str
    taken: tuple[str, ...]
    settled: tuple[str, ...]
    objects: int
    bytes: int


def fetch(store: GitStore, remote: Remote, known: RemoteSettings, progress: Progress | None = None) -> FetchedRefs:
    """Bring what others changed, without changing the branch.

    Parameters
    ----------
    store : GitStore
        This clone.
    remote : Remote
        The repository that it came from, open.
    known : RemoteSettings
        What this clone knows of it.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    FetchedRefs
        What came.

    Raises
    ------
    NetworkError, StorageError, NotWritableError
        If network or disk fail; nothing is torn.
    """
    found = _fetched(store, remote, known, progress)
    moved = tuple(change.ref.removeprefix("refs/remotes/").removeprefix("refs/") for change in found.changed)
    return FetchedRefs(known.url, moved, found.objects, found.size, tuple(notice.text for notice in found.notices))


def pull(
    store: GitStore,
    remote: Remote,
    known: RemoteSettings,
    author: Person,
    rules: Rules | None = None,
    progress: Progress | None = None,
) -> Pulled:
    """Bring what others changed into the branch.

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
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    Pulled
        What came in.

    Raises
    ------
    UnknownRevisionError
        If the other repository has no branch of the name of this one.
    MergeConflictError
        If something that both changed is not settled; nothing was changed then.
    DirtyWorktreeError
        If a file that would be replaced was edited by hand.
    NetworkError, StorageError, NotWritableError
        If network or disk fail; nothing is torn.
    """
    found = _fetched(store, remote, known, progress)
    theirs = their_tip(store, known)
    made = take_in(store, remote, known, author, theirs, f"{known.name}/{store.branch}", rules, progress=progress)
    return replace(made, origin=known.url, objects=made.objects + found.objects, bytes=made.bytes + found.size)


def take_in(
    store: GitStore,
    remote: Remote,
    known: RemoteSettings,
    author: Person,
    theirs: str,
    name: str,
    rules: Rules | None = None,
    *,
    comment: str = "",
    recorded: bool = False,
    progress: Progress | None = None,
) -> Pulled:
    """Bring commits that are here into the branch, and into a squeezed clone no more data than it holds.

    Parameters
    ----------
    store : GitStore
        This clone.
    remote : Remote
        The repository that it came from, open; what a squeezed clone lacks is there.
    known : RemoteSettings
        What this clone knows of it.
    author : Person
        Who merges, where that is needed.
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
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    Pulled
        What came in; where from is `name`.

    Raises
    ------
    MergeConflictError, DirtyWorktreeError, NetworkError, StorageError, NotWritableError
        As for `pull`.
    """
    before = store.tip() or ""
    found: list[Fetched] = []
    squeezed = known.squeezed and theirs != before
    if squeezed:  # before the branch moves: the worktree follows it
        catalogue, wanted = Catalogue(Snapshot(store, theirs)), squeezing.remembered(store)
        found = squeezing.bring(store, remote, catalogue, wanted, progress)
        if store.worktree:
            store.worktree.leaves_out = squeezing.left_out(catalogue, wanted)
    merged, commit = integrate(store, author, theirs, name, rules, comment=comment, recorded=recorded)
    if squeezed and merged.kind != "up-to-date":
        squeezing.check_out(store, Catalogue(Snapshot(store, commit)), wanted)
    return Pulled(
        origin=name,
        branch=store.branch,
        kind="merge" if recorded else merged.kind,
        before=before,
        commit=commit,
        taken=tuple(one.name for one in merged.taken),
        settled=tuple(f"{one.conflict.name}: {one.side}" for one in merged.settled),
        objects=sum(one.objects for one in found),
        bytes=sum(one.size for one in found),
    )


def tracked(store: GitStore, known: RemoteSettings, branch: str) -> str | None:
    """Return the commit that a branch of the other repository stood on when it was last asked; None for none."""
    return store.refs().get(f"refs/remotes/{known.name}/{branch}")


def their_tip(store: GitStore, known: RemoteSettings) -> str:
    """Return the commit that the other repository's branch stood on when it was last asked.

    Raises
    ------
    UnknownRevisionError
        If it has no branch of the name of this one.
    """
    theirs = tracked(store, known, store.branch)
    if theirs is None:
        raise UnknownRevisionError(f"{known.name}/{store.branch}", reason=f"{known.url} has no such branch")
    return theirs


def _fetched(store: GitStore, remote: Remote, known: RemoteSettings, progress: Progress | None) -> Fetched:
    return remote.fetch(store, name=known.name, squeezed=known.squeezed, progress=progress)
