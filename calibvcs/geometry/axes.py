"""One axis of a segment: the centres of its pixels, and where two ASICs meet on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a segment.

    Attributes
    ----------
    centres : array of float64, shape (n,)
        Centre of every pixel in um; NaN for a dummy, which has no place.
    size : float
        Side of a regular pixel in um.
    seams : tuple of int
        Numbers of the first pixels of the second, third, ... ASIC.
    wide : float
        Side of the pixels on both sides of a seam in um; 0.0 if they are regular.
    """

    centres: NDArray[np.float64]
    size: float
    seams: tuple[int, ...] = ()
    wide: float = 0.0

    def __post_init__(self) -> None:
        self.centres.setflags(write=False)  # types are shared by all geometries

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def at_seams(self) -> NDArray[np.bool_]:
        """Which pixels have a seam on one side, shape (n,)."""
        return self.beside_seams(1)

    def beside_seams(self, count: int) -> NDArray[np.bool_]:
        """Return which pixels are among the `count` nearest ones on either side of a seam, shape (n,)."""
        found = np.zeros(len(self), bool)
        for seam in self.seams:
            found[max(seam - count, 0) : seam + count] = True
        return found

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Side of every pixel in um, shape (n,); NaN for dummies."""
        sizes = np.where(np.isnan(self.centres), np.nan, self.size)
        if self.wide:
            sizes[self.at_seams] = self.wide
        return sizes


def runs(*parts: tuple[float, float, int]) -> NDArray[np.float64]:
    """Return centres that are evenly spaced in parts, each given by its first centre, its step and its length."""
    return np.hstack([first + step * np.arange(count) for first, step, count in parts])
