"""``detector.toml``: the record of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.formats import toml_document
from calibvcs.model.detector import Detector
from calibvcs.model.layout import detector_file

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
    )


def encode(detector: Detector, previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept."""
    values = {
        "longname": detector.longname,
        "segments": list(detector.segments),
        "predecessor": detector.predecessor,
        "successor": detector.successor,
        "created": detector.created,
        "parameters": dict(detector.parameters),
    }
    return toml_document.write(values, previous)
