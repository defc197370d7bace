"""``tag state`` and ``tag check``: to judge the set of a tag, and to ask whether it was judged good enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import (
    AlreadyExistsError,
    BranchMovedError,
    EmptyCommentError,
    InvalidOptionError,
    NothingToChangeError,
    TagNotAcceptedError,
    TagStateRefusedError,
)
from calibvcs.model.signatures import SignatureState
from calibvcs.model.tag_states import TagState, encode_state, may_follow, needs_reason, parse_state, state_name
from calibvcs.ops.tagging.tag_states import TAGS, sound, states
from calibvcs.store.refs.revisions import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.model.commits import Person
    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.ops.tagging.tag_states import TagStates
    from calibvcs.store.protocol import ReadableStore, Store

_MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class AcceptedTag:
    """A tag that is what was demanded.

    Attributes
    ----------
    tag, commit, state : str
        Name of the tag, the commit it names, and its state.
    signer : str
        Who signed it; empty where no signature was demanded.
    """

    schema: ClassVar[str] = "calibvcs.tag-accepted/1"

    tag: str
    commit: str
    state: str
    signer: str


def set_state(store: Store, author: Person, name: str, given: str, comment: str) -> TagStates:
    """Set the state of a tag.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who judges.
    name : str
        Name of the tag.
    given : str
        The state.
    comment : str
        Why; needed where something is taken back.

    Returns
    -------
    TagStates
        The state and its whole history.

    Raises
    ------
    UnknownTagError, InvalidOptionError
        If there is no such tag or state, or the tag is a lightweight one, which could be moved.
    TagStateRefusedError, NothingToChangeError
        If this state cannot follow the one that it has.
    EmptyCommentError
        If something is taken back without a reason.
    BrokenTagStateError
        If the states that are there are no sound chain.
    """
    after = parse_state(given)
    for _ in range(_MOST_ATTEMPTS):
        known = sound(states(store, name))
        before = TagState(known.state)
        if before is after:
            raise NothingToChangeError(f"tag {name}", f"is {after.value} already")
        if not may_follow(before, after):
            rule = "invalid is for good" if before is TagState.INVALID else "what is published can only become invalid"
            raise TagStateRefusedError(name, before.value, after.value, rule)
        if needs_reason(before, after) and not comment.strip():
            raise EmptyCommentError
        last = known.history[-1].id if known.history else store.refs()[f"{TAGS}{name}"]
        if store.kind(last) != "tag":
            advice = f"git tag -a, or calibvcs tag create NAME -m WHY --at {name}"
            raise InvalidOptionError("tag", name, "a lightweight tag has no state: it can be moved", advice)
        try:
            store.create_tag(
                state_name(name, len(known.history) + 1),
                last,
                encode_state(name, after, comment),
                author.sign()[0],
                kind="tag",
                sign=author.signer,
            )
        except AlreadyExistsError:  # somebody else was faster: judge anew
            continue
        return states(store, name)
    raise BranchMovedError(name, _MOST_ATTEMPTS)


def accept(
    store: ReadableStore, name: str, *, published: bool, signature: Callable[[str], SignatureCheck] | None
) -> AcceptedTag:
    """Return the commit of a tag if it is what is demanded.

    Parameters
    ----------
    store : ReadableStore
        Where it is.
    name : str
        Name of the tag.
    published : bool
        Whether it has to be published.
    signature : callable or None
        Checks the signature of a tag object, if it has to be signed by a known key; its published state too then.

    Returns
    -------
    AcceptedTag
        The tag and its commit.

    Raises
    ------
    UnknownTagError
        If there is none of this name.
    TagNotAcceptedError
        If it is invalid, or not what is demanded.
    BrokenTagStateError
        If its states are no sound chain.
    """
    known = sound(states(store, name))
    if known.state == TagState.INVALID or (published and known.state != TagState.PUBLISHED):
        last = known.history[-1] if known.history else None
        said = f" (by {last.by}, {last.date}: {last.comment})" if last else ""
        raise TagNotAcceptedError(name, f"it is {known.state}{said}" + ("; demanded is published" if published else ""))
    signer = ""
    if signature is not None:
        target = store.refs()[f"{TAGS}{name}"]
        parts = [("its", target), *([("its published state's", known.history[-1].id)] if published else [])]
        for whose, one in reversed(parts):
            found = signature(one)
            if found.state is not SignatureState.GOOD:
                raise TagNotAcceptedError(name, f"{whose} signature is {found}")
            signer = found.signer
    return AcceptedTag(name, resolve(store, f"{TAGS}{name}"), known.state, signer)
