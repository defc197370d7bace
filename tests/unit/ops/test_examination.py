"""New data beside stored ones: the same numbers as of both as a whole."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calibvcs.errors import DamagedObjectError, InvalidDataError
from calibvcs.model import piece_difference
from calibvcs.model.array_difference import ArrayDifference, compare
from calibvcs.model.gate import Level
from calibvcs.model.value_facts import ValueFacts
from calibvcs.ops import examination
from calibvcs.ops.examination import Examination, StoredArray, examine, stored_array
from calibvcs.store.memory import MemoryStore

FOUR = ("gain", "segment", "row", "column")


def stored(array: NDArray[np.generic], store: MemoryStore | None = None) -> StoredArray:
    store = store or MemoryStore()
    file = io.BytesIO()
    np.save(file, array)
    return stored_array(store, store.put_blob([file.getvalue()]), "det/pedestals/0-end/data.npy")


def look(new: NDArray[np.generic], old: NDArray[np.generic], dims: tuple[str, ...] = FOUR) -> Examination:
    return examine(new, stored(old), dims=dims, kind="values", with_levels=True)


@pytest.fixture(params=["as it is", "two threads", "pieces", "pieces in two threads"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let small arrays be worked on as large ones are."""
    if "threads" in request.param:
        monkeypatch.setattr(examination, "_LARGE", 0)
    if "pieces" in request.param:
        monkeypatch.setattr(examination, "PIECE", 20)
        monkeypatch.setattr(piece_difference, "_SAMPLED", 3)
    return str(request.param)


def arrays() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    old = rng.normal(2500, 10, (3, 4, 5, 7)).astype("f4")
    new = old + rng.normal(1, 2, old.shape).astype("f4")
    new[1, 2] = old[1, 2]
    return old, new


def test_differences_are_those_of_the_whole(way: str) -> None:
    old, new = arrays()
    found = look(new, old)
    assert found.facts == ValueFacts(420, 0, zero=False)
    assert found.difference is not None
    whole = compare(old, new, dims=FOUR, kind="values")
    for row, expected in zip(found.difference.segments, whole.segments, strict=True):
        assert replace(row, rms=0) == replace(expected, rms=0)
        assert row.rms == pytest.approx(expected.rms)  # a sum in another order
    assert replace(found.difference, segments=()) == replace(whole, segments=())


def test_levels_are_medians_of_segments() -> None:
    old, new = arrays()
    new[0, 0, 0, 0], old[2, 3, 1] = np.inf, np.nan
    expected = tuple(
        Level(
            gain, *(float(np.median(array[gain, s][np.isfinite(array[gain, s])].astype("f8"))) for array in (new, old))
        )
        for gain in range(3)
        for s in range(4)
    )
    assert look(new, old).levels == expected
    assert examine(new, stored(old), dims=FOUR, kind="values", with_levels=False).levels == ()


@pytest.mark.parametrize("dtype", ["f8", "u2", "u8", "i8", "?", "c8"])
def test_dtypes_may_differ(way: str, dtype: str) -> None:
    old, new = (np.arange(120).reshape(2, 3, 4, 5) % 7).astype(dtype), arrays()[1][:2, :3, :4, :5].copy()
    found, whole = look(new, old).difference, compare(old, new, dims=FOUR, kind="values")
    assert found is not None
    assert (found.changed, found.max_abs, found.dtype_a) == (whole.changed, whole.max_abs, np.dtype(dtype).name)
    assert [row.median for row in found.segments] == [row.median for row in whole.segments]


def test_blocks_that_are_spread_over_the_file(way: str) -> None:
    old, new = arrays()
    dims = ("row", "gain", "column", "segment")
    found, whole = look(new, old, dims), compare(old, new, dims=dims, kind="values")
    assert found.difference == whole
    assert len(found.levels) == len(whole.segments)


def test_of_another_shape_no_value_is_read() -> None:
    before = stored(np.ones((2, 3), "f8"))
    unreadable = replace(before, blob="0" * 40)
    new = np.array([1, np.nan], "f4")
    found = examine(new, unreadable, dims=("value",), kind="values", with_levels=True)
    assert found == Examination(
        ValueFacts(2, 1, zero=False), ArrayDifference((2, 3), (2,), "float64", "float32", comparable=False)
    )


def test_without_data_before_only_the_values_are_looked_at(way: str) -> None:
    new = np.ones(100, "u1")
    new[70] = 5
    found = examine(new, None, dims=("value",), kind="mask", with_levels=True)
    assert found == Examination(ValueFacts(100, 0, zero=False, others=1, example="5"))


class Damaged(MemoryStore):
    """A store whose blobs turn out to be damaged at their last byte."""

    def blob_blocks(self, blob_id, begin, size):  # type: ignore[no-untyped-def]
        yield from super().blob_blocks(blob_id, begin, size)
        raise DamagedObjectError(blob_id, "its content does not have this hash")


def test_damage_of_the_data_before_is_told(way: str) -> None:
    old, new = arrays()
    with pytest.raises(DamagedObjectError, match=r"it holds det/pedestals/0-end/data\.npy"):
        examine(new, stored(old, Damaged()), dims=FOUR, kind="values", with_levels=False)


def test_what_is_no_array_is_told() -> None:
    store = MemoryStore()
    with pytest.raises(InvalidDataError, match=r"^x: not a \.npy file"):
        stored_array(store, store.put_blob([b"text"]), "x")


def test_a_large_block_takes_little_memory() -> None:
    import tracemalloc

    old = np.random.default_rng(1).normal(2500, 10, (3000, 2000)).astype("f4")
    new, before = old + np.float32(2), stored(old)
    new[:1000] += np.float32(7)
    tracemalloc.start()
    found = examine(new, before, dims=("row", "column"), kind="values", with_levels=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.difference is not None
    assert found.difference.largest_median == np.median(new.astype("f8") - old)
    assert peak < 24 << 20
