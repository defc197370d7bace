"""The exact median of numbers that are too many to be held: they pass by a few times, and little is kept of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

_HELD = 1 << 19
# In units of the spread of the rank that a number of the sample has: a miss costs some passes, not the result.
_MARGIN = 8


def median(values: NDArray[Any]) -> float:
    """Return the median of numbers that are held.

    Parameters
    ----------
    values : ndarray
        Integers or floating point, one axis and one number at least, none of them NaN; their order changes.

    Returns
    -------
    float
        The one in the middle, or the mean of the two.
    """
    middle = values.size // 2
    # One place, then the largest number below it: for two places at once numpy takes ten times as long.
    values.partition(middle)
    upper = float(values[middle])
    return upper if values.size % 2 else (float(values[:middle].max()) + upper) / 2


def passing_median(
    passes: Callable[[], Iterable[NDArray[np.float64]]],
    count: int,
    sample: NDArray[np.float64],
    held: int = _HELD,
) -> float:
    """Return the median of numbers that pass by in pieces.

    Parameters
    ----------
    passes : callable
        Lets all of them pass by once more.
    count : int
        How many there are, one at least; all are finite.
    sample : ndarray of float64
        Some of them, picked here and there. A bad sample costs time, not exactness.
    held : int, optional
        How many of them may be held.

    Returns
    -------
    float
        The median, exact.
    """
    first, last = (count - 1) // 2, count // 2
    low, high = -math.inf, math.inf  # the number of rank `first` is never outside of them
    near_low, near_high = _guess(sample)
    while True:
        below, inside, kept, above = _look(passes(), near_low, near_high, held)
        if below <= first < below + inside:
            if near_low == near_high:
                kept = np.array([near_low])  # all of them are the same
            if kept is not None:
                kept.sort()
                lower = kept[min(first - below, kept.size - 1)]
                upper = kept[min(last - below, kept.size - 1)] if last < below + inside else above
                return float(lower if first == last else (lower + upper) / 2)
            low, high = near_low, near_high
        elif first < below:
            high = math.nextafter(near_low, -math.inf)
        else:
            low = math.nextafter(near_high, math.inf)
        near_low, near_high = low, _between(low, high)


def _guess(sample: NDArray[np.float64]) -> tuple[float, float]:
    """Return two numbers that the median most likely lies between."""
    margin = int(_MARGIN * math.sqrt(sample.size) / 2) + 1
    middle = sample.size // 2
    if middle < margin:
        return -math.inf, math.inf
    ordered = np.sort(sample)
    return float(ordered[middle - margin]), float(ordered[min(middle + margin, sample.size - 1)])


def _look(
    pieces: Iterable[NDArray[np.float64]], low: float, high: float, held: int
) -> tuple[int, int, NDArray[np.float64] | None, float]:
    """Return how many are below, how many and which are between (None: too many), and the smallest one above."""
    below = inside = 0
    kept: list[NDArray[np.float64]] = []
    above = math.inf
    for values in pieces:
        under, over = values < low, values > high
        below += int(np.count_nonzero(under))
        if over.any():
            above = min(above, float(values.min(where=over, initial=math.inf)))
        between = values[~(under | over)]
        inside += between.size
        if inside <= held:
            kept.append(between)
        else:
            kept.clear()
    return below, inside, np.concatenate(kept) if inside <= held else None, above


def _between(low: float, high: float) -> float:
    """Return the number that half of the float64 numbers from one to another do not exceed."""
    return _number((_rank(low) + _rank(high)) // 2)


def _rank(number: float) -> int:
    bits = int(np.float64(number).view(np.int64))
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def _number(rank: int) -> float:
    return float(np.int64(abs(rank)).view(np.float64)) * (1 if rank >= 0 else -1)
