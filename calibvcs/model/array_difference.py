"""The difference of two arrays of constants in a few numbers a segment and gain range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, Block, blocks
from calibvcs.model.piece_difference import PIECE, PieceDifference, Workspace, compare_piece, finite_differences
from calibvcs.model.stream_median import passing_median

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
    """Return what changed from one array to another, piece by piece, so that mapped arrays of any size do.

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
    segments: list[SegmentDifference] = []
    workspace: Workspace | None = None
    for block in blocks(a.shape, dims) if comparable else ():
        old, new = a[block.where].reshape(-1), b[block.where].reshape(-1)
        workspace = workspace or Workspace(min(old.size, PIECE))
        segments.append(_compare_block(old, new, block, kind, workspace))
    return ArrayDifference(a.shape, b.shape, a.dtype.name, b.dtype.name, comparable, tuple(segments))


def _compare_block(
    a: NDArray[Any], b: NDArray[Any], block: Block, kind: ArrayKind, workspace: Workspace
) -> SegmentDifference:
    cuts = [slice(begin, begin + PIECE) for begin in range(0, a.size, PIECE)]
    pieces = [compare_piece(a[cut], b[cut], kind, workspace, whole=len(cuts) == 1) for cut in cuts]
    again = lambda: (finite_differences(a[cut], b[cut], workspace) for cut in cuts)  # noqa: E731
    return segment_difference(block, pieces, kind, again)


def segment_difference(
    block: Block,
    pieces: Sequence[PieceDifference],
    kind: ArrayKind,
    again: Callable[[], Iterable[NDArray[np.float64]]],
) -> SegmentDifference:
    """Sum up what changed in a block.

    Parameters
    ----------
    block : Block
        Which one.
    pieces : sequence of PieceDifference
        All pieces of it, one at least.
    kind : {"values", "mask", "status"}
        How the values are to be read.
    again : callable
        Lets the finite d of the block pass by once more; the median of a block in several pieces takes that.

    Returns
    -------
    SegmentDifference
        In the unit of the constant.
    """
    changed, finite = sum(piece.changed for piece in pieces), sum(piece.finite for piece in pieces)
    max_abs = median = squares = 0.0
    if changed and finite:
        max_abs = max(max(piece.high, -piece.low) for piece in pieces)
        squares = sum(piece.squares for piece in pieces)
        median = pieces[0].median
        if len(pieces) > 1:
            sample = np.concatenate([piece.sample for piece in pieces if piece.sample is not None])
            median = passing_median(again, finite, sample)
    bits: dict[int, tuple[int, int]] = {}
    for bit in sorted({bit for piece in pieces for bit in piece.bits}):
        turned = [piece.bits[bit] for piece in pieces if bit in piece.bits]
        bits[bit] = (sum(was_set for was_set, _ in turned), sum(cleared for _, cleared in turned))
    return SegmentDifference(
        gain=block.gain,
        segment=block.segment,
        pixels=sum(piece.pixels for piece in pieces),
        changed=changed,
        nonfinite=sum(piece.nonfinite for piece in pieces),
        max_abs=max_abs,
        median=median,
        rms=math.sqrt(squares / finite) if finite else 0.0,
        new_bad=None if kind == "values" else sum(piece.new_bad for piece in pieces),
        cleared_bad=None if kind == "values" else sum(piece.cleared_bad for piece in pieces),
        bits=bits,
    )
