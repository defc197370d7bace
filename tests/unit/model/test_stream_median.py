"""The median of numbers that are held, and of numbers that pass by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from calibvcs.model.stream_median import median, passing_median

FINITE = st.floats(-1e300, 1e300)
SOME = arrays.arrays(np.float64, st.integers(1, 60), elements=FINITE | st.sampled_from([0.0, -0.0, 1.5, 5e-324, -2.0]))


class Passes:
    """Numbers that pass by in pieces, and how often they did."""

    def __init__(self, values: NDArray[np.float64], pieces: int = 3) -> None:
        self._pieces, self.count = np.array_split(values, pieces), 0

    def __call__(self) -> Iterator[NDArray[np.float64]]:
        self.count += 1
        return (piece.copy() for piece in self._pieces)


@given(SOME)
def test_median_is_that_of_numpy(values: NDArray[np.float64]) -> None:
    assert median(values.copy()) == np.median(values)


@given(SOME, SOME, st.integers(0, 70), st.integers(1, 7))
def test_no_sample_is_too_bad(values: NDArray[np.float64], sample: NDArray[np.float64], held: int, pieces: int) -> None:
    for picked in (sample, values, values[:0], np.repeat(sample, 30)):
        assert passing_median(Passes(values, pieces), values.size, picked, held) == np.median(values)


@pytest.mark.parametrize("held", [0, 1, 5])
def test_many_equal_numbers_need_no_memory(held: int) -> None:
    values = np.array([7.0] * 50 + [-1e9] * 20 + [1e9] * 20)
    assert passing_median(Passes(values), 90, np.array([1e9]), held) == 7.0
    assert passing_median(Passes(np.array([1.0] * 40 + [2.0] * 40)), 80, np.array([]), held) == 1.5


@pytest.mark.parametrize("count", [300_000, 300_001])
def test_a_good_sample_needs_one_pass(count: int) -> None:
    values = np.random.default_rng(1).normal(5, 2, count)
    passes = Passes(values, 10)
    assert passing_median(passes, count, values[::64].copy(), held=60_000) == np.median(values)
    assert passes.count == 1
