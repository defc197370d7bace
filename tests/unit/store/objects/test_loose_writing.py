"""Loose objects: written whole and durably, together or alone; of a write that fails nothing is left."""

from __future__ import annotations

import errno
import os
import random
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import InvalidOptionError, NotWritableError, StorageError
from calibvcs.store.objects import loose_writing, new_file
from calibvcs.store.objects.compression import Chooser
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.loose_writing import LARGE, path_of

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))
NOISE = random.Random(5).randbytes(9000)
LARGE_NOISE = random.Random(6).randbytes(LARGE + 100_000)
LARGE_ZEROS = bytes(LARGE)


def put(objects: Path, *contents: bytes, kind: str = "blob") -> list[str]:
    return loose_writing.write(objects, [(kind, [data]) for data in contents], lambda _: False)


def read(objects: Path, wanted: str) -> bytes:
    return zlib.decompress(path_of(objects, wanted).read_bytes())


def files(objects: Path) -> list[Path]:
    return sorted(path for path in objects.rglob("*") if path.is_file())


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    made = tmp_path / "objects"
    made.mkdir()
    return made


# --- what is written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["blob", "tree", "commit", "tag"])
@pytest.mark.parametrize(
    "data",
    [b"", b"x", TEXT, NOISE, bytes(300_000), LARGE_NOISE, LARGE_ZEROS],
    ids=["none", "x", "text", "noise", "zeros", "large noise", "large zeros"],
)
def test_the_file_is_what_git_writes(objects: Path, kind: str, data: bytes) -> None:
    (made,) = put(objects, data, kind=kind)
    assert made == object_id(kind, [data])
    assert read(objects, made) == b"%s %d\0" % (kind.encode(), len(data)) + data
    assert path_of(objects, made).stat().st_mode & 0o777 == 0o444
    assert files(objects) == [path_of(objects, made)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.binary(max_size=20) | st.sampled_from([TEXT, NOISE, LARGE_NOISE, LARGE_ZEROS]), max_size=6))
def test_objects_that_are_written_together_are_all_there_in_their_order(objects: Path, contents: list[bytes]) -> None:
    made = put(objects, *contents)
    assert made == [object_id("blob", [data]) for data in contents]
    for wanted, data in zip(made, contents, strict=True):
        assert read(objects, wanted).endswith(b"\0" + data)
        assert not list(objects.glob("tmp_obj_*"))


def test_hundreds_of_objects_need_few_open_files(objects: Path) -> None:
    contents = [b"%d" % number for number in range(300)]
    made = put(objects, *contents)
    assert len(files(objects)) == len(set(made)) == 300


def test_pieces_are_one_content(objects: Path) -> None:
    pieces = [b"head", memoryview(bytes(range(100)))[10:20], memoryview(LARGE_NOISE)]
    made = loose_writing.write(objects, [("blob", pieces)], lambda _: False)
    assert made == put(objects, b"".join(pieces))


def test_what_shrinks_is_deflated_and_noise_is_stored(objects: Path) -> None:
    for size in (200_000, LARGE + 5):
        noise, zeros = random.Random(1).randbytes(size), bytes(size)
        stored, deflated = put(objects, noise, zeros)
        assert path_of(objects, stored).stat().st_size in range(size, size + 200)
        assert path_of(objects, deflated).stat().st_size < size // 100


def test_what_the_configuration_says_holds_for_either_size(objects: Path) -> None:
    for size in (200_000, LARGE + 5):
        contents = [("blob", [(random.Random(2).randbytes(1000) * (size // 1000 + 1))[:size]])]
        deflated = loose_writing.write(objects, contents, lambda _: False, Chooser(objects, "deflate"))[0]
        smaller = path_of(objects, deflated).stat().st_size
        path_of(objects, deflated).unlink()
        loose_writing.write(objects, contents, lambda _: False, Chooser(objects, "store"))
        assert path_of(objects, deflated).stat().st_size > size > 10 * smaller


def test_a_wrong_configuration_leaves_nothing(objects: Path) -> None:
    (objects / "config").write_text("[calibvcs]\n\tcompression = zip\n")
    for data in (bytes(200_000), LARGE_ZEROS):
        with pytest.raises(InvalidOptionError):
            loose_writing.write(objects, [("blob", [data])], lambda _: False, Chooser(objects / "config"))
        assert files(objects) == [objects / "config"]


# --- what is there already --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [TEXT, LARGE_NOISE], ids=["small", "large"])
def test_an_object_that_is_there_is_touched_and_not_written_again(objects: Path, data: bytes) -> None:
    path = path_of(objects, put(objects, data)[0])
    os.utime(path, (5, 5))
    inode = path.stat().st_ino
    put(objects, data, data)
    assert path.stat().st_ino == inode
    assert path.stat().st_mtime > 5
    assert files(objects) == [path]


@pytest.mark.parametrize("data", [TEXT, LARGE_NOISE], ids=["small", "large"])
def test_an_object_that_is_in_a_pack_is_not_written(objects: Path, data: bytes) -> None:
    asked: list[str] = []

    def present(wanted: str) -> bool:
        asked.append(wanted)
        return True

    assert loose_writing.write(objects, [("blob", [data])], present) == asked == [object_id("blob", [data])]
    assert files(objects) == []


def test_an_object_of_somebody_else_that_cannot_be_touched_is_written_again(
    objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(objects, put(objects, TEXT)[0])
    inode = path.stat().st_ino

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(loose_writing.os, "utime", refused)
    (made,) = put(objects, TEXT)
    assert path.stat().st_ino != inode
    assert read(objects, made).endswith(TEXT)


def test_half_written_files_of_killed_writers_are_in_nobodys_way(objects: Path) -> None:
    whole = path_of(objects, put(objects, TEXT)[0]).read_bytes()
    (objects / "tmp_obj_123-abcdef").write_bytes(whole[:20])
    (made,) = put(objects, NOISE)
    assert read(objects, made).endswith(NOISE)


# --- beside others ----------------------------------------------------------------------------------------------


def test_a_folder_that_a_clean_up_takes_away_is_made_again(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir, taken = Path.mkdir, []

    def and_take_it_away(self: Path, *arguments: Any, **options: Any) -> None:
        mkdir(self, *arguments, **options)
        if len(taken) < 3:
            self.rmdir()
            taken.append(self)

    monkeypatch.setattr(Path, "mkdir", and_take_it_away)
    (made,) = put(objects, TEXT)
    assert read(objects, made).endswith(TEXT)
    assert len(taken) == 3


def test_a_folder_that_is_always_taken_away_is_told_in_the_end(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_: None)
    with pytest.raises(StorageError, match="No such file or directory"):
        put(objects, TEXT)
    assert files(objects) == []


def test_writers_of_the_same_objects_do_not_disturb_each_other(objects: Path) -> None:
    contents = [TEXT, LARGE_NOISE, *(b"%d" % number for number in range(50))]
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(put(objects, *contents))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[object_id("blob", [data]) for data in contents]] * 6
    assert len(files(objects)) == len(contents)
    assert all(read(objects, wanted) for wanted in results[0])


# --- on disk, or not at all -------------------------------------------------------------------------------------


@pytest.mark.parametrize("contents", [[TEXT], [TEXT, NOISE, b"x"], [LARGE_NOISE]], ids=["one", "three", "large"])
def test_contents_are_on_disk_before_their_names(
    objects: Path, monkeypatch: pytest.MonkeyPatch, contents: list[bytes]
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        done.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name[:7])
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        made = replace(self, target)
        done.append("rename")
        return made

    monkeypatch.setattr(new_file.os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    folders = sorted({wanted[:2] for wanted in put(objects, *contents)})
    number = len(contents)
    assert done[: 2 * number] == ["sync tmp_obj"] * number + ["rename"] * number
    assert done[2 * number :] == [*(f"sync {folder}" for folder in folders), "sync objects"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("contents", [[TEXT, NOISE], [LARGE_NOISE], [LARGE_ZEROS]], ids=["small", "stored", "deflated"])
def test_a_disk_that_fails_at_any_call_leaves_nothing_behind(
    tmp_path: Path, failing_disk: Any, contents: list[bytes], code: int
) -> None:
    for number in range(1, 1000):
        objects = tmp_path / str(number)
        objects.mkdir()
        with failing_disk(number, code) as seen:
            try:
                made = put(objects, *contents)
                break
            except StorageError as error:
                told = error.reason, error.needed
        assert told == (os.strerror(code), sum(map(len, contents)))
        assert not list(objects.glob("tmp_*"))
        named = [path.name for path in files(objects)]
        assert len(named) == seen[:-1].count("replace") - seen.count("mkdir")
        for path in files(objects):  # it has its name already, so it is whole
            assert zlib.decompress(path.read_bytes()).partition(b"\0")[2] in contents
    assert {"open", "writev", "fsync", "mkdir", "replace"} <= set(seen)
    assert ("fallocate" in seen) == (contents == [LARGE_NOISE] and code != errno.EIO)
    assert len(seen) == number - 1
    assert [read(objects, wanted).partition(b"\0")[2] for wanted in made] == contents


def test_a_disk_that_may_not_be_written_is_told(objects: Path, failing_disk: Any) -> None:
    with failing_disk(1, errno.EROFS), pytest.raises(NotWritableError, match="Read-only file system"):
        put(objects, TEXT)
    assert files(objects) == []


def test_who_is_interrupted_leaves_nothing_behind(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(loose_writing, "object_id", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(objects, LARGE_NOISE)
    assert files(objects) == []
    assert threading.active_count() == 1
