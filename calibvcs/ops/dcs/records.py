"""What a DCS file notes, in the free parameters of our records, and back again.

A parameter of the file is a parameter here, under the same name. What has no place of its own stands in a table ``dcs``
beside them: history, exact times, names that are written otherwise, and parameters that calibvcs itself had written.
A record that has this table came from a file, and goes into one again as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calibvcs.formats.dcs.dcs_hdf5 import Notes

if TYPE_CHECKING:
    from calibvcs.formats.dcs.dcs_hdf5 import Scalar
    from calibvcs.model.detector import Parameters, ParameterValue

TABLE = "dcs"
"""The table in which importers keep what a file of the Detector Calibration Store notes; it is no parameter."""

MARK = "calibvcs_"
"""How the parameters begin that calibvcs adds to a file."""

STRUCTURED = ".json"
"""How the parameters end whose text stands for a list or a table."""

_DEEPEST = 16
_BITS = 63


def table_of(parameters: Parameters) -> Mapping[str, Any]:
    """Return what a record keeps of a file; empty where it came from none."""
    table = parameters.get(TABLE)
    return table if isinstance(table, Mapping) else {}


def parameters_of(notes: Notes, more: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return notes as the free parameters of a record.

    Parameters
    ----------
    notes : Notes
        As a file has them.
    more : mapping, optional
        What else the record keeps in its table.

    Returns
    -------
    dict
        Parameters, with the table last; it is there even if it is empty.
    """
    own = {key: value for key, value in notes.parameters.items() if key == TABLE or key.startswith(MARK)}
    free: dict[str, Any] = {}
    for key, value in notes.parameters.items():
        if key not in own:
            name, inner = _structure(key, value)
            free[name if name not in notes.parameters else key] = inner if name not in notes.parameters else value
    table: dict[str, Any] = {**(more or {})}
    table |= {"parameters": own} if own else {}
    table |= {"history": dict(notes.history)} if notes.history else {}
    return {**free, TABLE: table}


def notes_of(parameters: Parameters) -> Notes:
    """Return the free parameters of a record as a file has them."""
    table = table_of(parameters)
    values: dict[str, Scalar] = {}
    for key, value in parameters.items():
        if key != TABLE or not isinstance(value, Mapping):
            values.update(_flat(key, value))
    for key, value in mapping(table, "parameters").items():
        values.update(_flat(key, value))
    return Notes(values, {name_in_file(key): str(text) for key, text in mapping(table, "history").items()})


def values_of(notes: Notes) -> dict[str, Any]:
    """Return the parameters that notes hold, lists and tables as what they were."""
    parameters = parameters_of(notes)
    table = parameters.pop(TABLE)
    return {**parameters, **mapping(table, "parameters")}


def scalars_of(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return parameters as a file holds them; the opposite of `values_of`."""
    return {name: scalar for key, value in values.items() for name, scalar in _flat(key, value).items()}


def name_in_file(key: str) -> str:
    """Return the name of a parameter as HDF5 allows it: a slash would make a group, and a zero end it."""
    if key.isprintable() and "/" not in key and key not in {"", "."}:
        return key
    return "".join(f"%{ord(c):02X}" if c in "%/." or not c.isprintable() else c for c in key) or "%"


def _flat(key: str, value: ParameterValue) -> dict[str, Scalar]:
    """Return a parameter as scalars: lists and tables become JSON."""
    name = name_in_file(key)
    if isinstance(value, bool):
        return {name: int(value)}
    if isinstance(value, int | float | str):
        return {name: value}
    return {f"{name}{STRUCTURED}": as_json(value)}


def _structure(key: str, value: Scalar) -> tuple[str, Any]:
    """Return a parameter that was written as JSON as the list or table that it was; any other one as it is."""
    if key.endswith(STRUCTURED) and isinstance(value, str):
        parsed = from_json(value)
        if isinstance(parsed, list | dict) and _storable(parsed, 0) and as_json(parsed) == value:
            return key.removesuffix(STRUCTURED), parsed
    return key, value


def as_json(value: object) -> str:
    """Return a list or table as the text that stands for it in a file."""
    return json.dumps(value, ensure_ascii=False)


def from_json(text: str) -> Any:
    """Return what a text of a file stands for, None where it is no JSON."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _storable(value: Any, depth: int) -> bool:
    if isinstance(value, list | dict) and depth < _DEEPEST:
        return all(_storable(inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, bool | float | str) or (isinstance(value, int) and value.bit_length() <= _BITS)


def own_text(notes: Notes, key: str) -> str:
    """Return a text that calibvcs had written, "" where there is none."""
    value = notes.parameters.get(f"{MARK}{key}")
    return value if isinstance(value, str) else ""


def mapping(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table within a table, empty where there is none."""
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}
