"""Which pixels are bad at a time: what status and mask in force then say together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from calibvcs.errors import CalibvcsError
from calibvcs.model import array_blocks
from calibvcs.model.times import as_text
from calibvcs.ops.pictures.sources import PixelSource, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from calibvcs.model.array_blocks import Block
    from calibvcs.model.names import DetectorName
    from calibvcs.ops.catalogue import Catalogue

CTYPES: Final = ("pixel_status", "pixel_mask")


@dataclass(frozen=True, eq=False)
class BadPixels:
    """Bad pixels of a detector.

    Attributes
    ----------
    masks : tuple of dict
        For each constant that was looked at, its bad pixels by gain range and segment, shape (rows, columns).
    notes : tuple of str
        What was looked at, and what was not, in words.
    """

    masks: tuple[dict[tuple[int | None, int | None], NDArray[np.bool_]], ...] = ()
    notes: tuple[str, ...] = ()
    _none: dict[tuple[int, int], NDArray[np.bool_]] = field(default_factory=dict)

    def at(self, block: Block, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels of a block are bad.

        Parameters
        ----------
        block : Block
            Which one.
        shape : tuple of int
            Its rows and columns.

        Returns
        -------
        ndarray of bool, shape (rows, columns)
            True where bad; read-only by agreement.
        """
        found = self._none.setdefault(shape, np.zeros(shape, bool))
        for mask in self.masks:
            bad = next((mask[key] for key in _keys(block) if key in mask), None)
            if bad is not None and bad.shape == shape:
                found = found | bad if found.any() else bad
        return found


def _keys(block: Block) -> Iterator[tuple[int | None, int | None]]:
    """Yield where a block may stand: a mask has no gains, and a detector of one segment may have no such axis."""
    yield block.gain, block.segment
    yield None, block.segment
    if block.segment in {None, 0}:
        other = 0 if block.segment is None else None
        yield block.gain, other
        yield None, other


def bad_pixels(catalogue: Catalogue, detector: DetectorName, time: float, tile: tuple[int, int]) -> BadPixels:
    """Return what status and mask in force at a time call bad.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    detector : DetectorName
        Whose pixels.
    time : float
        UNIX seconds.
    tile : tuple of int
        Rows and columns of a segment; a status of another form is left out, and a note says so.

    Returns
    -------
    BadPixels
        Both together: a pixel is bad if one of them says so. What cannot be read is not marked, and a note says so.
    """
    masks, notes = [], []
    for ctype in CTYPES:
        name = catalogue.in_force(detector, ctype, time) if ctype in catalogue.ctypes(detector) else None
        if name is None:
            notes.append(f"no {ctype} is in force at {as_text(time)}")
            continue
        try:
            source = source_of(catalogue, name, str(name))
            if not source.is_image or source.tile != tile:
                notes.append(f"{name} is not marked: its segments have another shape, {source.tile}")
                continue
            masks.append(_read(source))
        except CalibvcsError as error:  # a picture without marks is better than none
            notes.append(f"{name} is not marked: {error.problem}")
            continue
        notes.append(f"bad by {name}")
    return BadPixels(tuple(masks), tuple(notes))


def _read(source: PixelSource) -> dict[tuple[int | None, int | None], NDArray[np.bool_]]:
    found = {}
    for block, values in source.blocks():
        bad = array_blocks.bad_pixels(values, source.kind)
        if bad is not None:
            found[block.gain, block.segment] = bad
    return found
