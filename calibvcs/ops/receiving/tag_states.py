"""Whether a state of a tag may come in with a push: it goes on from the state that stands there, and from no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.model.tag_states import TagState, decode_state, state_name
from calibvcs.ops.tagging.tag_states import TAGS, trouble_of
from calibvcs.store.objects.encoding import decode_tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.commits import Tag
    from calibvcs.store.quarantine import IncomingStore


def state_trouble(store: IncomingStore, tag: str, number: int, new: str, coming: Mapping[str, str], most: int) -> str:
    """Tell why a tag object must not become a state of a tag; empty where it may.

    The state before it, and the tag itself, stand in the repository or come with the same push, and are then checked
    like this one.

    Parameters
    ----------
    store : IncomingStore
        Where they are.
    tag : str
        Name of the tag.
    number : int
        Which state it is, from 1.
    new : str
        Id of the object.
    coming : mapping of str to str
        Refs that the push sets, and their new ids.
    most : int
        Bytes that a tag object may have.

    Returns
    -------
    str
        The reason.

    Raises
    ------
    DamagedObjectError
        If an object is missing, damaged or too large.
    """
    refs = {**coming, **store.refs()}
    name = state_name(tag, number - 1) if number > 1 else tag
    before = refs.get(f"{TAGS}{name}")
    if before is None:
        return f"it follows on {name}, which is not there"
    last = _tag(store, before, most)
    if last is None:
        return f"it follows on {name}, which is a lightweight tag"
    state = decode_state(last.text) if number > 1 else (TagState.OPEN, "")
    if state is None:
        return f"it follows on {name}, whose text names no state"
    this = _tag(store, new, most)
    return trouble_of(this, before, state[0]) if this else "it is no tag object"


def _tag(store: IncomingStore, wanted: str, most: int) -> Tag | None:
    kind, data = store.content(wanted, most)
    return decode_tag(data, wanted, "") if kind == "tag" else None
