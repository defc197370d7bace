"""The difference of two arrays of constants in a few numbers a segment and gain range."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, Block, bad_pixels, blocks, count_bits, status_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SegmentDifference:
    """What changed in one segment and gain range, d being second minus first.

    Attributes
    ----------
    gain, segment : int or None
        Which block, None where the array has no such axis.
    pixels : int
        Number of pixels in the block.
    changed : int
        Number of pixels that differ, exact for integers of 64 bits too; NaN is the same as NaN, -0.0 as 0.0.
    nonfinite : int
        Number of them without a finite d: NaN or infinite on one side. They do not enter the next three.
    max_abs : float
        Largest d without its sign, in the unit of the constant; 0.0 where no d is finite.
    median : float
        Median of d over all pixels of the block.
    rms : float
        Square root of the mean of d*d over all pixels of the block.
    new_bad, cleared_bad : int or None
        Number of pixels that turned bad, and that turned good; None for measured values.
    bits : mapping of int to (int, int)
        Status only: by value of a bit, in how many pixels it was set and cleared; bits without a change are left out.
    """

    gain: int | None
    segment: int | None
    pixels: int
    changed: int
    nonfinite: int = 0
    max_abs: float = 0.0
    median: float = 0.0
    rms: float = 0.0
    new_bad: int | None = None
    cleared_bad: int | None = None
    bits: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArrayDifference:
    """The difference of two arrays, second minus first.

    Attributes
    ----------
    shape_a, shape_b : tuple of int
        Shapes of the first and the second array.
    dtype_a, dtype_b : str
        Names of their dtypes.
    comparable : bool
        Whether the shapes agree and have as many axes as there are names for; if not, there are no segments.
    segments : tuple of SegmentDifference
        One a gain range and segment, gain by gain, also where nothing changed.
    """

    shape_a: tuple[int, ...]
    shape_b: tuple[int, ...]
    dtype_a: str
    dtype_b: str
    comparable: bool
    segments: tuple[SegmentDifference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both are the same array: dtype, shape and every value."""
        return self.comparable and self.dtype_a == self.dtype_b and not self.changed

    @property
    def pixels(self) -> int:
        """Number of values that were compared."""
        return sum(segment.pixels for segment in self.segments)

    @property
    def changed(self) -> int:
        """Number of values that differ."""
        return sum(segment.changed for segment in self.segments)

    @property
    def nonfinite(self) -> int:
        """Number of values that differ by no finite amount."""
        return sum(segment.nonfinite for segment in self.segments)

    @property
    def max_abs(self) -> float:
        """Largest finite difference, without sign, in the unit of the constant."""
        return max((segment.max_abs for segment in self.segments), default=0.0)

    @property
    def largest_median(self) -> float:
        """The median, with its sign, of the block that drifted most, in the unit of the constant."""
        return max((segment.median for segment in self.segments), key=abs, default=0.0)

    @property
    def new_bad(self) -> int:
        """Number of pixels that turned bad, each gain range counted; 0 for measured values."""
        return sum(segment.new_bad or 0 for segment in self.segments)

    @property
    def cleared_bad(self) -> int:
        """Number of pixels that turned good, each gain range counted; 0 for measured values."""
        return sum(segment.cleared_bad or 0 for segment in self.segments)


def compare(a: NDArray[Any], b: NDArray[Any], *, dims: tuple[str, ...], kind: ArrayKind) -> ArrayDifference:
    """Return what changed from one array to another, block by block, so that mapped arrays of any size do.

    Parameters
    ----------
    a, b : ndarray
        First and second array, real numbers; of complex ones d is the magnitude of the difference.
    dims : tuple of str
        Names of the axes, such as ``("gain", "segment", "row", "column")``.
    kind : {"values", "mask", "status"}
        How the values are to be read.

    Returns
    -------
    ArrayDifference
        Differences in the unit of the constant, computed in float64.
    """
    comparable = a.shape == b.shape and len(dims) == a.ndim
    segments = (
        (_compare_block(a[block.where], b[block.where], block, kind) for block in blocks(a.shape, dims))
        if comparable
        else ()
    )
    return ArrayDifference(a.shape, b.shape, a.dtype.name, b.dtype.name, comparable, tuple(segments))


def _compare_block(a: NDArray[Any], b: NDArray[Any], block: Block, kind: ArrayKind) -> SegmentDifference:
    differs = a != b
    if a.dtype.kind in "fc" and b.dtype.kind in "fc":
        differs &= ~(np.isnan(a) & np.isnan(b))
    changed = int(np.count_nonzero(differs))
    bad_a, bad_b = bad_pixels(a, kind), bad_pixels(b, kind)
    words_a, words_b = status_words(a, kind), status_words(b, kind)
    bits: dict[int, tuple[int, int]] = {}
    if changed and words_a is not None and words_b is not None:
        was_set, cleared = count_bits(words_b & ~words_a), count_bits(words_a & ~words_b)
        bits = {bit: (was_set.get(bit, 0), cleared.get(bit, 0)) for bit in sorted(was_set.keys() | cleared.keys())}
    nonfinite, max_abs, median, rms = _size_of_difference(a, b, differs) if changed else (0, 0.0, 0.0, 0.0)
    return SegmentDifference(
        gain=block.gain,
        segment=block.segment,
        pixels=a.size,
        changed=changed,
        nonfinite=nonfinite,
        max_abs=max_abs,
        median=median,
        rms=rms,
        new_bad=None if bad_a is None or bad_b is None else int(np.count_nonzero(bad_b & ~bad_a)),
        cleared_bad=None if bad_a is None or bad_b is None else int(np.count_nonzero(bad_a & ~bad_b)),
        bits=bits,
    )


def _size_of_difference(
    a: NDArray[Any], b: NDArray[Any], differs: NDArray[np.bool_]
) -> tuple[int, float, float, float]:
    """Return the number of differences that are not finite, and max, median and rms of the finite ones."""
    # Overflow and NaN - NaN are no accidents here: what is not finite is counted and left out.
    with np.errstate(over="ignore", invalid="ignore"):
        difference = _subtract(a, b)
        finite = np.isfinite(difference)
        nonfinite = int(np.count_nonzero(differs & ~finite))
        # Both NaN, or both infinite with one sign: no change, and no number either.
        values = difference.ravel() if finite.all() else difference[finite]
        if not values.size:
            return nonfinite, 0.0, 0.0, 0.0
        max_abs = max(float(values.max()), -float(values.min()))
        rms = float(np.sqrt(np.mean(np.square(values))))
        return nonfinite, max_abs, float(np.median(values, overwrite_input=True)), rms


def _subtract(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return b - a as float64, and a new array."""
    if a.dtype.kind == "c" or b.dtype.kind == "c":
        return np.abs(b.astype(np.complex128) - a.astype(np.complex128))
    if a.dtype.kind in "ui" and a.dtype.kind == b.dtype.kind and max(a.dtype.itemsize, b.dtype.itemsize) == 8:
        # float64 cannot tell large neighbours apart: subtract as integers modulo 2**64, which is exact, larger
        # minus smaller.
        wide_a, wide_b = a.astype(np.uint64), b.astype(np.uint64)
        up = b >= a
        return np.where(up, wide_b - wide_a, wide_a - wide_b).astype(np.float64) * np.where(up, 1.0, -1.0)
    return np.asarray(b.astype(np.float64) - a.astype(np.float64))
