"""The geometry of a whole detector, and what is computed from it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.geometry import masking
from calibvcs.geometry.bins import NO_BIN, bin_count, bin_numbers, check_image
from calibvcs.geometry.matrices import PIXEL_SIZE
from calibvcs.geometry.placement import Extent, fill
from calibvcs.geometry.text import parse
from calibvcs.geometry.tree import Segment, segments_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from calibvcs.geometry.segment_types import SegmentType
    from calibvcs.model.geometry import Panel

Coordinates = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
"""x, y, z of every pixel in um."""

Value = TypeVar("Value", bound=np.generic)

FRAMES: Final = ("psana", "lab")
_PAIRED: Final = "CSPAD2X2:V1"
_PAIRED_SHAPE: Final = (2, 185, 388)


def load(
    text: str, *, shape: tuple[int, int] | None = None, pixel_size: float = PIXEL_SIZE, source: str = "geometry"
) -> Geometry:
    """Read LCLS geometry text.

    Parameters
    ----------
    text : str
        The whole file, see `calibvcs.geometry.text.parse`.
    shape : tuple of int, optional
        Rows and columns of one segment, for the types that have their size from the data: ``MTRXANY:V1`` and
        ``ARCHON``.
    pixel_size : float
        Side of a pixel of ``MTRXANY:V1`` in um.
    source : str
        What the text is called in errors.

    Returns
    -------
    Geometry
        Nothing is computed yet.

    Raises
    ------
    InvalidDataError
        If the text is no geometry: line and text are named.
    InvalidOptionError
        If a segment needs `shape`, and it is not given or not allowed.
    """
    if not 0 < pixel_size < float("inf"):
        raise InvalidOptionError("pixel_size", str(pixel_size), "allowed are positive lengths in um")
    if shape is not None and len(shape) != len(("rows", "columns")):
        raise InvalidOptionError("shape", str(shape), "allowed are the rows and columns of one segment")
    panels = parse(text, source)
    given = None if shape is None else (int(shape[0]), int(shape[1]))
    return Geometry(panels, segments_of(panels, source, given, float(pixel_size)), source)


class Geometry:
    """Where every pixel of a detector is.

    Arrays have the shape (segments, rows, columns); the segments are in the order of `segments`, which is that of the
    data. The one exception is ``CSPAD2X2:V1`` with the shape (185, 388, 2), as its data have it. Every call computes
    its arrays anew, and they belong to the caller.

    Parameters
    ----------
    panels : tuple of Panel
        The lines of the text.
    segments : tuple of Segment
        The segments with their paths to the root.
    source : str
        What the geometry is called in errors.

    Raises
    ------
    InvalidDataError
        If a CSPAD2X2 stands beside other segments.
    """

    def __init__(self, panels: tuple[Panel, ...], segments: tuple[Segment, ...], source: str = "geometry") -> None:
        self.panels = panels
        self.segments = segments
        self._paired = (len(segments), *segments[0].shape) == _PAIRED_SHAPE and all(
            any(node.name == _PAIRED for node in segment.path) for segment in segments
        )
        if not self._paired and any(node.name == _PAIRED for segment in segments for node in segment.path):
            reason = f"{_PAIRED} is a detector of two segments of (185, 388); here are {len(segments)} segments"
            raise InvalidDataError(source, reason, "give it a geometry of its own")

    @property
    def pixel_size(self) -> float:
        """Side of an image bin in um: that of the first segment."""
        return self.segments[0].kind.pixel_size

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the arrays."""
        rows, columns = self.segments[0].shape
        return (rows, columns, 2) if self._paired else (len(self.segments), rows, columns)

    @cached_property
    def has_dummies(self) -> bool:
        """Whether some pixels have no place, as in an Archon camera."""
        return any(segment.kind.has_dummies for segment in self.segments)

    @cached_property
    def extent(self) -> Extent:
        """What the pixels span, tilts included."""
        return fill(self.segments, tilt=True, into=(None, None, None))

    @cached_property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns of the image, tilts included."""
        rows, columns = (
            bin_count(lowest, highest, self.pixel_size)
            for lowest, highest in zip(self.extent.lowest, self.extent.highest, strict=True)
        )
        return rows, columns

    def pixel_coords(self, tilt: bool = True, frame: Literal["psana", "lab"] = "psana") -> Coordinates:
        """Return the centre of every pixel.

        Parameters
        ----------
        tilt : bool
            Whether the tilts found by metrology are added to the design rotations.
        frame : str
            ``psana``: x along image rows, y along image columns, z against the beam; ``lab``: (-y, -x, -z), so that
            y is up and z along the beam.

        Returns
        -------
        tuple of three float64 arrays
            x, y, z in um; NaN for the dummies of Archon cameras. Equal to those of psana bit for bit.

        Raises
        ------
        InvalidOptionError
            If there is no such frame.
        """
        if frame not in FRAMES:
            raise InvalidOptionError("frame", frame, f"allowed are {', '.join(FRAMES)}")
        x, y, z = (self._new(np.float64) for _ in range(3))
        fill(self.segments, tilt=tilt, lab=frame == "lab", into=(x, y, z))
        return self._arranged(x), self._arranged(y), self._arranged(z)

    def pixel_indexes(
        self, tilt: bool = True, coords: Coordinates | None = None
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return the bin of the image that every pixel falls into.

        Parameters
        ----------
        tilt : bool
            As for `pixel_coords`.
        coords : tuple of arrays, optional
            What `pixel_coords` gave for the same `tilt` in the frame of psana: then they are not computed again.

        Returns
        -------
        tuple of two uint64 arrays
            Row and column. The lowest coordinate of the whole detector is the middle of bin 0. Dummies have `NO_BIN`.

        Raises
        ------
        InvalidOptionError
            If `coords` have not the shape of this detector.
        """
        extent = Extent()
        if coords is None:
            x, y = self._new(np.float64), self._new(np.float64)
            extent = fill(self.segments, tilt=tilt, into=(x, y, None))
        else:
            x, y = coords[:2]
            for axis, values in enumerate((x, y)):
                if values.shape != self.shape or values.dtype != np.float64:
                    shown = f"{values.dtype} {values.shape}"
                    raise InvalidOptionError("coords", shown, f"allowed is float64 of shape {self.shape}")
                extent.widen(axis, values, dummies=self.has_dummies)
        found = []
        for values, lowest in zip((x, y), extent.lowest, strict=True):
            given = np.ascontiguousarray(values)
            # Bins are as wide as coordinates: what nobody else has can be overwritten.
            out = np.empty(given.shape, np.uint64) if coords else given.view(np.uint64)
            bin_numbers(given, lowest, self.pixel_size, out, dummies=self.has_dummies)
            found.append(out if coords else self._arranged(out))
        return found[0], found[1]

    def pixel_areas(self) -> NDArray[np.float64]:
        """Return the area of every pixel in units of a regular one, as psana does, but right for JUNGFRAU:V2.

        Returns
        -------
        array of float64
            1.0 for regular pixels, NaN for dummies.
        """
        return self._by_segment(masking.areas, np.float64)

    def mask(
        self, edges: int | tuple[int, int] = 1, center: int | tuple[int, int] = 1, *, wide: bool = False
    ) -> NDArray[np.uint8]:
        """Return a mask of pixels that are not like the others because of where they are.

        Parameters
        ----------
        edges : int or tuple of int
            How many rows and columns to mask on each edge of a segment.
        center : int or tuple of int
            How many rows and columns to mask on each side of a line where two ASICs meet.
        wide : bool
            Whether wide pixels are masked, whatever `center` says.

        Returns
        -------
        array of uint8
            1 good, 0 masked. Dummies are always masked; nothing else is in an Archon camera.

        Raises
        ------
        InvalidOptionError
            If a number is negative.
        """
        widths = masking.widths("edges", edges), masking.widths("center", center)
        return self._by_segment(lambda kind: masking.mask(kind, *widths, wide=wide), np.uint8)

    def image(self, values: NDArray[Value], *, fill_value: float = 0, tilt: bool = True) -> NDArray[Value]:
        """Return values as an image; where pixels share a bin, the last one in memory is seen, as in psana.

        Parameters
        ----------
        values : array
            One value for each pixel, of the shape of the detector.
        fill_value : float
            Value of bins without a pixel.
        tilt : bool
            As for `pixel_coords`.

        Returns
        -------
        array
            Rows and columns of the image, dtype of `values`.

        Raises
        ------
        InvalidDataError
            If the image would have more than 2**28 bins.
        InvalidOptionError
            If `values` have not the shape of this detector.
        """
        if values.shape != self.shape:
            raise InvalidOptionError("values", str(values.shape), f"allowed is the shape {self.shape}")
        rows, columns = self.pixel_indexes(tilt)
        real = rows != NO_BIN if self.has_dummies else slice(None)
        rows, columns = rows[real], columns[real]
        shape = check_image((int(rows.max()) + 1, int(columns.max()) + 1))
        image = np.full(shape, fill_value, values.dtype)
        image[rows.reshape(-1), columns.reshape(-1)] = values[real].reshape(-1)
        return image

    def _new(self, dtype: type[Value]) -> NDArray[Value]:
        return np.empty((len(self.segments), *self.segments[0].shape), dtype)

    def _arranged(self, array: NDArray[Value]) -> NDArray[Value]:
        return np.ascontiguousarray(np.moveaxis(array, 0, -1)) if self._paired else array

    def _by_segment(self, made: Callable[[SegmentType], NDArray[Value]], dtype: type[Value]) -> NDArray[Value]:
        array = self._new(dtype)
        for number, segment in enumerate(self.segments):
            array[number] = made(segment.kind)
        return self._arranged(array)
