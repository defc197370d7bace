"""The difference of two arrays, block by block."""

import pickle
import tracemalloc

import numpy as np
import pytest

from calibvcs.model.array_difference import ArrayDifference, SegmentDifference, compare

FOUR = ("gain", "segment", "row", "column")


def values(a: object, b: object, dtype: str = "f4") -> SegmentDifference:
    (segment,) = compare(np.array(a, dtype), np.array(b, dtype), dims=("value",), kind="values").segments
    return segment


def test_one_row_a_gain_and_segment() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(2500, 10, (3, 2, 8, 16)).astype("f4")
    b = a + rng.normal(0, 2, a.shape).astype("f4")
    b[1, 0] = a[1, 0]
    difference = compare(a, b, dims=FOUR, kind="values")
    assert [(row.gain, row.segment) for row in difference.segments] == [(g, s) for g in range(3) for s in range(2)]
    for row in difference.segments:
        d = b[row.gain, row.segment].astype("f8") - a[row.gain, row.segment]
        assert row.pixels == 128
        assert row.changed == np.count_nonzero(d)
        assert row.max_abs == np.abs(d).max()
        assert row.median == np.median(d)
        assert row.rms == pytest.approx(np.sqrt(np.mean(d**2)))
        assert row.new_bad is None
    assert difference.segments[2] == SegmentDifference(gain=1, segment=0, pixels=128, changed=0)
    assert difference.pixels == a.size
    assert difference.max_abs == np.abs(b.astype("f8") - a).max()
    assert difference.largest_median == max((row.median for row in difference.segments), key=abs)
    assert not difference.same
    assert pickle.loads(pickle.dumps(difference)) == difference  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("shape", "dims", "places"),
    [
        ((2, 4, 4), ("segment", "row", "column"), [(None, 0), (None, 1)]),
        ((4, 4), ("row", "column"), [(None, None)]),
        ((4,), ("value",), [(None, None)]),
        ((2, 4, 4), ("gain", "row", "column"), [(0, None), (1, None)]),
        ((4, 2), ("row", "segment"), [(None, 0), (None, 1)]),
        ((1, 2), ("gain", "segment"), [(0, 0), (0, 1)]),
    ],
)
def test_axes_are_found_by_their_names(shape: tuple[int, ...], dims: tuple[str, ...], places: list[object]) -> None:
    a, b = np.zeros(shape), np.arange(np.prod(shape)).reshape(shape)
    difference = compare(a, b, dims=dims, kind="values")
    assert [(row.gain, row.segment) for row in difference.segments] == places
    assert difference.pixels == a.size
    assert difference.changed == a.size - 1
    assert difference.max_abs == a.size - 1


def test_nan_is_nan_and_zero_is_zero() -> None:
    assert values([np.nan, 0.0, np.inf], [np.nan, -0.0, np.inf]).changed == 0
    assert values([np.nan, 1, np.inf, 4, 5], [np.nan, np.nan, -np.inf, np.inf, 7]) == SegmentDifference(
        gain=None, segment=None, pixels=5, changed=4, nonfinite=3, max_abs=2.0, median=2.0, rms=2.0
    )
    assert values([1.0, 2.0], [np.nan, np.nan]) == SegmentDifference(None, None, 2, changed=2, nonfinite=2)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_large_integers_are_told_apart(dtype: str) -> None:
    big = 2**62
    row = values([big, big, big], [big + 1, big, big - 2], dtype)
    assert (row.changed, row.max_abs, row.median) == (2, 2.0, 0.0)
    assert values([0], [np.iinfo(dtype).max], dtype).max_abs == float(np.iinfo(dtype).max)
    assert values([np.iinfo(dtype).max], [np.iinfo(dtype).min], dtype).median < 0


def test_dtypes_may_differ() -> None:
    a, b = np.array([2**63 - 1, 5]), np.array([2**63, 5], "u8")
    difference = compare(a, b, dims=("value",), kind="values")
    assert difference.changed == 1
    difference = compare(np.ones(3, "f4"), np.ones(3, "f8"), dims=("value",), kind="values")
    assert difference.changed == 0
    assert not difference.same
    assert (difference.dtype_a, difference.dtype_b) == ("float32", "float64")


def test_complex_values_differ_by_a_magnitude() -> None:
    row = values([0, 1j, complex("nan")], [3 + 4j, 1j, complex("nan")], "c8")
    assert (row.changed, row.nonfinite, row.max_abs) == (1, 0, 5.0)


def test_a_mask_tells_bad_pixels() -> None:
    a, b = np.array([[1, 1, 0, 0]], "u1"), np.array([[1, 0, 1, 0]], "u1")
    (row,) = compare(a, b, dims=("row", "column"), kind="mask").segments
    assert (row.changed, row.new_bad, row.cleared_bad, row.bits) == (2, 1, 1, {})


def test_a_status_tells_bits() -> None:
    a = np.array([0, 1, 6, 0, 2**63], "u8")
    b = np.array([0, 3, 0, 4, 0], "u8")
    difference = compare(a, b, dims=("value",), kind="status")
    (row,) = difference.segments
    assert (row.changed, row.new_bad, row.cleared_bad) == (4, 1, 2)
    assert row.bits == {2: (1, 1), 4: (1, 1), 2**63: (0, 1)}
    assert (difference.new_bad, difference.cleared_bad) == (1, 2)
    (row,) = compare(a, b.astype("u2"), dims=("value",), kind="status").segments
    assert row.bits == {2: (1, 1), 4: (1, 1), 2**63: (0, 1)}
    (row,) = compare(a.astype("f8"), b.astype("f8"), dims=("value",), kind="status").segments
    assert (row.new_bad, row.bits) == (1, {})


@pytest.mark.parametrize(
    ("b", "dims"), [(np.zeros((2, 4)), ("row", "column")), (np.zeros((2, 3)), ("value",)), (np.zeros(6), ("value",))]
)
def test_other_shapes_do_not_compare(b: np.ndarray, dims: tuple[str, ...]) -> None:
    difference = compare(np.zeros((2, 3)), b, dims=dims, kind="values")
    assert difference == ArrayDifference((2, 3), b.shape, "float64", "float64", comparable=False)
    assert not difference.same
    assert (difference.pixels, difference.max_abs, difference.largest_median) == (0, 0.0, 0.0)


def test_memory_is_that_of_a_block() -> None:
    a = np.zeros((3, 16, 64, 128), "f4")
    b = np.random.default_rng(1).normal(size=a.shape).astype("f4")
    tracemalloc.start()
    compare(a, b, dims=FOUR, kind="values")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * a[0, 0].astype("f8").nbytes
