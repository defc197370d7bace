"""``detector.toml``: the record of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidTimeError
from calibvcs.formats.toml import toml_document
from calibvcs.model.detector import Detector
from calibvcs.model.layout import detector_file
from calibvcs.model.times import RunName, parse_time

if TYPE_CHECKING:
    from calibvcs.model.names import DetectorName


def decode(data: bytes, name: DetectorName) -> Detector:
    """Read the record of a detector.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, or a value has the wrong type.
    """
    table = toml_document.read(data, detector_file(name))
    return Detector(
        name=name,
        longname=table.text("longname", ""),
        segments=table.texts("segments"),
        predecessor=table.text("predecessor", ""),
        successor=table.text("successor", ""),
        created=table.text("created", ""),
        parameters=table.parameters(),
        predecessor_until=table.parsed("predecessor_until", _time, ""),
        successor_since=table.parsed("successor_since", _time, ""),
    )


def encode(detector: Detector, previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept."""
    values = {
        "longname": detector.longname,
        "segments": list(detector.segments),
        "predecessor": detector.predecessor,
        "predecessor_until": detector.predecessor_until,
        "successor": detector.successor,
        "successor_since": detector.successor_since,
        "created": detector.created,
        "parameters": dict(detector.parameters),
    }
    return toml_document.write(values, previous)


def _time(text: str) -> str:
    """Return the text of a time as it stands; raises InvalidTimeError where it is none."""
    if text and isinstance(parse_time(text), RunName):
        raise InvalidTimeError(text, "a time is needed, not a run")
    return text
