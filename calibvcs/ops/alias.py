"""``alias``: dated names for detectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError
from calibvcs.formats.toml import aliases_toml
from calibvcs.model import layout
from calibvcs.model.aliases import Alias, add_alias
from calibvcs.model.commits import Action, Message
from calibvcs.model.names import DetectorName, parse_alias
from calibvcs.model.validity import Validity
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.times import RunName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class AliasList:
    """Rows of the alias tables, and the commit that changed them (empty for a mere look)."""

    schema: ClassVar[str] = "calibvcs.alias/1"

    aliases: tuple[Alias, ...]
    commit: str = ""


def add(
    store: Store,
    author: Person,
    alias: str,
    detector: str,
    *,
    begin: float | RunName,
    end: float | RunName | None,
    source: str,
    message: str,
) -> AliasList:
    """Let a name mean a detector between two times.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    alias, detector : str
        The name, and the detector it means.
    begin, end : float, RunName or None
        When it means that, UNIX seconds or a run; no end is open.
    source : str
        Name of the source in the DAQ, or empty.
    message : str
        Why; empty for "Let ... mean ...".

    Returns
    -------
    AliasList
        The new row and the commit.

    Raises
    ------
    OverlapError
        If the name has a meaning already at some second of that time, in any detector type.
    UnknownDetectorError
        If the detector is not registered.
    AlreadyExistsError
        If a detector has this name.
    """
    parse_alias(alias)

    def plan(catalogue: Catalogue) -> transaction.Plan[Alias]:
        name = DetectorName.parse(detector)
        catalogue.detector(name)
        if alias in map(str, catalogue.detectors):
            raise AlreadyExistsError("detector", alias, "an alias must not hide a detector; choose another name")
        last = None if end is None else math.ceil(catalogue.seconds(end))
        row = Alias(alias, name, Validity(math.floor(catalogue.seconds(begin)), last), source)
        add_alias(catalogue.aliases, row)  # an alias means one detector, in whatever table it stands
        own = [other for other in catalogue.aliases if other.detector.dettype == name.dettype]
        path = layout.aliases_file(name.dettype)
        edits = {path: aliases_toml.encode(add_alias(own, row), catalogue.snapshot.read(path))}
        return transaction.Plan(edits, Message(message or f"Let {alias} mean {name}", Action.ALIAS), row)

    commit, row = transaction.commit(store, author, plan)
    return AliasList((row,), commit)


def ls(catalogue: Catalogue) -> AliasList:
    """Return all aliases, sorted by name and begin."""
    return AliasList(tuple(sorted(catalogue.aliases, key=lambda row: (row.alias, row.validity.precedence))))


def resolve(catalogue: Catalogue, alias: str, time: float) -> AliasList:
    """Return the row that is in force for an alias at a time (UNIX seconds).

    Raises
    ------
    UnknownDetectorError
        If the alias means nothing at that time.
    """
    detector = catalogue.resolve(alias, time)
    rows = tuple(row for row in catalogue.aliases if row.alias == alias and time in row.validity)
    return AliasList(rows or (Alias(alias, detector, Validity(0)),))
