"""Limits of a colour scale that a few wild pixels cannot pull away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERCENT = 1.0
"""How many per cent of the pixels may be below the lower limit, and above the upper one."""


def sample(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Return values picked at even distances.

    Parameters
    ----------
    values : ndarray
        One axis.
    most : int
        How many are wanted at most.

    Returns
    -------
    ndarray
        Every n-th value. n is odd: an even one would always meet the same columns of a detector.
    """
    step = -(-values.size // most)
    picked: NDArray[Any] = values[:: step + 1 - step % 2] if step > 1 else values
    return picked


def robust_limits(values: NDArray[Any]) -> tuple[float, float]:
    """Return limits for measured values.

    Parameters
    ----------
    values : ndarray
        Finite values, one axis.

    Returns
    -------
    tuple of float
        1st and 99th percentile; where they are the same, some room about them; (0, 1) where there are no values.
    """
    if not values.size:
        return 0.0, 1.0
    low, high = (float(limit) for limit in np.percentile(values.astype(np.float64), (PERCENT, 100 - PERCENT)))
    return _apart(low, high)


def symmetric_limits(values: NDArray[Any]) -> tuple[float, float]:
    """Return limits for differences, 0 in the middle.

    Parameters
    ----------
    values : ndarray
        Finite differences, one axis.

    Returns
    -------
    tuple of float
        The 99th percentile of those that are not 0, without sign, to both sides; (-1, 1) where all are 0.
    """
    away = np.abs(values[values != 0].astype(np.float64))
    limit = float(np.percentile(away, 100 - PERCENT)) if away.size else 1.0
    return -limit, limit


def _apart(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    room = abs(low) * 0.01 or 0.5
    return low - room, high + room
