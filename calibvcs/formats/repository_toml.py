"""``.calibvcs/repository.toml``: the one file that makes a Git repository one of constants."""

from __future__ import annotations

from calibvcs.errors import UnsupportedFormatError
from calibvcs.formats import toml_document
from calibvcs.model.layout import FORMAT, REPOSITORY_FILE
from calibvcs.model.repository import GateLimits, RepositorySettings


def decode(data: bytes) -> RepositorySettings:
    """Read the settings of a repository.

    Raises
    ------
    UnsupportedFormatError
        If the format is newer than this program, or not named.
    InvalidDocumentError
        If the file is no valid TOML, or a value has the wrong type.
    """
    table = toml_document.read(data, REPOSITORY_FILE)
    given = table.raw("format")
    if given != FORMAT or isinstance(given, bool):
        raise UnsupportedFormatError("missing" if given is None else repr(given), FORMAT)
    required = table.table("required")
    gates = table.table("gate")
    limits = {
        ctype: GateLimits(*(gates.table(ctype).number(n) for n in ("max_drift", "max_factor", "max_changed_fraction")))
        for ctype in gates
    }
    return RepositorySettings(
        table.text("name", ""), {dettype: required.texts(dettype) for dettype in required}, limits
    )


def encode(settings: RepositorySettings) -> bytes:
    """Return the file."""
    gate = {
        ctype: {
            "max_drift": limits.max_drift,
            "max_factor": limits.max_factor,
            "max_changed_fraction": limits.max_changed_fraction,
        }
        for ctype, limits in settings.gate.items()
    }
    required = {dettype: list(ctypes) for dettype, ctypes in settings.required.items()}
    return toml_document.write({"format": FORMAT, "name": settings.name, "required": required, "gate": gate})
