"""``<dettype>/aliases.toml``: the dated names of the detectors of a type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.formats.toml import toml_document
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
    begin, end = table.integer("begin", 0) or 0, table.integer("end")
    try:
        validity = Validity(begin, end)
    except CalibvcsError as error:
        raise table.wrong("begin", f"the begin of a range ({error.problem})", begin) from None
    detector = table.parsed("detector", DetectorName.parse)
    return Alias(table.parsed("alias", parse_alias), detector, validity, table.text("source", ""))


def encode(rows: Iterable[Alias], previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept."""
    tables = [
        {
            "alias": row.alias,
            "detector": str(row.detector),
            "source": row.source or None,
            "begin": row.validity.begin,
            "end": row.validity.end,
        }
        for row in rows
    ]
    return toml_document.write({"aliases": tables}, previous)
