"""``tag``: a name for the whole set of defaults at a commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, UnknownTagError
from calibvcs.model.commits import Signature, clean_comment
from calibvcs.model.names import parse_tag
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.tagging.tag_states import TagStates, all_states, peeled, states, tag_names
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.model.commits import Person, Tag
    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.ops.tagging.tag_states import StateChange
    from calibvcs.store.protocol import ReadableStore, Store

_PREFIX = "refs/tags/"


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag.

    Attributes
    ----------
    name, commit : str
        Name, and the commit it stands on.
    tagger, date, message : str
        Who set it, when (ISO 8601) and why; empty for a lightweight tag that Git made.
    constants : int
        Number of constants in the set.
    state : str
        ``open``, ``testing``, ``validated``, ``published`` or ``invalid``; ``broken`` where that cannot be trusted.
    history : tuple of StateChange
        How the state came about, oldest first.
    trouble : str
        Why the state is broken.
    signed : bool
        Whether the tag has a signature.
    signature : SignatureCheck or None
        What came out when it was checked; None where it was not.
    """

    name: str
    commit: str
    tagger: str
    date: str
    message: str
    constants: int
    state: str = "open"
    history: tuple[StateChange, ...] = ()
    trouble: str = ""
    signed: bool = False
    signature: SignatureCheck | None = None


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags, sorted by name."""

    schema: ClassVar[str] = "calibvcs.tag/1"

    tags: tuple[TagRow, ...]


def create_tag(store: Store, author: Person, name: str, commit_id: str, message: str) -> TagList:
    """Set a tag; it never moves.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who sets it.
    name : str
        Name of the tag.
    commit_id : str
        The commit it stands on.
    message : str
        Why.

    Returns
    -------
    TagList
        The new tag.

    Raises
    ------
    AlreadyExistsError
        If there is a tag or branch of this name.
    EmptyCommentError
        If the message is empty.
    """
    name = parse_tag(name)
    text = clean_comment(message) + "\n"
    if f"refs/heads/{name}" in store.refs():
        raise AlreadyExistsError(
            "branch", name, "a tag of the same name could not be told from it; choose another name"
        )
    _ = Catalogue(Snapshot(store, commit_id)).settings
    tag = store.create_tag(name, commit_id, text, author.sign()[0], sign=author.signer)
    return TagList((_row(store, tag, TagStates(name, "open")),))


def list_tags(store: ReadableStore) -> TagList:
    """Return all tags, sorted by name."""
    rows, refs = [], store.refs()
    for name, known in all_states(store).items():
        commit = peeled(store, refs[f"{_PREFIX}{name}"]) if f"{_PREFIX}{name}" in refs else None
        tag = store.tag(name)
        if tag and commit:  # Git also tags what is no commit
            rows.append(_row(store, tag._replace(commit=commit), known))
    return TagList(tuple(rows))


def show_tag(store: ReadableStore, name: str, signature: Callable[[str], SignatureCheck] | None = None) -> TagList:
    """Return one tag, with the check of its signature where one is given.

    Raises
    ------
    UnknownTagError
        If there is none of this name.
    """
    known = states(store, name)
    tag = store.tag(name)
    if tag is None:
        raise UnknownTagError(name, tag_names(store.refs()))
    row = _row(store, tag._replace(commit=resolve(store, f"{_PREFIX}{name}")), known)
    return TagList((replace(row, signature=signature(tag.id)) if signature else row,))


def _row(store: ReadableStore, tag: Tag, known: TagStates) -> TagRow:
    tagger = tag.tagger or Signature("", "", 0)
    date = as_text(tagger.time) if tag.tagger else ""
    count = sum(1 for _ in Catalogue(Snapshot(store, tag.commit)).constants())
    return TagRow(
        tag.name,
        tag.commit,
        tagger.name,
        date,
        tag.text.strip(),
        count,
        known.state,
        known.history,
        known.trouble,
        bool(tag.signature),
    )
