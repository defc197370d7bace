"""What psana derives from a geometry to make images, as it keeps it in the cache of a detector.

psana takes these attributes as they are, without a look at geometry or shapes. So they are made here exactly as it
would make them, with its habits: the tables of pixels in shared bins are always empty.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.geometry.bins import check_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibvcs.geometry.detector import Geometry


def detector_cache(geometry: Geometry, segments: Sequence[int] | None = None) -> dict[str, object]:
    """Return the attributes of psana's constants object that belong to images.

    Parameters
    ----------
    geometry : Geometry
        Of the whole detector.
    segments : sequence of int, optional
        Numbers of the segments in the data, in their order; all by default.

    Returns
    -------
    dict
        ``_pix_rc`` (list of rows and columns, uint64, (segments, rows, columns)), ``_rc_tot_max`` (largest row and
        column over all segments of the geometry), ``img_entries`` (uint16 image: pixels in a bin),
        ``img_pix_ascend_ind`` (int32 image: flat index of the pixel that is seen, -1 for none), ``img_holes`` (bool
        image: no pixel here, but in all bins beside it), ``hole_rows``, ``hole_cols``, ``hole_inds1d`` (int64), and
        ``dmulti_pix_to_img_idx``, ``dmulti_imgidx_numentries``, ``_interpol_pars``, which are empty or None in psana
        4.3.4. Images end with the last row and column of these segments.

    Raises
    ------
    InvalidOptionError
        If a segment is not in the geometry, or named twice.
    InvalidDataError
        If the image would be too large, or the detector has dummies or pairs of segments, of which psana makes none.
    """
    chosen = _checked(geometry, segments)
    all_rows, all_columns = geometry.pixel_indexes()
    rows, columns = all_rows[chosen], all_columns[chosen]
    shape = check_image((int(rows.max()) + 1, int(columns.max()) + 1))
    bins = rows.reshape(-1).astype(np.int64)
    bins *= shape[1]
    bins += columns.reshape(-1).astype(np.int64)
    last = np.full(shape[0] * shape[1], -1, np.int32)
    last[bins] = np.arange(len(bins), dtype=np.int32)
    seen = last.reshape(shape)
    holes = _holes(seen >= 0)
    hole_rows, hole_columns = np.nonzero(holes)
    return {
        "_pix_rc": [rows, columns],
        "_rc_tot_max": [all_rows.max(), all_columns.max()],
        "img_entries": np.bincount(bins, minlength=last.size).astype(np.uint16).reshape(shape),
        "dmulti_pix_to_img_idx": {},
        "dmulti_imgidx_numentries": Counter[int](),
        "_interpol_pars": None,
        "img_pix_ascend_ind": seen,
        "img_holes": holes,
        "hole_rows": hole_rows,
        "hole_cols": hole_columns,
        "hole_inds1d": np.flatnonzero(holes),
    }


def _checked(geometry: Geometry, segments: Sequence[int] | None) -> list[int]:
    count = len(geometry.segments)
    if geometry.shape[0] != count or geometry.has_dummies:
        reason = f"{geometry.segments[0].label}: psana makes no such cache for this detector"
        raise InvalidDataError("geometry", reason, "leave it out of the detectors that are cached")
    chosen = list(range(count)) if segments is None else list(segments)
    if not chosen or len(set(chosen)) != len(chosen) or not all(0 <= number < count for number in chosen):
        raise InvalidOptionError("segments", str(chosen), f"allowed are numbers from 0 to {count - 1}, each once")
    return chosen


def _holes(filled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which bins are empty while all that exist above, below, left and right of them are filled."""
    holes = ~filled
    holes[:-1] &= filled[1:]
    holes[1:] &= filled[:-1]
    holes[:, :-1] &= filled[:, 1:]
    holes[:, 1:] &= filled[:, :-1]
    return holes
