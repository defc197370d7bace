"""The plain way through dulwich: damage and locks in our own words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dulwich.object_store import DiskObjectStore

from calibvcs.errors import DamagedObjectError, StorageError, WriterBusyError
from calibvcs.store.objects import plain
from calibvcs.store.objects.plain import PlainDatabase
from tests.unit.store.packs_by_hand import delta, loose, whole, write_loose, write_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    for name in ("pack", "info"):
        (tmp_path / "objects" / name).mkdir(parents=True)
    return tmp_path / "objects"


@pytest.fixture
def database(objects: Path) -> Iterator[PlainDatabase]:
    store = DiskObjectStore(str(objects))
    yield PlainDatabase(lambda: store)
    store.close()


def test_loose_and_packed_objects_are_read(objects: Path, database: PlainDatabase) -> None:
    entry = delta(TEXT, TEXT + b"1", by_id=True)
    write_pack(objects, [whole(TEXT), entry])
    tree = loose(objects, b"", "tree")
    assert database.read(entry.id) == ("blob", TEXT + b"1")
    assert database.kind(tree) == "tree"
    assert database.beginning_with(tree[:9]) == [tree]


def test_what_is_damaged_is_told_with_its_place(objects: Path, database: PlainDatabase) -> None:
    wanted = loose(objects, TEXT)
    file = objects / wanted[:2] / wanted[2:]
    sound = file.read_bytes()
    other = objects / loose(objects, b"other")[:2]
    for content in (b"", sound[:10], sound[: len(sound) // 2], next(other.iterdir()).read_bytes()):
        write_loose(objects, wanted, content)
        with pytest.raises(DamagedObjectError, match=rf"{wanted}.*{objects}"):
            database.read(wanted)


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_a_damaged_pack_is_told(objects: Path, database: PlainDatabase, suffix: str) -> None:
    pack, _ = write_pack(objects, [whole(TEXT)])
    file = pack.with_suffix(suffix)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DamagedObjectError, match=rf"{whole(TEXT).id}.*{objects}"):
        database.read(whole(TEXT).id)


def test_an_object_is_on_disk_when_it_was_written(
    objects: Path, database: PlainDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("dulwich.file.os.fsync", lambda descriptor: synced.append("file"))
    monkeypatch.setattr(plain, "sync_folder", lambda folder: synced.append(Path(folder).name))
    wanted = database.write("blob", [TEXT[:9], memoryview(TEXT)[9:]])
    assert synced == ["file", wanted[:2]]
    assert database.read(wanted) == ("blob", TEXT)


def test_the_lock_of_a_killed_writer_is_named(
    objects: Path, database: PlainDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_PATIENCE", 0.02)
    wanted = whole(TEXT).id
    lock = write_loose(objects, wanted + ".lock", b"")
    with pytest.raises(WriterBusyError, match=str(lock)):
        database.write("blob", [TEXT])
    lock.unlink()
    assert database.writer.write([("blob", [TEXT])]) == [wanted]


def test_a_disk_that_fails_is_told(objects: Path, database: PlainDatabase) -> None:
    (objects / whole(TEXT).id[:2]).write_bytes(b"a file where a folder is expected")
    with pytest.raises(StorageError, match="Not a directory"):
        database.write("blob", [TEXT])
