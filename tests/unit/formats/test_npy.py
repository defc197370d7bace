"""The .npy file of a constant: the bytes of numpy.save, and nothing else."""

import io
import os
import pickle

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats import npy


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def stored(array: np.ndarray) -> bytes:
    header, payload = npy.encode(array)
    return header + payload


def with_header(text: str, payload: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    head = text.encode("latin-1")
    return b"\x93NUMPY" + bytes(version) + len(head).to_bytes(2 if version == (1, 0) else 4, "little") + head + payload


def header(descr: str = "'<f4'", order: str = "False", shape: str = "(2, 3)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


PEDESTALS = np.arange(24, dtype="f4").reshape(3, 2, 4)


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"])
def test_bytes_are_those_of_numpy_save(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    assert stored(array) == saved(array)
    read = npy.decode(stored(array), "a.npy")
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)


def test_nothing_is_copied_where_nothing_is_to_be_done() -> None:
    _, payload = npy.encode(PEDESTALS)
    assert np.shares_memory(np.frombuffer(payload, "u1"), PEDESTALS)
    assert payload.readonly
    assert payload.itemsize == 1
    data = stored(PEDESTALS)
    assert np.shares_memory(npy.decode(data, "a.npy"), np.frombuffer(data, "u1"))


@pytest.mark.parametrize(
    "other",
    [
        np.asfortranarray(PEDESTALS),
        PEDESTALS.astype(">f4"),
        np.repeat(PEDESTALS, 2, axis=2)[..., ::2],
        PEDESTALS.view(np.dtype("f4", metadata={"unit": "ADU"})),
    ],
    ids=["fortran", "big endian", "strided", "dtype with metadata"],
)
def test_one_array_is_one_sequence_of_bytes(other: np.ndarray) -> None:
    assert stored(other) == saved(PEDESTALS)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.array([{}]), "objects"),
        (np.array(["a"]), "strings"),
        (np.array([b"a"]), "strings"),
        (np.zeros(2, "f4,i4"), "records"),
        (np.array(["2026-01-01"], "M8[s]"), "dates"),
        (np.array([1], "m8[s]"), "times"),
        (np.array([1], np.longdouble), "dtype"),
        (np.array(["a"], np.dtypes.StringDType()), "dtype"),
        (np.ma.masked_equal([1, 2], 1), "masked"),
        (np.array(1.0), "0-d"),
        (np.zeros((3, 0)), "empty"),
        (np.zeros((1,) * 33), "33 axes"),
    ],
)
def test_refuses_to_encode(array: np.ndarray, found: str) -> None:
    with pytest.raises(InvalidDataError, match=found) as caught:
        npy.encode(array)
    assert caught.value.advice


def test_header_is_told() -> None:
    data = stored(PEDESTALS)
    assert npy.read_header(data[:200], len(data), "a.npy") == npy.Header("float32", (3, 2, 4), 128, fortran_order=False)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_reads_all_versions(version: tuple[int, int]) -> None:
    data = with_header(header(), bytes(24), version)
    assert npy.decode(data, "a.npy").shape == (2, 3)
    assert np.array_equal(npy.decode(data, "a.npy"), np.load(io.BytesIO(data)))


@pytest.mark.parametrize(
    "text",
    [
        "{'shape': (6,), 'descr': '<f4', 'fortran_order': False}",
        '{"descr":"<f4","fortran_order":False,"shape":(2,3)}',
        header(shape="(2, 3,)"),
        header(shape="(1, 6)", order="True"),
        header(shape="(6,)", order="True"),
        header(descr="'|u1'", shape="(24,)"),
        header(descr="'u1'", shape="(24,)"),
        header(descr="'>i1'", shape="(24,)"),
    ],
)
def test_reads_what_others_write(text: str) -> None:
    data = with_header(text, bytes(range(24)))
    expected = np.load(io.BytesIO(data))
    read = npy.decode(memoryview(data), "a.npy")
    assert read.dtype == expected.dtype
    assert np.array_equal(read, expected)
    assert not read.flags.writeable


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (header(descr="'>f4'"), r"'>f4' is big endian; allowed is little endian"),
        (header(descr="'|O'"), "objects"),
        (header(descr="[('a', '<f4'), ('b', '<i4')]"), "structured"),
        (header(descr="'<U3'"), "strings"),
        (header(descr="'|V8'"), "records"),
        (header(descr="'<M8[ns]'"), "dates"),
        (header(descr="'<f16'"), "dtype '<f16'"),
        (header(descr="'f4'"), "dtype 'f4'"),
        (header(descr="\"'<f4'\""), "dtype"),
        (header(descr="''"), "dtype"),
        (header(descr="True"), "dtype 'True'"),
        (header(descr="(4,)"), "dtype"),
        (header(order="True"), "Fortran order; allowed is C order"),
        (header(order="'no'"), "fortran_order is"),
        (header(shape="(3, 3)"), r"shape \(3, 3\) of float32 takes 36 bytes, the file holds 24: cut off, 12 bytes"),
        (header(shape="(2, 2)"), "8 bytes too many"),
        (header(shape="(-2, -3)"), "negative"),
        (header(shape="()"), "0-d"),
        (header(shape="(0, 6)"), "empty"),
        (header(shape="(1000000, 1000001)"), "declares 1000001000000 values; allowed are 1000000000000"),
        (header(shape="(4294967296, 4294967296)"), "declares 18446744073709551616 values"),
        (header(shape=f"({'9' * 5000},)"), "at most"),
        (header(shape=f"({'1, ' * 40})"), "40 axes; allowed are 32"),
        (header(shape="(6)"), "not a tuple"),
        (header(shape="(,)"), "not a tuple"),
        (header(shape="(2 3)"), "not a tuple"),
        (header(shape="(02, 3)"), "not a tuple"),
        (header(shape="True"), "not a tuple"),
        (header(shape="(__import__('os').abort(),)"), "not a literal"),
        (header()[1:], "not a literal"),
        (header() + "}", "not a literal"),
        (header()[:-3], "not a literal"),
        ("{'descr': '<f4', 'descr': '<f4', 'shape': (6,), 'fortran_order': False}", "not a literal"),
        ("{'descr': '<f4', 'shape': (6,)}", "not a literal"),
        ("(" * 5000, "not a literal"),
        ("", "not a literal"),
        (" " * 65535, "not a literal"),
    ],
)
def test_refuses_a_header(text: str, found: str) -> None:
    data = with_header(text, bytes(24))
    with pytest.raises(InvalidDataError, match=found) as caught:
        npy.decode(data, "a.npy")
    assert caught.value.source == "a.npy"
    assert caught.value.advice
    assert len(caught.value.reason) < 400
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "not a .npy file"),
        (b"\x89HDF\r\n", "not a .npy file"),
        (b"\x93NUMPY", "version missing"),
        (b"\x93NUMPY\x04\x00" + bytes(200), "version 4.0 of the .npy format; allowed are 1.0, 2.0, 3.0"),
        (saved(PEDESTALS)[:50], "cut off inside its header of 128 bytes"),
        (saved(PEDESTALS)[:9], "cut off inside its header"),
        (saved(PEDESTALS)[:-1], "cut off, 1 bytes missing"),
        (saved(PEDESTALS) + b"\0", "1 bytes too many"),
        (with_header(" " * 65537, version=(2, 0)), "a header of 65537 bytes; allowed are 65536"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(200), "a header of 4294967295 bytes"),
        (b"\x93NUMPY\x03\x00\x01\x00\x00\x00\xff", "not UTF-8"),
    ],
)
def test_refuses_a_file(data: bytes, found: str) -> None:
    with pytest.raises(InvalidDataError, match=found):
        npy.decode(data, "a.npy")


def test_maps_a_file(tmp_path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, PEDESTALS)
    read = npy.read_file(str(path))
    assert type(read) is np.ndarray
    assert np.array_equal(read, PEDESTALS)
    assert not read.flags.writeable
    assert not read.flags.owndata


def test_refuses_a_large_lie_without_reading_on(tmp_path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(with_header(header(shape="(100000, 100000)")))
    os.truncate(path, 10**10)
    with pytest.raises(InvalidDataError, match="shape"):
        npy.read_file(str(path))


def test_names_a_file_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "empty.npy").touch()
    with pytest.raises(InvalidDataError, match="does not begin with"):
        npy.read_file(str(tmp_path / "empty.npy"))
    with pytest.raises(MissingFileError, match="no such file"):
        npy.read_file(str(tmp_path / "none.npy"))
    with pytest.raises(MissingFileError, match="not a regular file"):
        npy.read_file(str(tmp_path))
    with pytest.raises(MissingFileError, match="null"):
        npy.read_file("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MissingFileError, match="not a regular file"):
        npy.read_file(str(tmp_path / "pipe"))
