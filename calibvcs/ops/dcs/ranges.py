"""Ranges of a DCS file and ranges of ours: whole seconds, and what else a file says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calibvcs.formats.dcs.dcs_hdf5 import DcsRange, Notes, range_key
from calibvcs.model.validity import TIME_LIMIT, Validity
from calibvcs.ops.dcs.records import TABLE, mapping, name_in_file, notes_of


def validity_of(one: DcsRange) -> Validity:
    """Return a range in whole seconds, rounded outwards; what ends after all times is open.

    Raises
    ------
    CalibvcsError
        If it lies outside what can be stored, or ends before it begins.
    """
    begin = max(0, math.floor(one.begin)) if math.isfinite(one.begin) else TIME_LIMIT
    if one.end is None or one.end >= TIME_LIMIT:
        return Validity(begin)
    end = math.ceil(one.end) if math.isfinite(one.end) else 0
    return Validity(begin, begin + 1 if end == begin and one.end >= one.begin else end)


def range_table(one: DcsRange) -> dict[str, Any]:
    """Return what a record keeps of a range that its name does not say."""
    validity = validity_of(one)
    table: dict[str, Any] = {}
    if one.begin != validity.begin:
        table["begin"] = float(one.begin)
    if one.end is not None and one.end != validity.end:
        table["end"] = float(one.end)
    if one.key != range_key(one.begin, one.end):
        table["range"] = one.key
    if one.versdef:
        table["versdef"] = one.versdef
    if one.notes.parameters:
        table["parameters"] = dict(one.notes.parameters)
    if one.notes.history:
        table["history"] = dict(one.notes.history)
    return table


def range_from(validity: Validity, table: Mapping[str, Any]) -> DcsRange:
    """Return a range without versions, as a record keeps it; ``versdef`` is what it was."""
    begin, end = table.get("begin"), table.get("end")
    first = float(begin) if isinstance(begin, int | float) else float(validity.begin)
    last = None if validity.end is None else float(validity.end)
    last = float(end) if isinstance(end, int | float) else last
    key, versdef = table.get("range"), table.get("versdef")
    notes = notes_of({TABLE: {name: dict(mapping(table, name)) for name in ("parameters", "history")}})
    return DcsRange(
        name_in_file(key) if isinstance(key, str) else range_key(first, last),
        first,
        last,
        versdef if isinstance(versdef, int) else 0,
        notes=notes,
    )


def overlaid(one: DcsRange, tables: Mapping[str, Any]) -> DcsRange:
    """Return a range with what the record of its ctype says of it, which goes before what its versions say.

    Parameters
    ----------
    one : DcsRange
        As its versions say.
    tables : mapping
        What is recorded, by the key of a range: ``parameters``, ``history``, and numbers of versions that are
        ``deleted``, which are left out unless they are the default again.
    """
    table = mapping(tables, one.key)
    gone = table.get("deleted")
    kept: dict[str, Any] = {name: dict(mapping(table, name)) for name in ("parameters", "history") if name in table}
    said = notes_of({TABLE: kept})
    notes = Notes(
        said.parameters if "parameters" in kept else one.notes.parameters,
        said.history if "history" in kept else one.notes.history,
    )
    if not isinstance(gone, list):
        return replace(one, notes=notes)
    left = tuple(version for version in one.versions if version.number not in gone or version.number == one.default)
    last = bool(left) and left[-1].number == one.default  # what went before it is not there any more
    return replace(one, versions=left, versdef=0 if last else one.versdef, notes=notes)


def tables_of_ranges(ranges: tuple[DcsRange, ...]) -> dict[str, Any]:
    """Return ranges without versions by their keys: no constant stands for them."""
    kept = {}
    for one in ranges:
        entry: dict[str, Any] = {"begin": float(one.begin)}
        entry |= {} if one.end is None else {"end": float(one.end)}
        entry |= {"versdef": one.versdef} if one.versdef else {}
        entry |= {"parameters": dict(one.notes.parameters)} if one.notes.parameters else {}
        entry |= {"history": dict(one.notes.history)} if one.notes.history else {}
        kept[one.key] = entry
    return kept


def ranges_from(tables: Mapping[str, Any]) -> tuple[DcsRange, ...]:
    """Return the ranges without versions that a record keeps."""
    return tuple(
        range_from(Validity(0), {**table, "range": key})
        for key, table in tables.items()
        if isinstance(table, Mapping) and isinstance(table.get("begin"), int | float)
    )
