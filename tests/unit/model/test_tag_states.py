from __future__ import annotations

import itertools

import pytest

from calibvcs.errors import InvalidOptionError
from calibvcs.model.tag_states import (
    TagState,
    decode_state,
    encode_state,
    is_state_name,
    may_follow,
    needs_reason,
    parse_state,
    parse_state_name,
    state_name,
)

OPEN, TESTING, VALIDATED, PUBLISHED, INVALID = TagState
ALLOWED = {
    OPEN: {TESTING, VALIDATED, PUBLISHED, INVALID},
    TESTING: {VALIDATED, PUBLISHED, INVALID},
    VALIDATED: {TESTING, PUBLISHED, INVALID},
    PUBLISHED: {INVALID},
    INVALID: set(),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(TagState, TagState)))
def test_what_may_follow(before: TagState, after: TagState) -> None:
    assert may_follow(before, after) == (after in ALLOWED[before])


def test_what_takes_something_back_needs_a_reason() -> None:
    pairs = [(b, a) for b, a in itertools.product(TagState, TagState) if may_follow(b, a) and needs_reason(b, a)]
    assert set(pairs) == {(b, INVALID) for b in (OPEN, TESTING, VALIDATED, PUBLISHED)} | {(VALIDATED, TESTING)}


@pytest.mark.parametrize("given", ["open", "Published", "", "done"])
def test_states_that_cannot_be_set(given: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        parse_state(given)
    assert caught.value.problem.endswith("allowed are testing, validated, published, invalid")


def test_names_of_states() -> None:
    assert state_name("run24/best", 2) == "run24/best@state/2"
    assert parse_state_name("run24/best@state/2") == ("run24/best", 2)
    for other in (
        "run24",
        "run24@state",
        "run24@state/0",
        "run24@state/01",
        "run24@state/x",
        "@state/1",
        "a@state/1/2",
    ):
        assert parse_state_name(other) is None
    assert is_state_name("run24@state/x")
    assert not is_state_name("run24-state/1")


def test_text_of_a_state() -> None:
    text = encode_state("run24", VALIDATED, "Looked at\n\nby two people")
    assert text == "Looked at\n\nby two people\n\nCalibvcs-State: validated\n"
    assert decode_state(text) == (VALIDATED, "Looked at\n\nby two people")
    assert decode_state(encode_state("run24", TESTING, "")) == (TESTING, "run24 is testing")
    for other in ("", "Good\n", "Calibvcs-State: testing\n", "x\n\nCalibvcs-State: open\n", "x\n\nCalibvcs-State: y\n"):
        assert decode_state(other) is None


def test_a_comment_cannot_pass_for_a_state() -> None:
    with pytest.raises(InvalidOptionError):
        encode_state("run24", TESTING, "x\n\nCalibvcs-State: published")
