"""Detectors that replaced each other: whose constants a reader gets who asks for those of the predecessor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError, UnknownDetectorError
from calibvcs.model.names import DetectorName

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue

PREDECESSOR = "predecessor"
"""The one fallback there is."""

_MOST_GENERATIONS = 100


def with_fallback(
    catalogue: Catalogue,
    name: DetectorName,
    ctype: str,
    time: float,
    fallback: str | None,
    *,
    allow_withdrawn: bool = False,
) -> DetectorName:
    """Return the detector whose constant is to be taken.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    name : DetectorName
        The detector that is asked for.
    ctype : str
        Calibration type.
    time : float
        UNIX seconds.
    fallback : {"predecessor"} or None
        Whether, where no range is valid, predecessors are looked at, the nearest one first.
    allow_withdrawn : bool, optional
        Whether a withdrawn constant counts.

    Returns
    -------
    DetectorName
        The detector itself where it has a constant in force, nobody asked for a fallback, or no predecessor has one;
        else the nearest predecessor that has one.

    Raises
    ------
    InvalidOptionError
        If it is another fallback.
    UnknownDetectorError
        If a predecessor is recorded that is not registered.
    """
    if fallback is None:
        return name
    if fallback != PREDECESSOR:
        raise InvalidOptionError("--fallback", fallback, f"{PREDECESSOR!r} is the only one there is")
    current, seen = name, {name}
    while catalogue.in_force(current, ctype, time, allow_withdrawn=allow_withdrawn) is None:
        before = catalogue.detector(current).predecessor
        if not before:
            return name
        current = DetectorName.parse(before)
        if current in seen or len(seen) > _MOST_GENERATIONS:
            return name
        if current not in catalogue.detectors:
            raise UnknownDetectorError(str(current), reason=f"it is recorded as a predecessor of {name}")
        seen.add(current)
    return current


def stands_in(asked: DetectorName, found: DetectorName, ctype: str) -> str:
    """Return, in words, that a constant is that of a predecessor; empty where it is the detector's own."""
    if asked == found:
        return ""
    return f"{asked} has no {ctype} that is valid at this time: this is the constant of its predecessor {found}"
