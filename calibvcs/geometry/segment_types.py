"""What a segment looks like by itself: where its pixels are, how large they are, and where its ASICs meet.

The pixels of every segment stand on a grid, so two short axes say it all. Values that are no dyadic fractions
(``SENS2X1``, matrices) are computed in the order of operations of psana, and so equal its arrays bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from calibvcs.geometry import matrices
from calibvcs.geometry.axes import Axis, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SegmentType:
    """A segment in its own frame, z = 0.

    Attributes
    ----------
    name : str
        Name and version, such as ``JUNGFRAU:V2``.
    rows, columns : Axis
        The axis that a row number runs along, and the one of column numbers.
    pixel_size : float
        Side of an image bin in um.
    x_along_rows : bool
        Whether x grows with the row number, as in the oldest matrices; else x goes with the columns.
    areas_of_wide : bool
        Whether wide pixels count with their area. psana says no for EPIXHR1X4.
    """

    name: str
    rows: Axis
    columns: Axis
    pixel_size: float
    x_along_rows: bool = False
    areas_of_wide: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    @cached_property
    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Axes x and y in um, of shape (rows, 1) or (1, columns), to be broadcast against each other."""
        along_rows, along_columns = self.rows.centres[:, None], self.columns.centres[None, :]
        return (along_rows, along_columns) if self.x_along_rows else (along_columns, along_rows)

    @cached_property
    def has_dummies(self) -> bool:
        """Whether some columns have no place, and so coordinates that are NaN."""
        return bool(np.isnan(self.columns.centres).any())


def _mirrored(count: int, size: float, wide: float) -> NDArray[np.float64]:
    """Return two ASICs whose wide pixels meet in 0, each centred as if its outer edge carried a regular pixel."""
    right = np.arange(count, dtype=np.float64) * size + wide - size / 2
    return np.hstack([-right[::-1], right])


def _cspad() -> SegmentType:
    size, wide, rows, half = 109.92, 274.80, 185, 194
    falling = np.arange(rows, dtype=np.float64) * -size
    falling -= falling[-1] / 2
    columns = Axis(_mirrored(half, size, wide), size, (half,), wide)
    return SegmentType("SENS2X1:V1", Axis(falling, size), columns, size)


def _quad(name: str, rows: int, columns: int, size: float, wide: float, *, rising: bool = False) -> SegmentType:
    """Return a segment of 2 x 2 ASICs; y falls with the row number or rises."""
    y = _mirrored(rows // 2, size, wide)
    across = Axis(_mirrored(columns // 2, size, wide), size, (columns // 2,), wide)
    return SegmentType(name, Axis(y if rising else -y, size, (rows // 2,), wide), across, size)


def _epixhr_1x4() -> SegmentType:
    size, wide = 100.0, 225.0
    columns = runs((-38825.0, size, 192), (-19275.0, size, 192), (175.0, size, 192), (19725.0, size, 192))
    # psana lets the two halves overlap by four rows. Images must agree with it.
    rows = runs((7050.0, -size, 72), (50.0, -size, 72))
    across = Axis(columns, size, (192, 384, 576), wide)
    return SegmentType("EPIXHR1X4:V1", Axis(rows, size), across, size, areas_of_wide=False)


def _epixuhr_3x2() -> SegmentType:
    size, wide = 100.0, 262.5
    columns = runs((-29075.0, size, 192), (-9550.0, size, 192), (9975.0, size, 192))
    rows = runs((16912.5, -size, 168), (-212.5, -size, 168))
    across = Axis(columns, size, (192, 384), wide)
    return SegmentType("EPIXUHR3X2:V1", Axis(rows, size, (168,), wide), across, size)


def _jungfrau(version: int) -> SegmentType:
    size, wide, side = 75.0, 150.0, 256
    row_seams, column_seams = (side,), (side, 2 * side, 3 * side)
    x = runs(*((first * size, size, side) for first in (-514.5, -256.5, 1.5, 259.5)))
    if version == 1:
        y = runs((256.5 * size, -size, side), (-1.5 * size, -size, side))
        return SegmentType("JUNGFRAU:V1", Axis(y, size, row_seams), Axis(x, size, column_seams), size)
    y = runs((-256.5 * size, size, side), (1.5 * size, size, side))
    for centres, seams in ((x, column_seams), (y, row_seams)):
        for seam in seams:
            centres[seam - 1] += size / 2
            centres[seam] -= size / 2
    return SegmentType("JUNGFRAU:V2", Axis(y, size, row_seams, wide), Axis(x, size, column_seams, wide), size)


_MADE_BY: Final[dict[str, Callable[[], SegmentType]]] = {
    "SENS2X1:V1": _cspad,
    "EPIX100:V1": lambda: _quad("EPIX100:V1", 704, 768, 50.0, 175.0, rising=True),
    "EPIX10KA:V1": lambda: _quad("EPIX10KA:V1", 352, 384, 100.0, 225.0),
    "EPIXHR2X2:V1": lambda: _quad("EPIXHR2X2:V1", 288, 384, 100.0, 225.0),
    "EPIXHR1X4:V1": _epixhr_1x4,
    "EPIXUHR3X2:V1": _epixuhr_3x2,
    "JUNGFRAU:V1": lambda: _jungfrau(1),
    "JUNGFRAU:V2": lambda: _jungfrau(2),
    "PNCCD:V1": lambda: _matrix_from_corner("PNCCD:V1", matrices.Size(512, 512, 75.0, 75.0)),
    "EPIXMASIC:V1": lambda: _centred_matrix("EPIXMASIC:V1", matrices.Size(192, 384, 50.0, 50.0)),
    "EPIXUHRASIC:V1": lambda: _centred_matrix("EPIXUHRASIC:V1", matrices.Size(168, 192, 100.0, 100.0)),
}

KNOWN: Final = (*_MADE_BY, *matrices.NAMES)
"""Names of all segment types, the numbers of matrices as letters."""


@lru_cache(maxsize=64)
def segment_type(
    name: str, shape: tuple[int, int] | None = None, pixel_size: float = matrices.PIXEL_SIZE
) -> SegmentType | None:
    """Return the segment of a name, as the geometry text calls it.

    Parameters
    ----------
    name : str
        Name of a node of the tree.
    shape : tuple of int, optional
        Rows and columns, for the types that do not say them.
    pixel_size : float
        Side of a pixel of ``MTRXANY:V1`` in um.

    Returns
    -------
    SegmentType or None
        None for a node that is no segment but a group of them.

    Raises
    ------
    InvalidDataError
        If the name of a matrix has not four numbers within their limits.
    InvalidOptionError
        If the size is known at run time only, and `shape` does not tell it.
    """
    if name in _MADE_BY:
        return _MADE_BY[name]()
    if name in matrices.ARCHON:
        rows, columns = matrices.archon_axes(name, matrices.given_rows(name, shape))
        return SegmentType(name, rows, columns, matrices.ARCHON_BIN)
    if name == matrices.ANY:
        return _centred_matrix(name, matrices.Size(*matrices.given_shape(name, shape), pixel_size, pixel_size))
    if name.startswith("MTRX:V2"):
        return _centred_matrix(name, matrices.size_in(name, skipped=2))
    if name.startswith("MTRX"):
        return _matrix_from_corner(name, matrices.size_in(name, skipped=1))
    return None


def _matrix_from_corner(name: str, size: matrices.Size) -> SegmentType:
    rows = Axis(np.arange(size.rows, dtype=np.float64) * size.row_size, size.row_size)
    columns = Axis(np.arange(size.columns, dtype=np.float64) * size.column_size, size.column_size)
    return SegmentType(name, rows, columns, size.bin_size, x_along_rows=True)


def _centred_matrix(name: str, size: matrices.Size) -> SegmentType:
    y = (np.arange(size.rows, dtype=np.float64) - (size.rows - 1) / 2) * -size.row_size
    x = (np.arange(size.columns, dtype=np.float64) - (size.columns - 1) / 2) * size.column_size
    return SegmentType(name, Axis(y, size.row_size), Axis(x, size.column_size), size.bin_size)
