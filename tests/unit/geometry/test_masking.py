"""Areas and masks."""

from __future__ import annotations

import numpy as np
import pytest

from calibvcs import geometry
from calibvcs.errors import InvalidOptionError

LINE = "IP 0 {} 0 0 0 0 0 0 0 0 0 0"


def detector(name: str) -> geometry.Geometry:
    return geometry.load(LINE.format(name), shape=(10, 4800))


def bad(mask: np.ndarray, axis: int) -> list[int]:
    """Return the rows (axis 0) or columns (axis 1) that are masked as a whole."""
    return np.flatnonzero(~mask[0].any(axis=1 - axis)).tolist()


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("SENS2X1:V1", [], [193, 194]), ("EPIX100:V1", [351, 352], [383, 384]), ("EPIX10KA:V1", [175, 176], [191, 192]),
        ("EPIXHR2X2:V1", [143, 144], [191, 192]), ("EPIXHR1X4:V1", [], [191, 192, 383, 384, 575, 576]),
        ("EPIXUHR3X2:V1", [167, 168], [191, 192, 383, 384]), ("JUNGFRAU:V1", [255, 256], [255, 256, 511, 512, 767, 768]),
        ("JUNGFRAU:V2", [255, 256], [255, 256, 511, 512, 767, 768]), ("PNCCD:V1", [], []), ("EPIXMASIC:V1", [], []),
        ("MTRX:V2:9:8:5:5", [], []), ("MTRX:9:8:5:5", [], []),
    ],
)  # fmt: skip
def test_centres_and_edges(name: str, rows: list[int], columns: list[int]) -> None:
    found = detector(name)
    count, across = found.segments[0].shape
    mask = found.mask(edges=0, center=1)
    assert mask.dtype == np.uint8
    assert (bad(mask, 0), bad(mask, 1)) == (rows, columns)
    assert mask.sum() == (count - len(rows)) * (across - len(columns))
    edges = found.mask(edges=(1, 2), center=0)
    assert (bad(edges, 0), bad(edges, 1)) == ([0, count - 1], [0, 1, across - 2, across - 1])
    assert np.array_equal(found.mask(edges=(1, 2), center=1), edges & mask)
    assert found.mask(edges=0, center=0).all()
    assert not found.mask(edges=10**6).any()


def test_more_than_one_row_at_the_centre() -> None:
    mask = detector("JUNGFRAU:V2").mask(edges=0, center=(0, 2))
    assert bad(mask, 0) == []
    assert bad(mask, 1) == [n + k for n in (256, 512, 768) for k in (-2, -1, 0, 1)]


def test_wide_pixels_alone() -> None:
    assert bad(detector("JUNGFRAU:V2").mask(0, 0, wide=True), 0) == [255, 256]
    assert detector("JUNGFRAU:V1").mask(0, 0, wide=True).all()
    assert bad(detector("EPIX10KA:V1").mask(0, 0, wide=True), 1) == [191, 192]


def test_dummies_are_always_masked() -> None:
    mask = detector("ARCHON:V1").mask(edges=5)
    assert (mask.reshape(10, 16, 300).sum(axis=(0, 1)) == [160] * 264 + [0] * 36).all()


@pytest.mark.parametrize("width", [-1, (0, -1)])
def test_negative_widths_are_refused(width: int | tuple[int, int]) -> None:
    with pytest.raises(InvalidOptionError, match="edges"):
        detector("PNCCD:V1").mask(edges=width)


@pytest.mark.parametrize(
    ("name", "wide"),
    [("EPIX100:V1", 3.5), ("EPIX10KA:V1", 2.25), ("EPIXHR2X2:V1", 2.25), ("EPIXUHR3X2:V1", 2.625), ("JUNGFRAU:V2", 2)],
)
def test_areas_of_wide_pixels(name: str, wide: float) -> None:
    found = detector(name)
    areas, kind = found.pixel_areas()[0], found.segments[0].kind
    row, column = kind.rows.seams[0], kind.columns.seams[0]
    assert areas[0, 0] == pytest.approx(1, rel=1e-15)
    assert (
        areas[row, 0] == areas[row - 1, 0] == areas[0, column] == areas[0, column - 1] == pytest.approx(wide, rel=1e-15)
    )
    assert areas[row, column] == pytest.approx(wide**2, rel=1e-15)
    assert len(np.unique(areas.round(9))) == 3


def test_areas_as_psana_rounds_them() -> None:
    areas = detector("SENS2X1:V1").pixel_areas()[0]
    assert areas[0, 193] == 274.80 * 109.92 * (1 / (109.92 * 109.92))
    assert areas[0, 0] == 109.92 * 109.92 * (1 / (109.92 * 109.92))


@pytest.mark.parametrize("name", ["EPIXHR1X4:V1", "JUNGFRAU:V1", "PNCCD:V1", "MTRX:V2:9:8:5:7", "EPIXUHRASIC:V1"])
def test_areas_without_wide_pixels(name: str) -> None:
    assert (detector(name).pixel_areas() == 1).all()


def test_dummies_have_no_area() -> None:
    areas = detector("ARCHON:V2").pixel_areas()
    assert np.isnan(areas).sum() == 10 * 16 * 36
    assert np.nansum(areas) == 10 * 16 * 264
