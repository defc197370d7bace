"""``meta.toml``: what stands beside the data of a constant."""

from __future__ import annotations

from typing import Any

from calibvcs.formats.toml import toml_document
from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance

SIZE_LIMIT = toml_document.SIZE_LIMIT


def decode(data: bytes, path: str, *, form: tuple[str, tuple[int, ...]] | None = None) -> Metadata:
    """Read the metadata of a constant.

    Parameters
    ----------
    data : bytes
        Content of the file.
    path : str
        Its path, for messages.
    form : tuple of str and tuple of int, optional
        Dtype and shape of the data, which stand for what the file does not say; default is that it has to say them.

    Returns
    -------
    Metadata
        What it says.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, or a value has the wrong type.
    """
    table = toml_document.read(data, path)
    origin, provenance = table.table("origin"), table.table("provenance")
    inputs = tuple(
        InputFile(row.text("path"), row.integer("size", 0) or 0, row.text("sha256"))
        for row in provenance.tables("inputs")
    )
    return Metadata(
        dtype=table.text("dtype", form[0] if form else None),
        shape=table.integers("shape") if form is None or "shape" in table else form[1],
        dims=table.texts("dims"),
        unit=table.text("unit", ""),
        convention=table.text("convention", ""),
        origin=Origin(
            origin.text("experiment", ""), origin.integer("run"), origin.integer("run_end"), origin.text("source", "")
        ),
        provenance=Provenance(
            provenance.texts("command"),
            provenance.text("software", ""),
            provenance.text("user", ""),
            provenance.text("host", ""),
            inputs,
        ),
        parameters=table.parameters(),
        locked=table.flag("locked"),
        lock_reason=table.text("lock_reason", ""),
        withdrawn=table.flag("withdrawn"),
        withdrawn_reason=table.text("withdrawn_reason", ""),
    )


def encode(metadata: Metadata) -> bytes:
    """Return the file; equal metadata give equal bytes, so that parameters stand in the order of their names."""
    origin, provenance = metadata.origin, metadata.provenance
    inputs = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in provenance.inputs]
    values = {
        "dtype": metadata.dtype,
        "shape": list(metadata.shape),
        "dims": list(metadata.dims),
        "unit": metadata.unit,
        "convention": metadata.convention,
        "locked": metadata.locked,
        "lock_reason": metadata.lock_reason,
        "withdrawn": metadata.withdrawn,
        "withdrawn_reason": metadata.withdrawn_reason,
        "origin": {
            "experiment": origin.experiment,
            "run": origin.run,
            "run_end": origin.run_end,
            "source": origin.source,
        },
        "provenance": {
            "command": list(provenance.command),
            "software": provenance.software,
            "user": provenance.user,
            "host": provenance.host,
            "inputs": inputs,
        },
        "parameters": _ordered(dict(metadata.parameters)),
    }
    return toml_document.write(values)


def _ordered(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=str)}
    return [_ordered(inner) for inner in value] if isinstance(value, list | tuple) else value
