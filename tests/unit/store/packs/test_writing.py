"""Packs: read by dulwich as they were written, visible when they are whole, and gone where that fails."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import ObjectID
from dulwich.pack import Pack, load_pack_index_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import InvalidOptionError, NotWritableError, StorageError
from calibvcs.model.commits import Signature
from calibvcs.store.objects import new_file
from calibvcs.store.objects.compression import Chooser
from calibvcs.store.objects.encoding import encode_commit, encode_tag, object_id
from calibvcs.store.packs import writing as pack_writing
from calibvcs.store.packs.writing import PackWriter, Place, encode_index

NOISE = random.Random(5).randbytes(70_000)
LARGE_NOISE = random.Random(6).randbytes((1 << 20) + 70_000)
LARGE_ZEROS = bytes(1 << 20)
WHO = Signature("Grace Hopper", "grace@example.org", 5)
KINDS = {
    "commit": (1, encode_commit("4" * 40, (), WHO, WHO, "Why")),
    "tree": (2, b""),
    "blob": (3, b"tree"),
    "tag": (4, encode_tag("name", "5" * 40, WHO, "Why")),
}

contents = st.lists(
    st.binary(max_size=20)
    | st.integers(4000, 4200).map(bytes)
    | st.sampled_from([b"", b"x", NOISE, NOISE[:65536], LARGE_NOISE, LARGE_NOISE[: 1 << 20], LARGE_ZEROS]),
    min_size=1,
    max_size=12,
)


def absent(_: str) -> bool:
    return False


def left(objects: Path) -> list[str]:
    return sorted(path.name for path in objects.rglob("*") if path.is_file())


def packed(pack: Path) -> dict[str, tuple[int, bytes]]:
    """Read a pack with dulwich, every check sum and hash checked."""
    with Pack(str(pack.with_suffix("")), object_format=DEFAULT_OBJECT_FORMAT) as opened:
        opened.check()
        opened.index.check()
        raw = {name.decode(): opened.get_raw(name) for name in opened.index}
    return {name: (number, bytes(data)) for name, (number, data) in raw.items()}


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    made = tmp_path / "objects"
    made.mkdir()
    return made


# --- what is written --------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(contents, st.sampled_from(["auto", "store", "deflate"]))
def test_dulwich_reads_what_is_written(objects: Path, blobs: list[bytes], compression: Any) -> None:
    writer = PackWriter(objects, Chooser(objects, compression))
    made = [writer.add("blob", [data], absent) for data in blobs]
    pack = writer.finish()
    assert pack is not None
    assert made == [object_id("blob", [data]) for data in blobs]
    assert packed(pack) == {object_id("blob", [data]): (3, data) for data in blobs}
    assert {path.suffix for path in pack.parent.iterdir()} == {".pack", ".idx"}


def test_every_kind_is_told(objects: Path) -> None:
    writer = PackWriter(objects)
    made = {writer.add(kind, [data], absent): (number, data) for kind, (number, data) in KINDS.items()}
    pack = writer.finish()
    assert pack is not None
    assert packed(pack) == made
    assert {path.stat().st_mode & 0o777 for path in pack.parent.iterdir()} == {0o444}
    assert left(objects) == [f"{pack.stem}.idx", f"{pack.stem}.pack"]


def test_pieces_are_one_content_and_may_change_afterwards(objects: Path) -> None:
    writer, piece = PackWriter(objects), bytearray(b"piece")
    noise = bytearray(NOISE)
    made = [writer.add("blob", [b"a ", memoryview(piece)], absent), writer.add("blob", [memoryview(noise)], absent)]
    piece[:], noise[:9] = b"other", b"other one"
    pack = writer.finish()
    assert pack is not None
    assert packed(pack) == {made[0]: (3, b"a piece"), made[1]: (3, NOISE)}


def test_what_shrinks_is_deflated_and_noise_is_stored(objects: Path) -> None:
    for data, most in ((LARGE_NOISE, len(LARGE_NOISE) + 200), (LARGE_ZEROS, 10_000), (NOISE, len(NOISE) + 100)):
        writer = PackWriter(objects)
        writer.add("blob", [data], absent)
        pack = writer.finish()
        assert pack is not None
        assert pack.stat().st_size <= most


@pytest.mark.parametrize("data", [b"x", NOISE, LARGE_NOISE, LARGE_ZEROS])
def test_what_is_there_is_not_written_again(objects: Path, data: bytes) -> None:
    writer, asked = PackWriter(objects), list[str]()

    def present(wanted: str) -> bool:
        asked.append(wanted)
        return True

    for number in range(3):
        writer.add("blob", [data], absent if number == 1 else present)
    writer.add("blob", [b"behind it"], absent)
    pack = writer.finish()
    assert pack is not None
    assert packed(pack) == {object_id("blob", [some]): (3, some) for some in (data, b"behind it")}
    assert asked == [object_id("blob", [data])]


def test_nothing_new_makes_no_pack(objects: Path) -> None:
    writer = PackWriter(objects)
    writer.add("blob", [LARGE_NOISE], lambda _: True)
    assert writer.finish() is None
    assert left(objects) == []


def test_a_pack_is_not_seen_before_it_is_finished(objects: Path) -> None:
    writer = PackWriter(objects)
    writer.add("blob", [LARGE_NOISE], absent)
    (name,) = left(objects)
    assert name.startswith("tmp_pack_")
    writer.discard()
    assert left(objects) == []
    writer.discard()


def test_the_same_pack_may_be_written_twice(objects: Path) -> None:
    for _ in range(2):
        writer = PackWriter(objects)
        writer.add("blob", [NOISE], absent)
        pack = writer.finish()
        assert pack is not None
        assert packed(pack) == {object_id("blob", [NOISE]): (3, NOISE)}
        assert len(left(objects)) == 2


def test_many_packs_may_be_written_at_once(objects: Path) -> None:
    packs: list[Path | None] = []

    def write(number: int) -> None:
        writer = PackWriter(objects)
        for data in (b"of all", b"%d" % number, LARGE_NOISE):
            writer.add("blob", [data], absent)
        packs.append(writer.finish())

    threads = [threading.Thread(target=write, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(left(objects)) == 10
    assert all(len(packed(pack)) == 3 for pack in packs if pack)


def test_offsets_beyond_two_gigabytes_are_told() -> None:
    places = {object_id("blob", [b"%d" % number]): Place(number * (1 << 29) + 12, number * 7) for number in range(20)}
    data = encode_index(places, bytes(range(20)))
    index = load_pack_index_file("large.idx", io.BytesIO(data), object_format=DEFAULT_OBJECT_FORMAT)
    index.check()
    assert index.get_pack_checksum() == bytes(range(20))
    assert hashlib.sha1(data[:-20], usedforsecurity=False).digest() == data[-20:]
    for wanted, place in places.items():
        assert index.object_offset(ObjectID(wanted.encode())) == place.offset
    found = {bytes(name).hex(): (offset, crc) for name, offset, crc in index.iterentries()}
    assert set(found) == set(places)
    assert all(found[wanted] == tuple(place) for wanted, place in places.items())
    index.close()


# --- on disk, or not at all -------------------------------------------------------------------------------------


def test_all_is_on_disk_before_it_is_visible(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append(f"sync {path.name[:8]}")
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        done.append(f"rename {target.suffix}")
        if target.suffix == ".pack":  # with its check sum, and nothing that could still change
            data = self.read_bytes()
            assert hashlib.sha1(data[:-20], usedforsecurity=False).digest() == data[-20:]
            assert struct.unpack(">4sII", data[:12]) == (b"PACK", 2, 2)
        return replace(self, target)

    writer = PackWriter(objects)
    writer.add("blob", [LARGE_NOISE], absent)
    writer.add("blob", [b"small"], absent)
    monkeypatch.setattr(new_file.os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    writer.finish()
    assert done == ["sync tmp_pack", "sync tmp_pack", "sync tmp_idx_", "rename .pack", "rename .idx", "sync pack"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_any_call_leaves_nothing_behind(tmp_path: Path, failing_disk: Any, code: int) -> None:
    blobs = [b"small", LARGE_NOISE, NOISE, LARGE_ZEROS, LARGE_NOISE]
    pack = None
    for number in range(1, 1000):
        objects = tmp_path / str(number)
        objects.mkdir()
        writer = None
        with failing_disk(number, code) as seen:
            try:
                writer = PackWriter(objects)
                for data in blobs:
                    writer.add("blob", [data], absent)
                pack = writer.finish()
                break
            except StorageError as error:
                told = error.reason
        assert told == os.strerror(code)
        if seen.count("replace") < 2 or seen[-1] == "replace":
            assert left(objects) == []
        else:  # only that the names are on disk is not certain
            assert len(packed(next((objects / "pack").glob("*.pack")))) == 4
        if writer is not None:
            for again in (lambda: writer.add("blob", [b"more"], absent), writer.finish):  # noqa: B023
                with pytest.raises(StorageError, match=os.strerror(code)):
                    again()
            writer.discard()
    calls = {"open", "writev", "pwrite", "pread", "ftruncate", "fsync", "mkdir", "replace"}
    assert set(seen) == calls | ({"fallocate"} if code != errno.EIO else set())
    assert len(seen) == number - 1
    assert pack is not None
    assert len(packed(pack)) == 4


def test_an_index_that_fails_spares_the_pack_of_somebody_else(objects: Path, failing_disk: Any) -> None:
    def write() -> Path | None:
        writer = PackWriter(objects)
        writer.add("blob", [b"the same"], absent)
        return writer.finish()

    first = write()
    assert first is not None
    with failing_disk(1000, errno.EIO) as calls:
        write()
    last = len(calls) - calls[::-1].index("replace")
    with failing_disk(last, errno.EIO), pytest.raises(StorageError):
        write()
    assert len(left(objects)) == 2
    assert len(packed(first)) == 1


def test_a_folder_that_may_not_be_written_is_told(objects: Path, failing_disk: Any) -> None:
    (objects / "pack").mkdir()
    with failing_disk(1, errno.EACCES), pytest.raises(NotWritableError, match="Permission denied"):
        PackWriter(objects)


def test_a_wrong_configuration_leaves_nothing(objects: Path) -> None:
    (objects / "config").write_text("[calibvcs]\n\tcompression = zip\n")
    for data in (NOISE, LARGE_NOISE):
        writer = PackWriter(objects, Chooser(objects / "config"))
        with pytest.raises(InvalidOptionError):
            writer.add("blob", [data], absent)
        with pytest.raises(InvalidOptionError):
            writer.finish()
        assert left(objects) == ["config"]


def test_who_is_interrupted_leaves_nothing_behind(objects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    writer = PackWriter(objects)
    monkeypatch.setattr(pack_writing, "object_id", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer.add("blob", [LARGE_NOISE], absent)
    assert left(objects) == []
    assert threading.active_count() == 1
