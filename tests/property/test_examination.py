"""The comparison with stored data, read piece by piece, equals a plain one of whole arrays."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from calibvcs.model import piece_difference
from calibvcs.model.array_blocks import ArrayKind, blocks
from calibvcs.model.array_difference import compare
from calibvcs.model.value_facts import value_facts
from calibvcs.ops import examination
from calibvcs.ops.examination import examine, stored_array
from calibvcs.store.memory import MemoryStore

DTYPES = st.sampled_from(["?", "u1", "i1", "u2", "i4", "u4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"])
KINDS: st.SearchStrategy[ArrayKind] = st.sampled_from(["values", "mask", "status"])
DIMS = st.lists(st.sampled_from(["gain", "segment", "row", "column", "axis0"]), min_size=1, max_size=4, unique=True)


def elements(dtype: str) -> st.SearchStrategy[Any]:
    usual: list[Any] = [0, 1, 2, 100]
    kind = np.dtype(dtype).kind
    if kind in "ui":
        usual += [np.iinfo(dtype).max, np.iinfo(dtype).max - 1, np.iinfo(dtype).min]
    if kind in "fc":
        usual += [
            math.nan,
            math.inf,
            -math.inf,
            -0.0,
            0.1,
            -2.5,
            float(np.finfo(dtype).max),
            float(np.finfo(dtype).tiny),
        ]
    return st.sampled_from([bool(one) for one in usual] if kind == "b" else usual)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """Return two arrays of one shape and names of their axes; the second one often is much like the first."""
    dims = tuple(draw(DIMS))
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=len(dims), max_size=len(dims))))
    alike = draw(st.booleans())
    first = draw(DTYPES)
    second = first if alike else draw(DTYPES)
    old = draw(arrays.arrays(first, shape, elements=elements(first)))
    new = draw(arrays.arrays(second, shape, elements=elements(second)))
    if alike:
        new = np.where(draw(arrays.arrays("?", shape)), old, new)
    return old, new, dims


def plain(old: NDArray[Any], new: NDArray[Any], kind: ArrayKind) -> dict[str, Any]:
    """Return the numbers of one block, in the shortest way there is: value by value, as Python has it."""
    a, b = old.ravel().tolist(), new.ravel().tolist()
    changed = [x != y and not (x != x and y != y and _may_be_nan(old, new)) for x, y in zip(a, b, strict=True)]
    finite = []
    nonfinite = 0
    for x, y, differs in zip(a, b, changed, strict=True):
        d = _difference(x, y, old.dtype.kind + new.dtype.kind)
        if math.isfinite(d):
            finite.append(d)
        elif differs:
            nonfinite += 1
    bad = [[x == 0 if kind == "mask" else x != 0 for x in values] for values in (a, b)]
    return {
        "changed": sum(changed),
        "nonfinite": nonfinite,
        "max_abs": max(map(abs, finite), default=0.0) if any(changed) else 0.0,
        "median": float(np.median(finite)) if finite and any(changed) else 0.0,
        "new_bad": None
        if kind == "values"
        else sum(_bad(y, now) and not _bad(x, was) for x, y, was, now in zip(a, b, *bad, strict=True)),
        "cleared_bad": None
        if kind == "values"
        else sum(_bad(x, was) and not _bad(y, now) for x, y, was, now in zip(a, b, *bad, strict=True)),
    }


def _bad(value: Any, bad: bool) -> bool:
    return bad or value != value


def _may_be_nan(old: NDArray[Any], new: NDArray[Any]) -> bool:
    return old.dtype.kind in "fc" and new.dtype.kind in "fc"


def _difference(x: Any, y: Any, kinds: str) -> float:
    with np.errstate(all="ignore"):
        if "c" in kinds:
            return float(np.abs(np.complex128(y) - np.complex128(x)))
        if isinstance(x, int) and isinstance(y, int) and kinds in {"uu", "ii"}:
            return float(y - x)
        return float(np.float64(y) - np.float64(x))


@given(pairs(), KINDS, st.sampled_from([1, 3, 1000]), st.booleans())
def test_piece_by_piece_is_as_a_whole(
    pair: tuple[NDArray[Any], NDArray[Any], tuple[str, ...]], kind: ArrayKind, piece: int, threads: bool
) -> None:
    old, new, dims = pair
    store, file = MemoryStore(), io.BytesIO()
    np.save(file, old)
    before = stored_array(store, store.put_blob([file.getvalue()]), "x")
    with (
        mock.patch.object(examination, "PIECE", piece * 4),
        mock.patch.object(piece_difference, "_SAMPLED", 2),
        mock.patch.object(examination, "_LARGE", 0 if threads else 1 << 30),
    ):
        found = examine(new, before, dims=dims, kind=kind, with_levels=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        whole = compare(old, new, dims=dims, kind=kind)
        assert found.facts == value_facts(new.reshape(-1), kind)
        assert found.difference is not None
        assert (found.difference.changed, found.difference.same) == (whole.changed, whole.same)
        for row, other, block in zip(found.difference.segments, whole.segments, blocks(new.shape, dims), strict=True):
            expected = plain(old[block.where], new[block.where], kind)
            assert {key: getattr(row, key) for key in expected} == expected
            assert {key: getattr(other, key) for key in expected} == expected
            assert (row.gain, row.segment, row.pixels, row.bits) == (
                block.gain,
                block.segment,
                other.pixels,
                other.bits,
            )
            np.testing.assert_allclose(row.rms, other.rms)
