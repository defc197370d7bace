"""Lengths of time as people write them: ``2w``, ``36h``."""

from __future__ import annotations

import re

from calibvcs.errors import InvalidOptionError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])")


def parse_duration(text: str, option: str, least: float = 0.0) -> float:
    """Return a length of time in seconds.

    Parameters
    ----------
    text : str
        A whole number and a unit: s, m, h, d or w.
    option : str
        Where it was given, for the message.
    least : float, optional
        Shortest that is allowed, seconds.

    Raises
    ------
    InvalidOptionError
        If it is no length of time, or too short.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if not match:
        raise InvalidOptionError(option, text, "a number and a unit is needed: s, m, h, d or w", f"{option} 2w")
    seconds = float(int(match[1]) * _UNITS[match[2]])
    if seconds < least:
        raise InvalidOptionError(option, text, f"at least {least / 3600:.0f} h is needed", f"{option} 2w")
    return seconds
