"""``alias import`` and ``alias export``: alias tables as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import (
    AlreadyExistsError,
    CalibvcsError,
    InvalidOptionError,
    MissingFileError,
    NothingToChangeError,
    UnknownDetectorError,
)
from calibvcs.formats import als_text
from calibvcs.formats.toml import aliases_toml
from calibvcs.model import layout
from calibvcs.model.aliases import Alias, add_alias
from calibvcs.model.commits import Action, Message
from calibvcs.model.names import DetectorName, parse_alias, parse_dettype
from calibvcs.model.times import parse_end, parse_time
from calibvcs.model.validity import Validity
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from calibvcs.formats.als_text import Row
    from calibvcs.model.commits import Person
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class AliasesTaken:
    """What an import took over.

    Attributes
    ----------
    added : tuple of Alias
        New rows.
    known : int
        Rows that were here already.
    passed_over : tuple of str
        Rows that could not be taken, each with the reason.
    commit : str
        The commit that added them; empty where nothing was new.
    """

    schema: ClassVar[str] = "calibvcs.alias-import/1"

    added: tuple[Alias, ...]
    known: int
    passed_over: tuple[str, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class AliasText:
    """An alias table as text, and how many rows it has."""

    schema: ClassVar[str] = "calibvcs.alias-export/1"

    dettype: str
    rows: int
    text: str


def import_als(store: Store, author: Person, path: str, detector: str, message: str) -> AliasesTaken:
    """Take over an alias table; taking over the same again changes nothing.

    A row means the detector that is named for all, or by a comment above it; else the registered detector that its
    source names: by its name, by its unique id, by an alias that has this source already, or as the Detector
    Calibration Store names it, ``<dettype>-<source with - for :>``.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    path : str
        The file.
    detector : str
        Detector that all rows mean; empty for what each says.
    message : str
        Why; empty for "Take over ...".

    Returns
    -------
    AliasesTaken
        What was added, and what could not be taken.

    Raises
    ------
    MissingFileError
        If the file cannot be read.
    InvalidDataError
        If it is no such table.
    UnknownDetectorError
        If the detector that is named for all is not registered.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(als_text.SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise MissingFileError(path, (getattr(error, "strerror", None) or str(error)).lower()) from None
    rows = als_text.decode(data, path)
    taken: list[AliasesTaken] = []

    def plan(catalogue: Catalogue) -> transaction.Plan[AliasesTaken]:
        only = DetectorName.parse(detector) if detector else None
        if only is not None:
            catalogue.detector(only)
        found = _Rows(catalogue, only, path)
        for row in rows:
            found.take(row)
        taken[:] = [AliasesTaken(tuple(found.added), found.known, tuple(found.passed_over))]
        if not found.added:
            raise NothingToChangeError(path, "has nothing new")
        edits: dict[str, bytes | str | None] = {}
        for dettype in sorted({row.detector.dettype for row in found.added}):
            table = layout.aliases_file(dettype)
            own = [row for row in found.rows if row.detector.dettype == dettype]
            edits[table] = aliases_toml.encode(own, catalogue.snapshot.read(table))
        comment = message or f"Take over the aliases of {Path(path).name}"
        return transaction.Plan(edits, Message(comment, Action.ALIAS), taken[0])

    try:
        commit, done = transaction.commit(store, author, plan)
    except NothingToChangeError:
        return taken[0]
    return AliasesTaken(done.added, done.known, done.passed_over, commit)


def export_als(catalogue: Catalogue, dettype: str) -> AliasText:
    """Return the alias table of a detector type as text.

    Raises
    ------
    InvalidOptionError
        If it has no aliases.
    InvalidNameError
        If it is no name of a detector type.
    """
    parse_dettype(dettype)
    rows = [row for row in catalogue.aliases if row.detector.dettype == dettype]
    if not rows:
        known = sorted({row.detector.dettype for row in catalogue.aliases})
        raise InvalidOptionError("DETTYPE", dettype, f"aliases are known of: {', '.join(known) or 'none'}")
    return AliasText(dettype, len(rows), als_text.encode(rows))


class _Rows:
    """Rows on their way into one state of the repository."""

    def __init__(self, catalogue: Catalogue, detector: DetectorName | None, path: str) -> None:
        self._catalogue, self._detector, self._path = catalogue, detector, Path(path)
        self._names = set(map(str, catalogue.detectors))
        self.rows: tuple[Alias, ...] = tuple(catalogue.aliases)
        self.added: list[Alias] = []
        self.passed_over: list[str] = []
        self.known = 0

    def take(self, row: Row) -> None:
        """Take a row, or tell why not."""
        try:
            new = self._alias(row)
            if any((new.alias, new.detector, new.validity) == (o.alias, o.detector, o.validity) for o in self.rows):
                self.known += 1
                return
            if new.alias in self._names:
                raise AlreadyExistsError("detector", new.alias)
            self.rows = add_alias(self.rows, new)
            self.added.append(new)
        except CalibvcsError as error:
            self.passed_over.append(f"line {row.line}: {row.alias} {row.source}: {error.problem}")

    def _alias(self, row: Row) -> Alias:
        detector = self._meant(row)
        begin, end = parse_time(row.begin), parse_end(row.end)
        last = None if end is None else math.ceil(self._catalogue.seconds(end))
        validity = Validity(math.floor(self._catalogue.seconds(begin)), last)
        return Alias(parse_alias(row.alias), detector, validity, "" if row.source == str(detector) else row.source)

    def _meant(self, row: Row) -> DetectorName:
        if self._detector is not None:
            return self._detector
        named = [row.detector] if row.detector else [row.source, *self._by_source(row.source), *self._spelt(row.source)]
        for name in named:
            if name.lower() in self._names:
                return DetectorName.parse(name.lower())
        reason = f"no registered detector is {named[0]!r}, nor is called {named[-1]!r}"
        raise UnknownDetectorError(named[0], known=len(self._names), reason=reason)

    @cached_property
    def _by_any_source(self) -> dict[str, set[str]]:
        """The detectors that aliases or their own records give a source."""
        found: dict[str, set[str]] = {}
        for row in self._catalogue.aliases:
            found.setdefault(row.source, set()).add(str(row.detector))
        for name in self._catalogue.detectors:
            found.setdefault(self._catalogue.detector(name).longname, set()).add(str(name))
        return found

    def _by_source(self, source: str) -> list[str]:
        found = self._by_any_source.get(source, set())
        return list(found) if len(found) == 1 else []

    def _spelt(self, source: str) -> list[str]:
        """Return how the Detector Calibration Store names the detector of a source, by its device and by its folder."""
        device = source.rpartition(":")[2].partition(".")[0]
        detid = source.replace(":", "-")
        return [f"{dettype}-{detid}".lower() for dettype in dict.fromkeys((device, self._path.absolute().parent.name))]
