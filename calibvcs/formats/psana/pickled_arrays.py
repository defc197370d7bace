"""What stands in for the functions of numpy that pickles of arrays name: each checks what it gets, none allocates."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_MOST_DIMS: Final = 32
_LONGEST_AXIS: Final = 2**48


class RefusedPickleError(Exception):
    """What stands there is none of what psana's pickles hold; the reader says where."""


@dataclass
class Dtype:
    """A dtype that is being made: numpy gives the byte order after the name."""

    name: str
    order: Literal["<", ">"] = "<"


@dataclass
class Array:
    """An array that older pickles make empty and fill afterwards."""

    filled: NDArray[Any] | None = None


def _dtype(name: object, *_: object) -> Dtype:
    if not isinstance(name, str) or len(name) > 20:
        raise RefusedPickleError("a dtype without a name")
    order, bare = (name[0], name[1:]) if name[:1] in {"<", ">", "|", "="} else ("<", name)
    found = Dtype(bare, ">" if order == ">" else "<")
    _numpy_dtype(found)
    return found


def _numpy_dtype(dtype: object) -> np.dtype[Any]:
    """Return a dtype of plain numbers."""
    given = _dtype(dtype) if isinstance(dtype, str) else dtype
    if not isinstance(given, Dtype) or given.name[:1] not in {"b", "i", "u", "f", "c"} or len(given.name) > 3:
        raise RefusedPickleError("a dtype of something else than numbers")
    found = np.dtype(given.name)
    if found.kind not in "biufc":
        raise RefusedPickleError(f"dtype {found}; only numbers are allowed")
    return found.newbyteorder(given.order)


def set_order(dtype: Dtype, state: object) -> None:
    """Give a dtype the byte order that its state tells."""
    if not isinstance(state, tuple) or len(state) < 5 or state[1] not in {"<", ">", "|", "="} or any(state[2:5]):
        raise RefusedPickleError("a dtype with fields")
    dtype.order = ">" if state[1] == ">" else "<"


def _view(shape: object, dtype: object, data: object, *, fortran: bool = False) -> NDArray[Any]:
    """Return an array of just so many bytes."""
    found = _numpy_dtype(dtype)
    lengths = shape if isinstance(shape, tuple) else (shape,)
    if len(lengths) > _MOST_DIMS or not all(type(n) is int and 0 <= n < _LONGEST_AXIS for n in lengths):
        raise RefusedPickleError("a shape that is none")
    if not isinstance(data, memoryview) or math.prod(lengths) * found.itemsize != len(data):
        held = len(data) if isinstance(data, memoryview) else "no"
        raise RefusedPickleError(f"an array of {lengths} {found} on {held} bytes")
    return np.frombuffer(data, found).reshape(lengths, order="F" if fortran else "C")


def _from_parts(shape: object, dtype: object, data: object, *rest: object) -> NDArray[Any]:
    """Stand for ``numpy.ndarray``, in the way that calibvcs calls it."""
    if rest:
        raise RefusedPickleError("an array with an offset or strides")
    return _view(shape, dtype, data)


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> NDArray[Any]:
    """Stand for what numpy calls in protocol 5."""
    return _view(shape, dtype, data, fortran=order == "F")


def _reconstruct(*_: object) -> Array:
    """Stand for what numpy calls in older protocols; the array comes with the state."""
    return Array()


def filled(state: object) -> NDArray[Any]:
    """Return the array that a state tells of: version, shape, dtype, order, bytes."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise RefusedPickleError("an array without its five parts")
    _, shape, dtype, fortran, data = state
    return _view(shape, dtype, data, fortran=bool(fortran))


def _scalar(dtype: object, data: object) -> Any:
    return _view((1,), dtype, data)[0].item()


def _counter(counts: object = None) -> Counter[Any]:
    if counts is not None and type(counts) is not dict:
        raise RefusedPickleError("a Counter of something else than a dictionary")
    return Counter(counts)


def _bytes(text: object, encoding: object) -> memoryview:
    """Stand for what protocol 2 calls to write bytes as text."""
    if not isinstance(text, str) or encoding != "latin1":
        raise RefusedPickleError("bytes that are no text")
    return memoryview(text.encode("latin1"))


def finished(value: object) -> object:
    """Return an array in the place of what stood for it."""
    return value.filled if isinstance(value, Array) and value.filled is not None else value


_NUMERIC = ("numpy._core.numeric", "numpy.core.numeric")
_MULTIARRAY = ("numpy._core.multiarray", "numpy.core.multiarray")
NAMES: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    ("numpy", "ndarray"): _from_parts,
    ("numpy", "dtype"): _dtype,
    ("collections", "Counter"): _counter,
    ("_codecs", "encode"): _bytes,
    **{(module, "_frombuffer"): _from_buffer for module in _NUMERIC},
    **{(module, "_reconstruct"): _reconstruct for module in _MULTIARRAY},
    **{(module, "scalar"): _scalar for module in _MULTIARRAY},
}
