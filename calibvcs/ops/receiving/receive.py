"""Whether a push may come in: the rules of the tip before it, and the format, for every commit that it brings.

The rules are those of the branch that HEAD stands on, before the push. Two sets of commits are looked at. What is new
to a *branch* is held against the rules of its paths, also when it stood elsewhere in the repository before, as a
proposal say. What is new to the *repository* is moreover held against the format, and its author against who pushes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import CalibvcsError, DamagedObjectError
from calibvcs.model.access import Verb
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.receiving.ancestors import Ancestry, Budget, Graph, Node, TooMuchError
from calibvcs.ops.receiving.commits import LARGEST_COMMIT, CommitCheck
from calibvcs.ops.receiving.refs import RefRules, RefUpdate, branch_of
from calibvcs.ops.receiving.signatures import ReceivedSignatures
from calibvcs.ops.receiving.states import named_paths
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.access import Access
    from calibvcs.store.quarantine import IncomingStore

_MOST_REFUSALS = 20
_MOST_REFS = 1000
_STEPS_OF_HISTORY = 5_000_000


@dataclass(frozen=True, slots=True)
class PushRefusal:
    """One reason why a push is refused.

    Attributes
    ----------
    ref : str
        The ref that it is about.
    commit, path : str
        The commit and the path, where it is about one.
    reason, advice : str
        The rule, and what to do; the advice may be empty.
    """

    ref: str
    commit: str
    path: str
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        parts = [self.ref, f"commit {self.commit[:12]}" if self.commit else "", self.path]
        hint = f"\n  hint: {_shown(self.advice)}" if self.advice else ""
        where = ", ".join(_shown(part) for part in parts if part)
        return f"{where}{': ' if where else ''}{_shown(self.reason)}{hint}"


@dataclass(frozen=True, slots=True)
class Reception:
    """What was found out about a push.

    Attributes
    ----------
    pusher : str
        Who pushes.
    commits : int
        Commits that are new to the repository, as far as they were looked at.
    size : int
        Bytes of their files, not compressed.
    refusals : tuple of PushRefusal
        Why it is refused; the first twenty at most.
    """

    schema: ClassVar[str] = "calibvcs.reception/1"

    pusher: str
    commits: int
    size: int
    refusals: tuple[PushRefusal, ...]

    @property
    def accepted(self) -> bool:
        """Whether it may come in."""
        return not self.refusals


class _Enough(Exception):  # noqa: N818 - ends a check early, and never leaves this module
    pass


def receive(store: IncomingStore, updates: Sequence[RefUpdate], pusher: str, access: Access, now: float) -> Reception:
    """Check a push.

    Parameters
    ----------
    store : IncomingStore
        The repository, and the objects that come in.
    updates : sequence of RefUpdate
        Refs that are to be changed.
    pusher : str
        Who pushes, as the server says; empty where it does not.
    access : Access
        The rules of the tip before the push.
    now : float
        UNIX seconds of the server's clock.

    Returns
    -------
    Reception
        Why it is refused, if it is.
    """
    return _Inspection(store, pusher, access, now).run(updates)


class _Inspection:
    def __init__(self, store: IncomingStore, pusher: str, access: Access, now: float) -> None:
        self._store, self._pusher, self._access = store, pusher, access
        self._graph = Graph(self._node, Budget(_STEPS_OF_HISTORY, "steps through history"))
        self._signatures = ReceivedSignatures(store, access, pusher, LARGEST_COMMIT)
        self._rules = RefRules(store, access, pusher, self._signatures.tag)
        files = Budget(access.limits.files, "changed files")
        self._check = CommitCheck(store, self._graph, files, access, pusher, now)
        self._refusals: list[PushRefusal] = []
        self._commits = 0

    def run(self, updates: Sequence[RefUpdate]) -> Reception:
        with suppress(_Enough), self._signatures:
            if not self._pusher:
                self._refuse(
                    "", "", "", "nobody said who pushes", "the administrator sets calibvcs.pusher in Git's config"
                )
            elif len(updates) > _MOST_REFS:
                self._refuse("", "", "", f"it changes {len(updates)} refs; at most {_MOST_REFS} at once")
            else:
                self._run(updates)
        return Reception(self._pusher, self._commits, self._check.size, tuple(self._refusals))

    def _run(self, updates: Sequence[RefUpdate]) -> None:
        refs = self._store.refs()
        commits = {ref: commit for ref, target in refs.items() if (commit := self._peeled(target))}
        own = [c for ref, c in commits.items() if ref.startswith("refs/heads/") and self._is_branch(ref)]
        is_stored = self._store.is_stored
        merged, stored = (Ancestry(self._graph, tips, is_stored) for tips in (own, commits.values()))
        coming = [update.new for update in updates if update.new and self._is_branch(update.ref)]
        branches = Ancestry(self._graph, [*own, *filter(None, map(self._peeled, coming))], lambda _: True)
        new: dict[str, str] = {}
        set_to = {update.ref: update.new for update in updates if update.new}
        for update in updates:
            try:
                tags = self._rules.kind(update) == "tag"
                refused = self._rules.check(update, refs.get(update.ref), branches if tags else merged, set_to)
                if refused:
                    self._refuse(update.ref, "", "", *refused)
                elif update.new is not None and not tags:
                    for commit in self._branch(update, merged, empty=not own):
                        if commit not in stored:
                            new.setdefault(commit, update.ref)
            except CalibvcsError as error:
                self._broken(update.ref, "", error)
        self._new(new)

    def _branch(self, update: RefUpdate, merged: Ancestry, *, empty: bool) -> list[str]:
        """Check what is new to a branch, and return it."""
        tip, branch = update.new or "", branch_of(update)
        kind = self._store.size(tip)[0]
        if kind != "commit":
            self._refuse(update.ref, "", "", f"it would stand on a {kind}, not on a commit")
            return []
        proposal = self._rules.kind(update) == "proposal"
        since = merged if proposal or update.old is None else Ancestry(self._graph, [update.old], self._store.is_stored)
        found = self._graph.since(tip, since, self._access.limits.commits)
        if not proposal and update.old is not None:
            parents = {parent for commit in found for parent in self._graph.node(commit).parents}
            if update.old not in parents and update.old != tip:
                advice = "git pull (no --force), then push again"
                self._refuse(
                    update.ref, tip, "", "it does not go on from where the branch stands: history is kept", advice
                )
                return []
        verb = Verb.PROPOSE if proposal else Verb.WRITE
        for commit in found:
            if not empty and not self._graph.node(commit).parents:
                advice = "clone this repository, and make the change there"
                self._refuse(update.ref, commit, "", "it has no parent: a history that is foreign here", advice)
                return []
            self._paths(update.ref, commit, branch, verb)
        if not proposal:
            self._settings(update.ref, tip)
        return found

    def _paths(self, ref: str, commit: str, branch: str, verb: Verb) -> None:
        touches = self._check.touches(commit)
        named = named_paths(self._check.text(commit))
        for path in dict.fromkeys([*(touch.path for touch in touches), *named]):
            decision = self._access.decide(self._pusher, verb, path, branch)
            if not decision.allowed:
                self._refuse(ref, commit, path, str(decision), self._advice(decision.verb))

    def _advice(self, verb: str) -> str:
        if self._access.names_nobody:
            return "nobody is in any group yet; on the server: calibvcs hook install --admin USER"
        if verb == Verb.ADMIN:
            return "ask an admin of the repository to make this change"
        return f"propose it: git push REMOTE HEAD:refs/heads/proposals/{self._pusher}/NAME"

    def _settings(self, ref: str, tip: str) -> None:
        try:
            _ = Catalogue(Snapshot(self._store, tip)).settings
        except CalibvcsError as error:
            self._refuse(ref, tip, "", error.problem, error.hint)

    def _new(self, commits: dict[str, str]) -> None:
        """Check what is new to the repository."""
        try:
            for commit, reason, advice in self._signatures.commits(commits):
                self._refuse(commits[commit], commit, "", reason, advice)
        except CalibvcsError as error:
            self._broken("", "", error)
        for commit, ref in commits.items():
            self._commits += 1
            try:
                for problem in self._check.problems(commit):
                    self._refuse(ref, commit, *problem)
            except CalibvcsError as error:
                self._broken(ref, commit, error)
            most = self._access.limits.push_bytes
            if self._check.size > most:
                reason = f"the files of the push have {self._check.size} bytes or more; at most {most} may come at once"
                self._refuse(ref, commit, "", reason, "push it in several steps")
                raise _Enough

    def _broken(self, ref: str, commit: str, error: CalibvcsError) -> None:
        """Refuse what cannot be looked at, and end there: what is built on it would be read without a bound."""
        self._refuse(ref, commit, "", error.problem, error.hint if isinstance(error, TooMuchError) else "")
        raise _Enough

    def _refuse(self, ref: str, commit: str, path: str, reason: str, advice: str = "") -> None:
        refusal = PushRefusal(ref, commit, path, reason, advice)
        if refusal not in self._refusals:
            self._refusals.append(refusal)
        if len(self._refusals) >= _MOST_REFUSALS:
            raise _Enough

    def _is_branch(self, ref: str) -> bool:
        return self._rules.kind(RefUpdate(ref, None, None)) == "branch"

    def _peeled(self, target: str) -> str | None:
        """Return the commit that a ref of the repository stands on, if any."""
        for _ in range(8):
            kind = self._store.kind(target)
            if kind == "commit":
                return target
            tag = self._store.tag(target) if kind == "tag" else None
            if tag is None:
                return None
            target = tag.commit
        return None

    def _node(self, commit_id: str) -> Node:
        kind, size = self._store.size(commit_id)
        if kind != "commit" or size > LARGEST_COMMIT:
            raise DamagedObjectError(
                commit_id, f"it is a {kind} of {size} bytes, no commit of {LARGEST_COMMIT} at most"
            )
        commit = self._store.commit(commit_id)
        return Node(commit.parents, commit.committer.time, commit.tree)


def _shown(text: str) -> str:
    """Return text as it can be shown on any terminal: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
