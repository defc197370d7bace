"""What a picture of a constant shows: small images of gain ranges and segments, limits, samples, bad pixels.

The data pass by once, block by block; what is kept of a block is a small image and a few thousand values.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from calibvcs.errors import CalibvcsError, InvalidOptionError
from calibvcs.geometry import load
from calibvcs.geometry.assembly import AssembledImage, Assembly
from calibvcs.images.limits import robust_limits, sample, symmetric_limits
from calibvcs.images.reduction import Reduced, averaged, factor_for, grid_for, reduce
from calibvcs.model import array_blocks
from calibvcs.ops.get import read
from calibvcs.ops.pictures.bad_pixels import BadPixels, bad_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from calibvcs.images.reduction import Grid
    from calibvcs.model.array_blocks import ArrayKind, Block
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.pictures.sources import PixelSource

SIDE: Final = 800
"""Pixels that a mosaic of segments, or an assembled image, may have on a side."""

_SAMPLE: Final = 1 << 20
_LINE: Final = 1 << 16


@dataclass(frozen=True, eq=False)
class Layer:
    """One gain range as a picture.

    Attributes
    ----------
    gain : int or None
        Which one; None where there is only one.
    segments : tuple of int or None
        Numbers of the segments, in the order of the tiles.
    tiles : tuple of Reduced
        Their images; of a status or mask the values are the part of bad pixels, 0 to 1.
    limits : tuple of float
        Robust limits of the colour scale, shared by all segments, in the unit of the data.
    values : ndarray
        Values of good, finite pixels of all segments: all of them, or a sample.
    of : int
        How many such pixels there are.
    pixels, bad, nonfinite : int
        Number of all pixels, of those that are marked bad, and of those that are good but NaN or infinite.
    bits : dict of int to int
        Status only: by value of a bit, in how many pixels it is set.
    assembled : Reduced or None
        The image of the detector.
    """

    gain: int | None
    segments: tuple[int | None, ...]
    tiles: tuple[Reduced, ...]
    limits: tuple[float, float]
    values: NDArray[Any]
    of: int
    pixels: int
    bad: int
    nonfinite: int
    bits: dict[int, int]
    assembled: Reduced | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """A constant as a picture.

    Attributes
    ----------
    label, said, form, unit : str
        What it is, who added it, dtype and shape, unit.
    kind : {"values", "mask", "status"}
        How the numbers are to be read.
    layers : tuple of Layer
        One a gain range.
    grid : Grid
        How the tiles of segments are arranged.
    factor, assembled_factor : int
        How many rows and columns became one, in the tiles and in the assembled image.
    tile : tuple of int
        Rows and columns of a segment.
    line : ndarray or None
        The numbers, where they have no rows and columns.
    notes : tuple of str
        What is marked, and what is not shown and why.
    """

    label: str
    said: str
    form: str
    unit: str
    kind: ArrayKind
    layers: tuple[Layer, ...]
    grid: Grid
    factor: int
    assembled_factor: int
    tile: tuple[int, int]
    line: NDArray[Any] | None
    notes: tuple[str, ...]


class LayerBuilder:
    """One gain range under construction.

    Parameters
    ----------
    factor : int
        How many rows and columns become one.
    blocks : int
        How many segments there will be.
    assembly : Assembly or None
        Where the pixels fall in the image of the detector.
    difference : bool
        Whether the values are differences, whose limits lie evenly about 0.
    """

    def __init__(self, factor: int, blocks: int, assembly: Assembly | None, *, difference: bool = False) -> None:
        self._factor, self._blocks, self._difference = factor, blocks, difference
        self._assembly = assembly
        self._image = AssembledImage(assembly) if assembly else None
        self._tiles: list[Reduced] = []
        self._segments: list[int | None] = []
        self._samples: list[NDArray[Any]] = []
        self._of = self._pixels = self._bad = self._nonfinite = 0
        self._bits: dict[int, int] = {}

    def add(self, block: Block, values: NDArray[Any], bad: NDArray[np.bool_]) -> None:
        """Take a segment in; what is bad does not enter means, limits and sample."""
        finite = np.isfinite(values)
        counts = finite & ~bad
        self._tiles.append(reduce(values, counts, self._factor))
        self._segments.append(block.segment)
        if self._image:
            self._image.add(block.segment or 0, values, counts)
        good = values[counts]
        # Of differences most are 0 and say nothing of the limits.
        told = good[good != 0] if self._difference else good
        self._samples.append(sample(told, max(1, _SAMPLE // self._blocks)).copy())
        self._of += told.size
        self._pixels += values.size
        self._bad += int(np.count_nonzero(bad))
        self._nonfinite += int(np.count_nonzero(~finite & ~bad))

    def count_bad(self, count: int) -> None:
        """Count bad pixels that are what is to be seen: those of a mask or status."""
        self._bad += count

    def count_bits(self, words: NDArray[np.uint64] | None) -> None:
        """Count the bits of status words."""
        for bit, count in (array_blocks.count_bits(words) if words is not None else {}).items():
            self._bits[bit] = self._bits.get(bit, 0) + count

    def layer(self, gain: int | None) -> Layer:
        """Return what came out."""
        values = np.concatenate(self._samples)
        limits = symmetric_limits(values) if self._difference else robust_limits(values)
        made = self._image
        assembled = averaged(made.sums, made.counting, made.all) if made else None
        return Layer(
            gain,
            tuple(self._segments),
            tuple(self._tiles),
            limits,
            values,
            self._of,
            self._pixels,
            self._bad,
            self._nonfinite,
            dict(sorted(self._bits.items())),
            assembled,
        )


def picture(
    catalogue: Catalogue,
    source: PixelSource,
    *,
    time: float | None = None,
    mark: bool = True,
    assemble: bool = True,
    side: int = SIDE,
) -> Picture:
    """Return a constant as a picture.

    Parameters
    ----------
    catalogue : Catalogue
        The commit that says which pixels are bad and where they are.
    source : PixelSource
        The array.
    time : float, optional
        UNIX seconds at which status, mask and geometry are looked up; default is the begin of its range.
    mark : bool, optional
        Whether bad pixels are looked up.
    assemble : bool, optional
        Whether the image of the detector is wanted.
    side : int, optional
        Pixels that an image may have on a side.

    Returns
    -------
    Picture
        Small images, limits, samples.

    Raises
    ------
    DamagedObjectError, NotHereError
        If the data are damaged or missing.
    """
    grid, factor, count = arranged(source, side)
    bad, assembly, notes = surroundings(catalogue, source, time, mark=mark, side=side if assemble else 0)
    layers = []
    if source.is_image:
        for gain, group in groupby(source.blocks(), key=lambda pair: pair[0].gain):
            builder = LayerBuilder(factor, count, assembly)
            for block, values in group:
                add_block(builder, source.kind, block, values, bad)
            layers.append(builder.layer(gain))
    line = None if source.is_image else _line(source)
    return Picture(
        source.label,
        source.said,
        f"{source.dtype} {'x'.join(map(str, source.shape))}",
        source.unit,
        source.kind,
        tuple(layers),
        grid,
        factor,
        assembly.factor if assembly else 1,
        source.tile,
        line,
        notes,
    )


def add_block(builder: LayerBuilder, kind: ArrayKind, block: Block, values: NDArray[Any], bad: BadPixels) -> None:
    """Take a block of a constant in: of a status or mask, which pixels it calls bad."""
    judged = array_blocks.bad_pixels(values, kind)
    if judged is None:
        builder.add(block, values, bad.at(block, values.shape))
        return
    builder.add(block, judged.view(np.uint8), BadPixels().at(block, judged.shape))
    builder.count_bad(int(np.count_nonzero(judged)))
    builder.count_bits(array_blocks.status_words(values, kind))


def surroundings(
    catalogue: Catalogue, source: PixelSource, time: float | None, *, mark: bool, side: int
) -> tuple[BadPixels, Assembly | None, tuple[str, ...]]:
    """Return bad pixels and geometry in force for a constant, and what is to be said of them; no image of size 0."""
    if source.name is None or not source.is_image:
        return BadPixels(), None, ()
    moment = float(source.name.validity.begin) if time is None else time
    bad = BadPixels()
    if mark and source.kind == "values":
        bad = bad_pixels(catalogue, source.name.detector, moment, source.tile)
    if not side:
        return bad, None, bad.notes
    try:
        assembly, said = _assembly(catalogue, source, moment, side), ""
    except CalibvcsError as error:  # the other pictures are of use without it
        assembly, said = None, f"no assembled image: {error.problem}"
    return bad, assembly, (*bad.notes, *([said] if said else []))


def _assembly(catalogue: Catalogue, source: PixelSource, time: float, side: int) -> Assembly:
    if source.name is None:
        raise InvalidOptionError("picture", source.label, "a file has no geometry in force")
    name = catalogue.choose(source.name.detector, "geometry", time)
    text = str(read(catalogue, name).data)
    try:
        geometry = load(text, source=str(name))
    except InvalidOptionError:  # a type of segment that has its size from the data
        geometry = load(text, shape=source.tile, source=str(name))
    assembly = Assembly(geometry, side)
    given = (_segments(source), *source.tile)
    if assembly.segments != given:
        allowed = f"{name} is for segments, rows, columns {assembly.segments}"
        raise InvalidOptionError("data", str(given), allowed)
    return assembly


def _segments(source: PixelSource) -> int:
    return source.shape[source.dims.index("segment")] if "segment" in source.dims else 1


def arranged(source: PixelSource, side: int) -> tuple[Grid, int, int]:
    """Return how the segments of a constant are arranged, how much they are reduced, and how many there are."""
    tile, count = source.tile, _segments(source)
    factor = factor_for(grid_for(tile, count).shape, side)
    while True:
        grid = grid_for((-(-tile[0] // factor), -(-tile[1] // factor)), count)
        # Gaps and what is rounded up may take more room than there is.
        if max(grid.shape) <= side or factor >= max(tile):
            return grid, factor, count
        factor += 1


def _line(source: PixelSource) -> NDArray[Any]:
    """Return numbers without rows and columns, one axis, some of them where there are very many."""
    values: Iterator[NDArray[Any]] = (values.reshape(-1).copy() for _, values in source.blocks())
    return sample(np.concatenate(list(values)), _LINE)
