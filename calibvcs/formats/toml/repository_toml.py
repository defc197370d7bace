"""``.calibvcs/repository.toml``: the one file that makes a Git repository one of constants."""

from __future__ import annotations

from calibvcs.errors import UnsupportedFormatError
from calibvcs.formats.toml import toml_document
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
    if type(given) is not int or given != FORMAT:
        raise UnsupportedFormatError("missing" if given is None else repr(given), FORMAT)
    required = table.table("required")
    gates = table.table("gate")
    limits = {ctype: _limits(gates.table(ctype)) for ctype in gates}
    return RepositorySettings(
        table.text("name", ""), {dettype: required.texts(dettype) for dettype in required}, limits
    )


def _limits(table: toml_document.Table) -> GateLimits:
    drift, factor, fraction = (table.number(key) for key in ("max_drift", "max_factor", "max_changed_fraction"))
    if drift is not None and drift < 0:
        raise table.wrong("max_drift", "0 or more, in the unit of the ctype", drift)
    if factor is not None and factor < 1:
        raise table.wrong("max_factor", "1 or more", factor)
    if fraction is not None and not 0 <= fraction <= 1:
        raise table.wrong("max_changed_fraction", "a fraction from 0 to 1", fraction)
    return GateLimits(drift, factor, fraction)


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
