"""Objects in packs: whole, by their head and in blocks; every byte of structure may be wrong, and is told."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.packs.packed_object import PackedObject
from calibvcs.store.packs.reading import Pack
from tests.unit.store.packs_by_hand import (
    Entry,
    delta,
    distance,
    varint,
    whole,
    write_pack,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))
NOISE = random.Random(5).randbytes(9000)
CONTENTS = {
    "text": TEXT, "noise": NOISE, "empty": b"", "zeros": bytes(300_000), "one": TEXT + b"1", "two": TEXT + b"12",
    "three": TEXT[:100] + b"3",
}  # fmt: skip


def entries() -> list[Entry]:
    return [
        whole(TEXT), whole(NOISE, level=0), whole(b""), whole(bytes(300_000)), delta(TEXT, CONTENTS["one"], by_id=False),
        delta(CONTENTS["one"], CONTENTS["two"], by_id=True), delta(CONTENTS["two"], CONTENTS["three"], by_id=False),
        whole(b"a commit", "commit"), whole(b"a tree", "tree"), whole(b"a tag", "tag"),
    ]  # fmt: skip


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Path], Pack]]:
    """Return what opens a pack, and closes it in the end."""
    packs: list[Pack] = []

    def open_pack(path: Path) -> Pack:
        packs.append(Pack(path.with_suffix(".idx")))
        return packs[-1]

    yield open_pack
    for pack in packs:
        pack.close()


def ways(found: PackedObject, size: int) -> list[Callable[[], bytes]]:
    """Return every way to read the content as a whole; a delta is read in one way only."""

    def into() -> bytes:
        out = bytearray(size)
        held = found.open()
        if held is None:
            return found.read()[1]
        with held:
            held.read_into(0, memoryview(out), check=True)
        return bytes(out)

    def in_blocks() -> bytes:
        held = found.open()
        if held is None:
            return found.read()[1]
        with held:
            return b"".join(map(bytes, held.blocks(0, 1000, check=True)))

    return [lambda: found.read()[1], into, in_blocks]


@pytest.mark.parametrize("name", CONTENTS)
def test_an_object_is_read_in_every_way(tmp_path: Path, opened: Callable[[Path], Pack], name: str) -> None:
    content = CONTENTS[name]
    path, offsets = write_pack(tmp_path, entries())
    found = PackedObject(object_id("blob", [content]), opened(path), offsets[object_id("blob", [content])])
    for _ in range(2):
        assert found.read() == ("blob", content)
        for length in (0, 1, 10, len(content), len(content) + 1):
            assert found.read_head(length) == ("blob", content[:length], len(content))
        assert [way() for way in ways(found, len(content))] == [content] * 3
    held = found.open()
    assert (held is None) == (name in {"one", "two", "three"})
    if held:
        held.__exit__()


def test_every_kind_is_told(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    path, offsets = write_pack(tmp_path, entries())
    pack = opened(path)
    for kind in ("commit", "tree", "tag"):
        wanted = object_id(kind, [f"a {kind}".encode()])
        assert PackedObject(wanted, pack, offsets[wanted]).read() == (kind, f"a {kind}".encode())


def test_a_chain_of_two_thousand_deltas_is_followed(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    chain, content = [whole(b"0")], b"0"
    for number in range(1, 2000):
        following = b"%d" % number
        chain.append(delta(content, following, by_id=bool(number % 2)))
        content = following
    path, offsets = write_pack(tmp_path, chain)
    assert PackedObject(chain[-1].id, opened(path), offsets[chain[-1].id]).read() == ("blob", b"1999")


def test_bases_that_are_kept_do_not_fill_the_memory(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    bases = [random.Random(number).randbytes(200_000) for number in range(60)]
    deltas = [delta(base, base + b"!", by_id=True) for base in bases]
    path, offsets = write_pack(tmp_path, [*(whole(base, level=0) for base in bases), *deltas])
    pack = opened(path)
    tracemalloc.start()
    try:
        for _ in range(2):
            for base, entry in zip(bases, deltas, strict=True):
                assert PackedObject(entry.id, pack, offsets[entry.id]).read()[1] == base + b"!"
        assert tracemalloc.get_traced_memory()[0] < 10 << 20
    finally:
        tracemalloc.stop()


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "noise", "one", "two", "three"])
def test_no_flipped_bit_of_an_entry_goes_unnoticed(tmp_path: Path, opened: Callable[[Path], Pack], name: str) -> None:
    content = CONTENTS[name]
    path, offsets = write_pack(tmp_path, entries())
    wanted, sound = object_id("blob", [content]), path.read_bytes()
    begin = offsets[wanted]
    end = min([offset for offset in offsets.values() if offset > begin], default=len(sound) - 20)
    for place in {*range(begin, min(begin + 40, end)), *range(end - 5, end)}:  # kind, size, base, zlib, Adler-32
        for bit in range(8):
            damaged = bytearray(sound)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            pack = Pack(path.with_suffix(".idx"))
            for way in ways(PackedObject(wanted, pack, begin), len(content)):
                try:
                    assert way() == content
                except DamagedObjectError as error:
                    assert error.object_id == wanted  # noqa: PT017 - some bits mean nothing
                    assert path.name in str(error)  # noqa: PT017
            pack.close()


@pytest.mark.parametrize("name", ["text", "noise", "three"])
def test_a_pack_that_is_cut_short_anywhere_is_told(tmp_path: Path, name: str) -> None:
    content = CONTENTS[name]
    path, offsets = write_pack(tmp_path, entries())
    wanted, sound = object_id("blob", [content]), path.read_bytes()
    begin = offsets[wanted]
    end = min([offset for offset in offsets.values() if offset > begin], default=len(sound) - 20)
    for place in {0, 5, 12, *range(begin, min(begin + 12, end)), begin + 20, end - 5, end - 1}:
        path.write_bytes(sound[:place])
        pack = Pack(path.with_suffix(".idx"))
        for way in ways(PackedObject(wanted, pack, begin), len(content)):
            with pytest.raises(DamagedObjectError, match=rf"{wanted}.*{path.name}"):
                way()
        pack.close()


@pytest.mark.parametrize("claimed", [4 << 30, 10**17, 899, 901])
@pytest.mark.parametrize("level", [0, 6])
def test_a_lie_about_the_size_costs_no_memory(
    tmp_path: Path, opened: Callable[[Path], Pack], claimed: int, level: int
) -> None:
    entry = whole(NOISE[:900], claimed=claimed, level=level)
    path, offsets = write_pack(tmp_path, [whole(TEXT), entry])
    found = PackedObject(entry.id, opened(path), offsets[entry.id])
    tracemalloc.start()
    try:
        looks = [*ways(found, 900), *([lambda: found.read_head(901)] if claimed > 900 else [])]
        for look in looks:
            with pytest.raises(DamagedObjectError, match=rf"{entry.id}.*{path.name}"):
                look()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("claimed", [4 << 30, (1 << 31) - 1, len(TEXT) + 1])
def test_a_lie_about_what_a_delta_makes_costs_no_memory(
    tmp_path: Path, opened: Callable[[Path], Pack], claimed: int
) -> None:
    entry = delta(TEXT, TEXT + b"2", by_id=True, claimed=claimed + (claimed == len(TEXT) + 1))
    path, offsets = write_pack(tmp_path, [whole(TEXT), entry])
    found = PackedObject(entry.id, opened(path), offsets[entry.id])
    tracemalloc.start()
    try:
        for look in (found.read, lambda: found.read_head(10)):
            with pytest.raises(DamagedObjectError, match=rf"{entry.id}.*{path.name}.*delta"):
                look()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_deltas_that_go_round_in_a_circle_are_told(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    one, other = delta(b"other", b"one", by_id=True), delta(b"one", b"other", by_id=True)
    path, offsets = write_pack(tmp_path, [one, other])
    with pytest.raises(DamagedObjectError, match="round in a circle"):
        PackedObject(one.id, opened(path), offsets[one.id]).read()


def test_a_base_that_is_nowhere_is_told(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    by_id = delta(b"elsewhere", b"mine", by_id=True)
    before = Entry(object_id("blob", [b"x"]), varint(5, 4, 6 << 4) + distance(1 << 20), zlib.compress(b"abcde"))
    itself = Entry(object_id("blob", [b"y"]), varint(5, 4, 6 << 4) + distance(0), zlib.compress(b"abcde"))
    endless = Entry(object_id("blob", [b"z"]), varint(5, 4, 6 << 4) + b"\xff" * 4000, zlib.compress(b"abcde"))
    path, offsets = write_pack(tmp_path, [by_id, before, itself, endless])
    pack = opened(path)
    for entry in (by_id, before, itself, endless):
        with pytest.raises(DamagedObjectError, match="has no base"):
            PackedObject(entry.id, pack, offsets[entry.id]).read()


@pytest.mark.parametrize("offset", [0, 5, 11, 12 + (1 << 20), 1 << 40, (1 << 63) - 1])
def test_an_offset_that_is_wrong_is_told(tmp_path: Path, opened: Callable[[Path], Pack], offset: int) -> None:
    path, _ = write_pack(tmp_path, entries())
    found = PackedObject(object_id("blob", [TEXT]), opened(path), offset)
    for look in (found.read, found.open):
        with pytest.raises(DamagedObjectError, match=path.name):
            look()


def test_a_pack_that_went_away_before_it_was_opened_is_told_as_a_missing_file(tmp_path: Path) -> None:
    path, offsets = write_pack(tmp_path, entries())
    pack = Pack(path.with_suffix(".idx"))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        PackedObject(object_id("blob", [TEXT]), pack, offsets[object_id("blob", [TEXT])]).read()


def test_a_pack_that_goes_away_after_it_was_opened_is_read_on(tmp_path: Path, opened: Callable[[Path], Pack]) -> None:
    path, offsets = write_pack(tmp_path, entries())
    found = PackedObject(object_id("blob", [TEXT]), opened(path), offsets[object_id("blob", [TEXT])])
    assert found.read()[1] == TEXT
    held = found.open()
    assert held is not None
    path.unlink()
    with held:
        blocks = held.blocks(0, 100, check=True)
        made = bytes(next(blocks))
        found.pack.close()
        assert made + b"".join(map(bytes, blocks)) == TEXT
