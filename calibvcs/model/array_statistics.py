"""An array of constants in a few numbers a segment and gain range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, Block, bad_pixels, count_bits, real_values, status_words
from calibvcs.model.stream_median import median

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_STEP = 1 << 15
_EXACT = 1 << 53  # up to here float64 holds every integer


@dataclass(frozen=True, slots=True)
class SegmentStatistics:
    """One segment in one gain range, or all segments of a gain range together.

    Attributes
    ----------
    gain, segment : int or None
        Which block, None where the array has no such axis; of a whole gain range the segment is None.
    pixels : int
        Number of pixels in it.
    min, max, mean, median : float
        Of the finite values, in the unit of the constant; NaN where no value is finite.
    rms : float
        Standard deviation of the finite values about their mean, in the unit of the constant; NaN likewise.
    nonfinite : int
        Number of values that are NaN or infinite.
    zeros : int
        Number of values that are zero.
    bad : int or None
        Number of bad pixels; None for measured values.
    bits : mapping of int to int
        Status only: by value of a bit, in how many pixels it is set; bits that are set nowhere are left out.
    """

    gain: int | None
    segment: int | None
    pixels: int
    min: float
    max: float
    mean: float
    median: float
    rms: float
    nonfinite: int
    zeros: int
    bad: int | None = None
    bits: Mapping[int, int] = field(default_factory=dict)

    @property
    def suspect(self) -> int:
        """Number of bad pixels; of measured values the number of those that are NaN, infinite or zero."""
        return self.nonfinite + self.zeros if self.bad is None else self.bad


def block_statistics(values: NDArray[Any], block: Block, kind: ArrayKind) -> SegmentStatistics:
    """Return the statistics of one block.

    Parameters
    ----------
    values : ndarray
        Its values, one at least, any shape; real numbers, and of complex ones the magnitude counts.
    block : Block
        Which one it is.
    kind : {"values", "mask", "status"}
        How the values are to be read.

    Returns
    -------
    SegmentStatistics
        In the unit of the constant. Sums are computed in float64; smallest, largest and median are exact.
    """
    finite = _finite(values)
    low = high = mean = middle = rms = math.nan
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        mean, rms = _moments(finite)
        middle = _median(finite.copy(), low, high)
    bad, words = bad_pixels(values, kind), status_words(values, kind)
    return SegmentStatistics(
        gain=block.gain,
        segment=block.segment,
        pixels=values.size,
        min=low,
        max=high,
        mean=mean,
        median=middle,
        rms=rms,
        nonfinite=values.size - finite.size,
        zeros=int(np.count_nonzero(values == 0)),
        bad=None if bad is None else int(np.count_nonzero(bad)),
        bits={} if words is None else count_bits(words),
    )


def gain_statistics(parts: Sequence[SegmentStatistics], values: NDArray[Any]) -> SegmentStatistics:
    """Return the statistics of a whole gain range.

    Parameters
    ----------
    parts : sequence of SegmentStatistics
        Those of all its segments, one at least.
    values : ndarray
        All its values, one axis; where there are several segments, their order changes.

    Returns
    -------
    SegmentStatistics
        As if the gain range were one block: the median is that of all its pixels. Mean and rms come from those of the
        segments (Chan, Golub and LeVeque 1983).
    """
    first, found = parts[0], [part for part in parts if part.pixels > part.nonfinite]
    count = sum(part.pixels - part.nonfinite for part in found)
    low = high = mean = middle = rms = math.nan
    if count:
        low, high = min(part.min for part in found), max(part.max for part in found)
        shares = [(part.pixels - part.nonfinite) / count for part in found]
        mean = sum(share * part.mean for share, part in zip(shares, found, strict=True))
        away = [(part.mean - mean, part.rms) for part in found]
        rms = math.sqrt(sum(share * (d * d + s * s) for share, (d, s) in zip(shares, away, strict=True)))
        middle = first.median if len(parts) == 1 else _median(_finite(values), low, high)
    return SegmentStatistics(
        gain=first.gain,
        segment=None,
        pixels=sum(part.pixels for part in parts),
        min=low,
        max=high,
        mean=mean,
        median=middle,
        rms=rms,
        nonfinite=sum(part.nonfinite for part in parts),
        zeros=sum(part.zeros for part in parts),
        bad=None if first.bad is None else sum(part.bad or 0 for part in parts),
        bits={
            bit: sum(part.bits.get(bit, 0) for part in parts)
            for bit in sorted({bit for part in parts for bit in part.bits})
        },
    )


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    """Return the finite values, one axis, as numbers that can be ordered; no copy where nothing is to be left out."""
    real = real_values(values).reshape(-1)
    if real.dtype.kind != "f" or (math.isfinite(real.min()) and math.isfinite(real.max())):
        return real
    finite: NDArray[Any] = real[np.isfinite(real)]
    return finite


def _moments(finite: NDArray[Any]) -> tuple[float, float]:
    """Return mean and standard deviation, step by step, so that what is widened to float64 stays in the cache."""
    wide = np.empty(min(finite.size, _STEP))
    # Sums of numbers near the largest float64 become infinite, which is what they then are.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sum(float(step.sum()) for step in _widened(finite, wide)) / finite.size
        squares = 0.0
        for step in _widened(finite, wide):
            np.subtract(step, mean, out=step)
            squares += float(np.einsum("i,i->", step, step))
    return mean, math.sqrt(squares / finite.size)


def _widened(values: NDArray[Any], memory: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    for begin in range(0, values.size, memory.size):
        step = memory[: min(memory.size, values.size - begin)]
        np.copyto(step, values[begin : begin + step.size])
        yield step


def _median(finite: NDArray[Any], low: float, high: float) -> float:
    """Return the median; the order changes. In words that are mostly one value it would take long to look for it."""
    if finite.dtype.kind in "ui":
        for frequent in (low, high):
            if abs(frequent) < _EXACT and 2 * np.count_nonzero(finite == int(frequent)) > finite.size:
                return frequent
    return median(finite)
