"""Loose objects: written whole, read with every length checked; damage is told, and costs no memory."""

from __future__ import annotations

import errno
import os
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError, NotWritableError, StorageError
from calibvcs.store import durable, loose
from calibvcs.store.objects import object_id

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))
NOISE = random.Random(5).randbytes(9000)


def put(objects: Path, data: bytes, kind: str = "blob") -> str:
    return loose.write(objects, kind, [data], lambda _: False)


def plant(objects: Path, wanted: str, content: bytes) -> Path:
    """Put a file where an object of this id would stand."""
    path = loose.path_of(objects, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    return tmp_path / "objects"


# --- sound objects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["blob", "tree", "commit", "tag"])
@pytest.mark.parametrize("data", [b"", b"x", TEXT, NOISE, bytes(300_000)], ids=["none", "x", "text", "noise", "zeros"])
def test_an_object_is_read_as_it_was_written(objects: Path, kind: str, data: bytes) -> None:
    objects.mkdir()
    made = put(objects, data, kind)
    assert loose.read(objects, made) == (kind, data)
    for length in (0, 1, 10, len(data), len(data) + 1):
        assert loose.read_head(objects, made, length) == (kind, data[:length], len(data))


def test_the_file_is_what_git_writes(objects: Path) -> None:
    objects.mkdir()
    made = put(objects, TEXT)
    path = objects / made[:2] / made[2:]
    assert zlib.decompress(path.read_bytes()) == b"blob %d\0" % len(TEXT) + TEXT
    assert path.stat().st_mode & 0o777 == 0o444
    assert [found for found in objects.rglob("*") if found.is_file()] == [path]


def test_what_shrinks_is_deflated_and_noise_is_stored(objects: Path) -> None:
    objects.mkdir()
    noise, zeros = random.Random(1).randbytes(200_000), bytes(200_000)
    assert loose.path_of(objects, put(objects, noise)).stat().st_size in range(200_000, 200_200)
    assert loose.path_of(objects, put(objects, zeros)).stat().st_size < 2000


def test_what_is_not_there_is_none(objects: Path) -> None:
    assert loose.read(objects, "ab" * 20) is None
    assert loose.read_head(objects, "ab" * 20, 10) is None
    objects.mkdir()
    (objects / "ab").write_bytes(b"a file where a folder is expected")
    assert loose.read(objects, "ab" * 20) is None


def test_an_object_that_is_there_is_touched_and_not_written_again(objects: Path) -> None:
    objects.mkdir()
    path = loose.path_of(objects, put(objects, TEXT))
    os.utime(path, (5, 5))
    inode = path.stat().st_ino
    put(objects, TEXT)
    assert path.stat().st_ino == inode
    assert path.stat().st_mtime > 5


def test_an_object_of_somebody_else_that_cannot_be_touched_is_written_again(
    objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.mkdir()
    path = loose.path_of(objects, put(objects, TEXT))
    inode = path.stat().st_ino

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(loose.os, "utime", refused)
    made = put(objects, TEXT)
    assert path.stat().st_ino != inode
    assert loose.read(objects, made) == ("blob", TEXT)


def test_a_folder_that_a_clean_up_takes_away_is_made_again(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.mkdir()
    make_folders, taken = loose.make_folders, []

    def and_take_it_away(folder: Path) -> None:
        make_folders(folder)
        if len(taken) < 3:
            folder.rmdir()
            taken.append(folder)

    monkeypatch.setattr(loose, "make_folders", and_take_it_away)
    assert loose.read(objects, put(objects, TEXT)) == ("blob", TEXT)
    assert len(taken) == 3


def test_half_written_files_of_killed_writers_are_no_objects(objects: Path) -> None:
    objects.mkdir()
    made = put(objects, TEXT)
    whole = loose.path_of(objects, made).read_bytes()
    (objects / "tmp_obj_123-abcdef").write_bytes(whole[:20])
    (objects / made[:2] / "tmp_obj_abcdef").write_bytes(whole[:20])
    assert loose.read(objects, made) == ("blob", TEXT)
    assert put(objects, TEXT) == made


def test_a_failed_write_leaves_nothing_behind(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.mkdir()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    (objects / object_id("blob", [TEXT])[:2]).mkdir()
    with pytest.raises(StorageError, match="No space left on device") as caught:
        put(objects, TEXT)
    assert caught.value.needed == len(TEXT)
    assert [path for path in objects.rglob("*") if path.is_file()] == []


def test_a_failed_rename_leaves_nothing_behind(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.mkdir()

    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(NotWritableError, match="Permission denied"):
        put(objects, TEXT)
    assert [path for path in objects.rglob("*") if path.is_file()] == []


def test_content_is_on_disk_before_its_name(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.mkdir()
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        done.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name[:7])
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(durable.os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    made = put(objects, TEXT)
    assert done == ["sync tmp_obj", "sync objects", "rename", f"sync {made[:2]}"]


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [TEXT, NOISE, b"short"], ids=["deflated", "stored", "short"])
def test_a_file_that_is_cut_short_anywhere_is_damage(objects: Path, data: bytes) -> None:
    objects.mkdir()
    made = put(objects, data)
    whole = loose.path_of(objects, made).read_bytes()
    places = {*range(min(len(whole), 120)), *range(len(whole) - 20, len(whole)), len(whole) // 2}
    for place in sorted(place for place in places if place >= 0):
        plant(objects, made, whole[:place])
        with pytest.raises(DamagedObjectError) as caught:
            loose.read(objects, made)
        assert caught.value.object_id == made


def test_a_head_that_is_cut_short_is_damage(objects: Path) -> None:
    objects.mkdir()
    made = put(objects, NOISE)
    whole = loose.path_of(objects, made).read_bytes()
    plant(objects, made, whole[:1000])
    assert loose.read_head(objects, made, 500) == ("blob", NOISE[:500], len(NOISE))
    with pytest.raises(DamagedObjectError, match="claims 9000 bytes and ends after"):
        loose.read_head(objects, made, 2000)
    plant(objects, made, whole[:4])
    with pytest.raises(DamagedObjectError):
        loose.read_head(objects, made, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_bit_goes_unnoticed(objects: Path, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from([TEXT, NOISE, b"short"]))
    objects.mkdir(exist_ok=True)
    made = object_id("blob", [content])
    loose.path_of(objects, made).unlink(missing_ok=True)
    put(objects, content)
    whole = bytearray(loose.path_of(objects, made).read_bytes())
    place = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[place // 8] ^= 1 << place % 8
    plant(objects, made, bytes(whole))
    try:
        found = loose.read(objects, made)
    except DamagedObjectError:
        return
    assert found == ("blob", content)  # bits of the deflate header that mean nothing


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0", b"blob 5\0hello", zlib.compress(b""), zlib.compress(b"blob 5"), zlib.compress(b"blob 5\0"),
        zlib.compress(b"blob 5\0hell"), zlib.compress(b"blob 5\0hello!"), zlib.compress(b"blob 05\0hello"),
        zlib.compress(b"blob -5\0hello"), zlib.compress(b"blob\0hello"), zlib.compress(b"bulb 5\0hello"),
        zlib.compress(b"blob 5 \0hello"), zlib.compress(b"blob 99999999999999999999\0hello"), bytes(range(100)),
        zlib.compress(b"BLOB 5\0hello"), zlib.compress(b"blob 5\0hello")[:-4], zlib.compress(b"blob 5\0hello")[:-1],
        zlib.compress(b"blob " + b"1" * 5000 + b"\0hello"), zlib.compress(b"blob 5\0olleh"),
    ],
)  # fmt: skip
def test_what_is_no_object_of_this_id_is_damage(objects: Path, content: bytes) -> None:
    wanted = object_id("blob", [b"hello"])
    plant(objects, wanted, content)
    with pytest.raises(DamagedObjectError) as caught:
        loose.read(objects, wanted)
    assert caught.value.object_id == wanted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.binary(max_size=80).map(zlib.compress))
def test_no_bytes_break_the_reader(objects: Path, content: bytes) -> None:
    wanted = "ab" * 20
    plant(objects, wanted, content)
    for look in (lambda: loose.read(objects, wanted), lambda: loose.read_head(objects, wanted, 20)):
        try:
            look()
        except DamagedObjectError as error:
            assert error.object_id == wanted  # noqa: PT017 - most bytes are damage, some have a sound head


@pytest.mark.parametrize("size", [4 << 30, 10**15])
def test_a_lie_about_the_size_costs_no_memory(objects: Path, size: int) -> None:
    wanted = "cd" * 20
    content = plant(objects, wanted, zlib.compress(b"blob %d\0" % size + NOISE[:900]))
    assert content.stat().st_size < 1000
    tracemalloc.start()
    try:
        with pytest.raises(DamagedObjectError, match=f"claims {size} bytes and holds 900"):
            loose.read(objects, wanted)
        with pytest.raises(DamagedObjectError, match=f"claims {size} bytes and ends after 900"):
            loose.read_head(objects, wanted, 2000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_small_file_does_not_inflate_beyond_what_it_claims(objects: Path) -> None:
    wanted = "cd" * 20
    bomb = zlib.compress(b"blob 100\0" + bytes(50 << 20), 9)
    plant(objects, wanted, bomb)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedObjectError, match="claims 100 bytes"):
            loose.read(objects, wanted)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_folder_in_the_place_of_an_object_is_damage(objects: Path) -> None:
    wanted = "ef" * 20
    loose.path_of(objects, wanted).mkdir(parents=True)
    with pytest.raises(DamagedObjectError, match="Is a directory"):
        loose.read(objects, wanted)
