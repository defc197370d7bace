"""``log``: what was changed, newest first."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidOptionError
from calibvcs.model.layout import ALIASES_FILE, CTYPE_FILE, DETECTOR_FILE, aliases_file, ctype_file, detector_file
from calibvcs.model.names import DetectorName
from calibvcs.model.times import as_text
from calibvcs.ops.reference import expand, literal_prefix, matches
from calibvcs.ops.tagging.tag_states import TagMarks
from calibvcs.store.objects.trees import changed_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.history import Event
    from calibvcs.ops.tagging.signatures import Signatures
    from calibvcs.ops.tagging.tag_states import TagStates
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which commits are wanted; everything that is given has to hold.

    Attributes
    ----------
    author : str
        Text in name or e-mail address of the author, upper and lower case alike.
    since, until : float or None
        Author's time, UNIX seconds, both ends included.
    grep : str
        Regular expression searched in the message.
    limit : int or None
        Most commits to return.
    """

    author: str = ""
    since: float | None = None
    until: float | None = None
    grep: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """A constant that a commit touched, and its default version afterwards."""

    constant: str
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit.

    Attributes
    ----------
    commit, author, email, date : str
        Id, who, and when (ISO 8601).
    action : str
        What it did: add, restore, withdraw, ...; ``change`` for one made by hand that is none of these.
    subject, body : str
        Why.
    forced : str
        The reason for passing the gate by force.
    constants : tuple of Touched
        What it touched.
    tags : tuple of TagStates
        The tags that stand on it, with their states and how these came about.
    signature : SignatureCheck or None
        What came out when its signature was checked; None where nobody asked.
    """

    commit: str
    author: str
    email: str
    date: str
    action: str
    subject: str
    body: str
    forced: str
    constants: tuple[Touched, ...]
    tags: tuple[TagStates, ...] = ()
    signature: SignatureCheck | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """Commits, newest first."""

    schema: ClassVar[str] = "calibvcs.log/1"

    commits: tuple[Entry, ...]

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from calibvcs.ops.pictures import html_tables

        return html_tables.log(self)


def log(
    catalogue: Catalogue,
    pattern: str | None,
    wanted: LogFilter,
    now: float,
    signatures: Signatures | None = None,
) -> Log:
    """Return what was changed.

    Parameters
    ----------
    catalogue : Catalogue
        The commit whose history is looked at.
    pattern : str or None
        Glob over ``DET/CTYPE/RANGE``; a detector alone also shows changes of its record and its aliases, a detector or
        ctype alone those of its parameters. None shows everything.
    wanted : LogFilter
        Which commits are wanted.
    now : float
        When an alias is to be resolved, UNIX seconds.
    signatures : Signatures, optional
        Checks the signature of each commit that is returned.

    Returns
    -------
    Log
        Newest first.

    Raises
    ------
    UnknownDetectorError
        If the pattern names a detector that is not there.
    InvalidOptionError
        If `grep` is no regular expression.
    """
    try:
        searched = re.compile(wanted.grep, re.IGNORECASE)
    except re.error as error:
        raise InvalidOptionError("--grep", wanted.grep, f"a regular expression ({error})") from None
    globs = expand(catalogue, pattern, now) if pattern else None
    store = catalogue.snapshot.store
    tags = TagMarks(store)
    entries: list[Entry] = []
    for event in catalogue.history.events(*_easily_told(catalogue, globs)):
        if wanted.limit is not None and len(entries) >= wanted.limit:
            break
        if _meets(event, wanted, searched) and (globs is None or _touches(store, event, globs)):
            entries.append(_entry(event, tags.on(event.commit.id)))
    if signatures is None:
        return Log(tuple(entries))
    checks = dict(signatures.each(entry.commit for entry in entries))
    return Log(tuple(replace(entry, signature=checks[entry.commit]) for entry in entries))


def _easily_told(catalogue: Catalogue, globs: tuple[str, str, str] | None) -> tuple[str | None, tuple[str, ...]]:
    """Return how the names of the constants begin that a pattern matches, and the other files that it means."""
    if globs is None:
        return None, ()
    prefix = literal_prefix(globs)
    detector = globs[0]
    if "/" not in prefix or globs[2] != "*":
        return prefix or None, ()
    name = DetectorName.parse(detector)
    parameters = tuple(ctype_file(name, ctype) for ctype in catalogue.ctypes(name))
    if globs[1] != "*":
        return prefix, tuple(path for path in parameters if fnmatch.fnmatchcase(path.split("/")[2], globs[1]))
    return prefix, (detector_file(name), aliases_file(name.dettype), *parameters)


def _meets(event: Event, wanted: LogFilter, searched: re.Pattern[str]) -> bool:
    author = event.commit.author
    return (
        wanted.author.lower() in f"{author.name} <{author.email}>".lower()
        and (wanted.since is None or author.time >= wanted.since)
        and (wanted.until is None or author.time <= wanted.until)
        and bool(searched.search(event.commit.text))
    )


def _touches(store: ReadableStore, event: Event, globs: tuple[str, str, str]) -> bool:
    if event.versions:
        return matches((constant for constant, _ in event.versions), globs)
    if globs[2] != "*":
        return False
    commit = event.commit
    parent = store.commit(commit.parents[0]).tree if commit.parents else None
    files = (path.split("/") for path in changed_files(store.tree, parent, commit.tree))
    return any(_is_meant(parts, globs) for parts in files)


def _is_meant(parts: Sequence[str], globs: tuple[str, str, str]) -> bool:
    """Tell whether a file is a record of the detector or ctype that a pattern names."""
    match parts:
        case (_, detector, ctype, name) if name == CTYPE_FILE:
            return detector == globs[0] and fnmatch.fnmatchcase(ctype, globs[1])
        case (_, detector, name) if name == DETECTOR_FILE:
            return detector == globs[0] and globs[1] == "*"
        case (dettype, name) if name == ALIASES_FILE:
            return dettype == globs[0].partition("-")[0] and globs[1] == "*"
        case _:
            return False


def _entry(event: Event, tags: tuple[TagStates, ...]) -> Entry:
    author = event.commit.author
    return Entry(
        commit=event.commit.id,
        author=author.name,
        email=author.email,
        date=as_text(author.time),
        action=event.action or "change",
        subject=event.message.subject,
        body=event.message.body,
        forced=event.message.forced,
        constants=tuple(Touched(constant, version) for constant, version in event.versions),
        tags=tags,
    )
