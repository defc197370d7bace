"""The difference of two arrays in one piece of a block: the one place where their values are held together.

Whatever is done with the values is done while they are in the processor's cache, in memory that is used again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, bad_pixels, count_bits, status_words
from calibvcs.model.stream_median import median

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

PIECE = 1 << 20
"""Values that are worked on at a time; a block of more is cut."""

_STEP = 1 << 15
_SAMPLED = 64


class Workspace:
    """Memory for the comparison of one piece.

    Parameters
    ----------
    size : int
        Values in the largest piece.
    """

    BYTES = 9
    """Bytes that it takes for each of them."""

    def __init__(self, size: int) -> None:
        self.difference = np.empty(size, np.float64)
        self.flags = np.empty(size, np.bool_)
        self.wide = np.empty(min(size, _STEP), np.float64)


@dataclass(frozen=True, slots=True)
class PieceDifference:
    """What changed in one piece, d being second minus first.

    Attributes
    ----------
    pixels, changed, nonfinite : int
        As of `SegmentDifference`.
    finite : int
        Number of pixels whose d is finite; only they enter what follows.
    low, high : float
        Smallest and largest d, exact but for the last digit of a float64; 0 where there is none.
    squares : float
        Sum of d*d.
    median : float
        Median of d; 0 where there is none, or where it was not asked for.
    sample : ndarray of float64 or None
        Some d, where the median was not asked for.
    new_bad, cleared_bad : int
        Number of pixels that turned bad, and good; 0 for measured values.
    bits : mapping of int to (int, int)
        Status only: in how many pixels a bit was set and cleared.
    """

    pixels: int
    changed: int
    finite: int
    nonfinite: int = 0
    low: float = 0.0
    high: float = 0.0
    squares: float = 0.0
    median: float = 0.0
    sample: NDArray[np.float64] | None = None
    new_bad: int = 0
    cleared_bad: int = 0
    bits: Mapping[int, tuple[int, int]] = field(default_factory=dict)


def compare_piece(
    a: NDArray[Any], b: NDArray[Any], kind: ArrayKind, workspace: Workspace, *, whole: bool
) -> PieceDifference:
    """Compare two pieces.

    Parameters
    ----------
    a, b : ndarray
        First and second values, one axis, of the same length and one at least; plain dtypes, not always the same.
    kind : {"values", "mask", "status"}
        How they are to be read.
    workspace : Workspace
        Large enough for them.
    whole : bool
        Whether the piece is a whole block, so that its median is wanted; else a sample is.

    Returns
    -------
    PieceDifference
        In the unit of the constant. d is computed in float64, and between integers of 64 bits in integers first.
    """
    differs = np.not_equal(a, b, out=workspace.flags[: a.size])
    changed = int(np.count_nonzero(differs))
    if changed and a.dtype.kind in "fc" and b.dtype.kind in "fc":
        changed -= _both_nan(a, b)
    if not changed:
        finite = int(np.count_nonzero(np.isfinite(a))) if a.dtype.kind in "fc" else a.size
        return PieceDifference(a.size, 0, finite, sample=None if whole else np.zeros(-(-finite // _SAMPLED)))
    # Overflow and NaN - NaN are no accidents here: what is not finite is counted and left out.
    with np.errstate(over="ignore", invalid="ignore"):
        d = subtract(a, b, workspace)
        low, high = float(d.min()), float(d.max())
        nonfinite = 0
        if not (math.isfinite(low) and math.isfinite(high)):
            isfinite = np.isfinite(d)
            # Both NaN, or both infinite with one sign: no change, and no number either.
            same = ~differs | (np.isnan(a) & np.isnan(b))
            nonfinite = d.size - int(np.count_nonzero(isfinite | same))
            d = d[isfinite]
            low, high = (float(d.min()), float(d.max())) if d.size else (0.0, 0.0)
        squares = sum(float(np.einsum("i,i->", step, step)) for step in _steps(d))
        middle, sample = 0.0, None
        if not whole:
            sample = d[::_SAMPLED].copy()
        elif d.size:
            middle = median(d)
    new_bad, cleared_bad, bits = _turned(a, b, kind)
    return PieceDifference(
        a.size, changed, d.size, nonfinite, low, high, squares, middle, sample, new_bad, cleared_bad, bits
    )


def finite_differences(a: NDArray[Any], b: NDArray[Any], workspace: Workspace) -> NDArray[np.float64]:
    """Return the finite b - a of two pieces, in memory of the workspace where all of them are."""
    with np.errstate(over="ignore", invalid="ignore"):
        d = subtract(a, b, workspace)
        return d if math.isfinite(d.min()) and math.isfinite(d.max()) else d[np.isfinite(d)]


def finite_median(values: NDArray[Any], workspace: Workspace) -> float:
    """Return the median of the finite values of a piece, of complex ones that of their magnitude; NaN without any."""
    # The usual dtype needs no widening: half the memory to go through.
    dtype = np.float32 if values.dtype == np.float32 else np.float64
    held: NDArray[Any] = workspace.difference.view(dtype)[: values.size]
    np.copyto(held, np.abs(values) if values.dtype.kind == "c" else values)
    if not (math.isfinite(held.min()) and math.isfinite(held.max())):
        held = held[np.isfinite(held)]
    return median(held) if held.size else math.nan


def subtract(a: NDArray[Any], b: NDArray[Any], workspace: Workspace) -> NDArray[np.float64]:
    """Return b - a as float64, in memory of the workspace."""
    d = workspace.difference[: a.size]
    simple = all(dtype.kind in "fb" or (dtype.kind in "ui" and dtype.itemsize < 8) for dtype in (a.dtype, b.dtype))
    for begin in range(0, a.size, _STEP):
        old, new, step = a[begin : begin + _STEP], b[begin : begin + _STEP], d[begin : begin + _STEP]
        if simple:
            # To widen both and then to subtract takes half as long as to let numpy widen piecemeal in one call.
            wide = workspace.wide[: old.size]
            np.copyto(wide, old)
            np.copyto(step, new)
            np.subtract(step, wide, out=step)
        else:
            step[:] = _subtract_rare(old, new)
    return d


def _subtract_rare(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    if a.dtype.kind == "c" or b.dtype.kind == "c":
        return np.abs(b.astype(np.complex128) - a.astype(np.complex128))
    if a.dtype.kind in "ui" and a.dtype.kind == b.dtype.kind:
        # float64 cannot tell large neighbours apart: subtract as integers modulo 2**64, which is exact, larger
        # minus smaller.
        wide_a, wide_b = a.astype(np.uint64), b.astype(np.uint64)
        up = b >= a
        return np.where(up, wide_b - wide_a, wide_a - wide_b).astype(np.float64) * np.where(up, 1.0, -1.0)
    return np.asarray(b.astype(np.float64) - a.astype(np.float64))


def _turned(a: NDArray[Any], b: NDArray[Any], kind: ArrayKind) -> tuple[int, int, Mapping[int, tuple[int, int]]]:
    """Return how many pixels turned bad and good, and how many bits were set and cleared."""
    bad_a, bad_b = bad_pixels(a, kind), bad_pixels(b, kind)
    if bad_a is None or bad_b is None:
        return 0, 0, {}
    both = int(np.count_nonzero(bad_a & bad_b))
    words_a, words_b = status_words(a, kind), status_words(b, kind)
    bits: dict[int, tuple[int, int]] = {}
    if words_a is not None and words_b is not None:
        was_set, cleared = count_bits(words_b & ~words_a), count_bits(words_a & ~words_b)
        bits = {bit: (was_set.get(bit, 0), cleared.get(bit, 0)) for bit in sorted(was_set.keys() | cleared.keys())}
    return int(np.count_nonzero(bad_b)) - both, int(np.count_nonzero(bad_a)) - both, bits


def _both_nan(a: NDArray[Any], b: NDArray[Any]) -> int:
    # The largest value is NaN if any is.
    if not (np.isnan(a.max()) and np.isnan(b.max())):
        return 0
    return int(np.count_nonzero(np.isnan(a) & np.isnan(b)))


def _steps(values: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    return (values[begin : begin + _STEP] for begin in range(0, values.size, _STEP))
