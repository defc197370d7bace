"""Records of a detector and its ctypes, as a script changed them by the DCS interface."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidOptionError
from calibvcs.formats.dcs.dcs_hdf5 import Notes
from calibvcs.formats.toml import ctype_toml, detector_toml
from calibvcs.model import layout
from calibvcs.model.detector import Detector
from calibvcs.model.names import DetectorName, parse_ctype
from calibvcs.model.times import as_text
from calibvcs.ops.dcs.content import ctype_parameters
from calibvcs.ops.dcs.ranges import tables_of_ranges
from calibvcs.ops.dcs.records import MARK, TABLE, mapping, table_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile
    from calibvcs.model.commits import Person
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.dcs.difference import Difference

_NAMES = ("dettype", "detid", "detname")


def noted(parameters: Mapping[str, Any], before: Notes, after: Notes) -> dict[str, Any]:
    """Return the free parameters of a record with what was changed of its notes; everything else stays.

    Raises
    ------
    InvalidOptionError
        If a parameter was changed that calibvcs keeps for itself.
    """
    changed = deepcopy(dict(parameters))
    table = dict(table_of(parameters))
    old, new = values_of(before), values_of(after)
    for key in {**old, **new}:
        if key in old and key in new and old[key] == new[key] and type(old[key]) is type(new[key]):
            continue
        if key.startswith(MARK) or key == TABLE:
            raise InvalidOptionError("parameter", key, f"{TABLE!r} and names that begin with {MARK!r} are reserved")
        if key in new:
            changed[key] = new[key]
        else:
            changed.pop(key, None)
    if before.history != after.history:
        kept = {time: text for time, text in mapping(table, "history").items() if time in after.history}
        more = {time: text for time, text in after.history.items() if before.history.get(time) != text}
        table["history"] = {**kept, **more}
    if table or TABLE in changed:
        changed[TABLE] = table
    return changed


def record_edits(catalogue: Catalogue, difference: Difference, author: Person) -> dict[str, bytes]:
    """Return the files of the records that are to be written; a detector that is not here yet is registered.

    Raises
    ------
    UnknownDetectorError
        If predecessor or successor is not registered.
    InvalidOptionError
        If the detector is to have another name, or a parameter is reserved.
    """
    edits: dict[str, bytes] = {}
    name = difference.detector
    path = layout.detector_file(name)
    here = name in catalogue.detectors
    record = catalogue.detector(name) if here else Detector(name, created=as_text(author.sign()[0].time))
    changed = _detector(catalogue, record, difference.before, difference.after)
    if changed != record or not here:
        edits[path] = detector_toml.encode(changed, catalogue.snapshot.read(path))
    for old, new in difference.ctypes:
        ctype = parse_ctype((new or old).name.lower())  # type: ignore[union-attr]
        path = layout.ctype_file(name, ctype)
        before = ctype_parameters(catalogue, name, ctype)
        after = _ctype(before, old, new, difference)
        empty = new is not None and not any(one.versions for one in new.ranges)
        if after != before or (empty and catalogue.snapshot.blob_id(path) is None):
            edits[path] = ctype_toml.encode(
                {TABLE: {}} if empty and not after else after, catalogue.snapshot.read(path)
            )
    return edits


def _detector(catalogue: Catalogue, record: Detector, before: DcsFile, after: DcsFile) -> Detector:
    neighbours: dict[str, str] = {}
    for role in ("predecessor", "successor"):
        given = getattr(after, role)
        if given != getattr(before, role):
            neighbours[role] = str(DetectorName.parse(given.lower())) if given else ""
            if given:
                catalogue.detector(DetectorName.parse(neighbours[role]))
            if neighbours[role] == str(record.name):
                raise InvalidOptionError(role, given, "a detector cannot follow itself")
    parameters = noted(record.parameters, before.notes, after.notes)
    table = dict(table_of(parameters))
    for role in neighbours:
        table.pop(role, None)
    if after.tscfile != before.tscfile and after.tscfile is not None:
        table["tscfile"] = after.tscfile
    for word, ours in zip(_NAMES, (record.name.dettype, record.name.detid, str(record.name)), strict=True):
        given = getattr(after, word)
        if given == getattr(before, word):
            continue
        if given.lower() != ours:
            raise InvalidOptionError(word, given, f"in a repository it is {ours!r}; only upper case may differ")
        table.pop(word, None)
        if given != ours:
            table[word] = given
    if table or TABLE in parameters:
        parameters[TABLE] = table
    return replace(
        record,
        predecessor=neighbours.get("predecessor", record.predecessor),
        predecessor_until="" if "predecessor" in neighbours else record.predecessor_until,
        successor=neighbours.get("successor", record.successor),
        successor_since="" if "successor" in neighbours else record.successor_since,
        parameters=parameters,
    )


def _ctype(
    parameters: dict[str, Any], old: DcsCtype | None, new: DcsCtype | None, difference: Difference
) -> dict[str, Any]:
    name = (new or old).name  # type: ignore[union-attr]
    changed = dict(parameters) if new is None else noted(parameters, _notes(old), new.notes)
    table = dict(table_of(changed))
    ranges = deepcopy(dict(mapping(table, "ranges")))
    before, after = ({one.key: one for one in (c.ranges if c else ())} for c in (old, new))
    for key in {**before, **after}:
        was, one = before.get(key), after.get(key)
        entry = dict(mapping(ranges, key))
        if one is None:
            entry = {"deleted": entry["deleted"]} if "deleted" in entry else {}
        elif not one.versions:
            entry = {**mapping(tables_of_ranges((one,)), key), **{k: v for k, v in entry.items() if k == "deleted"}}
        elif was is None or was.notes != one.notes:
            entry |= (
                {"parameters": values_of(one.notes), "history": dict(one.notes.history)}
                if _said(one.notes, was)
                else {}
            )
        gone = difference.deleted.get((name, key))
        if gone:
            entry["deleted"] = sorted({*entry.get("deleted", []), *gone})
        if entry:
            ranges[key] = entry
        else:
            ranges.pop(key, None)
    if new is None:
        return {TABLE: {"deleted": True, **({"ranges": ranges} if ranges else {})}}
    table.pop("deleted", None)
    table.pop("ranges", None)
    if ranges:
        table["ranges"] = ranges
    if name != name.lower() and "name" not in table:
        table["name"] = name
    if table or TABLE in changed:
        changed[TABLE] = table
    return changed


def _notes(ctype: DcsCtype | None) -> Notes:
    return ctype.notes if ctype else Notes()


def _said(notes: Notes, was: object) -> bool:
    return was is not None or bool(notes.parameters) or bool(notes.history)
