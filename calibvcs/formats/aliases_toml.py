"""``<dettype>/aliases.toml``: the dated names of the detectors of a type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidDocumentError
from calibvcs.formats import toml_document
from calibvcs.model.aliases import Alias
from calibvcs.model.layout import aliases_file
from calibvcs.model.names import DetectorName, parse_alias
from calibvcs.model.validity import Validity

if TYPE_CHECKING:
    from collections.abc import Iterable


def decode(data: bytes, dettype: str) -> tuple[Alias, ...]:
    """Read an alias table.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, or a row breaks a rule.
    """
    document = toml_document.read(data, aliases_file(dettype))
    return tuple(_row(table) for table in document.tables("aliases"))


def _row(table: toml_document.Table) -> Alias:
    try:
        validity = Validity(table.integer("begin", 0) or 0, table.integer("end"))
    except CalibvcsError as error:
        raise InvalidDocumentError(table.path, error.problem) from None
    detector = table.parsed("detector", DetectorName.parse)
    return Alias(table.parsed("alias", parse_alias), detector, validity, table.text("source", ""))


def encode(rows: Iterable[Alias], previous: bytes | None = None) -> bytes:
    """Return the file; comments above the rows of the previous one are kept."""
    tables = [
        {
            key: value
            for key, value in {
                "alias": row.alias,
                "detector": str(row.detector),
                "source": row.source or None,
                "begin": row.validity.begin,
                "end": row.validity.end,
            }.items()
            if value is not None
        }
        for row in rows
    ]
    return toml_document.write({"aliases": tables}, previous)
