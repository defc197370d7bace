"""Aliases: dated names for detectors, one table a detector type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import OverlapError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.model.names import DetectorName
    from calibvcs.model.validity import Validity


@dataclass(frozen=True, slots=True)
class Alias:
    """One row: between two times, this name means that detector.

    Attributes
    ----------
    alias : str
        The name, for example ``front``.
    detector : DetectorName
        What it means.
    validity : Validity
        When it means that.
    source : str
        Name of the source in the DAQ, if any.
    """

    alias: str
    detector: DetectorName
    validity: Validity
    source: str = ""

    def __str__(self) -> str:
        return f"{self.alias} -> {self.detector} ({self.validity})"


def add_alias(rows: Iterable[Alias], new: Alias) -> tuple[Alias, ...]:
    """Return the rows with a new one, ordered by alias and begin.

    Raises
    ------
    OverlapError
        If the alias has a meaning already at some second of the new row.
    """
    rows = tuple(rows)
    for row in rows:
        if row.alias == new.alias and row.validity.overlaps(new.validity):
            raise OverlapError(new.alias, f"{new.detector} ({new.validity})", str(row))
    return tuple(sorted((*rows, new), key=lambda row: (row.alias, row.validity.precedence)))


def resolve_alias(rows: Iterable[Alias], alias: str, time: float) -> DetectorName | None:
    """Return the detector that an alias means at a time (UNIX seconds), or None."""
    return next((row.detector for row in rows if row.alias == alias and time in row.validity), None)
