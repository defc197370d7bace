"""What the gate asks of values: are they finite, is any not zero, and is a mask of ones and zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.model.array_blocks import ArrayKind


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """Facts of some values; those of two pieces add up to those of both.

    Attributes
    ----------
    size : int
        Number of values.
    nonfinite : int
        Number of them that are NaN or infinite.
    zero : bool
        Whether all of them are zero.
    others : int
        Masks only: number of values that are neither 0 nor 1.
    example : str
        The first of these; empty where there is none.
    """

    size: int = 0
    nonfinite: int = 0
    zero: bool = True
    others: int = 0
    example: str = ""

    def __add__(self, behind: ValueFacts) -> ValueFacts:
        return ValueFacts(
            self.size + behind.size,
            self.nonfinite + behind.nonfinite,
            self.zero and behind.zero,
            self.others + behind.others,
            self.example if self.others else behind.example,
        )


def value_facts(values: NDArray[Any], kind: ArrayKind) -> ValueFacts:
    """Look at values once.

    Parameters
    ----------
    values : ndarray
        One axis and one value at least, a plain dtype.
    kind : {"values", "mask", "status"}
        How they are to be read.

    Returns
    -------
    ValueFacts
        The facts.
    """
    parts = values.view(values.real.dtype) if values.dtype.kind == "c" else values
    # Smallest and largest tell it all as long as both are finite, which they are not if any value is not.
    low, high = parts.min(), parts.max()
    nonfinite = 0
    if parts.dtype.kind == "f" and not (math.isfinite(low) and math.isfinite(high)):
        nonfinite = values.size - int(np.count_nonzero(np.isfinite(values)))
    zero = bool(low == 0) and bool(high == 0)
    if kind != "mask" or values.dtype.kind == "b" or (values.dtype.kind in "ui" and low >= 0 and high <= 1):
        return ValueFacts(values.size, nonfinite, zero)
    others = values[(values != 0) & (values != 1)]
    return ValueFacts(values.size, nonfinite, zero, others.size, str(others[0]) if others.size else "")
