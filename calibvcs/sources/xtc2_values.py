"""Values in the ShapesData of XTC2: numbers, text, enumerations, and arrays as views of the file."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from calibvcs.sources.xtc2_datagrams import CORRUPTED, DATA, SHAPES, children
from calibvcs.sources.xtc2_names import CHARSTR, ENUMVAL, TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibvcs.sources.mapping import Bytes
    from calibvcs.sources.xtc2_datagrams import Xtc
    from calibvcs.sources.xtc2_names import Field, Names

_SHAPE: Final = struct.Struct("<5I")
TYPES_OF_ARRAYS: Final = tuple(np.dtype(name) for name in TYPES)
# An array with an empty axis takes no bytes, and numpy refuses to count the others beyond this.
_MOST_VALUES: Final = 1 << 48
_LONGEST_TEXT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A value of an enumeration.

    Attributes
    ----------
    value : int
        What the data hold.
    label : str
        What it is called; empty where Configure gives it no name.
    """

    value: int
    label: str = ""


Value: TypeAlias = "int | float | str | EnumValue | NDArray[Any]"


class Place(NamedTuple):
    """Where in the file the value of a field stands, checked."""

    field: Field
    offset: int
    shape: tuple[int, ...]


def places(data: Bytes, xtc: Xtc, names: Names) -> tuple[Place, ...]:
    """Return where the fields of one ShapesData stand.

    Parameters
    ----------
    data : Bytes
        Holds it.
    xtc : Xtc
        The ShapesData.
    names : Names
        Which fields it has.

    Returns
    -------
    tuple of Place
        In the order of `names`; empty if the data are marked as damaged beyond use.

    Raises
    ------
    InvalidDataError
        If a field reaches behind the end of the data, or shapes or data are missing.
    """
    shapes = values = None
    for child in children(data, xtc.begin, xtc.end):
        if child.damage & CORRUPTED:
            return ()
        if child.kind == SHAPES and shapes is None:
            shapes = child
        elif child.kind == DATA and values is None:
            values = child
    if values is None:
        if not names.fields or xtc.damage & CORRUPTED:
            return ()
        raise data.broken(xtc.begin, f"no data for {names.detector} {names.algorithm}")
    found = []
    offset, row = values.begin, shapes.begin if shapes else 0
    for field in names.fields:
        shape: tuple[int, ...] = ()
        if field.rank:
            if shapes is None or shapes.end - row < _SHAPE.size:
                raise data.broken(xtc.begin, f"no shape for {names.detector} {names.algorithm}.{field.name}")
            shape = _SHAPE.unpack_from(data.view, row)[: field.rank]
            row += _SHAPE.size
        size = math.prod(shape) * TYPES_OF_ARRAYS[field.kind].itemsize
        if size > values.end - offset or math.prod(length or 1 for length in shape) > _MOST_VALUES:
            left = values.end - offset
            raise data.broken(
                offset,
                f"{names.detector} {names.algorithm}.{field.name} of shape {shape} takes {size} bytes, {left} are left",
            )
        found.append(Place(field, offset, shape))
        offset += size
    return tuple(found)


def value_at(data: Bytes, place: Place, labels: Mapping[str, Mapping[int, str]]) -> Value:
    """Return the value of a field.

    Parameters
    ----------
    data : Bytes
        Holds it.
    place : Place
        Where, as `places` returned it.
    labels : mapping
        Labels by value, by name of the enumeration.

    Returns
    -------
    int, float, str, EnumValue or ndarray
        Numbers as Python numbers. Arrays are read-only views of `data`, in C order, little endian, and need not be
        aligned. Text ends at its first NUL; bytes that are no UTF-8 are replaced.

    Raises
    ------
    InvalidDataError
        If a text is longer than 16 MiB.
    """
    dtype = TYPES_OF_ARRAYS[place.field.kind]
    if place.field.kind == CHARSTR:
        if place.shape[0] > _LONGEST_TEXT:
            raise data.broken(place.offset, f"a text of {place.shape[0]} bytes; allowed are {_LONGEST_TEXT}")
        text = bytes(data.view[place.offset : place.offset + place.shape[0]])
        return text.partition(b"\0")[0].decode("utf-8", "replace")
    array: NDArray[Any] = np.ndarray(place.shape, dtype, data.view, place.offset)
    if place.shape:
        return array
    number: int | float = array.item()
    if place.field.kind == ENUMVAL:
        return EnumValue(int(number), labels.get(place.field.enum, {}).get(int(number), ""))
    return number
