"""The blocks that an array of constants is looked at by: one segment in one gain range at a time.

A block of the largest detectors has half a million pixels, so that work on a mapped array of any size takes a few
megabytes of memory.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ArrayKind = Literal["values", "mask", "status"]
"""How numbers are to be read: measured values; a mask (1 good, 0 bad); a status word (0 good, else bits)."""


@dataclass(frozen=True, slots=True)
class Block:
    """One segment in one gain range of an array.

    Attributes
    ----------
    gain, segment : int or None
        Indices on these axes, None where the array has no such axis.
    where : tuple of int or slice
        Index of the block in the array.
    """

    gain: int | None
    segment: int | None
    where: tuple[int | slice, ...]


def blocks(shape: tuple[int, ...], dims: tuple[str, ...]) -> Iterator[Block]:
    """Return the blocks of an array, gain by gain and in it segment by segment.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    dims : tuple of str
        Names of its axes, such as ``("gain", "segment", "row", "column")``.

    Returns
    -------
    iterator of Block
        At least one block; an array without these axes is one block.

    Raises
    ------
    InvalidDataError
        If there are not as many names as axes.
    """
    if len(dims) != len(shape):
        reason = f"{len(dims)} names {dims} for the {len(shape)} axes of shape {shape}"
        raise InvalidDataError("array", reason, "name each axis once, for example gain,segment,row,column")
    lengths = dict(zip(dims, shape, strict=True))
    gains = range(lengths["gain"]) if "gain" in lengths else [None]
    segments = range(lengths["segment"]) if "segment" in lengths else [None]
    for gain, segment in itertools.product(gains, segments):
        places = {"gain": gain, "segment": segment}
        where = (places.get(dim) for dim in dims)
        yield Block(gain, segment, tuple(slice(None) if place is None else place for place in where))


def in_memory_order(dims: tuple[str, ...]) -> bool:
    """Tell whether the blocks of an array in C order lie in memory one behind the other.

    Parameters
    ----------
    dims : tuple of str
        Names of its axes.

    Returns
    -------
    bool
        True where gain and segment, as far as there are any, are its first axes, in this order.
    """
    places = tuple(dim for dim in ("gain", "segment") if dim in dims)
    return dims[: len(places)] == places


def real_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers that can be ordered: of complex ones the magnitude, of booleans 0 and 1; others as they are."""
    if values.dtype.kind == "c":
        magnitude: NDArray[Any] = np.abs(values)
        return magnitude
    return values.view(np.uint8) if values.dtype.kind == "b" else values


def bad_pixels(block: NDArray[Any], kind: ArrayKind) -> NDArray[np.bool_] | None:
    """Return which pixels a mask or status array calls bad.

    Parameters
    ----------
    block : ndarray
        Values of any shape.
    kind : {"values", "mask", "status"}
        How they are to be read.

    Returns
    -------
    ndarray of bool or None
        True where bad, NaN included; None for measured values, which do not say.
    """
    if kind == "values":
        return None
    bad: NDArray[np.bool_] = block != 0 if kind == "status" else block == 0
    if block.dtype.kind in "fc":
        bad |= np.isnan(block)
    return bad


def status_words(block: NDArray[Any], kind: ArrayKind) -> NDArray[np.uint64] | None:
    """Return status words that bits can be counted in.

    Parameters
    ----------
    block : ndarray
        Values of any shape.
    kind : {"values", "mask", "status"}
        How they are to be read.

    Returns
    -------
    ndarray of uint64 or None
        The words; None where the values are no status, or no integers.
    """
    return block.astype(np.uint64, copy=False) if kind == "status" and block.dtype.kind in "bui" else None


def count_bits(words: NDArray[np.uint64]) -> dict[int, int]:
    """Return how many words have each bit set.

    Parameters
    ----------
    words : ndarray of uint64
        Words of any shape.

    Returns
    -------
    dict of int to int
        Number of words by value of the bit (1, 2, 4, ...), lowest first; only bits that are set somewhere.
    """
    present = int(np.bitwise_or.reduce(words, axis=None))
    values = (1 << place for place in range(present.bit_length()) if present >> place & 1)
    return {value: int(np.count_nonzero(words & np.uint64(value))) for value in values}
