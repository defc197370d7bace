"""The states of tags as they are written down: what a set is good for, said by whom, when and why."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import BrokenTagStateError, DamagedObjectError, UnknownTagError
from calibvcs.model.tag_states import TagState, decode_state, is_state_name, may_follow, parse_state_name
from calibvcs.model.times import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.commits import Tag
    from calibvcs.store.protocol import ReadableStore

TAGS = "refs/tags/"
BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change of the state of a tag.

    Attributes
    ----------
    state : str
        The new state.
    by, email, date : str
        Who set it, and when (ISO 8601).
    comment : str
        Why.
    id : str
        Id of the tag object that holds it.
    signed : bool
        Whether it has a signature, which is not checked here.
    """

    state: str
    by: str
    email: str
    date: str
    comment: str
    id: str
    signed: bool


@dataclass(frozen=True, slots=True)
class TagStates:
    """The state of a tag and how it came about.

    Attributes
    ----------
    tag : str
        Name of the tag.
    state : str
        ``open``, ``testing``, ``validated``, ``published`` or ``invalid``; ``broken`` where the changes are no sound
        chain.
    history : tuple of StateChange
        Every change, oldest first.
    trouble : str
        Why it is broken; empty where it is sound.
    """

    schema: ClassVar[str] = "calibvcs.tag-state/1"

    tag: str
    state: str
    history: tuple[StateChange, ...] = ()
    trouble: str = ""


def states(store: ReadableStore, name: str) -> TagStates:
    """Return the state of a tag.

    Raises
    ------
    UnknownTagError
        If there is none of this name.
    """
    refs = store.refs()
    if f"{TAGS}{name}" not in refs or is_state_name(name):
        raise UnknownTagError(name, tag_names(refs))
    return _chain(store, name, refs, _numbers(refs).get(name, {}))


def tag_names(refs: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the tags among the refs, sorted, without those that only hold states."""
    names = (ref.removeprefix(TAGS) for ref in refs if ref.startswith(TAGS))
    return tuple(sorted(name for name in names if not is_state_name(name)))


def all_states(store: ReadableStore) -> dict[str, TagStates]:
    """Return the states of all tags by their names."""
    refs = store.refs()
    numbers = _numbers(refs)
    return {name: _chain(store, name, refs, numbers.get(name, {})) for name in tag_names(refs)}


class TagMarks:
    """The tags by the commits that they stand on; the states of a tag are read when its commit is asked for.

    Parameters
    ----------
    store : ReadableStore
        Where they are.
    """

    def __init__(self, store: ReadableStore) -> None:
        self._store, self._refs = store, store.refs()
        self._numbers = _numbers(self._refs)
        self._names: dict[str, list[str]] = {}
        for name in tag_names(self._refs):
            with suppress(DamagedObjectError):  # verify tells; whoever looks at something else is not to be disturbed
                commit = peeled(store, self._refs[f"{TAGS}{name}"])
                if commit:
                    self._names.setdefault(commit, []).append(name)

    @property
    def commits(self) -> tuple[str, ...]:
        """The commits that a tag stands on."""
        return tuple(self._names)

    def on(self, commit_id: str) -> tuple[TagStates, ...]:
        """Return the tags that stand on a commit, sorted by name, with their states."""
        names = self._names.get(commit_id, ())
        return tuple(_chain(self._store, name, self._refs, self._numbers.get(name, {})) for name in names)


def peeled(store: ReadableStore, target: str) -> str | None:
    """Return the commit that a tag ends at; None where it names something else."""
    while (kind := store.kind(target)) == "tag":
        tag = store.tag(target)
        if tag is None:
            return None
        target = tag.commit
    return target if kind == "commit" else None


def sound(known: TagStates) -> TagStates:
    """Return the states of a tag where they are a sound chain.

    Raises
    ------
    BrokenTagStateError
        If they are not.
    """
    if known.trouble:
        raise BrokenTagStateError(known.tag, known.trouble)
    return known


def _numbers(refs: Mapping[str, str]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for ref, target in refs.items():
        named = parse_state_name(ref.removeprefix(TAGS)) if ref.startswith(TAGS) else None
        if named:
            found.setdefault(named[0], {})[named[1]] = target
    return found


def _chain(store: ReadableStore, name: str, refs: Mapping[str, str], numbered: Mapping[int, str]) -> TagStates:
    try:
        return _followed(store, name, refs, numbered)
    except DamagedObjectError as error:
        return TagStates(name, BROKEN, (), error.problem)


def _followed(store: ReadableStore, name: str, refs: Mapping[str, str], numbered: Mapping[int, str]) -> TagStates:
    before, state = refs[f"{TAGS}{name}"], TagState.OPEN
    history: list[StateChange] = []
    if numbered and store.kind(before) != "tag":
        return TagStates(name, BROKEN, (), "the tag is a lightweight one, which can be moved")
    for number in range(1, len(numbered) + 1):
        target = numbered.get(number)
        tag = store.tag(target) if target and store.kind(target) == "tag" else None
        trouble = "it is missing" if target is None else trouble_of(tag, before, state) if tag else "it is no tag"
        if tag is None or trouble:
            return TagStates(name, BROKEN, tuple(history), f"state {number}: {trouble}")
        state, change = _read(tag)
        history.append(change)
        before = tag.id
    return TagStates(name, state.value, tuple(history))


def trouble_of(tag: Tag, before: str, state: TagState) -> str:
    """Tell why a tag cannot be the next state of another one; empty where it can.

    Parameters
    ----------
    tag : Tag
        What shall be the state.
    before : str
        Id of the object that it has to stand on: the state before, or the tag itself.
    state : TagState
        The state before.

    Returns
    -------
    str
        The reason.
    """
    found = decode_state(tag.text)
    if found is None or tag.tagger is None:
        return "its text names no state"
    if tag.commit != before:
        return f"it belongs to {tag.commit[:12]}, not to {before[:12]}"
    return "" if may_follow(state, found[0]) else f"{found[0]} cannot follow {state}"


def _read(tag: Tag) -> tuple[TagState, StateChange]:
    state, comment = decode_state(tag.text) or (TagState.OPEN, "")
    by, email, time = (tag.tagger.name, tag.tagger.email, tag.tagger.time) if tag.tagger else ("", "", 0)
    return state, StateChange(state.value, by, email, as_text(time), comment, tag.id, bool(tag.signature))
