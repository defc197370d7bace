"""One piece of a block, and blocks that are cut into pieces."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calibvcs.model import array_difference, piece_difference
from calibvcs.model.array_blocks import ArrayKind
from calibvcs.model.array_difference import compare
from calibvcs.model.piece_difference import (
    PieceDifference,
    Workspace,
    compare_piece,
    finite_differences,
    finite_median,
    subtract,
)

inf, nan = math.inf, math.nan


def test_a_whole_block_tells_its_median_a_part_of_one_a_sample() -> None:
    a, b = np.zeros(200, "f4"), np.arange(200, dtype="f4") - 50
    whole = compare_piece(a, b, "values", Workspace(200), whole=True)
    assert whole == PieceDifference(200, 199, 200, 0, -50, 149, float(np.sum(b * b)), 49.5)
    part = compare_piece(a, b, "values", Workspace(300), whole=False)
    assert part.sample is not None
    assert part.sample.tolist() == b[::64].tolist()
    assert replace(part, sample=None) == replace(whole, median=0.0)


def test_without_a_change_only_what_is_finite_is_counted() -> None:
    a = np.array([1, nan, inf, -inf])
    assert compare_piece(a, a.copy(), "values", Workspace(4), whole=True) == PieceDifference(4, 0, 1)
    assert compare_piece(a[1:], a[1:].copy(), "values", Workspace(4), whole=True) == PieceDifference(3, 0, 0)


def test_the_workspace_is_left_for_the_next() -> None:
    workspace = Workspace(100_000)
    for size in (100_000, 3, 70_000):
        a = np.random.default_rng(size).normal(0, 9, size).astype("f4")
        b = np.random.default_rng(size + 1).normal(0, 9, size).astype("f4")
        d = b.astype("f8") - a
        assert np.array_equal(subtract(a, b, workspace), d)
        found = compare_piece(a, b, "values", workspace, whole=True)
        assert (found.low, found.high, found.median) == (d.min(), d.max(), np.median(d))


def test_differences_that_are_not_finite_are_left_out() -> None:
    a, b = np.array([1, nan, inf, 2], "f4"), np.array([3, 4, inf, 1], "f4")
    assert finite_differences(a, b, Workspace(4)).tolist() == [2, -1]
    big = np.array([-np.finfo("f8").max, 1])
    assert finite_differences(big, -big, Workspace(2)).tolist() == [-2]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i8", "?"])
def test_median_of_finite_values(dtype: str) -> None:
    values = np.array([1, 0, 1, 1, 0, 1], dtype)
    assert finite_median(values, Workspace(6)) == 1
    if values.dtype.kind == "f":
        values[:3] = inf, nan, -inf
        assert finite_median(values, Workspace(6)) == 1
        assert math.isnan(finite_median(values[:3], Workspace(6)))


def test_median_of_complex_values_is_that_of_their_magnitude() -> None:
    assert finite_median(np.array([3 + 4j, 1, complex(nan, 0)]), Workspace(3)) == 3


@pytest.mark.parametrize("kind", ["values", "mask", "status"])
def test_a_block_in_pieces_is_as_a_whole(monkeypatch: pytest.MonkeyPatch, kind: ArrayKind) -> None:
    rng = np.random.default_rng(1)
    pairs: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = [
        (rng.normal(2500, 3, (2, 101)).astype("f4"), rng.normal(2500, 3, (2, 101)).astype("f4")),
        (rng.integers(0, 4, (2, 101), "u8"), rng.integers(0, 4, (2, 101), "u8")),
        (np.full((2, 101), nan), np.repeat([nan, 1.0], 101).reshape(2, 101)),
    ]
    wholes = [compare(a, b, dims=("segment", "column"), kind=kind) for a, b in pairs]
    monkeypatch.setattr(array_difference, "PIECE", 10)
    monkeypatch.setattr(piece_difference, "_SAMPLED", 3)
    for (a, b), whole in zip(pairs, wholes, strict=True):
        for row, expected in zip(
            compare(a, b, dims=("segment", "column"), kind=kind).segments, whole.segments, strict=True
        ):
            assert row.rms == pytest.approx(expected.rms)
            assert replace(row, rms=0) == replace(expected, rms=0)
