"""The statistics of an array, block by block."""

import math
import pickle
from typing import Any

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.model.array_statistics import SegmentStatistics, gain_statistics
from calibvcs.model.array_summary import summarise as summary


def summarise(array: np.ndarray, **form: Any) -> tuple[SegmentStatistics, ...]:
    return summary(array, **form).segments


def test_one_row_a_gain_and_segment() -> None:
    array = np.random.default_rng(1).normal(2500, 10, (3, 2, 8, 16)).astype("f4")
    rows = summarise(array, dims=("gain", "segment", "row", "column"), kind="values")
    assert [(row.gain, row.segment) for row in rows] == [(g, s) for g in range(3) for s in range(2)]
    for row in rows:
        block = array[row.gain, row.segment].astype("f8")
        assert (row.min, row.max, row.median) == (block.min(), block.max(), np.median(block))
        assert (row.mean, row.rms) == pytest.approx((block.mean(), block.std()))
        assert (row.pixels, row.nonfinite, row.zeros, row.bad) == (128, 0, 0, None)
    assert pickle.loads(pickle.dumps(rows)) == rows  # noqa: S301 - our own


def test_only_finite_values_enter() -> None:
    (row,) = summarise(np.array([1.0, 3.0, 0.0, np.nan, np.inf]), dims=("value",), kind="values")
    assert (row.min, row.max, row.mean, row.median, row.nonfinite, row.zeros) == (0.0, 3.0, 4 / 3, 1.0, 2, 1)
    (row,) = summarise(np.full(3, np.nan), dims=("value",), kind="values")
    assert math.isnan(row.min)
    assert math.isnan(row.rms)
    assert (row.nonfinite, row.pixels) == (3, 3)


def test_sums_may_overflow() -> None:
    (row,) = summarise(np.full(4, np.finfo("f8").max), dims=("value",), kind="values")
    assert row.max == row.min == np.finfo("f8").max
    (row,) = summarise(np.full(4, np.finfo("f4").max, "f4"), dims=("value",), kind="values")
    assert row.mean == np.finfo("f4").max


def test_bad_pixels_and_bits() -> None:
    (row,) = summarise(np.array([[1, 0], [0, 1]], "u1"), dims=("row", "column"), kind="mask")
    assert (row.bad, row.zeros, row.bits) == (2, 2, {})
    (row,) = summarise(np.array([1, 0, np.nan]), dims=("value",), kind="mask")
    assert row.bad == 2
    (row,) = summarise(np.array([0, 1, 3, 2**63], "u8"), dims=("value",), kind="status")
    assert (row.bad, row.bits) == (3, {1: 2, 2: 1, 2**63: 1})


def test_a_block_may_be_one_value() -> None:
    (row, _) = summarise(np.array([[1.5, 2.0]], "f4"), dims=("gain", "segment"), kind="values")
    assert row == SegmentStatistics(0, 0, 1, 1.5, 1.5, 1.5, 1.5, 0.0, nonfinite=0, zeros=0)


def test_the_array_is_left_as_it_is() -> None:
    array = np.array([3.0, 1.0, 2.0])
    array.flags.writeable = False
    summarise(array, dims=("value",), kind="values")
    assert array.tolist() == [3.0, 1.0, 2.0]


def test_names_must_fit_the_axes() -> None:
    with pytest.raises(InvalidDataError, match="2 names"):
        summarise(np.zeros(3), dims=("row", "column"), kind="values")


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i2", "u8", "u1"])
def test_a_gain_range_is_as_if_it_were_one_block(dtype: str) -> None:
    array = np.random.default_rng(3).normal(100, 10, (2, 3, 8, 16)).astype(dtype)
    array[0, 0] = 7
    gains = summary(array, dims=("gain", "segment", "row", "column"), kind="values").gains
    assert [(row.gain, row.segment, row.pixels) for row in gains] == [(0, None, 384), (1, None, 384)]
    for row in gains:
        whole = array[row.gain].astype("f8")
        assert (row.min, row.max, row.median) == (whole.min(), whole.max(), np.median(whole))
        assert (row.mean, row.rms) == pytest.approx((whole.mean(), whole.std()))


def test_a_gain_range_leaves_out_what_is_not_finite() -> None:
    array = np.array([[1.0, 2.0, 9.0], [np.nan, np.nan, np.nan], [np.inf, 0.0, 4.0]])
    (row,) = summary(array, dims=("segment", "column"), kind="values").gains
    assert (row.min, row.max, row.median, row.mean, row.nonfinite, row.zeros) == (0.0, 9.0, 2.0, 3.2, 4, 1)
    assert row.rms == pytest.approx(np.std([1, 2, 9, 0, 4]))
    assert row.suspect == 5
    (row,) = summary(np.full((2, 3), np.nan), dims=("segment", "column"), kind="values").gains
    assert math.isnan(row.median)
    assert math.isnan(row.rms)


def test_a_gain_range_counts_bad_pixels_and_bits() -> None:
    words = np.array([[0, 1, 3], [0, 2, 2]], "u8")
    (row,) = summary(words, dims=("segment", "column"), kind="status").gains
    assert (row.bad, row.suspect, row.bits) == (4, 4, {1: 2, 2: 3})


def test_words_that_are_mostly_one_value_have_it_as_median() -> None:
    for words, middle in (([5, 5, 5, 1], 5), ([1, 1, 1, 9], 1), ([1, 1, 9, 9], 5), ([2**64 - 1] * 3, 2.0**64)):
        (row,) = summarise(np.array(words, "u8"), dims=("value",), kind="values")
        assert row.median == middle
    (row,) = summarise(np.array([True, True, False]), dims=("value",), kind="mask")
    assert (row.median, row.min, row.max) == (1.0, 0.0, 1.0)


def test_one_part_is_the_whole() -> None:
    rows = summarise(np.array([[3.0, 1.0]]), dims=("gain", "column"), kind="values")
    assert gain_statistics(rows, np.array([3.0, 1.0])) == rows[0]
