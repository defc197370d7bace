"""The ctypes that are known, and what each demands of its data. **A new ctype is declared here**, in `KNOWN`.

The list is open: another ctype is stored too, once an expert has forced its first version in with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["values", "mask", "status", "text"]

_FLOAT = ("float32",)
_STATUS = ("uint8", "uint16", "uint32", "uint64")
_COUNTS = ("uint16", "uint32", "uint64")


@dataclass(frozen=True, slots=True)
class ConstantType:
    """What is known of a calibration type.

    Attributes
    ----------
    name : str
        Name in the repository and in psana.
    kind : {"values", "mask", "status", "text"}
        How numbers are to be read: measured values; mask (1 good, 0 bad); status (0 good, else bits); text.
    dtypes : tuple of str
        Allowed dtypes, the usual one first; empty for text.
    unit : str
        Unit that is recorded where the user gives none.
    per_pixel : bool
        Whether it has the axes of the detector: ([gain,] [segment,] row, column).
    per_gain : bool
        Whether a detector with several gain ranges has one array a gain range.
    zeros : bool
        Whether all zeros can be right.
    max_drift : float or None
        Gate: largest |median of new - old| in `unit`, per gain range and segment.
    max_factor : float or None
        Gate: largest ratio of the medians of new and old, either way, per gain range; a change of sign is too large.
    max_changed_fraction : float or None
        Gate: largest fraction of pixels that turn good or bad.
    """

    name: str
    kind: Kind
    dtypes: tuple[str, ...] = ()
    unit: str = ""
    per_pixel: bool = True
    per_gain: bool = True
    zeros: bool = False
    max_drift: float | None = None
    max_factor: float | None = None
    max_changed_fraction: float | None = None

    @property
    def array_kind(self) -> Literal["values", "mask", "status"]:
        """How the numbers of an array of this ctype are to be read."""
        return "values" if self.kind == "text" else self.kind


KNOWN: dict[str, ConstantType] = {
    spec.name: spec
    for spec in (
        ConstantType("pedestals", "values", _FLOAT, "ADU", max_drift=1000.0),
        ConstantType("pixel_rms", "values", _FLOAT, "ADU", max_drift=500.0),
        ConstantType("pixel_gain", "values", _FLOAT, "ADU/keV", max_factor=10.0),
        ConstantType("pixel_offset", "values", _FLOAT, "ADU", zeros=True, max_drift=5000.0),
        ConstantType("pixel_bkgd", "values", _FLOAT, "ADU", zeros=True, per_gain=False),
        ConstantType("pixel_status", "status", _STATUS, zeros=True, max_changed_fraction=0.3),
        ConstantType("status_extra", "status", _STATUS, zeros=True),
        ConstantType("status_data", "status", _STATUS, zeros=True),
        ConstantType("pixel_datast", "status", _STATUS, zeros=True),
        ConstantType("pixel_mask", "mask", ("uint8",), per_gain=False, max_changed_fraction=0.3),
        ConstantType("users_mask", "mask", ("uint8",), per_gain=False),
        ConstantType("pixel_max", "values", _COUNTS, "ADU"),
        ConstantType("pixel_min", "values", _COUNTS, "ADU", zeros=True),
        ConstantType("common_mode", "values", ("float64",), per_pixel=False, per_gain=False, zeros=True),
        ConstantType("geometry", "text"),
        ConstantType("code_geometry", "text"),
    )
}

_OTHER_TEXT = ConstantType("", "text")


def constant_type(ctype: str, *, text: bool = False) -> ConstantType:
    """Return what is known of a ctype; of an unknown one only that it is an array, or text.

    Parameters
    ----------
    ctype : str
        Calibration type.
    text : bool, optional
        Whether the constant at hand is text.

    Returns
    -------
    ConstantType
        The specification; for an unknown ctype one that demands nothing.
    """
    known = KNOWN.get(ctype)
    if known is not None:
        return known
    return _OTHER_TEXT if text else ConstantType(ctype, "values", per_pixel=False, per_gain=False, zeros=True)
