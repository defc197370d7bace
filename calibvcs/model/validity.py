"""The validity range of a constant: half-open, in whole UNIX seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from calibvcs.errors import InvalidNameError, InvalidRangeError, InvalidTimeError

OPEN_END = "end"
TIME_LIMIT = 2**32
"""No range begins or ends at or after this second (year 2106); larger integers are psana's 64-bit stamps."""

_SECONDS = r"(?:0|[1-9][0-9]{0,9})"
_RANGE = re.compile(rf"({_SECONDS})-({_SECONDS}|{OPEN_END})")


@total_ordering
@dataclass(frozen=True, slots=True)
class Validity:
    """The seconds ``begin <= t < end``; an open end is None. Ranges sort by `precedence`.

    Attributes
    ----------
    begin : int
        First second of the range, UNIX seconds.
    end : int or None
        First second behind the range, UNIX seconds; None where it stays valid until superseded.
    """

    begin: int
    end: int | None = None

    def __post_init__(self) -> None:
        for time in (self.begin, self.end):
            if time is not None and not 0 <= time < TIME_LIMIT:
                raise InvalidTimeError(str(time), f"a range lies between 0 and {TIME_LIMIT - 1} (years 1970 to 2106)")
        if self.end is not None and self.end <= self.begin:
            raise InvalidRangeError(self.begin, self.end)

    @classmethod
    def parse(cls, text: str) -> Validity:
        """Parse the name of a range directory: ``1767225600-end``, ``0-100``.

        Raises
        ------
        InvalidNameError
            If it is not two plain decimal numbers, or a number and ``end``.
        InvalidTimeError
            If a time lies outside what can be stored.
        InvalidRangeError
            If the range is empty.
        """
        match = _RANGE.fullmatch(text)
        if not match:
            raise InvalidNameError("range", text, "BEGIN-END in whole UNIX seconds without padding, END may be 'end'")
        begin, end = match.groups()
        return cls(int(begin), None if end == OPEN_END else int(end))

    def __contains__(self, time: float) -> bool:
        return self.begin <= time and (self.end is None or time < self.end)

    def __lt__(self, other: Validity) -> bool:
        return self.precedence < other.precedence

    @property
    def precedence(self) -> tuple[int, float]:
        """Sort key of the rule that chooses: among matching ranges the largest key wins."""
        return self.begin, -float("inf" if self.end is None else self.end)

    def distance(self, time: float) -> float:
        """Return the seconds between a time and the range, 0 inside."""
        if time < self.begin:
            return self.begin - time
        return 0.0 if self.end is None or time < self.end else time - self.end + 1

    def overlaps(self, other: Validity) -> bool:
        """Tell whether some second lies in both ranges."""
        return (other.end is None or self.begin < other.end) and (self.end is None or other.begin < self.end)

    def __str__(self) -> str:
        return f"{self.begin}-{OPEN_END if self.end is None else self.end}"
