"""The header of a ``.npy`` file of frames, read by a small grammar: nothing is evaluated."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from calibvcs.sources.mapping import Bytes

_MAGIC: Final = b"\x93NUMPY"
_LONGEST: Final = 4096
_HEADER: Final = re.compile(
    r"\{'descr': '(?P<dtype>[<|][uif][1248])', 'fortran_order': False, 'shape': \((?P<shape>[0-9, ]{0,200})\), \} *\n"
)
_MOST_VALUES: Final = 1 << 48


def read_npy_header(data: Bytes, size: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return dtype, shape, and the offset of the first value of what ``numpy.save`` wrote.

    Parameters
    ----------
    data : Bytes
        The file, or its first 8 kB.
    size : int
        Size of the whole file.

    Returns
    -------
    dtype : dtype
        An integer or a float, little endian.
    shape : tuple of int
        No axis is empty but perhaps the first one.
    offset : int
        The values end at the end of the file.

    Raises
    ------
    InvalidDataError
        If it is something else, in Fortran order, or cut off.
    """
    view = data.view
    if bytes(view[:6]) != _MAGIC or len(view) < 12 or view[6] not in {1, 2, 3}:
        raise data.broken(0, "not a .npy file")
    begin = 10 if view[6] == 1 else 12
    length = int.from_bytes(view[8:begin], "little")
    text = bytes(view[begin : begin + min(length, _LONGEST)]).decode("latin-1")
    match = _HEADER.fullmatch(text)
    if not match or length != len(text):
        reason = "its header is not that of an array of integers or floats in C order, little endian"
        raise data.broken(begin, reason)
    dtype = np.dtype(match["dtype"])
    numbers = [part.strip() for part in match["shape"].split(",")]
    if not all(part.isdigit() and len(part) < 19 for part in numbers[: None if numbers[-1] else -1]):
        raise data.broken(begin, f"shape ({match['shape']})")
    shape = tuple(int(part) for part in numbers if part)
    if 0 in shape[1:] or math.prod(shape) > _MOST_VALUES:
        raise data.broken(begin, f"shape {shape}")
    expected, found = math.prod(shape) * dtype.itemsize, size - begin - length
    if expected != found:
        raise data.broken(begin, f"shape {shape} of {dtype.name} takes {expected} bytes, the file holds {found}")
    return dtype, shape, begin + length
