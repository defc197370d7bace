"""``ctype.toml``: what is recorded of one calibration type of one detector, beside its constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.formats.toml import toml_document

if TYPE_CHECKING:
    from calibvcs.model.detector import Parameters, ParameterValue


def decode(data: bytes, path: str) -> dict[str, ParameterValue]:
    """Read the parameters of a ctype.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, or the parameters are no table.
    """
    return toml_document.read(data, path).parameters()


def encode(parameters: Parameters, previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept."""
    return toml_document.write({"parameters": dict(parameters)}, previous)
