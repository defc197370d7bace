"""The manifest of ``add --manifest``: many constants for one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidDocumentError, MissingFileError
from calibvcs.formats.toml import toml_document
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.names import parse_experiment
from calibvcs.model.times import parse_end, parse_time
from calibvcs.ops import payload as payloads
from calibvcs.ops.new_constant import NewConstant

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.formats.toml.toml_document import Table
    from calibvcs.model.times import RunName, TimeLike


@dataclass(frozen=True)
class Manifest:
    """What a manifest lists, and its message ("" where it has none)."""

    message: str
    constants: tuple[NewConstant, ...]


def read_manifest(path: str, provenance: Provenance) -> Manifest:
    """Read a manifest and the files that it names (relative to its own folder).

    Parameters
    ----------
    path : str
        A TOML file.
    provenance : Provenance
        Recorded with every constant, beside the inputs that the manifest names.

    Returns
    -------
    Manifest
        The constants in the order of the file.

    Raises
    ------
    MissingFileError
        If it, or a file it names, cannot be read.
    InvalidDocumentError
        If it cannot be understood.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None
    document = toml_document.read(data, path)
    rows = document.tables("constants")
    if not rows:
        raise InvalidDocumentError(path, "it lists nothing; expected are tables [[constants]]")
    return Manifest(document.text("message", ""), tuple(_row(row, Path(path).parent, provenance) for row in rows))


def _row(row: Table, folder: Path, provenance: Provenance) -> NewConstant:
    ctype = row.text("ctype")
    inputs = tuple(payloads.input_file(str(folder / name)) for name in row.texts("inputs"))
    return NewConstant(
        detector=row.text("detector"),
        ctype=ctype,
        payload=payloads.from_file(str(folder / row.text("file")), ctype),
        begin=_time(row, "begin", parse_time),
        end=_time(row, "end", parse_end),
        origin=Origin(
            row.parsed("experiment", parse_experiment) if row.raw("experiment") else "",
            _number(row, "run"),
            _number(row, "run_end"),
            row.text("source", ""),
        ),
        unit=row.text("unit", ""),
        convention=row.text("convention", ""),
        parameters=row.parameters(),
        provenance=replace(provenance, inputs=inputs),
    )


def _number(row: Table, key: str) -> int | None:
    number = row.integer(key)
    if number is not None and number < 0:
        raise row.wrong(key, "a run number", number)
    return number


def _time(row: Table, key: str, parse: Callable[[TimeLike], float | RunName | None]) -> float | RunName | None:
    given = row.raw(key)
    if given is None:
        return None
    if isinstance(given, date) and not isinstance(given, datetime):
        given = given.isoformat()
    try:
        return parse(given)
    except CalibvcsError as error:
        raise row.wrong(key, f"a time ({error.problem})", given) from None
