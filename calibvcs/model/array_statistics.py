"""An array of constants in a few numbers a segment and gain range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, Block, bad_pixels, blocks, count_bits, status_words
from calibvcs.model.stream_median import median

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SegmentStatistics:
    """One segment in one gain range.

    Attributes
    ----------
    gain, segment : int or None
        Which block, None where the array has no such axis.
    pixels : int
        Number of pixels in the block.
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


def summarise(array: NDArray[Any], *, dims: tuple[str, ...], kind: ArrayKind) -> tuple[SegmentStatistics, ...]:
    """Return the statistics of an array, block by block, so that mapped arrays of any size do.

    Parameters
    ----------
    array : ndarray
        Real numbers; of complex ones the magnitude counts.
    dims : tuple of str
        Names of the axes, such as ``("gain", "segment", "row", "column")``.
    kind : {"values", "mask", "status"}
        How the values are to be read.

    Returns
    -------
    tuple of SegmentStatistics
        One a gain range and segment, gain by gain, in the unit of the constant, computed in float64.

    Raises
    ------
    InvalidDataError
        If there are not as many names as axes.
    """
    return tuple(_summarise_block(array[block.where], block, kind) for block in blocks(array.shape, dims))


def _summarise_block(values: NDArray[Any], block: Block, kind: ArrayKind) -> SegmentStatistics:
    numbers = (np.abs(values) if values.dtype.kind == "c" else values).astype(np.float64).ravel()
    whole = math.isfinite(numbers.min()) and math.isfinite(numbers.max())
    finite = numbers if whole else numbers[np.isfinite(numbers)]
    low = high = mean = middle = rms = math.nan
    if finite.size:
        # Sums of numbers near the largest float64 become infinite, which is what they then are.
        with np.errstate(over="ignore", invalid="ignore"):
            low, high, mean = float(finite.min()), float(finite.max()), float(finite.mean())
            rms = float(finite.std())
            middle = median(finite)
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
        nonfinite=numbers.size - finite.size,
        zeros=int(np.count_nonzero(values == 0)),
        bad=None if bad is None else int(np.count_nonzero(bad)),
        bits={} if words is None else count_bits(words),
    )
