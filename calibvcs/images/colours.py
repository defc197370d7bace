"""Numbers as colours, for places where matplotlib is not wanted: from dark blue over green to yellow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCALE: Final = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float64)
_BAD: Final = np.array((255, 0, 191), np.float64)
_GOOD: Final = np.array((225, 225, 225), np.float64)


def levels(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float64]:
    """Return where values are between two limits.

    Parameters
    ----------
    values : ndarray of float32
        Any shape.
    limits : tuple of float
        Lower and upper limit.

    Returns
    -------
    ndarray of float64
        0 at and below the lower limit, 1 at and above the upper one; NaN stays.
    """
    low, high = limits
    placed: NDArray[np.float64] = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return placed


def coloured(
    values: NDArray[np.float32], bad: NDArray[np.float32], limits: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """Return an image in colours.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, columns)
        What is to be seen.
    bad : ndarray of float32, same shape
        Part of bad pixels, 0 to 1; they are magenta. NaN where there are no pixels: that is black.
    limits : tuple of float or None
        Limits of the scale; None shows bad pixels alone.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
        Red, green, blue.
    """
    if limits is None:
        image = np.broadcast_to(_GOOD, (*values.shape, 3)).copy()
    else:
        place = np.nan_to_num(levels(values, limits)) * (len(_SCALE) - 1)
        knots = np.arange(len(_SCALE))
        image = np.stack([np.interp(place, knots, _SCALE[:, channel]) for channel in range(3)], axis=-1)
    share = np.sqrt(np.nan_to_num(bad))[..., None]
    image = image * (1 - share) + _BAD * share
    image[np.isnan(bad)] = 0
    rounded: NDArray[np.uint8] = image.round().astype(np.uint8)
    return rounded
