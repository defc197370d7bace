"""Writing files of the Detector Calibration Store: the schema of the original, and what its reader expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion, Notes
from calibvcs.formats.dcs.dcs_reading import DcsReader
from calibvcs.formats.dcs.dcs_writing import Compression, write
from tests.dcs_files import dark, dump, make

NOTES = Notes({"run": 5, "bias": 1.5, "who": "Grace", "empty": "", "large": 2**63 + 1}, {"1.000000": "made in Jülich"})
CONTENT = DcsFile(
    "epix100a", "1-2", "epix100a-1-2", 5.25, "epix100a-0-1", "",
    (
        DcsCtype("geometry", (DcsRange("0-end", 0.0, None, 0, (DcsVersion(1, None, Notes(), "text"),)),)),
        DcsCtype("pedestals", (
            DcsRange("5-9", 5.5, 8.5, 1, (DcsVersion(1, 7.5, NOTES, "float32", (4, 2, 4)), DcsVersion(12, 8.0)), NOTES),
        ), NOTES),
    ), NOTES,
)  # fmt: skip


def data(ctype: str, _: str, number: int) -> np.ndarray[Any, Any] | bytes:
    return b"geometry text" if ctype == "geometry" else dark(number)


def written(path: Path, content: DcsFile = CONTENT, compression: Compression = "none") -> Path:
    write(str(path), content, data, compression)
    return path


def test_the_schema(tmp_path: Path) -> None:
    found = dump(written(tmp_path / "a.h5"))
    names = {name for name in found if "_parameters" not in name and "_history" not in name}
    assert names == {
        "dettype", "detid", "detname", "tscfile", "predecessor",
        "geometry", "geometry/ctype", "geometry/0-end", "geometry/0-end/begin", "geometry/0-end/end",
        "geometry/0-end/range", "geometry/0-end/versdef", "geometry/0-end/v0001", "geometry/0-end/v0001/version",
        "geometry/0-end/v0001/data", "pedestals", "pedestals/ctype", "pedestals/5-9", "pedestals/5-9/begin",
        "pedestals/5-9/end", "pedestals/5-9/range", "pedestals/5-9/versdef", "pedestals/5-9/v0001",
        "pedestals/5-9/v0001/version", "pedestals/5-9/v0001/tsprod", "pedestals/5-9/v0001/data", "pedestals/5-9/v0012",
        "pedestals/5-9/v0012/version", "pedestals/5-9/v0012/tsprod", "pedestals/5-9/v0012/data",
    }  # fmt: skip
    forms = {name: value[:2] for name, value in found.items() if value is not None and not name.endswith("/data")}
    assert {shape for shape, _ in forms.values()} == {(1,)}
    assert forms["tscfile"][1] == forms["pedestals/5-9/begin"][1] == forms["pedestals/5-9/end"][1] == "<f8"
    assert forms["pedestals/5-9/versdef"][1] == forms["pedestals/5-9/v0012/version"][1] == "<i8"
    assert forms["geometry/0-end/end"][1] == "|S3"
    assert forms["detname"][1] == "|S12"
    for level in ("", "pedestals/", "pedestals/5-9/", "pedestals/5-9/v0001/"):
        assert {name: forms[f"{level}_parameters/{name}"][1] for name in NOTES.parameters} == {
            "run": "<i8", "bias": "<f8", "who": "|S5", "empty": "|S1", "large": "<u8",
        }  # fmt: skip
        assert found[f"{level}_history/1.000000"] == ((1,), "|S15", "made in Jülich".encode())
    assert found["geometry/0-end/v0001/data"] == ((1,), "|S13", b"geometry text")
    assert (tmp_path / "a.h5").read_bytes()[8] == 0  # the oldest superblock, which every HDF5 reads


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a.h5").read_bytes() == written(tmp_path / "b.h5").read_bytes()


def test_what_was_read_is_written_again(tmp_path: Path) -> None:
    with DcsReader(str(make(tmp_path / "a.h5"))) as reader:
        write(str(tmp_path / "b.h5"), reader.file, reader.data)
    assert dump(tmp_path / "b.h5") == dump(tmp_path / "a.h5")


def test_what_the_reader_of_the_original_does(tmp_path: Path) -> None:
    """It takes entry 0 of every scalar, decodes text, and finds ranges and versions by what is a group."""
    with h5py.File(written(tmp_path / "a.h5"), "r") as root:
        ctypes = {name: group for name, group in root.items() if isinstance(group, h5py.Group) and name[0] != "_"}
        assert all(group["ctype"][0].decode() == name for name, group in ctypes.items())
        for group in ctypes.values():
            for key, one in group.items():
                if isinstance(one, h5py.Dataset) or key[0] == "_":
                    continue
                begin, end = one["begin"][0], one["end"][0]
                tail = end.decode() if isinstance(end, bytes) else f"{np.ceil(end):.0f}"
                assert one["range"][0].decode() == key == f"{np.floor(begin):.0f}-{tail}"
                versions = [name for name in one if name[0] == "v" and isinstance(one[name], h5py.Group)]
                assert [f"v{one[name]['version'][0]:04d}" for name in versions] == versions
                assert int(one["versdef"][0]) in {0, *(int(name[1:]) for name in versions)}
        assert root["geometry/0-end/v0001/data"][0].decode() == "geometry text"
        for group in (root, root["pedestals"]):
            for name, text in group["_history"].items():
                assert f"{float(name):.6f}" == name
                assert isinstance(text[0], bytes)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        ((3, 2, 512, 1024), (1, 1, 256, 1024)), ((5000,), (5000,)), ((3, 700, 800), (1, 327, 800)),
        ((2, 300_000), (1, 262_144)), ((64, 64, 8), (64, 64, 8)), ((70, 70, 80), (46, 70, 80)),
    ],
)  # fmt: skip
def test_chunks_are_of_about_a_mebibyte(
    tmp_path: Path, shape: tuple[int, ...], chunks: tuple[int, ...], compression: Compression
) -> None:
    one = DcsRange("0-end", 0.0, None, 0, (DcsVersion(1),))
    array = np.zeros(shape, "f4")
    content = DcsFile("a", "1", "a-1", ctypes=(DcsCtype("pedestals", (one,)),))
    write(str(tmp_path / "a.h5"), content, lambda *_: array, compression)
    with h5py.File(tmp_path / "a.h5") as root:
        found = root["pedestals/0-end/v0001/data"]
        assert (found.chunks, found.compression, found.shuffle) == (chunks, compression, True)
        np.testing.assert_array_equal(found[()], array)
