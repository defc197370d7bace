"""The states of a tag: which one may follow which, and how a state is written down.

Every change of state is an annotated tag of its own, ``<tag>@state/<N>``, N = 1, 2, ... The first one stands on the tag
itself, each other one on that before it: a chain in which nothing can be exchanged.
"""

from __future__ import annotations

import re
from enum import StrEnum

from calibvcs.errors import InvalidOptionError
from calibvcs.model.commits import clean_comment

_INFIX = "@state/"
_NAME = re.compile(r"(?s)(.+)@state/([1-9][0-9]{0,5})")
_TRAILER = "Calibvcs-State: "


class TagState(StrEnum):
    """What a set of defaults is good for."""

    OPEN = "open"
    TESTING = "testing"
    VALIDATED = "validated"
    PUBLISHED = "published"
    INVALID = "invalid"


SETTABLE = tuple(state for state in TagState if state is not TagState.OPEN)
_RISING = (TagState.OPEN, TagState.TESTING, TagState.VALIDATED, TagState.PUBLISHED)


def parse_state(text: str) -> TagState:
    """Return the state that a user names.

    Raises
    ------
    InvalidOptionError
        If it is none that can be set; a tag is open until its first state.
    """
    if text not in SETTABLE:
        raise InvalidOptionError("state", text, f"allowed are {', '.join(SETTABLE)}")
    return TagState(text)


def may_follow(before: TagState, after: TagState) -> bool:
    """Tell whether a state may come after another one.

    Published tags become invalid and nothing else, invalid ones stay so. Else every change is allowed but that to
    ``open``.
    """
    if before is TagState.INVALID or after in {before, TagState.OPEN}:
        return False
    return before is not TagState.PUBLISHED or after is TagState.INVALID


def needs_reason(before: TagState, after: TagState) -> bool:
    """Tell whether a change takes something back, and so has to say why."""
    return after is TagState.INVALID or _RISING.index(after) < _RISING.index(before)


def state_name(tag: str, number: int) -> str:
    """Return the name of the tag that holds the Nth state of a tag."""
    return f"{tag}{_INFIX}{number}"


def is_state_name(name: str) -> bool:
    """Tell whether a name is one that only states have: no tag that a user makes has an ``@`` in it."""
    return _INFIX in name


def parse_state_name(name: str) -> tuple[str, int] | None:
    """Return the tag and the number of a state; None for any other name."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def encode_state(tag: str, state: TagState, comment: str) -> str:
    """Return the text of the tag that holds a state.

    Raises
    ------
    InvalidOptionError
        If the comment has control characters or lines that look like calibvcs' own trailers.
    """
    return f"{clean_comment(comment.strip() or f'{tag} is {state}')}\n\n{_TRAILER}{state}\n"


def decode_state(text: str) -> tuple[TagState, str] | None:
    """Return the state and the comment that a text holds; None where it is no text of a state."""
    comment, _, last = text.rstrip("\n").rpartition("\n\n")
    state = last.removeprefix(_TRAILER)
    return (TagState(state), comment) if comment and last != state and state in SETTABLE else None
