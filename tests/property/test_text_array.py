"""Text arrays: every array comes back bit by bit, and every text is read or refused."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calibvcs.errors import InvalidDataError
from calibvcs.formats import text_array

DTYPES = st.one_of(
    st.just("?"),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
).map(np.dtype)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=4))
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
COMMENTS = st.dictionaries(WORDS.map("X".__add__), st.text("abc #:(,)12", max_size=12), max_size=3)


@given(ARRAYS, COMMENTS)
@settings(max_examples=300, deadline=None)
def test_an_array_comes_back(array: np.ndarray, comments: dict[str, str]) -> None:
    text = text_array.encode(array, comments)
    for read in (text_array.decode(text, "a.data"), text_array.decode(text.replace("\n", "\r\n"), "a.data")):
        assert read.dtype == array.dtype.newbyteorder("=")
        assert read.shape == array.shape
        assert np.array_equal(read, array, equal_nan=array.dtype.kind == "f")
        assert np.array_equal(np.signbit(read[read == 0]), np.signbit(array[array == 0])) or array.dtype.kind != "f"


@given(ARRAYS)
@settings(max_examples=100, deadline=None)
def test_the_lines_of_a_declared_shape_may_break_anywhere(array: np.ndarray) -> None:
    head, body = text_array.encode(array).split("\n\n")[-2:]
    read = text_array.decode(f"{head}\n" + "\n".join([body.split()[0], " ".join(body.split()[1:])]), "a.data")
    assert np.array_equal(
        read, text_array.decode(text_array.encode(array), "a.data"), equal_nan=array.dtype.kind == "f"
    )


def reads_or_refuses(text: str) -> None:
    try:
        array = text_array.decode(text, "a.data")
    except InvalidDataError:
        return
    assert array.size >= 1
    again = text_array.decode(text_array.encode(array), "a.data")
    assert np.array_equal(again, array, equal_nan=array.dtype.kind == "f")


RECORDS = st.builds(
    "# {}{}{}\n".format,
    st.sampled_from(["SHAPE", "DATATYPE", "DTYPE", "NDIM", "DIM:0", "DIM:1", "TITLE"]),
    st.sampled_from([" ", "   ", "\t", ""]),
    st.sampled_from(["float", "uint64", "bool", "(2,)", "(1,2)", "2", "1", "3", "0", ""])
    | st.text("()0129,- ", max_size=6),
)
ROWS = st.lists(
    st.sampled_from(["1", "0", "2.5", "1e400", "-7", "nan", "inf", "18446744073709551615", "x"]), max_size=4
).map(lambda fields: " ".join(fields) + "\n")


@given(st.lists(RECORDS, max_size=5).map("".join), st.lists(ROWS, max_size=3).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_header_is_read_or_refused(header: str, body: str) -> None:
    reads_or_refuses(header + body)


@given(st.text(max_size=100) | st.text("# SHAPEDTYNIM:0123.,()e-+\n\r \t", max_size=100))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    reads_or_refuses(text)
