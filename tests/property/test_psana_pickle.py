"""Whatever psana's pickles can hold comes back from Python's pickle, and from our reader, as it was."""

from __future__ import annotations

import pickle
from contextlib import suppress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana import psana_pickle
from calibvcs.formats.psana.psana_unpickle import decode

PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(max_size=20)
    | arrays.arrays(
        arrays.integer_dtypes() | arrays.unsigned_integer_dtypes() | arrays.floating_dtypes(sizes=(16, 32, 64)),
        arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
    )
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return (
            one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")
            and one.shape == other.shape
            and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@given(VALUES)
def test_values_come_back(value: object) -> None:
    data = b"".join(psana_pickle.encode(value))
    assert len(data) == psana_pickle.size_of(value)
    assert same(value, pickle.loads(data))  # noqa: S301 - what was written here
    assert same(value, decode(data, "made"))


@given(VALUES, st.integers(3, 5))
def test_what_python_writes_is_read(value: object, protocol: int) -> None:
    assert same(value, decode(pickle.dumps(value, protocol=protocol), "python"))


@given(st.binary(max_size=200))
def test_bytes_give_a_value_or_our_error(data: bytes) -> None:
    with suppress(InvalidDataError):
        decode(b"\x80\x05" + data, "random")
