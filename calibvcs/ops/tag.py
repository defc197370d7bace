"""``tag``: a name for the whole set of defaults at a commit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, UnknownRevisionError, UnknownTagError
from calibvcs.model.commits import Signature, clean_comment
from calibvcs.model.names import parse_tag
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person, Tag
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
    """

    name: str
    commit: str
    tagger: str
    date: str
    message: str
    constants: int


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
    tag = store.create_tag(name, commit_id, text, author.sign()[0])
    return TagList((_row(store, tag),))


def list_tags(store: ReadableStore) -> TagList:
    """Return all tags, sorted by name."""
    names = sorted(ref.removeprefix(_PREFIX) for ref in store.refs() if ref.startswith(_PREFIX))
    rows = []
    for name in names:
        with suppress(UnknownRevisionError):  # Git also tags what is no commit
            commit = resolve(store, f"{_PREFIX}{name}")
            tag = store.tag(name)
            rows += [_row(store, tag._replace(commit=commit))] if tag else []
    return TagList(tuple(rows))


def show_tag(store: ReadableStore, name: str) -> TagList:
    """Return one tag.

    Raises
    ------
    UnknownTagError
        If there is none of this name.
    """
    found = [tag for tag in list_tags(store).tags if tag.name == name]
    if not found:
        raise UnknownTagError(name, tuple(tag.name for tag in list_tags(store).tags))
    return TagList(tuple(found))


def _row(store: ReadableStore, tag: Tag) -> TagRow:
    tagger = tag.tagger or Signature("", "", 0)
    date = as_text(tagger.time) if tag.tagger else ""
    count = sum(1 for _ in Catalogue(Snapshot(store, tag.commit)).constants())
    return TagRow(tag.name, tag.commit, tagger.name, date, tag.text.strip(), count)
