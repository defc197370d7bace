"""Segments whose size is not in their type but in their name, or in the data: matrices, and the Archon camera."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.geometry.axes import Axis

ANY: Final = "MTRXANY:V1"
ARCHON: Final = ("ARCHON:V1", "ARCHON:V2")
NAMES: Final = ("MTRX:<rows>:<columns>:<um>:<um>", "MTRX:V2:<rows>:<columns>:<um>:<um>", ANY, *ARCHON)
PIXEL_SIZE: Final = 75.0
"""Side of a pixel of ``MTRXANY:V1`` in um, unless another one is given."""

ARCHON_BIN: Final = 10.0
_ARCHON_ROW: Final = 20.0
_BANKS: Final = 16
_REAL: Final = 264
_DUMMIES: Final = 36
_MOST: Final = 65536
_LARGEST_PIXEL: Final = 1e6
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Size:
    """Rows, columns, and the sides of a pixel along them in um."""

    rows: int
    columns: int
    row_size: float
    column_size: float

    @property
    def bin_size(self) -> float:
        """Side of an image bin in um."""
        return min(self.row_size, self.column_size)


def size_in(name: str, *, skipped: int) -> Size:
    """Return the size that stands in the name of a matrix, such as ``MTRX:V2:512:1024:75:75``.

    Parameters
    ----------
    name : str
        Name of the segment.
    skipped : int
        How many words stand before the numbers.

    Returns
    -------
    Size
        Rows, columns and pixel sizes in um.

    Raises
    ------
    InvalidDataError
        If there are not four numbers, or one is out of its limits.
    """
    words = name.split(":")[skipped:]
    if len(words) == len(("rows", "columns", "row size", "column size")):
        counts, lengths = words[:2], words[2:]
        if all(map(_COUNT.fullmatch, counts)) and all(map(_LENGTH.fullmatch, lengths)):
            size = Size(int(counts[0]), int(counts[1]), float(lengths[0]), float(lengths[1]))
            within = 0 < size.rows <= _MOST and 0 < size.columns <= _MOST
            if within and size.bin_size > 0 and max(size.row_size, size.column_size) <= _LARGEST_PIXEL:
                return size
    reason = f"the name {name[:60]!r} tells no size; allowed is MTRX:<rows>:<columns>:<um>:<um>, 1 to {_MOST} each way"
    raise InvalidDataError("segment", reason, "for example MTRX:V2:1920:1920:177:177")


def given_shape(name: str, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Return rows and columns that the caller gave for a segment that does not tell them.

    Raises
    ------
    InvalidOptionError
        If there are none, or they are out of their limits.
    """
    if shape is None:
        raise InvalidOptionError("shape", "", f"{name} has its size from the data; needed is shape=(rows, columns)")
    rows, columns = shape
    if not 0 < rows <= _MOST or not 0 < columns <= _MOST:
        raise InvalidOptionError("shape", str(shape), f"allowed are 1 to {_MOST} rows and columns")
    return rows, columns


def given_rows(name: str, shape: tuple[int, int] | None) -> int:
    """Return the rows that the caller gave for an Archon camera, whose columns are known.

    Raises
    ------
    InvalidOptionError
        If there are none, or the columns are not those of the camera.
    """
    rows, columns = given_shape(name, shape)
    if columns != _BANKS * (_REAL + _DUMMIES):
        reason = f"{name} has {_BANKS * (_REAL + _DUMMIES)} columns"
        raise InvalidOptionError("shape", str(shape), reason, "give the shape of its pedestals")
    return rows


def archon_axes(name: str, rows: int) -> tuple[Axis, Axis]:
    """Return rows and columns of an Archon camera: real columns touch each other, dummies are NaN.

    Parameters
    ----------
    name : str
        ``ARCHON:V1`` has 36 dummies behind the 264 real columns of each bank, ``ARCHON:V2`` before them.
    rows : int
        Number of rows, after binning.

    Returns
    -------
    tuple of Axis
        Rows and columns, centred on the real pixels.
    """
    real = np.arange(_BANKS * _REAL) * ARCHON_BIN
    real -= (real[0] + real[-1]) / 2
    columns = np.full((_BANKS, _REAL + _DUMMIES), np.nan)
    first = 0 if name == ARCHON[0] else _DUMMIES
    columns[:, first : first + _REAL] = real.reshape(_BANKS, _REAL)
    falling = -np.arange(rows, dtype=np.float64) * _ARCHON_ROW
    falling -= (falling[0] + falling[-1]) / 2
    return Axis(falling, _ARCHON_ROW), Axis(columns.ravel(), ARCHON_BIN)
