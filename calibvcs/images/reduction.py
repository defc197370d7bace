"""Large images made small: blocks of pixels become one, and bad pixels do not disappear in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

GAP = 0.02
"""Room between the tiles of a mosaic, as a part of the longer side of a tile."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """An image of few pixels.

    Attributes
    ----------
    values : ndarray of float32, shape (rows, columns)
        Means over the pixels that count, in the unit of the data; NaN where there is none.
    bad : ndarray of float32, same shape
        Part of the pixels that do not count, 0 to 1; NaN where there are no pixels at all.
    """

    values: NDArray[np.float32]
    bad: NDArray[np.float32]


def factor_for(shape: tuple[int, int], most: int) -> int:
    """Return how many rows and columns become one, so that no side of an image is longer than `most`."""
    return max(1, math.ceil(max(shape) / most))


def reduce(values: NDArray[Any], counts: NDArray[np.bool_], factor: int) -> Reduced:
    """Average an image over blocks of pixels.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Real numbers.
    counts : ndarray of bool, same shape
        Which pixels count; their values are finite.
    factor : int
        Rows and columns of a block; blocks at the lower and right edge may be smaller.

    Returns
    -------
    Reduced
        One pixel a block.
    """
    kept = np.where(counts, values, 0)
    if factor == 1:
        with np.errstate(over="ignore"):
            only = kept.astype(np.float32)
        only[~counts] = np.nan
        return Reduced(only, (~counts).astype(np.float32))
    sums = _block_sums(kept, factor)
    numbers = _block_sums(counts, factor)
    return averaged(sums, numbers, _block_sums(np.ones(counts.shape, bool), factor))


def averaged(sums: NDArray[np.float64], counting: NDArray[Any], all_: NDArray[Any]) -> Reduced:
    """Return means where there is something to be averaged, and which part does not count.

    Parameters
    ----------
    sums : ndarray of float64
        Sums over the pixels that count.
    counting, all_ : ndarray, same shape
        Number of pixels that count, and of all.

    Returns
    -------
    Reduced
        Both as images.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values = (sums / counting).astype(np.float32)
        bad = (1 - counting / all_).astype(np.float32)
    return Reduced(values, bad)


def _block_sums(image: NDArray[Any], factor: int) -> NDArray[np.float64]:
    rows, columns = (np.arange(0, length, factor) for length in image.shape)
    with np.errstate(over="ignore"):
        across = np.add.reduceat(image, columns, axis=1, dtype=np.float64)
    sums: NDArray[np.float64] = np.add.reduceat(across, rows, axis=0)
    return sums


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the tiles of a mosaic are, row by row from the top left.

    Attributes
    ----------
    tile : tuple of int
        Rows and columns of one tile.
    count, across, gap : int
        How many tiles there are, how many stand side by side, and how many pixels are between two.
    """

    tile: tuple[int, int]
    count: int
    across: int
    gap: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the mosaic."""
        down = math.ceil(self.count / self.across)
        rows, columns = self.tile
        return down * (rows + self.gap) - self.gap, self.across * (columns + self.gap) - self.gap

    def corner(self, number: int) -> tuple[int, int]:
        """Return row and column of the top left pixel of a tile."""
        row, column = divmod(number, self.across)
        return row * (self.tile[0] + self.gap), column * (self.tile[1] + self.gap)

    def joined(self, tiles: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return all tiles as one image, NaN between them."""
        image = np.full(self.shape, np.nan, np.float32)
        for number, tile in enumerate(tiles):
            row, column = self.corner(number)
            image[row : row + self.tile[0], column : column + self.tile[1]] = tile
        return image


def grid_for(tile: tuple[int, int], count: int) -> Grid:
    """Arrange tiles so that the whole is about as wide as high.

    Parameters
    ----------
    tile : tuple of int
        Rows and columns of one tile.
    count : int
        How many there are.

    Returns
    -------
    Grid
        Of all numbers of columns the one that comes nearest.
    """
    rows, columns = tile
    gap = max(1, round(GAP * max(tile))) if count > 1 else 0

    def away(across: int) -> float:
        down = math.ceil(count / across)
        return abs(math.log((across * columns) / (down * rows))) + (across * down - count) * 0.02

    return Grid(tile, count, min(range(1, count + 1), key=away), gap)
