"""The pickles that psana reads, written at the speed of memory: arrays go out as they lie, nothing is copied.

Only plain things can be written: dict, list, tuple, text, numbers, None, ``collections.Counter`` and arrays. An array
is written as a call of ``numpy.ndarray`` on its bytes, which every numpy can load.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pickle import (
    APPENDS,
    BINFLOAT,
    BININT,
    BINUNICODE,
    BYTEARRAY8,
    EMPTY_DICT,
    EMPTY_LIST,
    LONG1,
    MARK,
    NEWFALSE,
    NEWTRUE,
    NONE,
    PROTO,
    REDUCE,
    SETITEMS,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    encode_long,
)
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from calibvcs.formats.psana.psana_documents import Document

Piece: TypeAlias = "bytes | memoryview"

CONSTANTS_FILE = "calibconst.pkl"
_PROTOCOL = 5
_BLOCK = 1 << 20
_LONGEST = 255  # bytes of a whole number


@dataclass(frozen=True, slots=True)
class AsType:
    """An array that is to be written in another dtype, block by block, so that no second copy of it is ever whole."""

    array: NDArray[Any]
    dtype: str


Value: TypeAlias = "NDArray[Any] | AsType | str"
Constants: TypeAlias = "Mapping[str, Mapping[str, tuple[Value, Document]] | None]"


def run_file(experiment: str, run: int) -> str:
    """Return the name of the file that older versions of psana read for a run."""
    return f"calibconst_{experiment}_r{run:04d}.pkl"


def cache_file(detname: str) -> str:
    """Return the name of the file that psana reads the image geometry of a detector from."""
    return f"{detname}_calibc_cache.pkl"


def constants_pickle(det_info: Mapping[str, str], constants: Constants) -> Iterator[Piece]:
    """Yield the bytes of ``calibconst.pkl``.

    Parameters
    ----------
    det_info : mapping of str to str
        Unique id of each detector of the run.
    constants : mapping
        For each detector its constants, ctype -> (value, document); None for one that was skipped.

    Yields
    ------
    bytes or memoryview
        The pickle, protocol 5, piece by piece; arrays in C order and little endian are not copied.

    Raises
    ------
    InvalidDataError
        If a value is none of those that psana gets.
    """
    return encode({"det_info": det_info, "calib_const": constants})


def cache_pickle(attributes: Mapping[str, object]) -> Iterator[Piece]:
    """Yield the bytes of ``{detname}_calibc_cache.pkl``; the attributes are those of the ``raw`` data of a detector."""
    return encode({"raw": attributes})


def encode(value: object) -> Iterator[Piece]:
    """Yield a pickle of plain things, piece by piece; raises as `constants_pickle`."""
    yield PROTO + bytes([_PROTOCOL])
    small = bytearray()
    for piece in _value(value):
        if isinstance(piece, memoryview):
            yield bytes(small)
            small.clear()
            yield piece
        else:
            small += piece
    yield bytes(small) + STOP


def size_of(value: object) -> int:
    """Return the size of a pickle in bytes, without making it."""
    return 3 + sum(piece if isinstance(piece, int) else len(piece) for piece in _value(value, only_sizes=True))


def _value(value: object, *, only_sizes: bool = False) -> Iterator[Any]:
    """Yield the pieces of one value; with `only_sizes`, a number in place of the bytes of an array."""
    match value:
        case None:
            yield NONE
        case bool():
            yield NEWTRUE if value else NEWFALSE
        case int() | np.integer():
            yield _whole(int(value))
        case float() | np.floating():
            yield BINFLOAT + struct.pack(">d", float(value))
        case str():
            text = value.encode("utf-8", "surrogatepass")
            yield BINUNICODE + struct.pack("<I", len(text)) + text
        case np.ndarray() | AsType():
            yield from _array(value, only_sizes=only_sizes)
        case Counter():
            yield _name("collections", "Counter") + MARK
            yield from _dictionary(value, only_sizes=only_sizes)
            yield TUPLE + REDUCE
        case Mapping():
            yield from _dictionary(value, only_sizes=only_sizes)
        case tuple() | list():
            yield MARK if isinstance(value, tuple) else EMPTY_LIST + MARK
            for one in value:
                yield from _value(one, only_sizes=only_sizes)
            yield TUPLE if isinstance(value, tuple) else APPENDS
        case _:
            reason = f"{type(value).__name__} is none of what psana's pickles hold"
            raise InvalidDataError("pickle", reason, "give arrays, text, numbers, and dict, list or tuple of them")


def _dictionary(value: Mapping[Any, object], *, only_sizes: bool) -> Iterator[Any]:
    yield EMPTY_DICT + MARK
    for key, inner in value.items():
        yield from _value(key, only_sizes=only_sizes)
        yield from _value(inner, only_sizes=only_sizes)
    yield SETITEMS


def _whole(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return BININT + struct.pack("<i", value)
    encoded = encode_long(value)
    if len(encoded) > _LONGEST:
        raise InvalidDataError("pickle", f"a whole number of {value.bit_length()} bits", "none has more than 2000")
    return LONG1 + bytes([len(encoded)]) + encoded


def _name(module: str, name: str) -> bytes:
    return b"".join(BINUNICODE + struct.pack("<I", len(word)) + word for word in (module.encode(), name.encode())) + (
        STACK_GLOBAL
    )


def _array(value: NDArray[Any] | AsType, *, only_sizes: bool) -> Iterator[Any]:
    array, dtype = (value.array, np.dtype(value.dtype)) if isinstance(value, AsType) else (value, value.dtype)
    stored = dtype.newbyteorder("<")
    if stored.kind not in "biufc" or stored.hasobject:
        raise InvalidDataError("pickle", f"an array of {dtype}; numbers are allowed")
    yield _name("numpy", "ndarray") + MARK
    yield from _value(tuple(array.shape))
    yield from _value(stored.str)
    yield BYTEARRAY8 + struct.pack("<Q", array.size * stored.itemsize)
    if only_sizes:
        yield array.size * stored.itemsize
    else:
        yield from _bytes(array, stored)
    yield TUPLE + REDUCE


def _bytes(array: NDArray[Any], dtype: np.dtype[Any]) -> Iterator[memoryview]:
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype == dtype:
        if flat.size:
            yield flat.view(np.uint8).data
        return
    for begin in range(0, flat.size, _BLOCK):
        with np.errstate(over="ignore"):
            yield flat[begin : begin + _BLOCK].astype(dtype).view(np.uint8).data
