"""Fingerprints of blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calibvcs.model.array_summary import fingerprint, summarise


def test_one_a_block() -> None:
    array = np.zeros((2, 2, 3, 4), "f4")
    array[1, 0, 2, 3] = 1
    a, b, c, d = summarise(array, dims=("gain", "segment", "row", "column"), kind="values").fingerprints
    assert a == b == d != c
    assert len(a) == 32


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
def test_numbers_that_are_the_same_have_the_same(dtype: str) -> None:
    quiet, other = np.array([1, np.nan, 0.0], dtype), np.array([1, -np.nan, -0.0], dtype)
    bits = np.array([0x7FC00001], "u4").view("f4")
    assert fingerprint(quiet) == fingerprint(other)
    assert fingerprint(np.array([math.nan], "f4")) == fingerprint(bits)
    assert fingerprint(quiet) != fingerprint(np.array([1, 2, 0.0], dtype))


def test_dtype_and_shape_count() -> None:
    zeros = [np.zeros((2, 3), "f4"), np.zeros((3, 2), "f4"), np.zeros((2, 3), "u4"), np.zeros((2, 3), "f8")]
    assert len({fingerprint(array) for array in zeros}) == 4


def test_order_in_memory_does_not_count() -> None:
    array = np.arange(12, dtype="f4").reshape(3, 4)
    array.flags.writeable = False
    assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(array.copy())
