"""The image of a detector, put together segment by segment, and as small as wanted: never all pixels at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import InvalidDataError
from calibvcs.geometry.bins import NO_BIN, bin_numbers, check_image
from calibvcs.geometry.placement import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.geometry.detector import Geometry


class Assembly:
    """Where the pixels of each segment fall in a small image of a detector.

    Rows go down and columns to the right as in `Geometry.image`, whose bins are taken together in squares.

    Parameters
    ----------
    geometry : Geometry
        Of the whole detector.
    most : int
        Rows and columns that the small image may have.

    Raises
    ------
    InvalidDataError
        If the image would have more than 2**28 bins, or the data are pairs of segments (CSPAD2X2).

    Attributes
    ----------
    factor : int
        Rows and columns of bins that become one pixel.
    shape : tuple of int
        Rows and columns of the small image.
    """

    def __init__(self, geometry: Geometry, most: int) -> None:
        if geometry.shape[0] != len(geometry.segments):
            advice = "Geometry.image puts it together"
            raise InvalidDataError("geometry", "its data are pairs of segments in the last axis", advice)
        self._segments = geometry.segments
        self._size = geometry.pixel_size
        self._lowest = geometry.extent.lowest
        full = check_image(geometry.image_shape)
        self.factor = max(1, math.ceil(max(full) / most))
        self.shape = -(-full[0] // self.factor), -(-full[1] // self.factor)
        self._known: dict[int, NDArray[np.int32]] = {}

    @property
    def segments(self) -> tuple[int, int, int]:
        """Number of segments, and rows and columns of each."""
        return (len(self._segments), *self._segments[0].shape)

    def places(self, number: int) -> NDArray[np.int32]:
        """Return where the pixels of a segment fall.

        Parameters
        ----------
        number : int
            Which segment, from 0.

        Returns
        -------
        ndarray of int32, shape (rows * columns,)
            Flat index in the small image, for each pixel in C order; -1 for a dummy, which has no place.
        """
        if number not in self._known:
            segment = self._segments[number]
            x, y = (np.empty((1, *segment.shape)) for _ in range(2))
            fill((segment,), tilt=True, into=(x, y, None))
            rows, columns = (np.empty(x.shape, np.uint64) for _ in range(2))
            dummies = segment.kind.has_dummies
            bin_numbers(x, self._lowest[0], self._size, rows, dummies=dummies)
            bin_numbers(y, self._lowest[1], self._size, columns, dummies=dummies)
            step = np.uint64(self.factor)
            flat = (rows // step * np.uint64(self.shape[1]) + columns // step).reshape(-1)
            found = flat.astype(np.int32)
            if dummies:
                found[rows.reshape(-1) == NO_BIN] = -1
            self._known[number] = found
        return self._known[number]


class AssembledImage:
    """One image under construction.

    Parameters
    ----------
    assembly : Assembly
        Where the pixels go.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        size = assembly.shape[0] * assembly.shape[1]
        self._sums = np.zeros(size)
        self._counting, self._all = np.zeros(size, np.int64), np.zeros(size, np.int64)

    def add(self, number: int, values: NDArray[Any], counts: NDArray[np.bool_]) -> None:
        """Take a segment in.

        Parameters
        ----------
        number : int
            Which segment, from 0.
        values : ndarray, shape (rows, columns)
            Real numbers.
        counts : ndarray of bool, same shape
            Which pixels count; their values are finite.
        """
        places, flat, counting = self._assembly.places(number), values.reshape(-1), counts.reshape(-1)
        real = places >= 0
        if not real.all():
            places, flat, counting = places[real], flat[real], counting[real]
        if self._assembly.factor == 1:  # as psana: of pixels that share a bin the last one is seen
            self._sums[places] = np.where(counting, flat, 0)
            self._counting[places], self._all[places] = counting, 1
            return
        size = self._sums.size
        good = places[counting]
        self._sums += np.bincount(good, flat[counting], size)
        self._counting += np.bincount(good, minlength=size)
        self._all += np.bincount(places, minlength=size)

    @property
    def sums(self) -> NDArray[np.float64]:
        """Sum of the values that count, in each pixel of the small image."""
        return self._sums.reshape(self._assembly.shape)

    @property
    def counting(self) -> NDArray[np.int64]:
        """How many pixels count, in each pixel of the small image."""
        return self._counting.reshape(self._assembly.shape)

    @property
    def all(self) -> NDArray[np.int64]:
        """How many pixels fall into each pixel of the small image."""
        return self._all.reshape(self._assembly.shape)
