"""Loose objects: read with every length checked; damage is told with its file, and costs no memory."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.loose_reading import LooseObject, beginning_with
from tests.unit.store.packs_by_hand import loose, write_loose

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))
NOISE = random.Random(5).randbytes(9000)
LEVELS = {"stored": 0, "deflated": 6}


def into(found: LooseObject, size: int) -> bytes:
    out = bytearray(size)
    with found.open() as opened:
        opened.read_into(0, memoryview(out), check=True)
    return bytes(out)


def in_blocks(found: LooseObject, size: int) -> bytes:
    with found.open() as opened:
        return b"".join(map(bytes, opened.blocks(0, size, check=True)))


def ways(found: LooseObject, size: int) -> list[Callable[[], bytes]]:
    """Return every way to read the content as a whole."""
    return [lambda: found.read()[1], lambda: into(found, size), lambda: in_blocks(found, 1000)]


def told(found: LooseObject, size: int) -> list[DamagedObjectError]:
    """Hold that every way to read tells damage, with the object and its file."""
    errors = []
    for way in ways(found, size):
        with pytest.raises(DamagedObjectError) as caught:
            way()
        assert caught.value.object_id == found.id
        assert found.file in str(caught.value)
        errors.append(caught.value)
    return errors


# --- sound objects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("kind", ["blob", "tree", "commit", "tag"])
@pytest.mark.parametrize("data", [b"", b"x", TEXT, NOISE, bytes(300_000)], ids=["none", "x", "text", "noise", "zeros"])
def test_an_object_is_read_in_every_way(tmp_path: Path, kind: str, data: bytes, level: int) -> None:
    found = LooseObject.at(tmp_path, loose(tmp_path, data, kind, level))
    assert found.read() == (kind, data)
    for length in (0, 1, 10, len(data), len(data) + 1):
        assert found.read_head(length) == (kind, data[:length], len(data))
    assert [way() for way in ways(found, len(data))] == [data] * 3


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("size", [1, 7, 4096, 65535, 65536, 100_000, 1 << 20])
def test_blocks_are_of_one_size_and_of_one_memory(tmp_path: Path, size: int, level: int) -> None:
    data = random.Random(size).randbytes(min(230_000, 300 * size))
    found = LooseObject.at(tmp_path, loose(tmp_path, data, level=level))
    for begin in {0, 1, min(128, len(data)), len(data) - 1, len(data)}:
        with found.open() as opened:
            made, sizes, kept = b"", [], []
            for block in opened.blocks(begin, size, check=True):
                assert block.readonly
                made += block
                sizes.append(len(block))
                kept.append(block.obj)
        assert made == data[begin:]
        assert all(one == size for one in sizes[:-1])
        assert all(0 < one <= size for one in sizes[-1:])
        assert len(set(map(id, kept))) <= 1


def test_what_is_not_there_is_told_as_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "ab").write_bytes(b"a file where a folder is expected")
    for wanted in ("ab" * 20, "cd" * 20):
        found = LooseObject.at(tmp_path, wanted)
        for look in (found.read, lambda found=found: found.read_head(10), found.open):
            with pytest.raises(FileNotFoundError):
                look()


def test_ids_are_found_by_how_they_begin(tmp_path: Path) -> None:
    made = sorted(loose(tmp_path, b"%d" % number) for number in range(300))
    (tmp_path / made[0][:2] / "tmp_obj_1").touch()
    (tmp_path / "pack").mkdir()
    for length in (0, 1, 2, 3, 40):
        for prefix in {one[:length] for one in made}:
            assert sorted(beginning_with(tmp_path, prefix)) == [one for one in made if one.startswith(prefix)]


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("data", [TEXT, NOISE, b"short"], ids=["text", "noise", "short"])
def test_a_file_that_is_cut_short_anywhere_is_damage(tmp_path: Path, data: bytes, level: int) -> None:
    found = LooseObject.at(tmp_path, loose(tmp_path, data, level=level))
    whole = Path(found.file).read_bytes()
    places = {*range(min(len(whole), 120)), *range(max(0, len(whole) - 20), len(whole)), len(whole) // 2}
    for place in sorted(places):
        write_loose(tmp_path, found.id, whole[:place])
        told(found, len(data))


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("data", [TEXT, NOISE, b"short"], ids=["text", "noise", "short"])
def test_no_flipped_bit_of_structure_goes_unnoticed(tmp_path: Path, data: bytes, level: int) -> None:
    found = LooseObject.at(tmp_path, loose(tmp_path, data, level=level))
    whole = Path(found.file).read_bytes()
    for place in {*range(min(len(whole), 30)), *range(len(whole) - 6, len(whole))}:  # zlib, block, object, Adler-32
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            write_loose(tmp_path, found.id, bytes(damaged))
            for way in ways(found, len(data)):
                try:
                    assert way() == data  # bits of the zlib header that mean nothing
                except DamagedObjectError as error:
                    assert error.object_id == found.id  # noqa: PT017 - some bits mean nothing
                    assert found.file in str(error)  # noqa: PT017


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from([TEXT, NOISE, b"short"]))
    found = LooseObject.at(tmp_path, loose(tmp_path, content, level=data.draw(st.sampled_from([0, 6]))))
    whole = bytearray(Path(found.file).read_bytes())
    place = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[place // 8] ^= 1 << place % 8
    write_loose(tmp_path, found.id, bytes(whole))
    for way in ways(found, len(content)):
        try:
            assert way() == content
        except DamagedObjectError:
            continue


def test_a_head_that_is_cut_short_is_damage(tmp_path: Path) -> None:
    found = LooseObject.at(tmp_path, loose(tmp_path, NOISE, level=0))
    whole = Path(found.file).read_bytes()
    write_loose(tmp_path, found.id, whole[:1000])
    assert found.read_head(500) == ("blob", NOISE[:500], len(NOISE))
    with pytest.raises(DamagedObjectError, match="cut short"):
        found.read_head(2000)
    write_loose(tmp_path, found.id, whole[:4])
    with pytest.raises(DamagedObjectError):
        found.read_head(0)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0", b"blob 5\0hello", zlib.compress(b""), zlib.compress(b"blob 5"), zlib.compress(b"blob 5\0"),
        zlib.compress(b"blob 5\0hell"), zlib.compress(b"blob 5\0hello!"), zlib.compress(b"blob 05\0hello"),
        zlib.compress(b"blob -5\0hello"), zlib.compress(b"blob\0hello"), zlib.compress(b"bulb 5\0hello"),
        zlib.compress(b"blob 5 \0hello"), zlib.compress(b"blob 99999999999999999999\0hello"), bytes(range(100)),
        zlib.compress(b"BLOB 5\0hello"), zlib.compress(b"blob 5\0hello")[:-4], zlib.compress(b"blob 5\0hello")[:-1],
        zlib.compress(b"blob " + b"1" * 5000 + b"\0hello"), zlib.compress(b"blob 5\0olleh"),
        zlib.compress(b"tree 5\0hello"),
    ],
)  # fmt: skip
def test_what_is_no_object_of_this_id_is_damage(tmp_path: Path, content: bytes) -> None:
    wanted = object_id("blob", [b"hello"])
    write_loose(tmp_path, wanted, content)
    told(LooseObject.at(tmp_path, wanted), 5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.binary(max_size=80).map(zlib.compress))
def test_no_bytes_break_the_reader(tmp_path: Path, content: bytes) -> None:
    found = LooseObject.at(tmp_path, "ab" * 20)
    write_loose(tmp_path, found.id, content)
    for look in (*ways(found, 20), lambda: found.read_head(20)):
        try:
            look()
        except DamagedObjectError as error:
            assert error.object_id == found.id  # noqa: PT017 - most bytes are damage, some have a sound head


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("size", [900 * 1000, 4 << 30, 10**15])
def test_a_lie_about_the_size_costs_no_memory(tmp_path: Path, size: int, level: int) -> None:
    found = LooseObject.at(tmp_path, "cd" * 20)
    file = write_loose(tmp_path, found.id, zlib.compress(b"blob %d\0" % size + NOISE[:900], level))
    assert file.stat().st_size < 1000
    tracemalloc.start()
    try:
        looks = (found.read, lambda: found.read_head(2000), lambda: in_blocks(found, 1 << 12), lambda: into(found, 99))
        for look in looks:
            with pytest.raises(DamagedObjectError, match=rf"{found.id}.*{found.file}"):
                look()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_small_file_does_not_inflate_beyond_what_it_claims(tmp_path: Path) -> None:
    found = LooseObject.at(tmp_path, "cd" * 20)
    write_loose(tmp_path, found.id, zlib.compress(b"blob 100\0" + bytes(50 << 20), 9))
    tracemalloc.start()
    try:
        told(found, 100)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_blocks_of_a_large_object_take_the_memory_of_one_block(tmp_path: Path) -> None:
    data = random.Random(7).randbytes(1 << 20) * 24
    for level in LEVELS.values():
        found = LooseObject.at(tmp_path, loose(tmp_path, data, level=level))
        tracemalloc.start()
        try:
            with found.open() as opened:
                assert sum(len(block) for block in opened.blocks(128, 1 << 20, check=True)) == len(data) - 128
            assert tracemalloc.get_traced_memory()[1] < 2 << 20
        finally:
            tracemalloc.stop()
        Path(found.file).unlink()


def test_a_folder_in_the_place_of_an_object_is_damage(tmp_path: Path) -> None:
    found = LooseObject.at(tmp_path, "ef" * 20)
    Path(found.file).mkdir(parents=True)
    assert all("Is a directory" in error.reason for error in told(found, 1))


def test_another_length_than_expected_is_told(tmp_path: Path) -> None:
    found = LooseObject.at(tmp_path, loose(tmp_path, TEXT))
    for wrong in (0, len(TEXT) - 1, len(TEXT) + 1):
        with pytest.raises(DamagedObjectError, match=f"has {len(TEXT)} bytes, expected are {wrong}"):
            into(found, wrong)
    with found.open() as opened, pytest.raises(DamagedObjectError, match="wanted are those from"):
        next(opened.blocks(len(TEXT) + 1, 10, check=True))
