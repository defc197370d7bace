"""What psana keeps to make images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from calibvcs import geometry
from calibvcs.errors import InvalidDataError, InvalidOptionError

# Two segments of 3 x 3 beside each other; a third one covers the last column of the second.
TEXT = """IP 0 MTRX:3:3:10:10 0 0 0 0 0 0 0 0 0 0
IP 0 MTRX:3:3:10:10 1 0 30 0 0 0 0 0 0 0
IP 0 MTRX:3:3:10:10 2 0 50 0 0 0 0 0 0 0
"""
NAMES = {
    "_pix_rc", "_rc_tot_max", "img_entries", "dmulti_pix_to_img_idx", "dmulti_imgidx_numentries", "_interpol_pars",
    "img_pix_ascend_ind", "img_holes", "hole_rows", "hole_cols", "hole_inds1d",
}  # fmt: skip


def one_by_one(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return entries, last pixels and holes, found the slow way."""
    shape = int(rows.max()) + 1, int(columns.max()) + 1
    entries, last = np.zeros(shape, int), np.full(shape, -1)
    for number, place in enumerate(zip(rows.ravel().tolist(), columns.ravel().tolist(), strict=True)):
        entries[place] += 1
        last[place] = number
    holes = np.zeros(shape, bool)
    for r in range(shape[0]):
        for c in range(shape[1]):
            beside = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
            there = [entries[a, b] > 0 for a, b in beside if 0 <= a < shape[0] and 0 <= b < shape[1]]
            holes[r, c] = not entries[r, c] and all(there)
    return entries, last, holes


def check(cache: dict[str, object], rows: np.ndarray, columns: np.ndarray) -> None:
    assert set(cache) == NAMES
    entries, last, holes = one_by_one(rows, columns)
    for name, expected, dtype in (
        ("img_entries", entries, np.uint16), ("img_pix_ascend_ind", last, np.int32), ("img_holes", holes, bool),
        ("hole_rows", np.nonzero(holes)[0], np.int64), ("hole_cols", np.nonzero(holes)[1], np.int64),
        ("hole_inds1d", np.flatnonzero(holes), np.int64),
    ):  # fmt: skip
        found = cache[name]
        assert isinstance(found, np.ndarray)
        assert found.dtype == dtype, name
        assert np.array_equal(found, expected), name
    pix_rc = cache["_pix_rc"]
    assert isinstance(pix_rc, list)
    assert all(map(np.array_equal, pix_rc, (rows, columns)))
    assert all(array.dtype == np.uint64 for array in pix_rc)
    assert cache["dmulti_pix_to_img_idx"] == {}
    assert isinstance(cache["dmulti_imgidx_numentries"], Counter)
    assert not cache["dmulti_imgidx_numentries"]
    assert cache["_interpol_pars"] is None


def test_of_all_segments() -> None:
    detector = geometry.load(TEXT)
    cache = geometry.detector_cache(detector)
    check(cache, *detector.pixel_indexes())
    assert cache["img_entries"].max() == 2  # type: ignore[attr-defined]
    assert cache["_rc_tot_max"] == [2, 7]


def test_of_segments_in_the_data() -> None:
    detector = geometry.load(TEXT)
    rows, columns = detector.pixel_indexes()
    cache = geometry.detector_cache(detector, [1, 0])
    check(cache, rows[[1, 0]], columns[[1, 0]])
    assert cache["_rc_tot_max"] == [2, 7]
    assert cache["img_holes"].shape == (3, 6)  # type: ignore[attr-defined]


def test_holes() -> None:
    turned = "IP 0 MTRX:V2:40:40:10:10 0 0 0 0 45 0 0 0 0 0"
    detector = geometry.load(turned)
    cache = geometry.detector_cache(detector)
    check(cache, *detector.pixel_indexes())
    assert len(cache["hole_rows"]) > 10  # type: ignore[arg-type]


def test_of_a_real_detector(shared_data: Path) -> None:
    text = (shared_data / "geometry/geometry-def-epix10kaquad.data").read_text()
    cache = geometry.detector_cache(geometry.load(text))
    assert cache["_rc_tot_max"] == [774, 792]
    assert len(cache["hole_inds1d"]) == 7  # type: ignore[arg-type]
    assert cache["img_entries"].sum() == 4 * 352 * 384  # type: ignore[attr-defined]


@pytest.mark.parametrize("segments", [[], [3], [-1], [1, 1]])
def test_segments_that_are_not_there_are_refused(segments: list[int]) -> None:
    with pytest.raises(InvalidOptionError, match="0 to 2, each once"):
        geometry.detector_cache(geometry.load(TEXT), segments)


def test_detectors_without_a_cache_are_refused() -> None:
    archon = geometry.load("IP 0 ARCHON:V1 0 0 0 0 0 0 0 0 0 0", shape=(3, 4800))
    with pytest.raises(InvalidDataError, match="psana makes no such cache"):
        geometry.detector_cache(archon)
    with pytest.raises(InvalidDataError, match="very far"):
        geometry.detector_cache(geometry.load(TEXT.replace(" 0 50 ", " 0 1e12 ")))
