"""Numbers as colours."""

from __future__ import annotations

import numpy as np

from calibvcs.images.colours import coloured, levels


def test_levels() -> None:
    values = np.array([-1, 0, 5, 10, 99, np.nan], np.float32)
    np.testing.assert_array_equal(levels(values, (0, 10)), [0, 0, 0.5, 1, 1, np.nan])


def test_colours() -> None:
    values = np.array([[0, 10, 10, 5]], np.float32)
    bad = np.array([[0, 0, 1, np.nan]], np.float32)
    image = coloured(values, bad, (0, 10))
    assert image.dtype == np.uint8
    assert [tuple(pixel) for pixel in image[0].tolist()] == [(68, 1, 84), (253, 231, 37), (255, 0, 191), (0, 0, 0)]


def test_one_bad_pixel_among_many_is_seen() -> None:
    clean, marked = (coloured(np.zeros((1, 1), np.float32), np.full((1, 1), s, np.float32), None) for s in (0, 1 / 36))
    assert np.abs(clean.astype(int) - marked).max() > 30
