"""Pixel coordinates: every segment is turned and moved, node by node, into the frame of the root.

The order of operations is that of psana, so the results are equal bit for bit. What costs time there is left out here:

- A segment starts as two short axes; numpy's broadcasting makes full arrays of them only where an operation mixes both.
- Work goes by blocks of rows that stay in the processor's cache, and results are written once.
- A turn by nothing, and the addition of 0.0, do one thing only: they can change the sign of a zero. Such signs decide
  about nothing but signs of other zeros, and adding an origin that is not -0.0 wipes them out. So both are left out
  where the origin is not -0.0 and nothing is NaN, and the result is still the same to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibvcs.geometry.tree import Node, Segment

_IN_CACHE: Final = 2**13


@dataclass(slots=True)
class Extent:
    """Smallest and largest x and y in um; dummies do not count."""

    lowest: list[float] = field(default_factory=lambda: [math.inf, math.inf])
    highest: list[float] = field(default_factory=lambda: [-math.inf, -math.inf])

    def widen(self, axis: int, values: NDArray[np.float64], *, dummies: bool) -> None:
        """Take more values of x (axis 0) or y (axis 1) into account."""
        least, most = (np.fmin, np.fmax) if dummies else (np.minimum, np.maximum)
        self.lowest[axis] = min(self.lowest[axis], float(least.reduce(values, axis=None)))
        self.highest[axis] = max(self.highest[axis], float(most.reduce(values, axis=None)))


@dataclass(frozen=True, slots=True)
class _Turn:
    cosine: float
    sine: float

    def __call__(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        return a * self.cosine - b * self.sine, b * self.cosine + a * self.sine


@dataclass(frozen=True, slots=True)
class _Move:
    """What has to be done at one node; None is left out."""

    turns: tuple[_Turn | None, _Turn | None, _Turn | None]
    origin: tuple[float | None, float | None, float | None]

    def __call__(
        self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        about_z, about_y, about_x = self.turns
        if about_z:
            x, y = about_z(x, y)
        if about_y:
            z, x = about_y(z, x)
        if about_x:
            y, z = about_x(y, z)
        x0, y0, z0 = self.origin
        return x if x0 is None else x + x0, y if y0 is None else y + y0, z if z0 is None else z + z0


def moves(path: Sequence[Node], *, tilt: bool, dummies: bool) -> tuple[_Move, ...]:
    """Return what is to be done from the frame of a segment up to the root.

    Parameters
    ----------
    path : sequence of Node
        The segment, its parent, and so on.
    tilt : bool
        Whether tilts are added to the design rotations.
    dummies : bool
        Whether there are NaN, which a turn by nothing spreads from x to y and z.

    Returns
    -------
    tuple of callable
        Each takes x, y, z and returns them in the next frame.
    """
    planned = []
    signed = [True, True, False]  # whether -0.0 may be about in x, y, z
    for node in path:
        every = dummies or any(origin == 0 and math.copysign(1, origin) < 0 for origin in node.origin)
        turns: list[_Turn | None] = []
        for rotation, tilted, pair in zip(node.rotation, node.tilt, ((0, 1), (2, 0), (1, 2)), strict=True):
            angle = math.radians(rotation + tilted if tilt else rotation)
            turn = _Turn(math.cos(angle), math.sin(angle))
            needed = every or turn.sine != 0 or turn.cosine != 1
            turns.append(turn if needed else None)
            if needed:
                for axis in pair:
                    signed[axis] = True
        origin = [value if every or value != 0 or was else None for value, was in zip(node.origin, signed, strict=True)]
        signed = [every] * 3
        planned.append(_Move((turns[0], turns[1], turns[2]), (origin[0], origin[1], origin[2])))
    return tuple(planned)


def fill(
    segments: Sequence[Segment], *, tilt: bool, lab: bool = False, into: Sequence[NDArray[np.float64] | None]
) -> Extent:
    """Compute the coordinates of all pixels.

    Parameters
    ----------
    segments : sequence of Segment
        Segments of one shape.
    tilt : bool
        Whether tilts are added to the design rotations.
    lab : bool
        Whether (-y, -x, -z) are written, the frame of the laboratory.
    into : sequence of three float64 arrays or None
        Where x, y, z in um go, shape (segments, rows, columns); None where they are not wanted.

    Returns
    -------
    Extent
        Smallest and largest x and y, never in the frame of the laboratory.
    """
    extent = Extent()
    for number, segment in enumerate(segments):
        rows, columns = segment.shape
        dummies = segment.kind.has_dummies
        path = moves(segment.path, tilt=tilt, dummies=dummies)
        all_x, all_y = segment.kind.grid
        step = max(_IN_CACHE // columns, 1)
        for first in range(0, rows, step):
            block = slice(first, min(first + step, rows))
            x = all_x[block] if len(all_x) > 1 else all_x
            y = all_y[block] if len(all_y) > 1 else all_y
            z = np.zeros((1, 1))
            for move in path:
                x, y, z = move(x, y, z)
            extent.widen(0, x, dummies=dummies)
            extent.widen(1, y, dummies=dummies)
            for array, values in zip(into, (y, x, z) if lab else (x, y, z), strict=True):
                if array is not None:
                    if lab:
                        np.negative(values, out=array[number, block])
                    else:
                        array[number, block] = values
    return extent
