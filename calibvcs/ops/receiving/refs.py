"""Which refs a push may touch, and how: branches grow, tags stand still, proposals belong to whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError
from calibvcs.model.access import Verb
from calibvcs.model.names import parse_alias, parse_tag
from calibvcs.model.tag_states import parse_state_name
from calibvcs.ops.receiving import raw_objects
from calibvcs.ops.receiving.tag_states import state_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from calibvcs.model.access import Access
    from calibvcs.ops.receiving.ancestors import Ancestry
    from calibvcs.store.quarantine import IncomingStore

_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"
PROPOSALS = "proposals/"
_LARGEST_TAG = 1 << 20


class RefUpdate(NamedTuple):
    """One ref that a push wants to change.

    Attributes
    ----------
    ref : str
        Its full name.
    old, new : str or None
        Ids that it stands on before and after; None where it does not exist.
    """

    ref: str
    old: str | None
    new: str | None


class Refused(NamedTuple):
    """Why a ref must not be changed so, and what to do instead."""

    reason: str
    advice: str = ""


class RefRules:
    """The rules of refs.

    Parameters
    ----------
    store : IncomingStore
        Where they are.
    access : Access
        Who may do what.
    user : str
        Who pushes.
    unsigned : callable
        Tells of a tag why it is not signed as it must be; empty where it is.
    """

    def __init__(self, store: IncomingStore, access: Access, user: str, unsigned: Callable[[str], str]) -> None:
        self._store, self._access, self._user, self._unsigned = store, access, user, unsigned

    def kind(self, update: RefUpdate) -> str:
        """Return branch, proposal or tag; empty where a ref is none of them."""
        if update.ref.startswith(_TAGS):
            return "tag"
        if update.ref.startswith(_BRANCHES + PROPOSALS):
            return "proposal"
        return "branch" if update.ref.startswith(_BRANCHES) else ""

    def check(
        self, update: RefUpdate, standing: str | None, merged: Ancestry, coming: Mapping[str, str]
    ) -> Refused | None:
        """Tell why a ref must not be changed so, as far as its name and its object tell; None where it may.

        Parameters
        ----------
        update : RefUpdate
            What is wanted.
        standing : str or None
            Where the ref really stands.
        merged : Ancestry
            Everything that stands on a branch which is no proposal; for a tag, also on one that comes with it.
        coming : mapping of str to str
            All refs that the push sets, and their new ids.

        Returns
        -------
        Refused or None
            The reason.
        """
        if standing != update.old:
            return Refused("it has moved meanwhile", "git pull, then push again")
        kind = self.kind(update)
        if kind == "tag":
            return self._tag(update, merged, coming)
        if kind == "proposal":
            return self._proposal(update, merged)
        if kind == "branch":
            return self._branch(update)
        return Refused("only branches and tags may be pushed", "push to refs/heads/proposals/USER/NAME")

    def _branch(self, update: RefUpdate) -> Refused | None:
        name = branch_of(update)
        if update.new is None:
            return Refused("a branch is never deleted: history is kept", "leave it where it is")
        if update.old is None:
            try:
                parse_tag(name)
            except CalibvcsError as error:
                return Refused(f"its name is not allowed: {error.problem}")
            if f"{name}/" == PROPOSALS:
                return Refused("its name is kept for the folder of the proposals", "choose another name")
        decision = self._access.decide(self._user, Verb.WRITE, None, name)
        return None if decision.allowed else Refused(str(decision), self._propose_instead())

    def _proposal(self, update: RefUpdate, merged: Ancestry) -> Refused | None:
        owner, _, name = branch_of(update).removeprefix(PROPOSALS).partition("/")
        if update.new is None:
            is_merged = update.old is not None and update.old in merged
            if owner == self._user or (is_merged and self._decide(Verb.WRITE)) or self._decide(Verb.ADMIN):
                return None
            return Refused(f"the proposal belongs to {owner}, and is not merged", f"ask {owner} to withdraw it")
        if owner != self._user:
            return Refused(f"the proposal belongs to {owner}, and {self._user} pushes", self._propose_instead())
        try:
            parse_alias(name)
        except CalibvcsError as error:
            return Refused(f"its name is not allowed: {error.problem}", self._propose_instead())
        decision = self._access.decide(self._user, Verb.PROPOSE, None, branch_of(update))
        return None if decision.allowed else Refused(str(decision), "ask an admin of the repository")

    def _decide(self, verb: Verb) -> bool:
        return self._access.decide(self._user, verb, None, self._store.branch).allowed

    def _tag(self, update: RefUpdate, merged: Ancestry, coming: Mapping[str, str]) -> Refused | None:
        name = update.ref.removeprefix(_TAGS)
        if update.old is not None or update.new is None:
            return Refused("a tag is never moved or deleted", "choose another name")
        state = parse_state_name(name)
        try:
            parse_tag(state[0] if state else name)
        except CalibvcsError as error:
            return Refused(f"its name is not allowed: {error.problem}")
        if f"{_BRANCHES}{name}" in self._store.refs():
            return Refused("a branch has this name", "choose another name")
        decision = self._access.decide(self._user, Verb.TAG, "", self._store.branch)
        if not decision.allowed:
            return Refused(str(decision), "ask an expert to set it")
        kind = self._store.size(update.new)[0]
        if kind != "tag":
            return Refused(f"it stands on a {kind} itself: a tag says who set it, and why", "git tag -a NAME -m WHY")
        tag = raw_objects.tag_of(self._store.content(update.new, _LARGEST_TAG)[1])
        if isinstance(tag, str):
            return Refused(tag, "git tag -a NAME -m WHY")
        if tag.name != name:
            return Refused(f"its object says that its name is {tag.name!r}", "git tag -a NAME -m WHY")
        if state:
            trouble = state_trouble(self._store, *state, update.new, coming, _LARGEST_TAG)
            if trouble:
                return Refused(trouble, "git fetch --tags; calibvcs tag show tells where it stands, tag state sets it")
        elif tag.kind != "commit":
            return Refused(f"it stands on a {tag.kind}, not on a commit", "git tag -a NAME COMMIT -m WHY")
        elif tag.target not in merged:
            return Refused(f"commit {tag.target[:12]} stands on no branch of this repository", "push the branch first")
        reason = self._access.disowned(self._user, tag.tagger.name, tag.tagger.email)
        if reason and not self._access.may_push_for_others(self._user):
            return Refused(f"{self._user} pushes a tag of {tag.tagger.name}: {reason}", "set it under your own name")
        unsigned = self._unsigned(update.new)
        return Refused(unsigned, "calibvcs tag create NAME -S -m WHY, with a key of yours") if unsigned else None

    def _propose_instead(self) -> str:
        return f"propose it: git push REMOTE HEAD:refs/heads/{PROPOSALS}{self._user or 'USER'}/NAME"


def branch_of(update: RefUpdate) -> str:
    """Return the name of a branch, without ``refs/heads/``."""
    return update.ref.removeprefix(_BRANCHES)
