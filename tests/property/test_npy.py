"""Whatever stands in a .npy file: what numpy reads, or a clear refusal."""

import io
import tracemalloc
import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calibvcs.errors import InvalidDataError
from calibvcs.formats import npy

DTYPES = st.one_of(
    st.sampled_from(["?", "c8", "c16"]),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
).map(np.dtype)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=6, min_side=1, max_side=4)


@st.composite
def layouts(draw: st.DrawFn) -> np.ndarray:
    """Return an array in any order of axes and bytes, and with any strides."""
    array = draw(hnp.arrays(draw(DTYPES), draw(SHAPES)))
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    steps = draw(st.tuples(*[st.sampled_from([1, 2, -1])] * array.ndim))
    return array[tuple(slice(None, None, step) for step in steps)]


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def read_by_numpy(data: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        # numpy takes the integers of Python 2 (3L), and says so.
        warnings.simplefilter("ignore", UserWarning)
        return np.load(io.BytesIO(data), allow_pickle=False, max_header_size=npy.HEAD_SIZE)


def agrees_with_numpy_or_refuses(data: bytes) -> None:
    tracemalloc.start()
    try:
        read = npy.decode(data, "a.npy")
    except InvalidDataError:
        return
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000
    expected = read_by_numpy(data)
    assert read.dtype == expected.dtype
    assert read.shape == expected.shape
    assert read.tobytes() == expected.tobytes()


@given(layouts())
@settings(max_examples=300, deadline=None)
def test_writes_what_numpy_saves(array: np.ndarray) -> None:
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    header, payload = npy.encode(array)
    data = header + payload
    assert data == saved(plain)
    read = npy.decode(data, "a.npy")
    assert read.dtype == plain.dtype
    assert read.shape == array.shape
    assert read.tobytes() == plain.tobytes()
    assert not read.flags.writeable


@given(layouts())
@settings(max_examples=100, deadline=None)
def test_reads_what_numpy_saves(array: np.ndarray) -> None:
    agrees_with_numpy_or_refuses(saved(array))


@given(
    layouts(),
    st.lists(
        st.tuples(
            st.integers(0, 160),
            st.integers(0, 8),
            st.binary(max_size=8) | st.sampled_from(b"0 1 9 , ( ) L - '".split()),
        ),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=400, deadline=None)
def test_a_damaged_file_is_read_like_numpy_or_refused(array: np.ndarray, cuts: list[tuple[int, int, bytes]]) -> None:
    data = saved(array)
    for start, length, put in cuts:
        data = data[:start] + put + data[start + length :]
    agrees_with_numpy_or_refuses(data)


LENGTHS = st.one_of(st.integers(-2, 5), st.integers(0, 10**30)).map(str)
SHAPE_TEXTS = st.one_of(
    st.lists(LENGTHS, max_size=5).map(lambda lengths: "(" + "".join(f"{length}, " for length in lengths) + ")"),
    st.lists(LENGTHS, max_size=5).map(lambda lengths: "(" + ",".join(lengths) + ")"),
    st.text("()0123,L -+_", max_size=12),
)
DESCRS = st.one_of(
    st.sampled_from(["'<f4'", "'>f4'", "'|u1'", "'<i8'", "'|b1'", '"<c8"', "'|O'", "[('a', '<f4')]", "'<U4'", "None"]),
    st.text("'<>|=bdfiuOVSmM[]0123468 ", max_size=6).map(lambda text: f"'{text}'"),
)


@given(
    *(DESCRS, st.sampled_from(["False", "True", "0", "None", "'x'"]), SHAPE_TEXTS, st.permutations(range(3))),
    *(st.text(" \n\t,}x", max_size=4), st.sampled_from([(1, 0), (2, 0), (3, 0)]), st.binary(max_size=80)),
)
@settings(max_examples=400, deadline=None)
def test_a_lying_header_is_read_like_numpy_or_refused(
    descr: str, order: str, shape: str, places: list[int], end: str, version: tuple[int, int], payload: bytes
) -> None:
    entries = [f"'descr': {descr}", f"'fortran_order': {order}", f"'shape': {shape}"]
    text = ("{" + ", ".join(entries[place] for place in places) + "}" + end).encode()
    length = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    agrees_with_numpy_or_refuses(b"\x93NUMPY" + bytes(version) + length + text + payload)


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused(data: bytes, magic: bool) -> None:
    agrees_with_numpy_or_refuses(b"\x93NUMPY\x01\x00" + data if magic else data)
