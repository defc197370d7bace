"""The ranges of one ctype, arranged so that the one in force is found without a look at most of them.

It follows the rule of `calibvcs.model.choose`, for thousands of ranges and thousands of questions a second: names are
kept as they are, in the order of their begins, and only those that may win are ever read as numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.model.validity import TIME_LIMIT, Validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DIGITS = len(str(TIME_LIMIT))
_PATIENCE = 32


class Timeline:
    """The ranges of one ctype of one detector.

    Parameters
    ----------
    names : iterable of str
        Names of range folders, ``1767225600-end``; what is no range is passed over.
    """

    def __init__(self, names: Iterable[str]) -> None:
        # With begins of one length, the order of names is the order of begins; "-" stands before every digit.
        keys = [name if name[_DIGITS : _DIGITS + 1] == "-" and name[0] != "0" else _padded(name) for name in names]
        self._keys = sorted(keys if "" not in keys else filter(None, keys))

    def __len__(self) -> int:
        return len(self._keys)

    def covering(self, time: float) -> Iterator[Validity]:
        """Yield the ranges that cover a time, the one in force first, then those that follow it in precedence.

        Parameters
        ----------
        time : float
            UNIX seconds.

        Yields
        ------
        Validity
            Largest begin first; of equal begins the smallest end first.
        """
        behind = (
            len(self._keys) if time >= TIME_LIMIT else bisect_right(self._keys, f"{max(0, int(time)):0{_DIGITS}d}.")
        )
        looked_at = 0
        while behind > 0 and time >= 0:
            looked_at += 1
            if looked_at > _PATIENCE:
                behind = self._last_that_covers(behind, time)
                if behind == 0:
                    return
            begin = self._keys[behind - 1][:_DIGITS]
            first = bisect_left(self._keys, begin, 0, behind)
            group = (_read(key) for key in self._keys[first:behind])
            yield from sorted((v for v in group if v and time in v), key=lambda v: v.precedence, reverse=True)
            behind = first

    def ranges(self) -> list[Validity]:
        """Return all ranges, in the order of precedence, the weakest first."""
        return sorted(validity for key in self._keys if (validity := _read(key)) is not None)

    @cached_property
    def _latest_ends(self) -> list[list[float]]:
        """The ends of all ranges; then the larger one of each two; and so on, up to the largest."""
        levels = [[_end(key) for key in self._keys]]
        while len(levels[-1]) > 1:
            ends = iter((*levels[-1], 0) if len(levels[-1]) % 2 else levels[-1])
            levels.append(list(map(max, ends, ends)))
        return levels

    def _last_that_covers(self, behind: int, time: float) -> int:
        """Return the position behind the last range, of those before some position, that ends after a time; or 0."""
        levels, level = self._latest_ends, 0
        place = behind - 1
        while level < len(levels):
            if levels[level][place] > time:
                while level:  # down again, to the right where that is possible
                    level -= 1
                    place = 2 * place + 1
                    if place >= len(levels[level]) or levels[level][place] <= time:
                        place -= 1
                return place + 1
            if place == 0:
                return 0
            if place % 2:  # its neighbour on the left has not been looked at
                place -= 1
            else:
                place, level = place // 2 - 1, level + 1
                if place < 0:
                    return 0
        return 0


def _padded(name: str) -> str:
    """Return a name with a begin of full length; nothing for what is no range."""
    validity = _read(name) if name[:1] != "0" or name[1:2] == "-" else None
    return f"{validity.begin:0{_DIGITS}d}{str(validity)[len(str(validity.begin)) :]}" if validity else ""


def _read(key: str) -> Validity | None:
    begin, dash, end = key.partition("-")
    try:
        return Validity.parse(f"{begin.lstrip('0') or begin[:1]}{dash}{end}")
    except CalibvcsError:
        return None


def _end(key: str) -> float:
    end = key[_DIGITS + 1 :]
    return float(end) if end.isdecimal() else float("inf")
