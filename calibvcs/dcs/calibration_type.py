"""One calibration type of a detector, with its ranges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from calibvcs.dcs.noted import Noted
from calibvcs.dcs.times import is_open
from calibvcs.dcs.validity_range import DCRange
from calibvcs.errors import InvalidRangeError, NoValidConstantError
from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsRange, Notes, range_key, range_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.dcs.backends import Backend, Key
    from calibvcs.dcs.times import TimeStamp

_NEAREST = 3


class DCType(Noted):
    """A calibration type.

    Parameters
    ----------
    backend : Backend
        Where it is kept.
    name : str
        Its name.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        super().__init__(backend, Notes())
        self._name = name
        self._ranges: dict[str, DCRange] = {}

    def take(self, read: DcsCtype) -> None:
        """Let this object, and those below it, say what was read."""
        self._take_notes(read.notes)
        known, self._ranges = self._ranges, {}
        for one in read.ranges:
            own = known.get(one.key) or DCRange(self._backend, self._name, one)
            own.take(one)
            self._ranges[one.key] = own

    def ctype(self) -> str:
        """Return its name, for example ``pedestals``."""
        return self._name

    def ranges(self) -> list[str]:
        """Return the names of its ranges, ``<begin>-<end>``, by begin, then end."""
        return sorted(self._ranges, key=lambda key: (self._ranges[key].begin(), _end(self._ranges[key])))

    def rangeobj(self, begin: TimeStamp, end: TimeStamp | None = None) -> DCRange | None:
        """Return a range.

        Parameters
        ----------
        begin : time or str
            Its begin; or its name, ``<begin>-<end>``, alone.
        end : time, optional
            Its end; None or ``"end"`` is open.

        Returns
        -------
        DCRange or None
            None where there is none.
        """
        return self._ranges.get(self._key(begin, end)[0])

    def range_for_tsec(self, tsp: TimeStamp) -> DCRange | None:
        """Return the range that is in force at a time; None where there is none."""
        time = self._backend.seconds(tsp)
        valid = [one for one in self._ranges.values() if one.holds(time)]
        return max(valid, key=lambda one: (one.begin(), -_end(one)), default=None)

    def add_range(self, begin: TimeStamp, end: TimeStamp | None = None) -> DCRange:
        """Add a range; where it is there already, return it.

        Parameters
        ----------
        begin, end
            As for `rangeobj`.

        Returns
        -------
        DCRange
            The range, without versions where it is new.

        Raises
        ------
        InvalidRangeError
            If the end does not lie behind the begin.
        InvalidTimeError, UnknownRunError
            If a time cannot be read, or is a run that is not known.
        """
        key, first, last = self._key(begin, end)
        if key not in self._ranges:
            if last is not None and last <= first:
                raise InvalidRangeError(math.floor(first), math.ceil(last))
            self._ranges[key] = DCRange(self._backend, self._name, DcsRange(key, first, last))
        return self._ranges[key]

    def del_range(self, begin: TimeStamp, end: TimeStamp | None = None) -> str | None:
        """Take a range away with all its versions; history keeps it.

        Parameters
        ----------
        begin, end
            As for `rangeobj`.

        Returns
        -------
        str or None
            Its name; None where there was none.
        """
        key = self._key(begin, end)[0]
        return key if self._ranges.pop(key, None) else None

    # --- for the level above

    def valid(self, detector: str, time: float) -> DCRange:
        """Return the range that is in force at a time. Raises NoValidConstantError."""
        found = self.range_for_tsec(time)
        if found is None:
            filled = [one for one in self._ranges.values() if one.versions()]
            filled.sort(key=lambda one: max(one.begin() - time, time - _end(one)))
            nearest = tuple(one.range() for one in filled[:_NEAREST])
            raise NoValidConstantError(detector, self._name, time, nearest)
        return found

    def _key(self, begin: TimeStamp, end: TimeStamp | None) -> tuple[str, float, float | None]:
        if isinstance(begin, str) and end is None:
            known = self._ranges.get(begin)
            span = (known.begin(), _end(known)) if known else range_of(begin)
            if span is not None:
                last = None if span[1] in {None, math.inf} else span[1]
                return begin, span[0], last
        first = float(self._backend.seconds(begin))
        last = None if end is None or is_open(end) else float(self._backend.seconds(end))
        return range_key(first, last), first, last

    def new_data(self) -> dict[Key, NDArray[Any] | str]:
        """Return the data that are to be stored."""
        return {key: data for one in self._ranges.values() for key, data in one.new_data().items()}

    def content(self) -> DcsCtype:
        """Return what is to be stored, without the data. Raises InvalidDataError where a version has none."""
        ranges = tuple(self._ranges[key].content() for key in sorted(self._ranges))
        return DcsCtype(self._name, ranges, self._notes())


def _end(one: DCRange) -> float:
    end = one.end()
    return math.inf if isinstance(end, str) else end
