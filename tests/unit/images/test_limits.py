"""Limits that a few wild pixels cannot pull away."""

from __future__ import annotations

import numpy as np
import pytest

from calibvcs.images.limits import robust_limits, sample, symmetric_limits


def test_wild_pixels_do_not_count() -> None:
    values = np.random.default_rng(0).normal(1000, 5, 100_000)
    low, high = robust_limits(values)
    wild = values.copy()
    wild[:200] = 1e30
    assert robust_limits(wild)[0] == pytest.approx(low, abs=0.5)
    assert robust_limits(wild)[1] == pytest.approx(high, abs=1)
    assert 980 < low < 990
    assert 1010 < high < 1020


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_equal_values_get_room(value: float) -> None:
    low, high = robust_limits(np.full(9, value))
    assert low < value < high


def test_nothing_at_all() -> None:
    assert robust_limits(np.empty(0)) == (0, 1)
    assert symmetric_limits(np.zeros(5)) == (-1, 1)


def test_a_few_changes_set_the_scale_of_a_difference() -> None:
    values = np.zeros(100_000)
    values[:40] = -25.5
    assert symmetric_limits(values) == (-25.5, 25.5)


@pytest.mark.parametrize("most", [1, 7, 100, 999, 1000, 5000])
def test_samples_are_small_and_meet_every_column(most: int) -> None:
    values = np.arange(1000)
    picked = sample(values, most)
    assert 1 <= picked.size <= most
    if 1 < picked.size < 1000:
        assert (picked[1] - picked[0]) % 2 == 1
