"""Images made small, and put side by side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.images.reduction import factor_for, grid_for, reduce


@pytest.mark.parametrize(("shape", "most", "factor"), [((512, 1024), 800, 2), ((4, 5), 800, 1), ((1, 1601), 800, 3)])
def test_factor(shape: tuple[int, int], most: int, factor: int) -> None:
    assert factor_for(shape, most) == factor


def test_nothing_is_averaged_where_there_is_room() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    counts = np.array([[True, True, False], [True, True, True]])
    small = reduce(values, counts, 1)
    np.testing.assert_array_equal(small.values, [[0, 1, np.nan], [3, 4, 5]])
    np.testing.assert_array_equal(small.bad, [[0, 0, 1], [0, 0, 0]])


@given(st.integers(1, 12), st.integers(1, 12), st.integers(2, 6), st.integers(0, 2**32))
def test_means_are_those_of_blocks(rows: int, columns: int, factor: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    values, counts = random.normal(0, 9, (rows, columns)), random.random((rows, columns)) < 0.7
    small = reduce(values, counts, factor)
    assert small.values.shape == (-(-rows // factor), -(-columns // factor))
    for row, column in np.ndindex(small.values.shape):
        block = np.s_[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        good = values[block][counts[block]]
        wanted = good.mean() if good.size else np.nan
        np.testing.assert_allclose(small.values[row, column], wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(small.bad[row, column], 1 - counts[block].mean(), atol=1e-6)


def test_integers_of_any_width_are_averaged_without_overflow() -> None:
    values = np.full((4, 4), 65535, np.uint16)
    assert reduce(values, np.ones((4, 4), bool), 4).values[0, 0] == 65535


@pytest.mark.parametrize(("tile", "count", "across"), [((512, 1024), 32, 4), ((512, 1024), 2, 1), ((352, 384), 4, 2)])
def test_mosaics_are_about_as_wide_as_high(tile: tuple[int, int], count: int, across: int) -> None:
    assert grid_for(tile, count).across == across


def test_tiles_stand_row_by_row_from_the_top_left() -> None:
    grid = grid_for((2, 2), 4)
    image = grid.joined([np.full((2, 2), number, np.float32) for number in range(4)])
    assert image.shape == grid.shape == (5, 5)
    assert [image[row, column] for row, column in ((0, 0), (0, 4), (4, 0), (4, 4))] == [0, 1, 2, 3]
    assert np.isnan(image[2]).all()
    assert grid.corner(3) == (3, 3)
