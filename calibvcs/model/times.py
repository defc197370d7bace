"""Times: whatever a user has in hand becomes UNIX seconds, once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from numbers import Integral, Real
from typing import TYPE_CHECKING, Protocol, TypeAlias

from calibvcs.errors import InvalidTimeError
from calibvcs.model.names import parse_experiment
from calibvcs.model.validity import OPEN_END, TIME_LIMIT

if TYPE_CHECKING:
    import numpy as np

PSANA_EPOCH = 631_152_000
"""UNIX seconds of 1990-01-01T00:00:00Z, where psana's 64-bit stamps (seconds << 32 | nanoseconds) begin."""

FIRST_STAMP = 1_230_768_000
"""UNIX seconds of 2009-01-01T00:00:00Z: LCLS took no data before. A number that as a stamp means an earlier time is one
of milli-, micro- or nanoseconds since 1970, or a date without its dashes."""

_RUN = re.compile(r"([A-Za-z0-9_]+):(?:r(?:un)?)?([0-9]{1,9})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]*)?")
_BARE_DATE = re.compile(r"(?:19|20|21)[0-9]{6}")


class PsanaEvent(Protocol):
    """What is asked of an event: its 64-bit stamp."""

    @property
    def timestamp(self) -> int:
        """Stamp of the event: seconds since 1990 << 32 | nanoseconds."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class RunName:
    """A run of an experiment, written ``mfx101332224:7``."""

    experiment: str
    run: int

    @classmethod
    def parse(cls, text: str) -> RunName:
        """Parse ``EXPERIMENT:RUN``.

        Raises
        ------
        InvalidTimeError
            If the text is not of this form.
        InvalidNameError
            If the experiment breaks the grammar of names.
        """
        match = _RUN.fullmatch(text)
        if not match:
            raise InvalidTimeError(text, "a run is written EXPERIMENT:RUN, for example mfx101332224:7")
        return cls(parse_experiment(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.experiment}:{self.run}"


TimeLike: TypeAlias = "float | str | datetime | np.datetime64 | RunName | PsanaEvent"


def parse_time(given: TimeLike) -> float | RunName:
    """Return UNIX seconds, or the run whose time has to be looked up in the run table.

    Parameters
    ----------
    given : int, float, str, datetime, numpy.datetime64, RunName or psana event
        UNIX seconds; an integer of 2**32 or more is a 64-bit psana stamp, of 2009 or later; text is a number, ISO 8601
        (with dashes; without a zone it is UTC), ``now`` or ``EXPERIMENT:RUN``; a naive datetime is UTC.

    Returns
    -------
    float or RunName
        UNIX seconds (an int where the input was whole), or the run.

    Raises
    ------
    InvalidTimeError
        If it cannot be read, is negative, not finite, or behind the year 2106.
    """
    if isinstance(given, RunName):
        return given
    if isinstance(given, str):
        return _parse_text(given.strip())
    return _in_bounds(_seconds(given), str(given))


def parse_end(given: TimeLike | None) -> float | RunName | None:
    """Return the end of a range: as `parse_time`, and None (or the word ``end``) is an open end.

    Raises
    ------
    InvalidTimeError
        As for `parse_time`.
    """
    if given is None or (isinstance(given, str) and given.strip() == OPEN_END):
        return None
    return parse_time(given)


def _parse_text(text: str) -> float | RunName:
    if _BARE_DATE.fullmatch(text) and (dashed := _dashed(text)):
        raise InvalidTimeError(text, f"it may be seconds or a date; write the date as {dashed}")
    if _NUMBER.fullmatch(text):
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
        return _in_bounds(_seconds(number), text)
    if text == "now":
        return datetime.now(tz=UTC).timestamp()
    if _RUN.fullmatch(text):
        return RunName.parse(text)
    try:
        return _in_bounds(_seconds(datetime.fromisoformat(text)), text)
    except ValueError:
        raise InvalidTimeError(text) from None


def _dashed(digits: str) -> str:
    """Return YYYYMMDD with its dashes; empty where it is no day."""
    try:
        return date.fromisoformat(digits).isoformat()
    except ValueError:
        return ""


def _seconds(given: object) -> float:
    if isinstance(given, bool) or type(given).__name__ == "timedelta64":  # numpy counts a time span as an integer
        raise InvalidTimeError(str(given))
    if isinstance(given, Integral):
        number = int(given)
        if number < 0:
            raise InvalidTimeError(_short(number), "a time is finite and not before 1970")
        return number if number < TIME_LIMIT else _from_stamp(number, not_before=FIRST_STAMP)
    if isinstance(given, Real):
        return float(given)
    if isinstance(given, datetime):
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        seconds = (aware - datetime.fromtimestamp(0, tz=UTC)).total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if type(given).__name__ == "datetime64":
        return _from_datetime64(given)
    stamp = getattr(given, "timestamp", None)
    if isinstance(stamp, Integral):
        return _from_stamp(int(stamp))
    raise InvalidTimeError(repr(given))


def _from_stamp(stamp: int, *, not_before: int = PSANA_EPOCH) -> float:
    seconds, nanoseconds = PSANA_EPOCH + (stamp >> 32), stamp & 0xFFFFFFFF
    if seconds >= PSANA_EPOCH + TIME_LIMIT or nanoseconds >= 1_000_000_000 or seconds < not_before:
        raise InvalidTimeError(
            _short(stamp),
            "a number of 2**32 or more has to be a 64-bit psana stamp of 2009 or later (sec << 32 | nsec since 1990); "
            "milli- and nanoseconds since 1970 are not taken",
        )
    return _joined(seconds, nanoseconds)


def _short(number: int) -> str:
    return str(number) if number.bit_length() <= 128 else f"a whole number of {number.bit_length()} bits"


def _from_datetime64(given: object) -> float:
    import numpy as np  # only here: verbs that touch no array must not pay for its import

    if np.isnat(given):  # type: ignore[call-overload]
        raise InvalidTimeError("NaT", "not a time")
    day = np.datetime64(given, "D")  # type: ignore[call-overload]
    _in_bounds(float(day.astype(np.int64)) * 86400, str(given))  # a 64-bit count of nanoseconds ends in 2262
    nanoseconds = int(np.datetime64(given, "ns").astype(np.int64))  # type: ignore[call-overload]
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    return _joined(whole, rest)


def _joined(seconds: int, nanoseconds: int) -> float:
    """Return whole seconds and nanoseconds as one number that rounding never carries into the next second."""
    return min(seconds + nanoseconds / 1e9, math.nextafter(seconds + 1, 0)) if nanoseconds else seconds


def _in_bounds(seconds: float, given: str) -> float:
    if not math.isfinite(seconds) or seconds < 0:
        raise InvalidTimeError(given, "a time is finite and not before 1970")
    if seconds >= TIME_LIMIT:
        raise InvalidTimeError(given, "it lies behind the year 2106")
    return seconds


def as_text(seconds: float) -> str:
    """Return a time as people read it, ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(math.floor(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
