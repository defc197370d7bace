"""Areas of pixels, and masks of those at edges, at seams and of uncommon size, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.geometry.segment_types import SegmentType


def areas(kind: SegmentType) -> NDArray[np.float64]:
    """Return the areas of the pixels of a segment in units of a regular pixel.

    Parameters
    ----------
    kind : SegmentType
        The segment.

    Returns
    -------
    array of float64, shape (rows, columns)
        1.0 for regular pixels; NaN for dummies.
    """
    rows, columns = kind.rows, kind.columns
    if not kind.areas_of_wide or not (rows.wide or columns.wide):
        return np.where(np.isnan(columns.centres), np.nan, np.ones(kind.shape))
    # The reciprocal first: that is how psana rounds.
    return columns.sizes[None, :] * rows.sizes[:, None] * (1.0 / (rows.size * columns.size))


def widths(option: str, given: int | tuple[int, int]) -> tuple[int, int]:
    """Return how many rows and columns are to be masked.

    Raises
    ------
    InvalidOptionError
        If a number is negative.
    """
    rows, columns = (given, given) if isinstance(given, int) else given
    if rows < 0 or columns < 0:
        raise InvalidOptionError(option, str(given), "allowed are 0, 1, 2, ... rows and columns")
    return rows, columns


def mask(kind: SegmentType, edges: tuple[int, int], center: tuple[int, int], *, wide: bool) -> NDArray[np.uint8]:
    """Return the mask of a segment.

    Parameters
    ----------
    kind : SegmentType
        The segment.
    edges, center : tuple of int
        Rows and columns to mask on each edge, and on each side of a seam.
    wide : bool
        Whether wide pixels are masked.

    Returns
    -------
    array of uint8, shape (rows, columns)
        1 good, 0 masked.
    """
    if kind.has_dummies:
        real = ~np.isnan(kind.columns.centres)
        return np.broadcast_to(real, kind.shape).astype(np.uint8)
    kept = []
    for axis, edge, inner in zip((kind.rows, kind.columns), edges, center, strict=True):
        good = ~axis.beside_seams(inner)
        good[:edge] = False
        good[max(len(axis) - edge, 0) :] = False
        if wide and axis.wide:
            good &= ~axis.at_seams
        kept.append(good)
    return (kept[0][:, None] & kept[1][None, :]).astype(np.uint8)
