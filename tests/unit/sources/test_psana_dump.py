from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources.psana_store import PsanaStore, open_store
from tests.servers.psana_dumps import MAGIC, PIECE, SEPARATOR, bson, write_archive, write_files, write_folder
from tests.servers.psana_web import PsanaDatabase

SHORT = "jungfrau_000003"
LARGE = np.arange(200_000, dtype=np.float32)
GEOMETRY = "# made up\nIP 0 JUNGFRAU:V2 0 0 0 0 0 0 0 0 0 0\n"


@pytest.fixture
def database() -> PsanaDatabase:
    found = PsanaDatabase()
    found.name(SHORT, "jungfrau_a_b")
    found.deploy("mfx101332224", SHORT, 1_743_000_000, LARGE, comment="first line\nsecond: line")
    found.deploy("mfx101332224", SHORT, 1_743_000_100, GEOMETRY, ctype="geometry")
    return found


WRITERS: dict[str, Callable[[PsanaDatabase, Path], Path]] = {
    "archive": write_archive, "folder": write_folder, "files": write_files,
}  # fmt: skip


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_documents_and_data(
    database: PsanaDatabase, tmp_path: Path, write: Callable[[PsanaDatabase, Path], Path]
) -> None:
    with open_store(str(write(database, tmp_path / "dump"))) as store:
        databases = {"cdb_mfx101332224", f"cdb_{SHORT}"}
        assert set(store.databases()) - {"cdb_detnames"} == databases
        for name in databases:
            assert store.collections(name) == (SHORT,)
            documents = {str(one["ctype"]): one for one in store.documents(name, SHORT)}
            for held in database.documents[name][SHORT]:
                found = documents[held["ctype"]]
                for key in ("_id", "id_data", "run", "run_end", "detector", "comment", "data_type", "data_shape"):
                    assert found.get(key) == held.get(key), key
            array = store.payload(name, str(documents["pedestals"]["id_data"]), LARGE.nbytes)
            assert bytes(array) == LARGE.tobytes()
            assert LARGE.nbytes > 3 * PIECE
            text = store.payload(name, str(documents["geometry"]["id_data"]), 1000)
            assert bytes(text).decode() == GEOMETRY
        assert list(store.documents("cdb_mfx101332224", "epix_000001")) == []


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_data_that_are_missing_or_larger_than_declared(
    database: PsanaDatabase, tmp_path: Path, write: Callable[[PsanaDatabase, Path], Path]
) -> None:
    (data, *_) = database.data["cdb_mfx101332224"]
    with open_store(str(write(database, tmp_path / "dump"))) as store:
        with pytest.raises(InvalidDataError, match="not in the"):
            store.payload("cdb_mfx101332224", "f" * 24, 100)
        with pytest.raises(InvalidDataError, match="at most 100"):
            store.payload("cdb_mfx101332224", data, 100)


def test_a_piece_that_is_missing(database: PsanaDatabase, tmp_path: Path) -> None:
    folder = write_folder(database, tmp_path / "dump")
    chunks = folder / "cdb_mfx101332224" / "fs.chunks.bson"
    raw = chunks.read_bytes()
    chunks.write_bytes(raw[int.from_bytes(raw[:4], "little") :])
    (data, *_) = database.data["cdb_mfx101332224"]
    with open_store(str(folder)) as store, pytest.raises(InvalidDataError, match="its pieces have"):
        store.payload("cdb_mfx101332224", data, LARGE.nbytes)


def test_an_archive_that_is_cut_off_anywhere(database: PsanaDatabase, tmp_path: Path) -> None:
    raw = write_archive(database, tmp_path / "whole").read_bytes()
    part, chance = tmp_path / "part", random.Random(1)
    for length in [0, 1, 4, 10, len(raw) - 1, len(raw) - 4, len(raw) - 60, *chance.sample(range(len(raw)), 60)]:
        part.write_bytes(raw[:length])
        with pytest.raises(InvalidDataError):
            open_store(str(part))


def read_all(store: PsanaStore) -> None:
    for name in store.databases():
        for collection in store.collections(name):
            for document in store.documents(name, collection):
                store.payload(name, str(document.get("id_data")), 1 << 24)


def test_mutated_archives_are_read_or_refused(database: PsanaDatabase, tmp_path: Path) -> None:
    raw = write_archive(database, tmp_path / "whole").read_bytes()
    part, chance = tmp_path / "part", random.Random(int(os.environ.get("CALIBVCS_TEST_MUTATIONS", "200")))
    small = raw.index(b"files_id") - 200
    refused = 0
    for _ in range(int(os.environ.get("CALIBVCS_TEST_MUTATIONS", "200"))):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(small)] = chance.randrange(256)
        part.write_bytes(changed)
        try:
            with open_store(str(part)) as store:
                read_all(store)
        except InvalidDataError:
            refused += 1
    assert refused


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not begin"),
        (b"\x93NUMPY", "does not begin"),
        (gzip.compress(MAGIC, mtime=0), "compressed"),
        (MAGIC + bson({"version": "0.1"}), "cut off"),
        (MAGIC + SEPARATOR + SEPARATOR, "without a name"),
        (MAGIC + SEPARATOR + bson({"db": 7, "collection": "c"}) + SEPARATOR, "without a name"),
        (MAGIC + SEPARATOR + b"\xff\xff\xff\x7f", "a document of"),
    ],
)
def test_files_that_are_no_archive(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "dump.arc"
    path.write_bytes(content)
    with pytest.raises(InvalidDataError, match=reason):
        open_store(str(path))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        open_store(str(tmp_path / "missing"))
    with pytest.raises(InvalidDataError, match="0 files"):
        open_store(str(tmp_path))
    with pytest.raises(MissingFileError):
        open_store("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MissingFileError, match="not a regular file"):
        open_store(str(tmp_path / "pipe"))


def test_arrays_beside_a_document_hold_no_objects(database: PsanaDatabase, tmp_path: Path) -> None:
    folder = write_files(database, tmp_path / "dump")
    (array,) = folder.glob("clb-cdb_mfx*.npy")
    marker = tmp_path / "executed"

    class Trap:
        def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
            return Path.touch, (marker,)

    np.save(array, np.array([Trap()], dtype=object), allow_pickle=True)
    (data, *_) = database.data["cdb_mfx101332224"]
    with open_store(str(folder)) as store, pytest.raises(InvalidDataError):
        store.payload("cdb_mfx101332224", data, 1 << 20)
    array.write_bytes(b"\x93NUMPY\x01\x00\x10\x00" + b"__import__('os')")
    with open_store(str(folder)) as store, pytest.raises(InvalidDataError, match=r"no \.npy"):
        store.payload("cdb_mfx101332224", data, 1 << 20)
    assert not marker.exists()
