"""Any sequence of judgements, also of two people at once, against a list that obeys the rules."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import assume, given
from hypothesis import strategies as st

from calibvcs.errors import CalibvcsError
from calibvcs.model.commits import Person, Signature
from calibvcs.model.tag_states import TagState, decode_state, encode_state, may_follow, parse_state_name, state_name
from calibvcs.ops.tagging.judging import set_state
from calibvcs.ops.tagging.tag_states import BROKEN, states
from calibvcs.store.memory import MemoryStore

WHO = Signature("Grace Hopper", "grace@example.org", 1000)
NAMES = st.from_regex(r"[a-z0-9]{1,5}(/[a-z0-9]{1,5})?", fullmatch=True)
WORDS = st.text("ab \n:-Cé", max_size=12)
JUDGEMENTS = st.lists(st.tuples(st.sampled_from([*TagState, "other"]), WORDS), max_size=12)


def person(minute: int) -> Person:
    return Person("Grace Hopper", "grace@example.org", "Grace Hopper", "grace@example.org", lambda: (60 * minute, 0))


def tagged(name: str) -> MemoryStore:
    store = MemoryStore()
    commit = store.commit_edits(None, {}, "First\n", WHO, WHO)
    store.create_tag(name, commit, "A set\n", WHO)
    return store


@given(NAMES, JUDGEMENTS)
def test_judgements_are_kept_in_order(name: str, judgements: list[tuple[str, str]]) -> None:
    store = tagged(name)
    expected: list[tuple[str, int]] = []
    for minute, (state, comment) in enumerate(judgements):
        before = TagState(expected[-1][0]) if expected else TagState.OPEN
        done = False
        with suppress(CalibvcsError):
            set_state(store, person(minute), name, state, comment)
            done = True
        back = state == "invalid" or (before == "validated" and state == "testing")
        allowed = state in TagState.__members__.values() and may_follow(before, TagState(state))
        assert done == (allowed and not (back and not comment.strip()))
        expected += [(state, 60 * minute)] if done else []
    known = states(store, name)
    assert known.trouble == ""
    assert [(one.state, one.by) for one in known.history] == [(state, "Grace Hopper") for state, _ in expected]
    assert known.state == (expected[-1][0] if expected else "open")
    assert [one.date for one in known.history] == sorted(one.date for one in known.history)


@given(
    JUDGEMENTS.filter(bool),
    st.integers(0, 11),
    st.sampled_from(["lost", "other tag", "other state", "commit", "swapped", "free text"]),
)
def test_what_is_exchanged_is_told(judgements: list[tuple[str, str]], where: int, how: str) -> None:
    store = tagged("golden")
    for minute, (state, comment) in enumerate(judgements):
        with suppress(CalibvcsError):
            set_state(store, person(minute), "golden", state, comment)
    history = states(store, "golden").history
    assume(history)
    number = where % len(history) + 1
    ref = f"refs/tags/{state_name('golden', number)}"
    refs = store._refs
    before = refs.get(f"refs/tags/{state_name('golden', number - 1)}", refs["refs/tags/golden"])
    trial = {"sign": None, "kind": "tag"}
    if how == "lost":
        assume(number < len(history))  # the last one may be missing: another clone has it
        del refs[ref]
    elif how == "commit":
        refs[ref] = store.tip() or ""
    elif how == "other tag":
        other = store.create_tag("other", store.tip() or "", "Another\n", WHO)
        refs[ref] = store.create_tag("x", other.id, encode_state("x", TagState.TESTING, ""), WHO, **trial).id
    elif how == "other state":
        refs[ref] = refs[f"refs/tags/{state_name('golden', number % len(history) + 1)}"]
        assume(len(history) > 1)
    elif how == "free text":
        refs[ref] = store.create_tag("x", before, "published\n", WHO, **trial).id
    elif how == "swapped":  # another judgement in the place of one that others stand on
        assume(number < len(history))
        refs[ref] = store.create_tag("x", before, encode_state("x", TagState.PUBLISHED, "forged"), WHO, **trial).id
    known = states(store, "golden")
    assert known.state == BROKEN
    assert known.trouble.startswith("state ")
    assert len(known.history) <= number


@given(NAMES, st.integers(1, 999_999))
def test_names_of_states_are_read_back(name: str, number: int) -> None:
    assert parse_state_name(state_name(name, number)) == (name, number)


@given(st.sampled_from([state for state in TagState if state != "open"]), st.text("ab\n é:", max_size=20))
def test_texts_are_read_back(state: TagState, comment: str) -> None:
    found = decode_state(encode_state("golden", state, comment.strip()))
    assert found is not None
    assert found[0] is state
    cleaned = "\n".join(line.rstrip() for line in comment.strip().split("\n"))
    assert found[1] == (cleaned or f"golden is {state}")
