"""``review``: what others propose; ``merge``: taking one of these in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import UnknownRevisionError, nearest
from calibvcs.model.names import ConstantName
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.diff import diff
from calibvcs.ops.merges.preview import Preview, preview
from calibvcs.store.refs.merge_base import merge_bases
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Commit
    from calibvcs.ops.diff import ConstantDifference
    from calibvcs.store.git import GitStore

_MOST = 1000
_MOST_COMPARED = 50


@dataclass(frozen=True, slots=True)
class ProposedCommit:
    """One commit of a proposal: who, when (ISO 8601), why."""

    commit: str
    author: str
    email: str
    date: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposes.

    Attributes
    ----------
    name : str
        ``USER/NAME``.
    commit, base : str
        Its newest commit, and the one of the branch that it was made on.
    commits : tuple of ProposedCommit
        Newest first.
    """

    name: str
    commit: str
    base: str
    commits: tuple[ProposedCommit, ...]


@dataclass(frozen=True, slots=True)
class Proposals:
    """All proposals that are open."""

    schema: ClassVar[str] = "calibvcs.proposals/1"

    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """One proposal, and what it would change.

    Attributes
    ----------
    proposal : Proposal
        Who proposes what, and why.
    preview : Preview
        Which defaults would change, and for which runs, seen from where it was made.
    differences : tuple of ConstantDifference
        Each constant that changes, minus what is in force at its begin without it.
    """

    schema: ClassVar[str] = "calibvcs.review/1"

    proposal: Proposal
    preview: Preview
    differences: tuple[ConstantDifference, ...]


def proposals(store: GitStore, remote: str) -> Proposals:
    """Return the proposals that the last fetch brought and that the branch does not have yet.

    Parameters
    ----------
    store : GitStore
        This clone.
    remote : str
        Name of the remote.

    Returns
    -------
    Proposals
        Sorted by name.
    """
    prefix = f"refs/remotes/{remote}/proposals/"
    found = (
        _proposal(store, ref.removeprefix(prefix), tip)
        for ref, tip in sorted(store.refs().items())
        if ref.startswith(prefix)
    )
    return Proposals(tuple(one for one in found if one.commits))


def find(store: GitStore, remote: str, name: str) -> Proposal:
    """Return a proposal by its name, ``USER/NAME``, or NAME where only one user has it.

    Raises
    ------
    UnknownRevisionError
        If there is none, or several.
    """
    known = proposals(store, remote).proposals
    found = [one for one in known if name in {one.name, f"proposals/{one.name}"}]
    found = found or [one for one in known if one.name.partition("/")[2] == name]
    if len(found) != 1:
        names = [one.name for one in known]
        reason = f"{len(found)} users have a proposal of this name" if found else "there is no such proposal"
        raise UnknownRevisionError(name, tuple(nearest(name, names) or names), reason=reason)
    return found[0]


def review(store: GitStore, remote: str, name: str, now: float) -> Review:
    """Return a proposal and what it would change. Raises as `find`."""
    proposal = find(store, remote, name)
    before, after = (Catalogue(Snapshot(store, commit)) for commit in (proposal.base, proposal.commit))
    changes = preview(before, after)
    names = [ConstantName.parse(change.constant) for change in changes.defaults if change.status != "removed"]
    found = (_difference(before, after, constant, now) for constant in names[:_MOST_COMPARED])
    return Review(proposal, changes, tuple(one for some in found for one in some))


def _difference(
    before: Catalogue, after: Catalogue, constant: ConstantName, now: float
) -> tuple[ConstantDifference, ...]:
    then = before.in_force(constant.detector, constant.ctype, constant.validity.begin)
    if then is None:  # the first of its kind
        return ()
    sides = (f"{then}@{before.snapshot.commit_id}", f"{constant}@{after.snapshot.commit_id}")
    return diff(after, *sides, now).constants


def _proposal(store: GitStore, name: str, tip: str) -> Proposal:
    here = store.tip() or ""
    base = next(iter(merge_bases(store.commit, [here], [tip])), "")
    commits: list[Commit] = []
    waiting = [tip]
    while waiting and len(commits) < _MOST:
        commit = store.commit(waiting.pop())
        if commit.id not in {base, here}:
            commits.append(commit)
            waiting += [parent for parent in commit.parents[:1] if parent != base]
    return Proposal(name, tip, base, tuple(map(_told, commits)))


def _told(commit: Commit) -> ProposedCommit:
    message, author = commit.message, commit.author
    return ProposedCommit(commit.id, author.name, author.email, as_text(author.time), message.subject, message.body)
