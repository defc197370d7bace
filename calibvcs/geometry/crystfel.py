"""CrystFEL geometry files (``.geom``) of detectors.

Written after the manual page crystfel_geometry(5). CrystFEL knows flat panels of evenly spaced pixels only. A segment
is cut into its ASICs, and further where the spacing changes: in most types wide pixels stand where regular ones would,
as psana places them, and stay in the panel of their ASIC. In JUNGFRAU:V2 they have moved to their true centres, so each
row and column of them is a panel of its own, whose step is as wide as they are.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from calibvcs.errors import InvalidOptionError
from calibvcs.geometry.crystfel_panels import BadRegion, PanelPlace
from calibvcs.geometry.placement import moves
from calibvcs.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from calibvcs.geometry.axes import Axis
    from calibvcs.geometry.crystfel_panels import Vector
    from calibvcs.geometry.detector import Geometry
    from calibvcs.geometry.tree import Segment

WIDE: Final = ("panels", "bad")
LAYOUTS: Final = ("stacked", "segments")
_SAME: Final = 1e-6
_METRE: Final = 1e6
_MOST_MEMBERS: Final = 8


class _Piece(NamedTuple):
    """Pixels of an axis that are evenly spaced: first number, one past the last, and the step in um."""

    first: int
    stop: int
    step: float


def to_crystfel(
    geometry: Geometry,
    *,
    distance: float | None = None,
    tilt: bool = True,
    wide: Literal["panels", "bad"] = "panels",
    layout: Literal["stacked", "segments"] = "stacked",
    data: str = "/data/data",
    photon_energy: float | None = None,
    adu_per_ev: float | None = None,
) -> str:
    """Return the geometry as a CrystFEL file.

    Parameters
    ----------
    geometry : Geometry
        Of the whole detector.
    distance : float, optional
        ``clen``, from the sample to the detector in metres. What the geometry says more or less goes into ``coffset``,
        so that the sum is what it says. By default the mean of the panels.
    tilt : bool
        Whether the tilts found by metrology are in.
    wide : str
        ``panels``: every pixel is where the geometry says, and wide pixels that stand off the grid of their ASIC get
        panels of their own. ``bad``: one panel an ASIC, and all wide pixels in bad regions.
    layout : str
        ``stacked``: the segments stand below each other in the data, (events, segments x rows, columns);
        ``segments``: the data have the shape (events, segments, rows, columns).
    data : str
        Where the data are in their HDF5 file.
    photon_energy : float, optional
        In eV.
    adu_per_ev : float, optional
        Response of the detector.

    Returns
    -------
    str
        The file; with `wide="panels"` it gives back every pixel within 1e-6 of its size.

    Raises
    ------
    InvalidOptionError
        If an option has another value.
    """
    for option, given, allowed in (("wide", wide, WIDE), ("layout", layout, LAYOUTS)):
        if given not in allowed:
            raise InvalidOptionError(option, given, f"allowed are {', '.join(allowed)}")
    if not data.startswith("/") or not data.isprintable() or ";" in data:
        raise InvalidOptionError("data", data, "allowed is a path in an HDF5 file, such as /data/data")
    for option, value in (("photon_energy", photon_energy), ("adu_per_ev", adu_per_ev)):
        if value is not None and not 0 < value < np.inf:
            raise InvalidOptionError(option, str(value), "allowed are positive numbers")
    panels: list[PanelPlace] = []
    bad: list[BadRegion] = []
    for number, segment in enumerate(geometry.segments):
        for panel in _panels_of(segment, number, tilt=tilt, asics=wide == "bad", size=geometry.pixel_size):
            below = 0 if layout == "segments" else number * segment.shape[0]
            placed = replace(panel, min_ss=panel.min_ss + below, max_ss=panel.max_ss + below)
            panels.append(placed)
            if wide == "bad":
                bad.extend(_wide_regions(placed, segment, below))
    clen = round(float(np.mean([panel.z for panel in panels])), 6) if distance is None else float(distance)
    if not np.isfinite(clen):
        raise InvalidOptionError("distance", str(distance), "allowed are finite lengths in metres")
    lines = _head(geometry, clen, data, photon_energy, adu_per_ev)
    lines += ["dim0 = %", *(["dim2 = ss", "dim3 = fs"] if layout == "segments" else ["dim1 = ss", "dim2 = fs"]), ""]
    for panel in panels:
        lines += _panel_lines(panel, clen, numbered=layout == "segments")
    for region in bad:
        lines += _region_lines(region)
    return "\n".join([*lines, *_group_lines(panels, len(geometry.segments))]) + "\n"


def _panels_of(segment: Segment, number: int, *, tilt: bool, asics: bool, size: float) -> Iterator[PanelPlace]:
    """Return the panels of a segment, numbered ``p0a0``, ``p0a1``, ... row by row; rows are counted from 0."""
    kind = segment.kind
    parts = [(row, column) for row in _pieces(kind.rows, asics) for column in _pieces(kind.columns, asics)]
    starts = np.array([(_start(kind.rows, row), _start(kind.columns, column)) for row, column in parts])
    spots = _in_lab(segment, starts[:, 0], starts[:, 1], tilt=tilt)
    along = _in_lab(segment, np.array([1.0, 0.0]), np.array([0.0, 1.0]), tilt=tilt, turns_only=True)
    for place, (row, column) in enumerate(parts):
        ss, fs = (vector * piece.step for vector, piece in zip(along, (row, column), strict=True))
        corner = spots[place] - fs / 2 - ss / 2
        yield PanelPlace(
            name=f"p{number}a{place}",
            min_fs=column.first,
            max_fs=column.stop - 1,
            min_ss=row.first,
            max_ss=row.stop - 1,
            corner_x=float(corner[0] / size),
            corner_y=float(corner[1] / size),
            fs=_vector(fs / size),
            ss=_vector(ss / size),
            z=float(corner[2] / _METRE),
            pixel_size=size,
            index=number,
        )


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = values.tolist()
    return x, y, z


def _pieces(axis: Axis, asics: bool) -> list[_Piece]:
    """Cut an axis at its seams, at dummies, and, unless only ASICs are wanted, where the spacing changes."""
    centres = axis.centres
    real = centres[~np.isnan(centres)]
    direction = -1.0 if real[-1] < real[0] else 1.0
    found = []
    for begin, end in itertools.pairwise((0, *axis.seams, len(axis))):
        cuts = [begin]
        for place in range(begin + 1, end):
            spacing = (centres[place] - centres[place - 1]) * direction
            # Comparisons with NaN are false, so that every dummy is cut off.
            if not (abs(spacing - axis.size) < _SAME or (asics and spacing > 0)):
                cuts.append(place)
        for first, stop in itertools.pairwise((*cuts, end)):
            if np.isnan(centres[first]):
                continue
            alone = stop - first == 1 and axis.wide and axis.at_seams[first]
            found.append(_Piece(first, stop, direction * (axis.wide if alone else axis.size)))
    return found


def _start(axis: Axis, piece: _Piece) -> float:
    """Return where the first pixel of a piece is on the grid of its regular pixels, in um."""
    middle = (piece.first + piece.stop) // 2
    return float(axis.centres[middle]) - (middle - piece.first) * piece.step


def _in_lab(
    segment: Segment,
    along_rows: NDArray[np.float64],
    along_columns: NDArray[np.float64],
    *,
    tilt: bool,
    turns_only: bool = False,
) -> NDArray[np.float64]:
    """Bring points of a segment into the frame of the laboratory: shape (n, 3), um."""
    path = [replace(node, origin=(0.0, 0.0, 0.0)) for node in segment.path] if turns_only else segment.path
    x, y = (along_rows, along_columns) if segment.kind.x_along_rows else (along_columns, along_rows)
    z = np.zeros(len(x))
    for move in moves(path, tilt=tilt, dummies=False):
        x, y, z = move(x, y, z)
    return np.stack([-y, -x, -z], axis=1)


def _wide_regions(panel: PanelPlace, segment: Segment, below: int) -> Iterator[BadRegion]:
    """Return the rows and columns of wide pixels in the panel of an ASIC."""
    limits = ((panel.min_fs, panel.max_fs), (panel.min_ss, panel.max_ss))
    for number, (axis, shift) in enumerate(((segment.kind.columns, 0), (segment.kind.rows, below))):
        first, last = limits[number]
        numbers = np.flatnonzero(axis.at_seams) + shift if axis.wide else np.empty(0, np.int64)
        for place in numbers[(numbers >= first) & (numbers <= last)].tolist():
            low, high = [panel.min_fs, panel.min_ss], [panel.max_fs, panel.max_ss]
            low[number] = high[number] = place
            name = f"badwide_{panel.name}_{('fs', 'ss')[number]}{place}"
            yield BadRegion(name, panel.name, (low[0], low[1]), (high[0], high[1]))


def _head(geometry: Geometry, clen: float, data: str, energy: float | None, adu_per_ev: float | None) -> list[str]:
    kinds = ", ".join(sorted({segment.name for segment in geometry.segments}))
    lines = [f"; {len(geometry.segments)} segments {kinds}, written by calibvcs {__version__}"]
    for name, value, unit in (("photon_energy", energy, " eV"), ("adu_per_eV", adu_per_ev, "")):
        lines.append(f"; {name} = add it here" if value is None else f"{name} = {float(value)!r}{unit}")
    return [*lines, f"clen = {clen!r} m", f"res = {_METRE / geometry.pixel_size!r}", f"data = {data}"]


def _panel_lines(panel: PanelPlace, clen: float, *, numbered: bool) -> list[str]:
    directions = (
        (name, " ".join(f"{round(value, 15) + 0.0:+.15f}{axis}" for value, axis in zip(vector, "xyz", strict=True)))
        for name, vector in (("fs", panel.fs), ("ss", panel.ss))
    )
    fields = [
        *((name, str(getattr(panel, name))) for name in ("min_fs", "max_fs", "min_ss", "max_ss")),
        *directions,
        *((name, f"{getattr(panel, name):.9f}") for name in ("corner_x", "corner_y")),
        ("coffset", f"{panel.z - clen:.13f}"),
        *([("dim1", str(panel.index))] if numbered else []),
    ]
    return [*(f"{panel.name}/{name} = {value}" for name, value in fields), ""]


def _region_lines(region: BadRegion) -> list[str]:
    limits = zip(("fs", "ss"), region.first, region.last, strict=True)
    fields = [
        (f"{end}_{axis}", value) for axis, *ends in limits for end, value in zip(("min", "max"), ends, strict=True)
    ]
    return [
        *(f"{region.name}/{name} = {value:.0f}" for name, value in fields),
        f"{region.name}/panel = {region.panel}",
        "",
    ]


def _group_lines(panels: Sequence[PanelPlace], segments: int) -> list[str]:
    """Return what moves together, in the words of new versions and of old ones: the panels of a segment."""
    members: dict[str, list[str]] = {f"p{number}": [] for number in range(segments)}
    for panel in panels:
        members[f"p{panel.index}"].append(panel.name)
    lines = [line for name, inside in members.items() for line in _group(name, inside)]
    lines += _group("all", list(members))
    lines += [f"rigid_group_{name} = {','.join(inside)}" for name, inside in members.items()]
    return [*lines, f"rigid_group_collection_segments = {','.join(members)}"]


def _group(name: str, members: list[str]) -> list[str]:
    """Return the lines of a group; one of very many members is made of smaller ones, since CrystFEL has a limit."""
    lines = []
    while len(members) > _MOST_MEMBERS:
        parts = [members[first : first + _MOST_MEMBERS] for first in range(0, len(members), _MOST_MEMBERS)]
        names = [f"{name}_{members[0]}_{number}" for number in range(len(parts))]
        lines += [f"group_{part_name} = {','.join(part)}" for part_name, part in zip(names, parts, strict=True)]
        members = names
    return [*lines, f"group_{name} = {','.join(members)}"]
