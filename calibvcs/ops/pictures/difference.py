"""What a picture of a difference shows: both sides on one scale, and second minus first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import InvalidOptionError
from calibvcs.model import array_blocks
from calibvcs.ops.pictures.pictures import SIDE, LayerBuilder, add_block, arranged, surroundings
from calibvcs.ops.pictures.sources import is_file, open_constant, open_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.images.reduction import Grid
    from calibvcs.model.array_blocks import ArrayKind
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.pictures.pictures import Layer
    from calibvcs.ops.pictures.sources import PixelSource


@dataclass(frozen=True, eq=False)
class DifferencePicture:
    """Two arrays and their difference as pictures.

    Attributes
    ----------
    a, b, said_a, said_b : str
        The two sides, and who added them when and why.
    form, unit : str
        Dtype and shape of the second side; unit.
    kind : {"values", "mask", "status"}
        How the numbers are to be read.
    rows : tuple of (Layer, Layer, Layer)
        One a gain range: first side, second side, second minus first. Of masks and status the difference is 1 where a
        pixel turned bad, and -1 where it turned good.
    grid, factor, tile
        As of `Picture`.
    assembled_factor : int
        How many rows and columns became one in assembled images.
    notes : tuple of str
        What is marked, and what is not shown and why.
    """

    a: str
    b: str
    said_a: str
    said_b: str
    form: str
    unit: str
    kind: ArrayKind
    rows: tuple[tuple[Layer, Layer, Layer], ...]
    grid: Grid
    factor: int
    assembled_factor: int
    tile: tuple[int, int]
    notes: tuple[str, ...]


def open_pair(catalogue: Catalogue, a: str, b: str, now: float) -> tuple[PixelSource, PixelSource]:
    """Return two arrays that are to be compared: two constants, or a file and a constant.

    Parameters
    ----------
    catalogue : Catalogue
        The commit at which names are looked up.
    a, b : str
        As for `diff`.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    tuple of two PixelSource
        First and second side.

    Raises
    ------
    InvalidOptionError
        If both are files, one is text, or their shapes differ or have no rows and columns.
    UnknownConstantError, UnknownDetectorError, UnknownVersionError, MissingFileError, InvalidDataError
        If one is not there, or cannot be read.
    """
    if is_file(a) and is_file(b):
        allowed = "one of the two has to be a constant, which says what the numbers are"
        raise InvalidOptionError("--diff", f"{a} {b}", allowed, "calibvcs plot --diff FILE DET/CTYPE/RANGE")
    if is_file(a):
        second = open_constant(catalogue, b, now)
        first = open_file(a, second)
    else:
        first = open_constant(catalogue, a, now)
        second = open_file(b, first) if is_file(b) else open_constant(catalogue, b, now)
    if first.shape != second.shape or first.dims != second.dims or first.kind != second.kind or not first.is_image:
        forms = " and ".join(f"{one.ctype} {'x'.join(map(str, one.shape))}" for one in (first, second))
        allowed = f"images of one shape and kind can be compared, not {forms}"
        raise InvalidOptionError("--diff", f"{a} {b}", allowed, f"what differs in numbers: calibvcs diff {a} {b}")
    return first, second


def difference_picture(
    catalogue: Catalogue,
    first: PixelSource,
    second: PixelSource,
    *,
    time: float | None = None,
    mark: bool = True,
    side: int = SIDE,
) -> DifferencePicture:
    """Return a difference as pictures, both arrays read once, block by block.

    Parameters
    ----------
    catalogue : Catalogue
        The commit that says which pixels are bad and where they are.
    first, second : PixelSource
        The two sides, of one shape.
    time, mark, side
        As for `picture`; status, mask and geometry are those of the second side, or of the first if that is a file.

    Returns
    -------
    DifferencePicture
        Three layers a gain range.

    Raises
    ------
    DamagedObjectError, NotHereError
        If data are damaged or missing.
    """
    named = second if second.name else first
    bad, assembly, notes = surroundings(catalogue, named, time, mark=mark, side=side)
    grid, factor, count = arranged(second, side)
    rows: list[tuple[Layer, Layer, Layer]] = []
    builders: tuple[LayerBuilder, LayerBuilder, LayerBuilder] | None = None
    gain: int | None = None
    for (block, old), (_, new) in zip(first.blocks(), second.blocks(), strict=True):
        if builders is None or block.gain != gain:
            if builders is not None:
                rows.append(_finished(builders, gain))
            gain = block.gain
            builders = (
                LayerBuilder(factor, count, assembly),
                LayerBuilder(factor, count, assembly),
                LayerBuilder(factor, count, assembly, difference=True),
            )
        add_block(builders[0], first.kind, block, old, bad)
        add_block(builders[1], second.kind, block, new, bad)
        builders[2].add(block, _minus(old, new, first.kind), bad.at(block, old.shape))
    if builders is not None:
        rows.append(_finished(builders, gain))
    return DifferencePicture(
        first.label,
        second.label,
        first.said,
        second.said,
        f"{second.dtype} {'x'.join(map(str, second.shape))}",
        second.unit,
        second.kind,
        tuple(rows),
        grid,
        factor,
        assembly.factor if assembly else 1,
        second.tile,
        notes,
    )


def _finished(
    builders: tuple[LayerBuilder, LayerBuilder, LayerBuilder], gain: int | None
) -> tuple[Layer, Layer, Layer]:
    return builders[0].layer(gain), builders[1].layer(gain), builders[2].layer(gain)


def _minus(old: NDArray[Any], new: NDArray[Any], kind: ArrayKind) -> NDArray[np.float64]:
    was, now = array_blocks.bad_pixels(old, kind), array_blocks.bad_pixels(new, kind)
    if was is not None and now is not None:
        turned: NDArray[Any] = now.astype(np.float64) - was
        return turned
    with np.errstate(invalid="ignore"):  # infinite minus infinite is NaN
        difference: NDArray[Any] = new.astype(np.float64) - old
        return difference
