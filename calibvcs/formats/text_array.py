"""LCLS text n-d array: ``#`` records with dtype and shape, then the values, separated by blanks.

Two generations of readers look at different records (LCLS-I at DTYPE, NDIM and DIM, psana at SHAPE and DATATYPE);
both are read here and have to agree, and both are written. Integers are read as integers, so that 64-bit status
words keep their low bits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

# The largest detector with all its gain ranges (50 million values) takes half of it.
_LARGEST_TEXT: Final = 1024 * 1024 * 1024
# A list of ten million values; to read a line, numpy takes eight times its memory.
_LONGEST_LINE: Final = 128 * 1024 * 1024
_MOST_DIMS: Final = 32
_LONGEST_RECORD: Final = 1000
_KEY_WIDTH: Final = 11

_NUMPY_NAMES: Final = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
# What C++ programs call them: there, float is single precision and int has 32 bits.
_DTYPES: Final = (
    {name: name for name in _NUMPY_NAMES}
    | {f"{name}_t": name for name in _NUMPY_NAMES if "int" in name}
    | {"float": "float32", "double": "float64", "short": "int16", "int": "int32", "long": "int64"}
    | {"unsigned short": "uint16", "unsigned": "uint32", "unsigned int": "uint32", "unsigned long": "uint64"}
    | {"char": "int8", "unsigned char": "uint8", "long long": "int64", "unsigned long long": "uint64"}
)
_RESERVED: Final = frozenset({"SHAPE", "DATATYPE", "DTYPE", "NDIM"})
_MOST_DECIMALS: Final = 17

_RECORD: Final = re.compile(r"# (?P<key>SHAPE|DATATYPE|DTYPE|NDIM|DIM:[0-9]+)[ \t]+(?P<value>\S.*)")
_SHAPE: Final = re.compile(r"[(\[]?[ ]*([0-9]{1,12}(?:[ ]*,[ ]*[0-9]{1,12})*)[ ]*,?[ ]*[)\]]?")
_LENGTH: Final = re.compile(r"[0-9]{1,12}")
_FIELD: Final = re.compile(r"\S+")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)

_ADVICE: Final = "correct the header, or load it by hand and give the array: numpy.save('data.npy', a)"


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the header says; the shape is None where it says nothing."""

    dtype: str
    shape: tuple[int, ...] | None


def decode(text: str, source: str, dtype: str = "float32") -> NDArray[Any]:
    """Read an array.

    Parameters
    ----------
    text : str
        The whole file, at most 1 GiB, no line of it longer than 128 MiB. Without a header (plain ``numpy.savetxt``)
        it is a table of `dtype`.
    source : str
        What the text is called in errors, usually the path.
    dtype : str, optional
        Type of the values where the header names none.

    Returns
    -------
    ndarray
        Read-only, with the dtype and shape of the header; without a shape there, the table as it stands
        (row, column).

    Raises
    ------
    InvalidDataError
        If records contradict each other or cannot be read, a value is not a number of the dtype, or the number of
        values is not the declared one.
    """
    if len(text) > _LARGEST_TEXT:
        raise InvalidDataError(source, f"{len(text)} bytes of text; allowed are {_LARGEST_TEXT}", "give it as .npy")
    lines = text.split("\n")
    longest = max(map(len, lines))
    if longest > _LONGEST_LINE:
        raise InvalidDataError(source, f"a line of {longest} characters; allowed are {_LONGEST_LINE}", _ADVICE)
    declared = _declared([line for line in lines if line.startswith("# ")], source, dtype)
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not rows:
        raise InvalidDataError(source, "no values; an array holds one at least", _ADVICE)
    values = _values(rows, declared, lines, source)
    if declared.shape is not None:
        size = math.prod(declared.shape)
        if values.size != size:
            reason = f"the header declares shape {declared.shape}, {size} values; found are {values.size}"
            raise InvalidDataError(source, reason, "copy the file again, or correct its header")
        values = values.reshape(declared.shape)
    values.flags.writeable = False
    return values


def encode(
    array: NDArray[Any],
    comments: Mapping[str, str] = {},
    *,
    writing: Mapping[str, str] = {},
    decimals: int | None = None,
) -> str:
    """Return an array as text that reads back bit by bit (but for the payload of NaN).

    Parameters
    ----------
    array, comments, writing, decimals
        As for `encode_lines`.

    Returns
    -------
    str
        Records of both generations, then one row of the last axis a line.

    Raises
    ------
    InvalidDataError
        As for `encode_lines`.
    """
    return "".join(encode_lines(array, comments, writing=writing, decimals=decimals))


def encode_lines(
    array: NDArray[Any],
    comments: Mapping[str, str] = {},
    *,
    writing: Mapping[str, str] = {},
    decimals: int | None = None,
) -> Iterator[str]:
    """Return the lines of an array as text, each with its end, so that a large one is never in memory as text.

    Parameters
    ----------
    array : ndarray
        Bool, integer or real values, any shape but empty or 0-d.
    comments : mapping of str to str, optional
        Records for people that are written first, such as ``{"EXPERIMENT": "xcs01016"}``.
    writing : mapping of str to str, optional
        Records that psana puts before the form of the array: HOST, WORK_DIR, FILE_NAME, DATE_TIME, UID.
    decimals : int, optional
        Write real numbers with so many decimals, as LCLS' own programs do (3). Default is exact: nine digits for
        float32, the shortest form that reads back for float64. Integers are always written as integers.

    Returns
    -------
    iterator of str
        Records of both generations, then one row of the last axis a line.

    Raises
    ------
    InvalidDataError
        If the dtype cannot be written, the array is empty or 0-d, or a comment would be read as something else.
    InvalidOptionError
        If `decimals` is not between 0 and 17.
    """
    dtype = array.dtype.name
    if dtype not in _NUMPY_NAMES:
        raise InvalidDataError("array", f"dtype {dtype}; allowed are {', '.join(_NUMPY_NAMES)}", "a.astype('float32')")
    if not array.size or not array.ndim:
        raise InvalidDataError("array", f"shape {array.shape}; allowed is one value and one axis at least", "")
    if decimals is not None and not 0 <= decimals <= _MOST_DECIMALS:
        raise InvalidOptionError("decimals", str(decimals), f"0 to {_MOST_DECIMALS} are allowed")
    for key, value in (*comments.items(), *writing.items()):
        if not key or not f"{key}{value}".isprintable() or " " in key or key in _RESERVED or key.startswith("DIM:"):
            reason = f"comment {key[:60]!r}: allowed is one word that is no record of the format, and one line of text"
            raise InvalidDataError("array", reason, "rename it, or leave line ends out")
    records = [
        *(_record(key, value) for key, value in comments.items()),
        *([""] if comments else []),
        *(_record(key, value) for key, value in writing.items()),
        *(_record("SHAPE", _shape_record(array.shape)), _record("DATATYPE", dtype)),
        *("", _record("DTYPE", dtype), _record("NDIM", str(array.ndim))),
        *(_record(f"DIM:{axis}", str(length)) for axis, length in enumerate(array.shape)),
        "",
    ]
    return (f"{line}\n" for lines in (records, _written_rows(array, decimals)) for line in lines)


def _shape_record(shape: tuple[int, ...]) -> str:
    return str(shape).replace(" ", "")


def _record(key: str, value: str) -> str:
    return f"# {key:<{_KEY_WIDTH}} {value}".rstrip()


def _written_rows(array: NDArray[Any], decimals: int | None) -> Iterator[str]:
    rows = array.reshape(-1, array.shape[-1])
    # The shortest form of a float64 reads back exactly, and so do nine digits of a float32.
    if array.dtype.name == "float64" and decimals is None:
        for row in rows:
            yield " ".join(map(repr, row.tolist()))
        return
    real = "%.9g" if decimals is None else f"%.{decimals}f"
    line = " ".join([real if array.dtype.kind == "f" else "%d"] * rows.shape[1])
    for row in rows:
        yield line % tuple(row.tolist())


def _declared(header: Sequence[str], source: str, default: str) -> _Declared:
    """Return what the records say; those of both generations may stand there, but not contradict."""
    said: dict[str, str] = {}
    dims: list[int] = []
    for line in header:
        record = _RECORD.fullmatch(line.rstrip())
        if record is None:
            continue
        key, value = record["key"], record["value"]
        if len(value) > _LONGEST_RECORD:
            raise InvalidDataError(source, f"a record {key} of {len(value)} characters", _ADVICE)
        if key.startswith("DIM:"):
            # Counted from 0 by Python programs and from 1 by C++ ones: only the order of the lines tells.
            dims.append(_length(key, value, source))
        elif said.setdefault(key, value) != value:
            raise InvalidDataError(source, f"{key} is both {said[key][:60]!r} and {value[:60]!r}", _ADVICE)
    shapes = set()
    if "SHAPE" in said:
        numbers = _SHAPE.fullmatch(said["SHAPE"])
        if numbers is None:
            reason = f"SHAPE {said['SHAPE'][:60]!r}; allowed are lengths such as (3,512,1024)"
            raise InvalidDataError(source, reason, _ADVICE)
        shapes.add(tuple(int(number) for number in numbers[1].split(",")))
    if "NDIM" in said or dims:
        if str(len(dims)) != said.get("NDIM"):
            reason = f"NDIM is {said.get('NDIM', 'missing')[:60]}, the number of DIM lines {len(dims)}"
            raise InvalidDataError(source, reason, _ADVICE)
        shapes.add(tuple(dims))
    if len(shapes) > 1:
        raise InvalidDataError(source, f"SHAPE says {said['SHAPE'][:60]}, the DIM lines {tuple(dims)}", _ADVICE)
    shape = next(iter(shapes), None)
    if shape is not None and not 0 < len(shape) <= _MOST_DIMS:
        raise InvalidDataError(source, f"{len(shape)} axes; allowed are 1 to {_MOST_DIMS}", _ADVICE)
    names = {_dtype(said[key], source) for key in ("DATATYPE", "DTYPE") if key in said}
    if len(names) > 1:
        raise InvalidDataError(source, f"DATATYPE {said['DATATYPE']!r} is not DTYPE {said['DTYPE']!r}", _ADVICE)
    return _Declared(next(iter(names), default), shape)


def _length(key: str, value: str, source: str) -> int:
    if not _LENGTH.fullmatch(value):
        raise InvalidDataError(source, f"{key} is {value[:60]!r}; allowed are whole numbers", _ADVICE)
    return int(value)


def _dtype(name: str, source: str) -> str:
    known = _DTYPES.get(" ".join(name.split()))
    if known is None:
        raise InvalidDataError(source, f"dtype {name[:60]!r}; allowed are {', '.join(_NUMPY_NAMES)}", _ADVICE)
    return known


def _values(rows: list[str], declared: _Declared, lines: list[str], source: str) -> NDArray[Any]:
    """Return the values as a table, or one after the other where lines of unequal length belong to a shape."""
    dtype = np.dtype("uint8" if declared.dtype == "bool" else declared.dtype)
    table = _table(rows, dtype)
    if table is None and len(set(map(_count, rows))) > 1:
        if declared.shape is None:
            raise InvalidDataError(source, "lines of unequal length, and no shape in a header", _ADVICE)
        parts = [_table(list(group), dtype) for _, group in groupby(rows, key=_count)]
        flat = [part.reshape(-1) for part in parts if part is not None]
        table = np.concatenate(flat) if len(flat) == len(parts) else None
    if table is None:
        raise _bad_value(lines, dtype, source)
    if declared.dtype == "bool":
        if table.max() > 1:
            raise InvalidDataError(source, f"value {table.max()} of dtype bool; allowed are 0 and 1", _ADVICE)
        return table.astype(np.bool_)
    return table


def _table(rows: list[str], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return lines of equal length as a table, or None if one is not, or holds what is no number of the dtype."""
    table = _loaded(rows, dtype)
    if table is None and dtype.kind in "iu":
        # Some writers put integers down as 1.0 or 1e3; these are taken where nothing is lost.
        floats = _loaded(rows, np.dtype("float64"))
        table = None if floats is None else _as_integers(floats, dtype)
    return None if table is not None and dtype.kind == "f" and _has_overflow(table, rows) else table


def _loaded(rows: list[str], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return the table, or None if a value is no number of the dtype or the rows have unequal lengths."""
    try:
        return np.loadtxt(rows, dtype=dtype, comments=None, ndmin=2)
    except ValueError:
        return None


def _as_integers(floats: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return floats as integers, or None if one is not a whole number that the dtype can hold."""
    limits = np.iinfo(dtype)
    # Beyond 2**53 a float64 no longer tells one integer from the next.
    low, high = max(limits.min, -(2**53)), min(limits.max, 2**53)
    whole = (floats >= low) & (floats <= high) & (floats == np.floor(floats))
    return floats.astype(dtype) if bool(whole.all()) else None


def _has_overflow(table: NDArray[Any], rows: list[str]) -> bool:
    """Tell whether a finite number in the text became infinite."""
    infinite = np.isinf(table)
    for place in np.flatnonzero(infinite.any(axis=1)).tolist():
        fields = zip(_fields(rows[place]), infinite[place], strict=False)
        if any(is_infinite and "inf" not in field.lower() for field, is_infinite in fields):
            return True
    return False


def _count(row: str) -> int:
    return sum(1 for _ in _fields(row))


def _fields(row: str) -> Iterator[str]:
    """Yield the fields of a line one by one: all those of a line of a gigabyte would take dozens of it."""
    return (match[0] for match in _FIELD.finditer(row))


def _bad_value(lines: list[str], dtype: np.dtype[Any], source: str) -> InvalidDataError:
    """Return the error that names the first value which is no number of the dtype, and its line."""
    for number, line in enumerate(lines, start=1):
        for field in () if line.lstrip().startswith("#") else _fields(line):
            if not _fits(field, dtype):
                reason = f"line {number}: {field[:60]!r} is not a value of {dtype.name}"
                return InvalidDataError(source, reason, _ADVICE)
    return InvalidDataError(source, "the values cannot be read as a table of numbers", _ADVICE)


def _fits(field: str, dtype: np.dtype[Any]) -> bool:
    if not _FLOAT.fullmatch(field):
        return False
    if dtype.kind == "f":
        return "inf" in field.lower() or not float(field) > float(np.finfo(dtype).max)
    # Python does not turn thousands of digits into an integer; no dtype holds more than twenty.
    if _INTEGER.fullmatch(field) and len(field) <= 30:
        return np.iinfo(dtype).min <= int(field) <= np.iinfo(dtype).max
    value = float(field)
    return value.is_integer() and np.iinfo(dtype).min <= value <= min(np.iinfo(dtype).max, 2**53)
