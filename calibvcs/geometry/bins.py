"""Image bins: which row and column of an image every pixel falls into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_BIN: Final = int(np.iinfo(np.uint64).max)
"""Row and column of a dummy, which is in no image."""

LARGEST_IMAGE: Final = 2**28
_IN_CACHE: Final = 2**14


def bin_numbers(
    coordinates: NDArray[np.float64], lowest: float, size: float, out: NDArray[np.uint64], *, dummies: bool
) -> None:
    """Turn coordinates into numbers of bins, the pixel with the lowest one into the middle of bin 0.

    Parameters
    ----------
    coordinates : array of float64
        One coordinate of all pixels in um, C order.
    lowest : float
        The smallest of them.
    size : float
        Side of a bin in um.
    out : array of uint64, same shape
        Where the numbers go; may be the memory of `coordinates`.
    dummies : bool
        Whether some coordinates are NaN; they get `NO_BIN`.
    """
    edge = lowest - size / 2
    flat, numbers = coordinates.reshape(-1), out.reshape(-1)
    room = np.empty(min(_IN_CACHE, len(flat)))
    for first in range(0, len(flat), _IN_CACHE):
        values = flat[first : first + _IN_CACHE]
        scaled = np.subtract(values, edge, out=room[: len(values)])
        scaled /= size
        found = numbers[first : first + _IN_CACHE]
        if not dummies:
            np.copyto(found, scaled, casting="unsafe")
            continue
        empty = np.isnan(scaled)
        scaled[empty] = 0
        np.copyto(found, scaled, casting="unsafe")
        found[empty] = NO_BIN


def bin_count(lowest: float, highest: float, size: float) -> int:
    """Return the number of bins from the lowest to the highest coordinate."""
    return int((highest - (lowest - size / 2)) / size) + 1


def check_image(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the shape of an image.

    Raises
    ------
    InvalidDataError
        If it would have more than 2**28 bins.
    """
    if shape[0] * shape[1] > LARGEST_IMAGE:
        reason = f"the image would have {shape[0]} x {shape[1]} bins; allowed are {LARGEST_IMAGE} in all"
        raise InvalidDataError("geometry", reason, "is a segment very far from the others? see x0 and y0")
    return shape
