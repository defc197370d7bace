"""Results as plain values for JSON: every result names its schema, every value is what JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calibvcs.errors import CalibvcsError

_AS_TEXT = {"ConstantName", "DetectorName", "RunName"}
# Properties that sum a result up and belong into its JSON.
_SUMMARIES = {
    "ArrayDifference": ("same", "pixels", "changed", "max_abs", "largest_median", "new_bad", "cleared_bad"),
    "GeometryDifference": ("same",),
    "Verification": ("sound",),
    "Diagnosis": ("sound",),
    "GcResult": ("sound",),
    "RepairResult": ("sound",),
    "BundleCheck": ("fits",),
    "Tracking": ("ahead", "behind"),
    "WorktreeStatus": ("clean",),
}


def as_json(result: Any) -> dict[str, Any]:
    """Return a result as plain values.

    Parameters
    ----------
    result : dataclass
        What a verb of `Repository`, `calibvcs.init` or `calibvcs.doctor` returned, with a class attribute ``schema``.

    Returns
    -------
    dict
        ``schema`` first, then the fields in their order. Names of constants, detectors and runs are text, tuples
        are lists, decimal numbers are floats; NaN and infinite numbers are None.

    Raises
    ------
    AttributeError
        If it is no result: it names no schema. The data of `Repository.get` do not go into JSON.

    Examples
    --------
    >>> from calibvcs.api.wire import as_json
    >>> list(as_json(repository.tag.list()))
    ['schema', 'tags']
    """
    return {"schema": result.schema, **_plain(result)}


def error_as_json(error: CalibvcsError) -> dict[str, Any]:
    """Return an error as plain values.

    Parameters
    ----------
    error : CalibvcsError
        What a verb raised.

    Returns
    -------
    dict
        ``schema``; ``error``, the name of its class; ``exit_code`` of the command line; ``problem`` and ``hint``, the
        message in its two parts; ``fields``, what it knows: the gate's refusals one by one, the nearest names.

    Examples
    --------
    >>> import calibvcs
    >>> from calibvcs.api.wire import error_as_json
    >>> try:
    ...     repository.get("jungfrau-000001", "pedestal", "2026-02-14")
    ... except calibvcs.CalibvcsError as error:
    ...     told = error_as_json(error)
    >>> told["error"], told["exit_code"], told["fields"]["nearest"]
    ('UnknownConstantError', 3, ['jungfrau-000001/pedestals', 'jungfrau-000001/pixel_status'])
    """
    return {
        "schema": "calibvcs.error/1",
        "error": type(error).__name__,
        "exit_code": error.exit_code,
        "problem": error.problem,
        "hint": error.hint,
        "fields": _plain(error),
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        name = type(value).__name__
        if name in _AS_TEXT:
            return str(value)
        names = [*(field.name for field in fields(value)), *_SUMMARIES.get(name, ())]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return _plain(float(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
