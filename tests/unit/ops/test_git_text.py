"""Files of constants as text: short, stable, and for every file there is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import MissingFileError
from calibvcs.ops.git_text import git_text

GEOMETRY = "# drawn by hand\n\nIP:V1 0 CAMERA:V1  0  1.50 -2 100000 90 0 0 0.125 0 0\n"


def of(path: Path, data: bytes | np.ndarray) -> str:
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        np.save(path, data)
    return git_text(str(path))


def test_an_array_is_a_line_for_each_gain_range_and_segment(tmp_path: Path) -> None:
    array = np.arange(3 * 2 * 8 * 4, dtype=np.float32).reshape(3, 2, 8, 4)
    array[1, 1, 0, :3] = np.nan, np.inf, 0
    path = tmp_path / "data.npy"
    first, digest, *lines = of(path, array).splitlines()
    assert first == "array float32 3x2x8x4"
    assert digest == f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert [line.split()[0] for line in lines] == ["[0,0]", "[0,1]", "[1,0]", "[1,1]", "[2,0]", "[2,1]"]
    assert lines[0].startswith("[0,0] min 0 median 15.5 mean 15.5 max 31 rms 9.23309 zeros 1 nonfinite 0 data ")
    assert " zeros 1 nonfinite 2 data " in lines[3]


def test_one_segment_changes_one_line(tmp_path: Path) -> None:
    array = np.random.default_rng(1).normal(1000, 5, (4, 16, 16)).astype(np.float32)
    before = of(tmp_path / "data.npy", array).splitlines()
    array[2, 0, 0] = np.nextafter(array[2, 0, 0], np.float32(2000))  # no statistic shows it
    after = of(tmp_path / "data.npy", array).splitlines()
    assert [a.split()[0] for a, b in zip(before, after, strict=True) if a != b] == ["sha256", "[2]"]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((70, 3), np.uint16), np.ones(100, bool), np.full((2, 2, 2, 3, 9), 1j), np.full((1, 65), np.nan),
        np.asfortranarray(np.zeros((9, 9))), np.zeros((9, 9), ">f4"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_every_form_of_array_has_a_text(array: np.ndarray, tmp_path: Path) -> None:
    text = of(tmp_path / "data.npy", array)
    assert text == of(tmp_path / "other.npy", array)
    assert text.startswith("array")
    assert len(text.splitlines()) == 3 if "cannot" not in text else 2


def test_few_values_are_shown_themselves(tmp_path: Path) -> None:
    text = of(tmp_path / "data.npy", np.array([6, 500.25, np.nan]))
    assert text.splitlines()[2:] == ["[0] 6.0", "[1] 500.25", "[2] nan"]


def test_what_moves_no_panel_is_no_difference(tmp_path: Path) -> None:
    text = of(tmp_path / "geometry.txt", GEOMETRY.encode())
    assert text == "# drawn by hand\n\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
    other = GEOMETRY.replace("  ", "\t").replace("1.50", "+1.5").replace("100000", "1e5").replace("-2", "-2.0")
    assert of(tmp_path / "geometry.txt", other.encode()) == text
    assert of(tmp_path / "geometry.txt", GEOMETRY.replace("90", "91").encode()) != text


@pytest.mark.parametrize(
    "data",
    [b"", b"gain = 3\n", b"IP:V1 0 CAMERA:V1 0 1 2 3 4 5 6 7 8 9\nIP:V1 0 LOOSE 0 1\n", "\u00e4\n".encode()],
    ids=["empty", "text", "broken geometry", "not ASCII"],
)
def test_other_text_is_left_as_it_is(data: bytes, tmp_path: Path) -> None:
    assert of(tmp_path / "data.txt", data) == data.decode()


@pytest.mark.parametrize(
    "data",
    [b"\x93NUMPY", b"\x93NUMPY\x01\x00\x76\x00" + b"x" * 200, b"\x00\x01\x02", b"\x93NUMPY\x03\x00" + b"\xff" * 300],
    ids=["magic only", "no header", "bytes", "huge header"],
)
def test_what_cannot_be_read_is_told_in_the_text(data: bytes, tmp_path: Path) -> None:
    assert of(tmp_path / "data.npy", data).startswith(("array that cannot be read: ", "no text, and no array: "))
    with pytest.raises(MissingFileError):
        git_text(str(tmp_path / "nothing.npy"))


def test_a_cut_array_is_told(tmp_path: Path) -> None:
    of(tmp_path / "data.npy", np.zeros((100, 100)))
    data = (tmp_path / "data.npy").read_bytes()
    assert of(tmp_path / "data.npy", data[:-8]).startswith("array that cannot be read: ")
