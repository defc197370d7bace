"""LCLS text arrays, as psana and LCLS-I programs wrote them."""

from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.formats import text_array

CALIBDIR = (Path(__file__).parents[3] / "../shared/data/calibdir").resolve()

PYTHON_HEADER = """# TITLE calibration constants

# HOST        psana109
# SHAPE       (2,1,3)
# DATATYPE    float32

# DTYPE       float32
# NDIM        3
# DIM:0       2
# DIM:1       1
# DIM:2       3

"""

CPP_HEADER = """#  DTYPE is told below
# DTYPE unsigned
# NDIM 2
#
# DIM:1 2
# DIM:2 3
"""


def test_reads_a_file_of_psana() -> None:
    array = text_array.decode(PYTHON_HEADER + "1.5 2 3\n4 5 6e-1\n", "a.data")
    assert array.dtype == np.float32
    assert array.tolist() == [[[1.5, 2, 3]], [[4, 5, np.float32(0.6)]]]
    assert not array.flags.writeable


def test_reads_a_file_of_cpp() -> None:
    array = text_array.decode(CPP_HEADER + "1 2 3\n4 5 4294967295\n", "a.data")
    assert array.dtype == np.uint32
    assert array.tolist() == [[1, 2, 3], [4, 5, 4294967295]]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", "float32"),
        ("double", "float64"),
        ("int", "int32"),
        ("short", "int16"),
        ("unsigned short", "uint16"),
        ("uint16_t", "uint16"),
        ("unsigned  long", "uint64"),
        ("bool", "bool"),
    ],
)
def test_knows_the_names_of_cpp(name: str, dtype: str) -> None:
    array = text_array.decode(f"# DTYPE {name}\n# NDIM 1\n# DIM:1 2\n1 0\n", "a.data")
    assert array.dtype == dtype
    assert array.tolist() == [1, 0]


def test_plain_savetxt_stays_a_table_of_float32(tmp_path) -> None:
    table = np.arange(6, dtype="f4").reshape(2, 3) / 7
    np.savetxt(tmp_path / "a.txt", table)
    read = text_array.decode((tmp_path / "a.txt").read_text(), "a.txt")
    assert read.dtype == np.float32
    assert np.array_equal(read, table)
    assert text_array.decode("1 2 3\n", "a.txt").shape == (1, 3)
    assert text_array.decode("1 2 3\n", "a.txt", "uint16").dtype == np.uint16
    assert text_array.decode("# DTYPE uint8\n1 2 3\n", "a.txt", "uint16").dtype == np.uint8
    assert text_array.decode("1\n2\n3", "a.txt").shape == (3, 1)


def test_status_words_keep_their_low_bits() -> None:
    words = np.array([2**64 - 1, 2**53 + 1, 0], dtype="u8")
    read = text_array.decode("# DTYPE uint64\n# SHAPE (3,)\n18446744073709551615 9007199254740993 0\n", "a.data")
    assert np.array_equal(read, words)
    assert np.array_equal(text_array.decode(text_array.encode(words), "a.data"), words)


def test_integers_written_as_floats_are_taken_where_nothing_is_lost() -> None:
    assert text_array.decode("# DTYPE uint16\n1.000 2e3 0.0\n", "a.data").tolist() == [[1, 2000, 0]]
    for lost in ("1.5", "65536.0", "-1.0", "nan", "inf"):
        with pytest.raises(InvalidDataError, match=f"line 2: '{lost}' is not a value of uint16"):
            text_array.decode(f"# DTYPE uint16\n1.0 {lost}\n", "a.data")


def test_rows_of_a_declared_shape_may_be_folded() -> None:
    text = "# DTYPE uint64\n# SHAPE (2,3)\n1 2\r\n9007199254740993\n\n  # between\n4 5 6\r\n"
    assert text_array.decode(text, "a.data").tolist() == [[1, 2, 9007199254740993], [4, 5, 6]]


def test_infinity_is_read_but_not_made() -> None:
    assert np.isinf(text_array.decode("inf -Infinity\nnan 1", "a.data")).sum() == 2
    with pytest.raises(InvalidDataError, match="line 2: '1e39' is not a value of float32"):
        text_array.decode("1 inf\n1e39 1\n", "a.data")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no values"),
        (" \n\t\n# DTYPE float32\n", "no values"),
        (PYTHON_HEADER + "1 2 3\n4 5\n", r"declares shape \(2, 1, 3\), 6 values; found are 5"),
        (PYTHON_HEADER + "1 2 3\n4 5 6 7\n", "found are 7"),
        (PYTHON_HEADER + "1 2 3\n4 five 6\n", "line 14: 'five' is not a value of float32"),
        ("1 2\n3\n", "unequal length"),
        ("1 2\n3 0x10\n", "line 2: '0x10'"),
        ("1 2\n3 1_0\n", "line 2: '1_0'"),
        ("1, 2\n", "line 1: '1,'"),
        ("1 \u0661\n", "line 1"),
        ("1 \0\n", "line 1"),
        ("1 2\r3 4\n", "cannot be read as a table"),
        ("# SHAPE (2,a)\n1 2\n", r"SHAPE '\(2,a\)'; allowed are lengths"),
        ("# SHAPE __import__('os').abort()\n1 2\n", "allowed are lengths"),
        ("# SHAPE (0,2)\n1 2\n", "0 values; found are 2"),
        ("# SHAPE " + "1," * 40 + "\n1\n", "40 axes; allowed are 1 to 32"),
        ("# SHAPE " + "1," * 4000 + "\n1\n", "a record SHAPE of 8000 characters"),
        ("# SHAPE (2,)\n# SHAPE (1,2)\n1 2\n", "SHAPE is both"),
        ("# SHAPE (2,)\n# NDIM 2\n# DIM:0 1\n# DIM:1 2\n1 2\n", "SHAPE says"),
        ("# NDIM 2\n# DIM:0 2\n1 2\n", "NDIM is 2, the number of DIM lines 1"),
        ("# DIM:0 2\n1 2\n", "NDIM is missing"),
        ("# NDIM 0\n1 2\n", "0 axes"),
        ("# NDIM 1\n# DIM:0 -2\n1 2\n", "DIM:0 is '-2'"),
        ("# DTYPE float128\n1 2\n", "dtype 'float128'; allowed are"),
        ("# DTYPE object\n1 2\n", "dtype 'object'"),
        ("# DTYPE int\n# DATATYPE int64\n1 2\n", "DATATYPE 'int64' is not DTYPE 'int'"),
        ("# DTYPE bool\n1 2\n", "value 2 of dtype bool"),
        ("# DTYPE uint8\n1 256\n", "line 2: '256' is not a value of uint8"),
        ("# DTYPE int64\n1 9223372036854775808\n", "line 2: '9223372036854775808'"),
        ("# DTYPE int64\n1 " + "9" * 5000 + "\n", "line 2"),
        ("# SHAPE (2,)" + " " * 100_000 + "x\n1 2\n", "a record SHAPE"),
    ],
)
def test_refuses(text: str, found: str) -> None:
    with pytest.raises(InvalidDataError, match=found) as caught:
        text_array.decode(text, "a.data")
    assert caught.value.source == "a.data"
    assert caught.value.advice


def test_refuses_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_array, "_LARGEST_TEXT", 10)
    with pytest.raises(InvalidDataError, match="12 bytes of text; allowed are 10"):
        text_array.decode("1 2 3 4 5 6\n", "a.data")


def test_writes_both_generations_of_records() -> None:
    text = text_array.encode(np.arange(6, dtype="f4").reshape(1, 2, 3), {"EXPERIMENT": "xcs01016"})
    assert text == (
        "# EXPERIMENT  xcs01016\n\n# SHAPE       (1,2,3)\n# DATATYPE    float32\n\n# DTYPE       float32\n"
        "# NDIM        3\n# DIM:0       1\n# DIM:1       2\n# DIM:2       3\n\n0 1 2\n3 4 5\n"
    )


@pytest.mark.parametrize("comment", [("", "x"), ("A B", "x"), ("SHAPE", "(1,)"), ("DIM:0", "4"), ("A", "x\n1 2 3")])
def test_refuses_a_comment_that_would_be_read(comment: tuple[str, str]) -> None:
    with pytest.raises(InvalidDataError, match="comment"):
        text_array.encode(np.ones(3), dict([comment]))


@pytest.mark.parametrize("array", [np.array(1.0), np.zeros((2, 0)), np.array(["a"]), np.array([1j])])
def test_refuses_to_write(array: np.ndarray) -> None:
    with pytest.raises(InvalidDataError, match="allowed"):
        text_array.encode(array)


@pytest.mark.skipif(not CALIBDIR.is_dir(), reason="the shared sample data are not here")
def test_reads_a_calib_directory() -> None:
    paths = [path for path in CALIBDIR.glob("*/*/*/*.data") if path.parent.name != "geometry"]
    assert len(paths) == 7
    for path in paths:
        array = text_array.decode(path.read_text(), str(path))
        assert array.dtype == {"common_mode": "f8", "pixel_status": "u2"}.get(path.parent.name, "f4")
        assert np.array_equal(text_array.decode(text_array.encode(array), "again"), array)
        body = " ".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
        assert array.ravel().tolist() == [array.dtype.type(field) for field in body.split()]


def test_writes_as_psana_does() -> None:
    array = np.array([[1.0015, -2.5], [3, 4]], "f4")
    writing = {"HOST": "psana109", "WORK_DIR": "/tmp/a b", "FILE_NAME": "nda.txt", "UID": "ann"}
    text = text_array.encode(array, {"TITLE": "constants"}, writing=writing, decimals=3)
    assert text == (
        "# TITLE       constants\n\n# HOST        psana109\n# WORK_DIR    /tmp/a b\n# FILE_NAME   nda.txt\n"
        "# UID         ann\n# SHAPE       (2,2)\n# DATATYPE    float32\n\n# DTYPE       float32\n# NDIM        2\n"
        "# DIM:0       2\n# DIM:1       2\n\n1.002 -2.500\n3.000 4.000\n"
    )
    assert text_array.decode(text, "a.data").tolist() == [[np.float32(1.002), -2.5], [3, 4]]
    assert "".join(text_array.encode_lines(array)) == text_array.encode(array)


def test_integers_stay_integers_whatever_the_decimals() -> None:
    words = np.array([2**64 - 1, 7], "u8")
    assert text_array.encode(words, decimals=3).endswith("\n18446744073709551615 7\n")
    assert text_array.encode(np.array([1 / 3]), decimals=3).endswith("\n0.333\n")
    assert text_array.encode(np.array([5.0]), decimals=0).endswith("\n5\n")


@pytest.mark.parametrize("decimals", [-1, 18])
def test_refuses_decimals(decimals: int) -> None:
    with pytest.raises(InvalidOptionError, match="decimals"):
        text_array.encode_lines(np.ones(3), decimals=decimals)


def test_refuses_a_record_about_writing_that_would_be_read() -> None:
    with pytest.raises(InvalidDataError, match="comment 'NDIM'"):
        text_array.encode_lines(np.ones(3), writing={"NDIM": "7"})


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("uint64", [2**64 - 1, 2**63, 2**53 + 1, 0]),
        ("int64", [2**63 - 1, -(2**63), 2**53 + 1, -1]),
        ("float32", [3.4028235e38, 1.1754944e-38, 1e-45, 0.1]),
        ("float64", [1.7976931348623157e308, 5e-324, 0.1, -0.0]),
        ("float16", [65504, 6e-8, 0.1, -1]),
        ("uint8", [255, 0, 1, 2]),
    ],
)
def test_extremes_come_back_bit_by_bit(dtype: str, values: list[float]) -> None:
    array = np.array(values, dtype).reshape(2, 2)
    again = text_array.decode(text_array.encode(array), "a.data")
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("name", "dtype"), [("unsigned char", "uint8"), ("char", "int8"), ("unsigned long long", "uint64")]
)
def test_knows_more_names_of_cpp(name: str, dtype: str) -> None:
    assert text_array.decode(f"# DTYPE {name}\n# NDIM 1\n# DIM:1 2\n1 0\n", "a.data").dtype == dtype


def test_huge_promises_take_no_memory() -> None:
    for record in ("# SHAPE (999999999999,999999999999)", "# NDIM 1\n# DIM:0 999999999999"):
        with pytest.raises(InvalidDataError, match="found are 2"):
            text_array.decode(f"{record}\n1 2\n", "a.data")


def test_refuses_a_line_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_array, "_LONGEST_LINE", 10)
    assert text_array.decode("1 2 3 4 5\n" * 3, "a.data").shape == (3, 5)
    with pytest.raises(InvalidDataError, match="a line of 11 characters; allowed are 10"):
        text_array.decode("1 2\n1 2 3 4 5 6\n", "a.data")
