"""``blame --pixel``: every value that one pixel ever had, and who changed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.model.constant_types import constant_type
from calibvcs.model.layout import ARRAY_FILE
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.examination import stored_array
from calibvcs.ops.reference import locate
from calibvcs.ops.statistics.origins import ChangedBy, Origins, changed_by
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.examination import StoredArray
    from calibvcs.store.protocol import ReadableStore

Values = tuple[int | float, ...]

_READ_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Pixel:
    """Which pixel, and in which gain ranges; None for an axis that the array does not have."""

    segment: int | None
    row: int
    column: int
    gains: tuple[int | None, ...]

    @property
    def axes(self) -> set[str]:
        """Axes of the arrays that have it."""
        segment = set() if self.segment is None else {"segment"}
        return {"row", "column"} | segment | (set() if self.gains == (None,) else {"gain"})


@dataclass(frozen=True, slots=True)
class PixelChange:
    """A commit that changed a pixel, and its values since then, one a gain range."""

    by: ChangedBy
    values: Values


@dataclass(frozen=True, slots=True)
class PixelHistory:
    """The values that one pixel had.

    Attributes
    ----------
    constant, version, at : str
        Name and version, and the commit whose data are looked at.
    unit : str
        Unit of the values.
    pixel : Pixel
        Which one.
    changes : tuple of PixelChange
        Newest first; the first one holds the values of today.
    older : str
        Why nothing is told of what was before the last of them: another shape, or text; empty where nothing was.
    """

    schema: ClassVar[str] = "calibvcs.pixel-history/1"

    constant: str
    version: str
    at: str
    unit: str
    pixel: Pixel
    changes: tuple[PixelChange, ...]
    older: str = ""


def pixel_history(
    catalogue: Catalogue,
    given: str,
    now: float,
    row: int,
    column: int,
    *,
    gain: int | None = None,
    segment: int | None = None,
) -> PixelHistory:
    """Return every value that one pixel had, and who changed it.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE[@VERSION]``; the range may be left out where there is only one.
    now : float
        When an alias is to be resolved, UNIX seconds.
    row, column : int
        Where it is in its segment, counted from 0.
    gain : int, optional
        Gain range; default is each of them.
    segment : int, optional
        Segment; may be left out where there is only one.

    Returns
    -------
    PixelHistory
        One entry a change. NaN is the same as NaN. Where a merge had the pixel from one of its sides, that side is
        followed, else the first one.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    InvalidOptionError
        If it is text, has no rows and columns, or no such pixel; or if a segment has to be named.
    DamagedObjectError, NotHereError
        If data are missing or damaged.
    """
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    name, tip = located.constant, located.commit_id
    stored, dims = _stored(store, tip, name)
    pixel = _pixel(dims, stored.header.shape, (row, column), gain, segment)
    origins, origin_of, values = Origins(store, name), tip, _values(stored, dims, pixel)
    changes: list[tuple[str, Values]] = []
    older = ""
    while True:
        origin = origins.of(origin_of)
        before: list[tuple[str, Values]] = []
        for parent in origin.parents:
            try:
                there = _values(*_stored(store, parent, name), pixel)
            except (InvalidDataError, InvalidOptionError) as error:
                older = error.allowed if isinstance(error, InvalidOptionError) else error.problem
                continue
            before.append((parent, there))
            if _same(there, values):
                break
        if not before:
            changes.append((origin.commit.id, values))
            break
        if not _same(before[-1][1], values):
            changes.append((origin.commit.id, values))
            before.append(before[0])
        older = ""
        origin_of, values = before[-1]
    commits = changed_by(Catalogue(Snapshot(store, tip)), name, {commit for commit, _ in changes})
    unit = Catalogue(Snapshot(store, tip)).metadata(name).unit
    told = tuple(PixelChange(commits[commit], values) for commit, values in changes)
    return PixelHistory(str(name), located.version, tip, unit, pixel, told, older)


def _stored(store: ReadableStore, commit_id: str, name: ConstantName) -> tuple[StoredArray, tuple[str, ...]]:
    catalogue = Catalogue(Snapshot(store, commit_id))
    file, entry = catalogue.payload(name)
    if file != ARRAY_FILE:
        raise InvalidOptionError("constant", str(name), "it is text, which has no pixels")
    stored = stored_array(store, entry.id, f"{name}/{file}")
    return stored, catalogue.detector(name.detector).dims(constant_type(name.ctype), stored.header.shape)


def _pixel(
    dims: tuple[str, ...], shape: tuple[int, ...], place: tuple[int, int], gain: int | None, segment: int | None
) -> Pixel:
    lengths = dict(zip(dims, shape, strict=True))
    if not {"row", "column"} <= lengths.keys():
        raise InvalidOptionError("--pixel", "", f"the axes are {', '.join(dims)}: there are no rows and columns")
    rows, columns = lengths["row"], lengths["column"]
    if not (0 <= place[0] < rows and 0 <= place[1] < columns):
        allowed = f"row and column are counted from 0, and there are {rows} rows and {columns} columns"
        raise InvalidOptionError("--pixel", f"{place[0]},{place[1]}", allowed)
    if segment is None and lengths.get("segment", 1) == 1:
        segment = 0 if "segment" in lengths else None
    elif segment is None:
        raise InvalidOptionError("--segment", "", f"which one? there are {lengths['segment']}, counted from 0")
    elif not 0 <= segment < lengths.get("segment", 0):
        raise InvalidOptionError("--segment", str(segment), _allowed(lengths.get("segment", 0)))
    if gain is not None and not 0 <= gain < lengths.get("gain", 0):
        raise InvalidOptionError("--gain", str(gain), _allowed(lengths.get("gain", 0)))
    every = tuple(range(lengths["gain"])) if "gain" in lengths else (None,)
    return Pixel(segment, *place, every if gain is None else (gain,))


def _allowed(length: int) -> str:
    return f"allowed are 0 to {length - 1}" if length else "the array has no such axis"


def _values(stored: StoredArray, dims: tuple[str, ...], pixel: Pixel) -> Values:
    """Read an array to its end, and return the values of a pixel.

    Raises
    ------
    InvalidOptionError
        If the array has no such pixel.
    """
    shape = stored.header.shape
    wanted = {"segment": pixel.segment or 0, "row": pixel.row, "column": pixel.column}
    indices = [tuple({**wanted, "gain": gain or 0}.get(dim, 0) for dim in dims) for gain in pixel.gains]
    fits = set(dims) == pixel.axes and all(i < n for index in indices for i, n in zip(index, shape, strict=True))
    if not fits:
        form = "x".join(map(str, shape))
        raise InvalidOptionError("--pixel", "", f"the data before had the shape {form}, and no such pixel")
    places = [int(np.ravel_multi_index(index, shape)) for index in indices]
    found: dict[int, int | float] = {}
    for number, piece in enumerate(stored.pieces(_READ_AT_ONCE)):  # to the end: there the hash is checked
        begin = number * _READ_AT_ONCE
        found.update({p: piece[p - begin].item() for p in places if begin <= p < begin + piece.size})
    return tuple(found[place] for place in places)


def _same(a: Values, b: Values) -> bool:
    return all(x == y or (x != x and y != y) for x, y in zip(a, b, strict=True))
