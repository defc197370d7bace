"""The geometry as CrystFEL has it: flat panels of evenly spaced pixels, each with a corner and two directions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.geometry.detector import Coordinates

_MOST_PIXELS: Final = 2**27
_DEEP: Final = 3
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """One panel: a rectangle in the data, and where it is in space.

    Attributes
    ----------
    name : str
        Name of the panel, such as ``p0a3``.
    min_fs, max_fs, min_ss, max_ss : int
        First and last column (fast scan) and row (slow scan) in the data, both included.
    corner_x, corner_y : float
        Outer corner of the first pixel in the frame of the laboratory, in pixels of this panel.
    fs, ss : tuple of float
        Step from one column, or row, to the next one: x, y, z in pixels.
    z : float
        z of the corner in metres, along the beam from the sample.
    pixel_size : float
        Side of a pixel in um.
    index : int
        Where the panel is on the slower axis of data that have three; 0 for data that have two.
    ignored : bool
        Whether the panel is switched off (``no_index``).
    """

    name: str
    min_fs: int
    max_fs: int
    min_ss: int
    max_ss: int
    corner_x: float
    corner_y: float
    fs: Vector
    ss: Vector
    z: float
    pixel_size: float
    index: int = 0
    ignored: bool = False

    @property
    def where(self) -> tuple[int, slice, slice]:
        """Index of the panel in an array of shape (index, slow scan, fast scan)."""
        return self.index, slice(self.min_ss, self.max_ss + 1), slice(self.min_fs, self.max_fs + 1)

    def centres(self) -> tuple[NDArray[np.float64], ...]:
        """Return x, y, z of the centres of its pixels in um, in the frame of the laboratory, shape (rows, columns)."""
        along_fs = np.arange(self.max_fs - self.min_fs + 1)[None, :] + 0.5
        along_ss = np.arange(self.max_ss - self.min_ss + 1)[:, None] + 0.5
        size, corner = self.pixel_size, (self.corner_x, self.corner_y, self.z * 1e6 / self.pixel_size)
        return tuple(
            (start + along_fs * fs + along_ss * ss) * size
            for start, fs, ss in zip(corner, self.fs, self.ss, strict=True)
        )


@dataclass(frozen=True, slots=True)
class BadRegion:
    """Pixels that are not to be used: a rectangle in the data of one panel, or one in the laboratory.

    Attributes
    ----------
    name : str
        Name of the region; it begins with ``bad``.
    panel : str
        Panel that the limits belong to; "" for limits in the laboratory, which belong to all.
    first, last : tuple of float
        Lowest and highest fs and ss in the data, or x and y in pixels, both included.
    """

    name: str
    panel: str
    first: tuple[float, float]
    last: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CrystfelGeometry:
    """All panels of a CrystFEL geometry.

    Attributes
    ----------
    panels : tuple of PanelPlace
        The panels in the order of the file.
    bad : tuple of BadRegion
        What is not to be used.
    """

    panels: tuple[PanelPlace, ...]
    bad: tuple[BadRegion, ...] = ()

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data of one event: (slow scan, fast scan), or (index, slow scan, fast scan)."""
        shape = (
            max(panel.index for panel in self.panels) + 1,
            max(panel.max_ss for panel in self.panels) + 1,
            max(panel.max_fs for panel in self.panels) + 1,
        )
        return shape if shape[0] > 1 else shape[1:]

    def pixel_coords(
        self, shape: tuple[int, ...] | None = None, frame: Literal["psana", "lab"] = "psana"
    ) -> Coordinates:
        """Return the centre of every pixel.

        Parameters
        ----------
        shape : tuple of int, optional
            Shape of the data of one event, if it is more than `data_shape`, or if axes are to be told apart: (segments,
            rows, columns) for segments that stand below each other.
        frame : str
            ``psana`` or ``lab``, as for `Geometry.pixel_coords`.

        Returns
        -------
        tuple of three float64 arrays
            x, y, z in um; NaN for pixels of no panel.

        Raises
        ------
        InvalidDataError
            If the data would be too large, or two panels have the same pixel.
        InvalidOptionError
            If there is no such frame, or the data do not fit into the shape.
        """
        if frame not in ("psana", "lab"):
            raise InvalidOptionError("frame", frame, "allowed are psana, lab")
        wanted, whole = self._checked(shape)
        x, y, z = (np.full(whole, np.nan) for _ in range(3))
        for panel in self.panels:
            if not np.isnan(z[panel.where]).all():
                reason = f"panel {panel.name} has pixels that another panel has too"
                raise InvalidDataError("CrystFEL geometry", reason, "min and max of fs and ss are both included")
            for values, part in zip((x, y, z), panel.centres(), strict=True):
                values[panel.where] = part
        if frame == "psana":
            x, y, z = -y, -x, -z
        return x.reshape(wanted), y.reshape(wanted), z.reshape(wanted)

    def mask(self, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
        """Return which pixels may be used.

        Parameters
        ----------
        shape : tuple of int, optional
            As for `pixel_coords`.

        Returns
        -------
        array of uint8
            1 good; 0 for pixels of no panel, of a panel that is switched off, or in a bad region.

        Raises
        ------
        InvalidDataError
            If the data would be too large.
        InvalidOptionError
            If the data do not fit into the shape.
        """
        wanted, whole = self._checked(shape)
        good = np.zeros(whole, np.uint8)
        for panel in self.panels:
            part = np.full(good[panel.where].shape, not panel.ignored)
            for region in self.bad:
                if region.panel in ("", panel.name):
                    part &= ~_inside(panel, region)
            good[panel.where] = part
        return good.reshape(wanted)

    def _whole(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the shape (index, slow scan, fast scan) of data that a caller gives another one."""
        slow, fast = shape[:-1], shape[-1]
        if len(self.data_shape) == _DEEP:
            return slow[0], math.prod(slow[1:]), fast
        return 1, math.prod(slow), fast

    def _checked(self, shape: tuple[int, ...] | None) -> tuple[tuple[int, ...], tuple[int, int, int]]:
        """Return the shape that is wanted, and the same as (index, slow scan, fast scan)."""
        needed = self.data_shape
        wanted = needed if shape is None else tuple(shape)
        whole = self._whole(wanted) if len(wanted) >= len(needed) and min(wanted) > 0 else (0, 0, 0)
        if any(axis < least for axis, least in zip(whole[-len(needed) :], needed, strict=True)):
            raise InvalidOptionError("shape", str(shape), f"the data of one event are at least {needed}")
        if math.prod(whole) > _MOST_PIXELS:
            reason = f"{math.prod(whole)} pixels; allowed are {_MOST_PIXELS}"
            raise InvalidDataError("CrystFEL geometry", reason, "see max_ss and max_fs")
        return wanted, whole


def _inside(panel: PanelPlace, region: BadRegion) -> NDArray[np.bool_]:
    """Return which pixels of a panel are in a region, shape (rows, columns)."""
    along: tuple[NDArray[np.float64], ...]
    if region.panel:
        fs = np.arange(panel.min_fs, panel.max_fs + 1.0)[None, :]
        along = fs, np.arange(panel.min_ss, panel.max_ss + 1.0)[:, None]
    else:
        along = tuple(values / panel.pixel_size for values in panel.centres()[:2])
    within = [
        (values >= first) & (values <= last)
        for values, first, last in zip(along, region.first, region.last, strict=True)
    ]
    return np.logical_and(*within)
