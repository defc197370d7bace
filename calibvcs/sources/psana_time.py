"""Time stamps of events: psana's 64-bit stamps, and UNIX seconds."""

from __future__ import annotations

import math

from calibvcs.model.times import PSANA_EPOCH

_LOW = 0xFFFFFFFF
_LAST = 0xFFFFFFFF_FFFFFFFF


def unix_seconds(stamp: int) -> float:
    """Return the UNIX seconds of a psana stamp (seconds since 1990 << 32 | nanoseconds).

    Any 64 bits are taken: what a damaged stamp means is for those who look at it. Rounding never carries a time into
    the next second.
    """
    seconds, nanoseconds = (stamp >> 32) + PSANA_EPOCH, stamp & _LOW
    exact = seconds + nanoseconds / 1e9
    return exact if nanoseconds >= 1_000_000_000 else min(exact, math.nextafter(seconds + 1, 0))


def psana_stamp(seconds: float) -> int:
    """Return the psana stamp of UNIX seconds; times before 1990 are 0."""
    whole = math.floor(seconds)
    nanoseconds = min(round((seconds - whole) * 1e9), 999_999_999)
    return min(max((whole - PSANA_EPOCH << 32) | nanoseconds, 0), _LAST)
