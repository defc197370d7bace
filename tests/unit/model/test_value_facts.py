"""What the gate asks of values, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calibvcs.model.value_facts import ValueFacts, value_facts


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "u8", "f2", "f4", "f8", "c8", "c16"])
def test_plain_values(dtype: str) -> None:
    assert value_facts(np.array([0, 1, 0], dtype), "values") == ValueFacts(3, 0, zero=False)
    assert value_facts(np.zeros(2, dtype), "status") == ValueFacts(2, 0, zero=True)
    assert value_facts(np.array([0, 1], dtype), "mask") == ValueFacts(2, 0, zero=False)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted(dtype: str, bad: float) -> None:
    assert value_facts(np.array([0, bad, 1, bad], dtype), "values") == ValueFacts(4, 2, zero=False)
    assert value_facts(np.full(2, bad, dtype), "values") == ValueFacts(2, 2, zero=False)


def test_a_complex_number_is_counted_once() -> None:
    values = np.array([complex(np.nan, np.inf), complex(0, np.inf), 0, 1j])
    assert value_facts(values, "values") == ValueFacts(4, 2, zero=False)


@pytest.mark.parametrize("negative", [np.array([-1, 0], "i2"), np.array([-0.5, 0.0])])
def test_what_is_below_zero_is_not_zero(negative: NDArray[np.generic]) -> None:
    assert not value_facts(negative, "values").zero
    assert value_facts(negative, "mask").others == 1


def test_a_mask_tells_what_is_neither() -> None:
    facts = value_facts(np.array([0, 3, 1, 7], "u1"), "mask")
    assert (facts.others, facts.example) == (2, "3")
    assert value_facts(np.array([1, np.nan]), "mask").others == 1


def test_facts_of_pieces_add_up() -> None:
    values = np.array([1, 0, 0, 5, 9, np.nan, 0, 2.5])
    for cut in range(1, len(values)):
        both = value_facts(values[:cut], "mask") + value_facts(values[cut:], "mask")
        assert both == value_facts(values, "mask")
    assert ValueFacts() + value_facts(np.zeros(2), "mask") == ValueFacts(2, 0, zero=True)
