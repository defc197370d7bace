"""Single objects, those of one change, and batches: what is on disk when, and what stays of a batch that fails."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.pack import Pack

from calibvcs.errors import StorageError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.writing import ObjectWriter


class Folder:
    """An ``objects`` folder with a writer."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True)
        self.path = path
        self.writer = ObjectWriter(path, lambda wanted: wanted in self.packed())

    def packed(self) -> set[str]:
        found: set[str] = set()
        for index in (self.path / "pack").glob("*.idx"):
            with Pack(str(index.with_suffix("")), object_format=DEFAULT_OBJECT_FORMAT) as pack:
                pack.check()
                found |= {name.decode() for name in pack}
        return found

    def loose(self) -> set[str]:
        return {path.parent.name + path.name for path in self.path.glob("??/*")}

    def temporary(self) -> list[str]:
        return [path.name for path in self.path.rglob("tmp_*")]


def ids(*contents: bytes) -> set[str]:
    return {object_id("blob", [data]) for data in contents}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "objects")


def test_without_a_batch_every_object_is_loose(folder: Folder) -> None:
    assert folder.writer.put("blob", [b"a"]) == object_id("blob", [b"a"])
    assert folder.writer.write([("blob", [b"b"]), ("blob", [b"c"])]) == [object_id("blob", [b]) for b in (b"b", b"c")]
    assert (folder.loose(), folder.packed()) == (ids(b"a", b"b", b"c"), set())
    assert not (folder.path / "pack").exists()


def test_a_batch_is_one_pack_with_what_is_written_at_its_end(folder: Folder) -> None:
    folder.writer.put("blob", [b"before"])
    with folder.writer.batch():
        folder.writer.put("blob", [b"before"])
        folder.writer.put("blob", [b"a"])
        folder.writer.put("blob", [b"a"])
        assert folder.packed() == set()
        folder.writer.write([("blob", [b"b"]), ("blob", [b"a"])])
        assert folder.packed() == ids(b"a", b"b")
        assert folder.temporary() == []
    assert (folder.loose(), folder.packed()) == (ids(b"before"), ids(b"a", b"b"))


def test_what_comes_behind_the_pack_is_loose(folder: Folder) -> None:
    with folder.writer.batch():
        folder.writer.put("blob", [b"a"])
        folder.writer.write([("blob", [b"b"])])
        folder.writer.put("blob", [b"a"])
        folder.writer.put("blob", [b"c"])
        folder.writer.write([("blob", [b"d"])])
    assert (folder.loose(), folder.packed()) == (ids(b"c", b"d"), ids(b"a", b"b"))


def test_a_batch_without_a_write_is_on_disk_when_it_ends(folder: Folder) -> None:
    with folder.writer.batch():
        folder.writer.put("blob", [b"a"])
    assert folder.packed() == ids(b"a")
    with folder.writer.batch():
        folder.writer.put("blob", [b"a"])
    assert len(list((folder.path / "pack").iterdir())) == 2


def test_a_batch_in_a_batch_is_part_of_it(folder: Folder) -> None:
    with folder.writer.batch():
        with folder.writer.batch():
            folder.writer.put("blob", [b"a"])
        assert folder.packed() == set()
        folder.writer.put("blob", [b"b"])
    assert folder.packed() == ids(b"a", b"b")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_takes_away_what_was_put(folder: Folder, error: type[BaseException]) -> None:
    def fail() -> None:
        with folder.writer.batch():
            folder.writer.put("blob", [b"a"])
            raise error

    with pytest.raises(error):
        fail()
    assert (folder.loose(), folder.packed(), folder.temporary()) == (set(), set(), [])
    folder.writer.put("blob", [b"a"])
    assert folder.loose() == ids(b"a")


def test_an_exception_behind_the_pack_leaves_it(folder: Folder) -> None:
    def fail() -> None:
        with folder.writer.batch():
            folder.writer.write([("blob", [b"a"])])
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - raised above
        fail()
    assert folder.packed() == ids(b"a")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_who_goes_on_after_a_failure_is_told_again(tmp_path: Path, failing_disk: Any, code: int) -> None:
    """Ids that were given out name nothing then, so that no commit may follow."""
    contents = [b"a", os.urandom(1 << 20), b"b"]

    def go_on(writer: ObjectWriter) -> None:
        with writer.batch():
            for data in contents:
                with suppress(StorageError):
                    writer.put("blob", [data])
            writer.write([("blob", [b"the commit"])])
            written.append(number)

    written: list[int] = []
    number = 0
    while not written:
        number += 1
        folder = Folder(tmp_path / f"{number}")
        with failing_disk(number, code) as seen:
            try:
                go_on(folder.writer)
            except StorageError as error:
                assert error.reason == os.strerror(code)  # noqa: PT017 - the last one does not fail
        assert folder.temporary() == []
        whole = seen.count("replace") == 2 and seen[-1] != "replace"
        assert folder.packed() == (ids(*contents, b"the commit") if whole else set())
    assert number > 10


def test_batches_of_many_threads_do_not_disturb_each_other(folder: Folder) -> None:
    def write(number: int) -> None:
        writer = ObjectWriter(folder.path, lambda _: False)
        with writer.batch():
            for content in range(200):
                writer.put("blob", [b"%d" % (content * (number + 1))])

    threads = [threading.Thread(target=write, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {b"%d" % (content * number) for number in range(1, 6) for content in range(200)}
    assert folder.packed() == ids(*expected)
    assert folder.temporary() == []
