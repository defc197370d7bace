"""Versions: what became of every constant, commit by commit.

A version of a constant is a commit that added its data: one that says so in its trailers, or one made by hand that
changed the file. v1 is the oldest. A commit that brings old data back makes no new version, nor does one that takes the
constant away, nor a merge whose outcome stands on one of its sides.

What is known of older commits comes from the journal of the store; only those that are not in it are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from calibvcs.errors import UnknownVersionError
from calibvcs.model.names import parse_version
from calibvcs.ops.ancestry import since
from calibvcs.ops.threads import Threads, payload_blob
from calibvcs.store import journal as journals
from calibvcs.store.derived import DerivedData
from calibvcs.store.journal import Journal, JournalGoneError, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from calibvcs.model.commits import Commit, Message
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.threads import Version
    from calibvcs.store.protocol import ReadableStore

T = TypeVar("T")

_WORTH_WRITING = 64
"""Commits, and constants in them, that are read anew rather than waiting for the disk to take them into the journal."""


@dataclass(frozen=True)
class Event:
    """One commit and what it did.

    Attributes
    ----------
    commit : Commit
        The commit.
    action : str or None
        What it did; for a commit made by hand, as far as its files tell; None where it neither added nor restored data.
    versions : tuple of tuple
        The constants it touched, each with the version that was the default afterwards ("" where it has none).
    """

    commit: Commit
    action: str | None
    versions: tuple[tuple[str, str], ...]

    @cached_property
    def message(self) -> Message:
        """Its message, read."""
        return self.commit.message


@dataclass(frozen=True, slots=True)
class Summary:
    """The default version of a constant, as far as a list shows it."""

    version: str
    commit: str
    author: str
    time: int
    subject: str


class History:
    """Everything that led to one commit.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    commit_id : str or None
        The newest commit to look at.
    before : History, optional
        What is known already: where this history goes on from it, only the commits since are read.
    """

    def __init__(self, store: ReadableStore, commit_id: str | None, before: History | None = None) -> None:
        self._store = store
        self.commit_id = commit_id
        try:
            self._read(before)
        except JournalGoneError:
            self._read(None, use_journal=False)

    def _read(self, before: History | None, *, use_journal: bool = True) -> None:
        derived = self._store.derived if use_journal else DerivedData(None)
        self._threads, self._tail = Threads(self._store, None), list[Line]()
        if self.commit_id is None:
            return

        def known(commit_id: str) -> History | Journal | None:
            if before and before.commit_id == commit_id:
                return before
            place = journals.find(derived, commit_id)
            return Journal(derived, place) if place else None

        base: History | Journal | None
        base, commits = since(self._store.commit, self.commit_id, known)
        if isinstance(base, History):
            self._threads, self._tail = base._threads.copy(), list(base._tail)
        else:
            self._threads.journal = base
        self._tail += [self._threads.take_in(commit, closed=closed) for commit, closed in commits]
        if sum(1 + len(line.touches) for line in self._tail) >= _WORTH_WRITING:
            self._write(derived)

    def _write(self, derived: DerivedData) -> None:
        journal = self._threads.journal
        if journals.extend(derived, journal.place if journal else None, self._tail):
            place = journals.find(derived, self.commit_id or "")
            if place:
                self._threads, self._tail = Threads(self._store, Journal(derived, place)), []

    def _ask(self, question: Callable[[], T]) -> T:
        """Answer a question; where the journal is gone meanwhile, everything is read anew."""
        try:
            return question()
        except JournalGoneError:
            self._read(None, use_journal=False)
            return question()

    # --- questions --------------------------------------------------------------------------------------------

    @property
    def length(self) -> int:
        """Number of commits."""
        journal = self._threads.journal
        return (journal.place.number if journal else 0) + len(self._tail)

    def count(self, constant: ConstantName) -> int:
        """Return the number of versions of a constant."""
        return self._ask(lambda: self._threads.of(constant).count)

    def versions(self, constant: ConstantName) -> tuple[Version, ...]:
        """Return the versions of a constant, v1 first."""
        return self._ask(lambda: self._threads.versions(constant))

    def default(self, constant: ConstantName) -> Version | None:
        """Return the version that is the default at the newest commit; None where history knows none."""
        return self._ask(lambda: self._threads.of(constant).default)

    def version(self, constant: ConstantName, given: str) -> Version:
        """Return a version by ``vN``, or by the beginning of its commit id.

        Raises
        ------
        UnknownVersionError
            If the constant has no such version.
        """
        known = self.versions(constant)
        number = parse_version(given)
        for version in known:
            if version.number == number or (len(given) >= 4 and version.commit.id.startswith(given)):
                return version
        raise UnknownVersionError(str(constant), given, tuple(version.name for version in known))

    def defaults(self, constants: Iterable[ConstantName]) -> dict[ConstantName, Summary]:
        """Return the default versions of many constants; those that have none are left out."""
        names = {str(constant): constant for constant in constants}
        return self._ask(lambda: self._defaults(names))

    def events(self, prefix: str | None = None, records: Sequence[str] = ()) -> Iterator[Event]:
        """Yield what happened, newest first.

        Parameters
        ----------
        prefix : str, optional
            Leave out, where that is easy, what touched no constant whose name begins like this ...
        records : sequence of str, optional
            ... and changed none of these paths of detectors and aliases.

        Yields
        ------
        Event
            At least all that was asked for.
        """
        yielded: set[str] = set()
        while True:
            try:
                for line in self._lines(prefix, records):
                    if line.commit.id not in yielded:
                        yielded.add(line.commit.id)
                        yield Event(line.commit, line.action, line.versions)
            except JournalGoneError:
                self._read(None, use_journal=False)
            else:
                return

    def _lines(self, prefix: str | None, records: Sequence[str]) -> Iterator[Line]:
        yield from reversed(self._tail)
        if self._threads.journal:
            yield from self._threads.journal.lines(prefix, records)

    def blob(self, version: Version) -> str | None:
        """Return the id of the data of a version."""
        return payload_blob(self._store, version.commit.id, version.constant)

    def _defaults(self, names: Mapping[str, ConstantName]) -> dict[ConstantName, Summary]:
        journal, changed = self._threads.journal, self._threads.changed
        asked = [name for name, c in names.items() if c not in changed] if changed else list(names)
        older = journal.defaults(asked) if journal else {}
        found = {names[name]: Summary(f"v{default[0]}", *default[1:]) for name, default in older.items()}
        for constant in changed.keys() & set(names.values()):
            default = changed[constant].default
            if default:
                author, subject = default.commit.author, default.commit.message.subject
                found[constant] = Summary(default.name, default.commit.id, author.name, author.time, subject)
        return found
