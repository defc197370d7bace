"""Images put together segment by segment are those that are put together at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.geometry import load
from calibvcs.geometry.assembly import AssembledImage, Assembly

TEXT = """\
IP:V1 0 MTRX:V2:5:7:100:100 0 0 0 0 90 0 0 0 0 0
IP:V1 0 MTRX:V2:5:7:100:100 1 900 -300 0 180 0 0 1.5 0 0
IP:V1 0 MTRX:V2:5:7:100:100 2 450 150 0 0 0 0 0 0 0
"""
PAIR = """\
CSPAD2X2:V1 0 SENS2X1:V1 0 0 -25000 0 0 0 0 0 0 0
CSPAD2X2:V1 0 SENS2X1:V1 1 0 25000 0 0 0 0 0 0 0
IP:V1 0 CSPAD2X2:V1 0 0 0 0 0 0 0 0 0 0
"""


def assembled(text: str, values: np.ndarray, most: int) -> tuple[Assembly, AssembledImage]:
    assembly = Assembly(load(text), most)
    image = AssembledImage(assembly)
    for number, segment in enumerate(values):
        image.add(number, segment, np.isfinite(segment))
    return assembly, image


def test_full_size_is_the_image_of_the_geometry() -> None:
    values = np.random.default_rng(0).normal(100, 9, (3, 5, 7))
    assembly, image = assembled(TEXT, values, 10_000)
    assert assembly.factor == 1
    np.testing.assert_array_equal(image.sums, load(TEXT).image(values))
    np.testing.assert_array_equal(image.all, load(TEXT).image(np.ones((3, 5, 7), np.int64)))


@pytest.mark.parametrize("most", [1, 3, 6])
def test_small_images_hold_sums_of_squares_of_bins(most: int) -> None:
    values = np.random.default_rng(1).normal(0, 9, (3, 5, 7))
    values[1, 2, 3] = np.nan
    assembly, image = assembled(TEXT, values, most)
    rows, columns = (found // np.uint64(assembly.factor) for found in load(TEXT).pixel_indexes())
    assert max(assembly.shape) <= most
    sums, count = np.zeros(assembly.shape), np.zeros(assembly.shape)
    for place in np.ndindex(values.shape):
        if np.isfinite(values[place]):
            sums[int(rows[place]), int(columns[place])] += values[place]
            count[int(rows[place]), int(columns[place])] += 1
    np.testing.assert_allclose(image.sums, sums, atol=1e-9)
    np.testing.assert_array_equal(image.counting, count)
    assert image.all.sum() == values.size


def test_pairs_of_segments_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="pairs"):
        Assembly(load(PAIR), 100)


@pytest.mark.parametrize("name", ["cspad", "jungfrau4M", "epix10kaquad", "epixuhr3x2-01"])
def test_real_detectors(shared_data: Path, name: str) -> None:
    text = (shared_data / "geometry" / f"geometry-def-{name}.data").read_text()
    geometry = load(text)
    values = np.random.default_rng(2).integers(1, 9, geometry.shape).astype(np.float64)
    _, image = assembled(text, values, 10_000)
    np.testing.assert_array_equal(image.sums, geometry.image(values))
    small, image = assembled(text, values, 300)
    assert max(small.shape) <= 300
    assert image.sums.sum() == values.sum()
