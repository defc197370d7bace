"""The ``.npy`` file of a constant: exactly the bytes that ``numpy.save`` writes (version 1.0).

Stored is one form only, C order and little endian, so that equal arrays are equal bytes and one Git blob. A header
is a literal and is read as one: a small grammar, nothing is evaluated, and no byte is allocated before the declared
shape has been compared with the real size of the file.
"""

from __future__ import annotations

import io
import math
import mmap
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib import format as npy_format

from calibvcs.errors import InvalidDataError, MissingFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 64 * 1024
_MOST_DIMS: Final = 32
# No detector comes near it; it keeps a lie in a header from looking like a plausible number.
_MOST_VALUES: Final = 10**12

HEAD_SIZE: Final = _LONGEST_HEADER + 12
"""Number of bytes from the start of a file that always hold its whole header."""

# long double is left out: its bytes mean different things on different processors.
_PLAIN: Final = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"})
_ALLOWED: Final = "bool, int8-64, uint8-64, float16-64, complex64-128"
_REFUSED_KINDS: Final = {"O": "objects", "S": "strings", "U": "strings", "V": "records", "M": "dates", "m": "times"}

_CONTIGUOUS: Final = "numpy.save(path, numpy.ascontiguousarray(a))"
_SAVE_AGAIN: Final = f"write it again: {_CONTIGUOUS}"
_CONVERT: Final = f"convert it: a.astype('<f4') or another of {_ALLOWED}, then {_CONTIGUOUS}"

_ENTRY: Final = re.compile(
    r"""[ \t\n]*(?P<quote>['"])(?P<key>descr|fortran_order|shape)(?P=quote)[ \t\n]*:[ \t\n]*"""
    r"""(?P<value>'[^'\\\n]*'|"[^"\\\n]*"|True|False|\([-0-9L, \t\n]*\)|\[[^\n]*\])[ \t\n]*(?:,|(?=\}))"""
)
_END: Final = re.compile(r"[ \t\n]*\}[ \t\n]*")
_DESCR: Final = re.compile(r"(?P<order>[<>|]?)(?P<kind>[a-zA-Z])(?P<size>[0-9]*)(?:\[.*\])?")
_DIM: Final = re.compile(r"[ \t\n]*(?P<number>-?(?:0|[1-9][0-9]*))L?[ \t\n]*")


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a ``.npy`` file says, checked.

    Attributes
    ----------
    dtype : str
        Name of the numpy dtype, for example ``float32``; the bytes are little endian.
    shape : tuple of int
        Shape; one axis at least, none of them empty.
    data_offset : int
        Number of bytes before the first value.
    fortran_order : bool
        Always False: the last index runs fastest.
    """

    dtype: str
    shape: tuple[int, ...]
    data_offset: int
    fortran_order: bool = False


def encode(array: NDArray[Any]) -> tuple[bytes, memoryview]:
    """Return the bytes of an array as ``numpy.save`` would write them.

    Parameters
    ----------
    array : ndarray
        Values of a plain dtype, any shape but empty or 0-d; another order of axes or bytes is brought into C order
        and little endian first (a copy), otherwise nothing is copied.

    Returns
    -------
    header : bytes
        Magic, version 1.0 and header, padded to a multiple of 64 bytes.
    payload : memoryview
        Read-only view of the values, one byte an item; it keeps the array alive.

    Raises
    ------
    InvalidDataError
        If the dtype is not plain, or the array is masked, 0-d, empty, or has more than 32 axes.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise InvalidDataError("array", "it is a masked array, whose mask would be lost", "store a.filled(VALUE)")
    plain = np.asarray(array)
    dtype = _plain_dtype(plain.dtype.str.replace(">", "<"), "array")
    _check_shape(plain.shape, "array")
    # ascontiguousarray and asarray with a dtype return the very same array where nothing is to be done.
    normal = np.ascontiguousarray(plain, dtype=dtype)
    header = io.BytesIO()
    npy_format.write_array_header_1_0(header, {"descr": dtype.str, "fortran_order": False, "shape": normal.shape})
    return header.getvalue(), normal.reshape(-1).view(np.uint8).data.toreadonly()


def holds_header(head: bytes) -> bool:
    """Tell whether the first bytes of a ``.npy`` file hold its whole header, as far as they can tell."""
    if len(head) < 12 or not head.startswith(_MAGIC):
        return False
    wide = head[6] > 1
    return int.from_bytes(head[8 : 12 if wide else 10], "little") + (12 if wide else 10) <= len(head)


def read_header(head: bytes | memoryview, size: int, source: str) -> Header:
    """Read the header of a ``.npy`` file and hold it against the size of the file.

    Parameters
    ----------
    head : bytes or memoryview
        The start of the file; the first `HEAD_SIZE` bytes are always enough.
    size : int
        Size of the whole file in bytes.
    source : str
        What the data are called in errors, usually the path.

    Returns
    -------
    Header
        The dtype and shape; shape times item size is exactly what follows the header.

    Raises
    ------
    InvalidDataError
        If it is not a ``.npy`` file of version 1.0, 2.0 or 3.0, is cut off or too long, or holds what the store does
        not keep: objects, strings, structures, big endian, Fortran order, 0-d or empty arrays.
    """
    text, offset = _header_text(bytes(head[:HEAD_SIZE]), size, source)
    entries = _entries(text, source)
    descr = entries["descr"]
    dtype = _plain_dtype(descr[1:-1] if descr[0] in "'\"" else descr, source)
    shape = _shape(entries["shape"], source)
    fortran = entries["fortran_order"]
    if fortran not in {"True", "False"}:
        raise InvalidDataError(source, f"fortran_order is {_shown(fortran)}; allowed is False", _SAVE_AGAIN)
    # With at most one axis longer than 1 both orders are the same bytes.
    if fortran == "True" and sum(length > 1 for length in shape) > 1:
        raise InvalidDataError(source, "the array is in Fortran order; allowed is C order", _SAVE_AGAIN)
    declared, found = math.prod(shape) * dtype.itemsize, size - offset
    if declared != found:
        what = (
            f"{found - declared} bytes too many" if found > declared else f"cut off, {declared - found} bytes missing"
        )
        reason = f"shape {shape} of {dtype.name} takes {declared} bytes, the file holds {max(found, 0)}: {what}"
        raise InvalidDataError(source, reason, f"copy the file again, or {_SAVE_AGAIN}")
    return Header(dtype=dtype.name, shape=shape, data_offset=offset)


def decode(data: bytes | memoryview, source: str) -> NDArray[Any]:
    """Return the array in the bytes of a ``.npy`` file, without copying it.

    Parameters
    ----------
    data : bytes or memoryview
        The whole file.
    source : str
        What the data are called in errors, usually the path.

    Returns
    -------
    ndarray
        Read-only view of `data`, with the dtype and shape of the header.

    Raises
    ------
    InvalidDataError
        As `read_header`.
    """
    view = memoryview(data).cast("B")
    header = read_header(view[:HEAD_SIZE], view.nbytes, source)
    dtype = np.dtype(header.dtype).newbyteorder("<")
    values = np.frombuffer(view.toreadonly(), dtype=dtype, offset=header.data_offset)
    return values.reshape(header.shape)


def read_file(path: str) -> NDArray[Any]:
    """Return the array in a ``.npy`` file, mapped: pages are read when they are touched.

    Parameters
    ----------
    path : str
        Path of a regular file, which must not shrink while the array is in use.

    Returns
    -------
    ndarray
        Read-only view of the mapped file, with the dtype and shape of the header.

    Raises
    ------
    MissingFileError
        If the file is not there, is not a regular file or cannot be read.
    InvalidDataError
        As `read_header`.
    """
    try:
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise MissingFileError(path, "not a regular file")
        with Path(path).open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            read_header(file.read(HEAD_SIZE), size, path)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the path, or a file that was emptied after its header had been read.
        raise MissingFileError(path, (getattr(error, "strerror", None) or str(error)).lower()) from error
    return decode(memoryview(mapped), path)


def _header_text(head: bytes, size: int, source: str) -> tuple[str, int]:
    """Return the header as text, and the offset of the first value."""
    if not head.startswith(_MAGIC):
        raise InvalidDataError(source, "not a .npy file: it does not begin with \\x93NUMPY", _SAVE_AGAIN)
    version = tuple(head[6:8])
    if version not in {(1, 0), (2, 0), (3, 0)}:
        shown = ".".join(map(str, version)) or "missing"
        raise InvalidDataError(source, f"version {shown} of the .npy format; allowed are 1.0, 2.0, 3.0", _SAVE_AGAIN)
    start = 10 if version == (1, 0) else 12
    length = int.from_bytes(head[8:start], "little")
    if length > _LONGEST_HEADER:
        raise InvalidDataError(source, f"a header of {length} bytes; allowed are {_LONGEST_HEADER}", _SAVE_AGAIN)
    offset = start + length
    if min(len(head), size) < offset:
        raise InvalidDataError(source, f"cut off inside its header of {offset} bytes", "copy the file again")
    try:
        return head[start:offset].decode("utf-8" if version == (3, 0) else "latin-1"), offset
    except UnicodeDecodeError as error:
        raise InvalidDataError(source, "the header is not UTF-8", _SAVE_AGAIN) from error


def _entries(text: str, source: str) -> dict[str, str]:
    """Return the three entries of the header as they are written; nothing else may stand in it."""
    found: dict[str, str] = {}
    position = 1
    while text.startswith("{") and (entry := _ENTRY.match(text, position)):
        if entry["key"] in found:
            break
        found[entry["key"]] = entry["value"]
        position = entry.end()
    if not _END.fullmatch(text, position) or len(found) != 3:
        reason = f"the header {_shown(text)} is not a literal with just 'descr', 'fortran_order' and 'shape'"
        raise InvalidDataError(source, reason, _SAVE_AGAIN)
    return found


def _plain_dtype(descr: str, source: str) -> np.dtype[Any]:
    """Return the little-endian dtype of a description such as ``<f4``."""
    if descr.startswith("["):
        raise InvalidDataError(source, f"a structured dtype; allowed are {_ALLOWED}", "store each field on its own")
    parts = _DESCR.fullmatch(descr)
    order, kind, size = (parts["order"], parts["kind"], parts["size"]) if parts else ("", "", "")
    # One byte has no order; of more bytes a dtype without an order would mean the order of whoever reads it.
    if kind + size not in _PLAIN or not (size == "1" or order in {"<", ">"}):
        what = f" holds {_REFUSED_KINDS[kind]}" if kind in _REFUSED_KINDS else ""
        raise InvalidDataError(source, f"dtype {_shown(descr)}{what}; allowed are {_ALLOWED}", _CONVERT)
    if order == ">" and size != "1":
        advice = f"numpy.save(path, a.astype('<{kind}{size}'))"
        raise InvalidDataError(source, f"dtype {descr!r} is big endian; allowed is little endian", advice)
    return np.dtype(f"<{kind}{size}")


def _shape(value: str, source: str) -> tuple[int, ...]:
    if not value.startswith("("):
        raise InvalidDataError(source, f"shape {_shown(value)} is not a tuple of integers", _SAVE_AGAIN)
    lengths = value[1:-1].split(",")
    # A tuple of one needs its comma; a comma at the end of a longer one is allowed.
    ended = not lengths[-1].strip()
    parts = [_DIM.fullmatch(length) for length in (lengths[:-1] if ended else lengths)]
    dims = [part["number"] for part in parts if part is not None]
    if len(dims) != len(parts) or (len(parts) == 1 and not ended):
        raise InvalidDataError(source, f"shape {_shown(value)} is not a tuple of integers", _SAVE_AGAIN)
    # Python refuses to read integers of thousands of digits; nineteen are enough for any 64-bit size.
    if any(len(dim) > 19 for dim in dims):
        raise InvalidDataError(source, f"shape {_shown(value)}: at most {_MOST_VALUES} values are allowed", _SAVE_AGAIN)
    shape = tuple(map(int, dims))
    _check_shape(shape, source)
    return shape


def _check_shape(shape: tuple[int, ...], source: str) -> None:
    if not shape:
        raise InvalidDataError(source, "a single number (0-d); an array has one axis at least", "numpy.atleast_1d(a)")
    if len(shape) > _MOST_DIMS:
        raise InvalidDataError(source, f"{len(shape)} axes; allowed are {_MOST_DIMS}", "a.reshape(...) to fewer axes")
    if any(length < 0 for length in shape):
        raise InvalidDataError(source, f"shape {shape} has a negative length", _SAVE_AGAIN)
    if 0 in shape:
        raise InvalidDataError(source, f"shape {shape} is empty; an array holds one value at least", "give the values")
    if math.prod(shape) > _MOST_VALUES:
        reason = f"shape {shape} declares {math.prod(shape)} values; allowed are {_MOST_VALUES}"
        raise InvalidDataError(source, reason, _SAVE_AGAIN)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
