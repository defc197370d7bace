"""What a DCS file notes of a detector and its ctypes, into the records of the repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidNameError, NothingToChangeError
from calibvcs.formats.dcs.dcs_hdf5 import Notes
from calibvcs.formats.toml import ctype_toml, detector_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.names import DetectorName
from calibvcs.model.times import as_text
from calibvcs.ops import transaction
from calibvcs.ops.dcs import records
from calibvcs.ops.dcs.content import FORMAT, LONGNAME, SEGMENTS, ctype_parameters
from calibvcs.ops.dcs.versions import stamp
from calibvcs.ops.detector import DetectorChange
from calibvcs.ops.exchange.taking_over import sound_comment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.formats.dcs.dcs_hdf5 import DcsFile
    from calibvcs.model.commits import Person
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store

_MOST_TOLD = 100


def detector_change(name: DetectorName, file: DcsFile, *, renamed: bool) -> DetectorChange:
    """Return what is to be recorded of the detector itself."""
    table: dict[str, object] = {} if file.tscfile is None else {"tscfile": file.tscfile}
    ours = (("dettype", name.dettype), ("detid", name.detid), ("detname", str(name)))
    if not renamed:
        table |= {key: written for key, our in ours if (written := getattr(file, key)) not in {"", our}}
    known: dict[str, str] = {}
    for role in ("predecessor", "successor"):
        written = getattr(file, role)
        try:
            known[role] = str(DetectorName.parse(written.lower())) if written else ""
        except InvalidNameError:
            known[role] = ""
        if known[role] == str(name):  # a detector cannot follow itself
            known[role] = ""
        if known[role] != written:
            table[role] = written
    own = {key: value for key, value in file.notes.parameters.items() if key not in {FORMAT, LONGNAME, SEGMENTS}}
    longname, segments = (file.notes.parameters.get(key) for key in (LONGNAME, SEGMENTS))
    panels = records.from_json(segments) if isinstance(segments, str) else None
    parameters = records.parameters_of(Notes(own, file.notes.history), table)
    return DetectorChange(
        longname=longname if isinstance(longname, str) else None,
        segments=tuple(map(str, panels)) if isinstance(panels, list) else None,
        predecessor=known["predecessor"],
        successor=known["successor"],
        parameters=parameters,
    )


def complete(
    store: Store,
    author: Person,
    comment: str,
    name: DetectorName,
    change: DetectorChange,
    ctypes: Mapping[str, Mapping[str, Any]],
) -> str:
    """Record what is noted of the ctypes, and of a detector that was here before; what is here stays as it is."""

    def plan(catalogue: Catalogue) -> transaction.Plan[None]:
        edits: dict[str, bytes | str | None] = {}
        record = catalogue.detector(name)
        new = replace(
            record,
            longname=record.longname or change.longname or "",
            segments=record.segments or change.segments or (),
            predecessor=record.predecessor or change.predecessor or "",
            successor=record.successor or change.successor or "",
            parameters=_merged(record.parameters, change.parameters or {}),
        )
        if new != record:
            path = layout.detector_file(name)
            edits[path] = detector_toml.encode(new, catalogue.snapshot.read(path))
        for ctype, parameters in ctypes.items():
            if not parameters:
                continue
            path = layout.ctype_file(name, ctype)
            before = ctype_parameters(catalogue, name, ctype)
            after = _merged(before, parameters)
            if after != before or catalogue.snapshot.blob_id(path) is None:
                edits[path] = ctype_toml.encode(after, catalogue.snapshot.read(path))
        if not edits:
            raise NothingToChangeError("records", "are here already")
        return transaction.Plan(edits, Message(sound_comment(comment, "Notes"), Action.DETECTOR), None)

    try:
        return transaction.commit(store, author, plan)[0]
    except NothingToChangeError:
        return ""


def told(file: DcsFile, ctypes: Mapping[str, object]) -> str:
    """Return the history of detector and ctypes as lines of a comment, oldest first."""
    noted = [
        ("", file.notes),
        *((f"{ctype.name}: ", ctype.notes) for ctype in file.ctypes if ctype.name.lower() in ctypes),
    ]
    found = sorted((stamp(time), where, text) for where, notes in noted for time, text in notes.history.items())
    lines = [f"{as_text(time) if time else '?'} {where}{' '.join(text.split())}" for time, where, text in found]
    more = [f"... and {len(lines) - _MOST_TOLD} more"] if len(lines) > _MOST_TOLD else []
    return "\n".join(lines[:_MOST_TOLD] + more)


def _merged(here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Return both; where they differ, what is here."""
    merged = dict(here)
    for key, value in there.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        elif key not in merged:
            merged[key] = value
    return merged
