"""Which constants psana 4 cannot calibrate with, though it reads them. Each rule says what would happen to it.

Where it fails at the first event, or would take raw data for calibrated ones, it is better not to begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from calibvcs.formats.psana.psana_documents import AS_DICTIONARIES, PSANA_DTYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibvcs.model.detector import Detector
    from calibvcs.model.metadata import Metadata

_JUNGFRAU: Final = "jungfrau"
_CALIBRATES: Final = ("pedestals", "pixel_gain", "pixel_offset")
_STATUS: Final = ("pixel_status", "status_extra")
_TEXTS: Final = ("geometry", "code_geometry")
_NO_DETECTOR: Final = ("ARCHON:", "MTRXANY:")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Unusable:
    """A constant that psana cannot use.

    Attributes
    ----------
    reason : str
        What it is, and what psana needs.
    needed : bool
        Whether calibrated data would be wrong, or raw, without it; else psana does as well without it.
    """

    reason: str
    needed: bool


def unusable(
    detector: Detector, ctype: str, constants: Mapping[str, Metadata], segments: int | None = None
) -> Unusable | None:
    """Tell by its form whether psana can use a constant.

    Parameters
    ----------
    detector : Detector
        Whose constant it is.
    ctype : str
        Calibration type.
    constants : mapping of ctype to Metadata
        All constants of the detector that psana will get, this one too.
    segments : int, optional
        Number of segments in the data; default is not known.

    Returns
    -------
    Unusable or None
        Why it cannot; None where it can.
    """
    metadata = constants[ctype]
    if ctype in AS_DICTIONARIES:
        return Unusable("psana wants a dictionary in its place, not the text of one", needed=False)
    if metadata.is_text:
        return Unusable("it is text; psana needs an array", needed=True) if ctype in PSANA_DTYPES else None
    if ctype in _TEXTS:
        return Unusable("it is an array; psana needs text", needed=True)
    dtype, wanted = np.dtype(metadata.dtype), np.dtype(PSANA_DTYPES.get(ctype, metadata.dtype))
    if not (np.can_cast(dtype, wanted) or (wanted.kind == "f" and dtype.kind in "iuf")):
        return Unusable(f"it is {dtype}; psana needs {wanted}, which does not hold all such numbers", needed=True)
    if ctype == "common_mode" and detector.name.dettype.startswith("epix10ka") and len(metadata.shape) == 1:
        return Unusable("psana fails on common mode parameters of an epix10ka", needed=False)
    if detector.name.dettype == _JUNGFRAU and ctype in _CALIBRATES:
        return _jungfrau(metadata.shape, detector.panel_shape, segments)
    status = constants.get("pixel_status")
    if ctype == "status_extra" and status is not None and np.prod(status.shape) != np.prod(metadata.shape):
        return Unusable(f"shape {metadata.shape}; psana needs as many values as in pixel_status", needed=True)
    return None


def _jungfrau(shape: tuple[int, ...], panel: tuple[int, int] | None, segments: int | None) -> Unusable | None:
    wanted = (3, segments or (shape[1] if len(shape) == 4 else 1), *(panel or (512, 1024)))
    if shape == wanted:
        return None
    return Unusable(f"shape {shape}; psana needs {wanted}: gains, segments of the data, rows, columns", needed=True)


def unusable_values(detector: Detector, ctype: str, array: NDArray[Any]) -> Unusable | None:
    """Tell by its values whether psana can use an array that has the right form.

    Parameters
    ----------
    detector : Detector
        Whose constant it is.
    ctype : str
        Calibration type.
    array : ndarray
        The values; each is read once, in little memory.

    Returns
    -------
    Unusable or None
        Why it cannot; None where it can.
    """
    if detector.name.dettype != _JUNGFRAU or ctype not in _CALIBRATES or array.dtype.kind != "f":
        return None
    flat = array.reshape(-1)
    for begin in range(0, flat.size, _BLOCK):
        if np.isnan(np.min(flat[begin : begin + _BLOCK])):  # the least of values is NaN where one of them is
            return Unusable("it has NaN, which psana refuses at the first event", needed=True)
    return None


def unusable_geometry(text: str) -> Unusable | None:
    """Tell whether psana can use a geometry: for some cameras it asks for what it does not have yet."""
    if any(name in text for name in _NO_DETECTOR):
        return Unusable("psana can read the geometry of such a camera from its own files only", needed=False)
    return None
