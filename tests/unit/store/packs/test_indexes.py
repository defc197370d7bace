"""Indexes of packs: every object is found where it is; what is damaged is told or finds nothing wrong."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.store.packs import indexes
from calibvcs.store.packs.indexes import ManyPacksIndex, PackIndex
from tests.unit.store.packs_by_hand import index_of, many_of

if TYPE_CHECKING:
    from collections.abc import Callable

GIGABYTE = 1 << 30


def ids(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return sorted({chance.randbytes(20).hex() for _ in range(count)})


def offsets(count: int) -> dict[str, int]:
    """Return offsets of which some are beyond 2 and 4 GiB."""
    return {one: 12 + 37 * number + (number % 3) * 3 * GIGABYTE for number, one in enumerate(ids(count))}


def write(folder: Path, content: bytes) -> Path:
    path = folder / "index"
    path.write_bytes(content)
    return path


def opened(path: Path, many: bool) -> PackIndex | ManyPacksIndex:
    return ManyPacksIndex(path) if many else PackIndex(path)


# --- sound indexes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 300, 5000])
@pytest.mark.parametrize("at_once", [True, False], ids=["read", "kept open"])
def test_every_object_is_found_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(indexes, "_SMALL_FILE", 100)
    places = offsets(count)
    index = PackIndex(write(tmp_path, index_of(places, bytes(20))))
    for one, offset in places.items():
        assert index.find(bytes.fromhex(one)) == offset
    for other in ids(200, seed=2):
        assert index.find(bytes.fromhex(other)) is None
    assert index.file.is_sound()
    index.file.close()


@pytest.mark.parametrize("large_from", [1 << 31, 100])
def test_an_index_of_many_packs_tells_the_pack(tmp_path: Path, large_from: int) -> None:
    places = offsets(400)
    packs: dict[str, dict[str, int]] = {f"pack-{number}.idx": {} for number in range(5)}
    for number, (one, offset) in enumerate(places.items()):
        packs[f"pack-{number % 5}.idx"][one] = offset
    index = ManyPacksIndex(write(tmp_path, many_of(packs, large_from)))
    assert index.packs == tuple(packs)
    for number, (one, offset) in enumerate(places.items()):
        assert index.find(bytes.fromhex(one)) == (f"pack-{number % 5}.idx", offset)
    for other in ids(200, seed=2):
        assert index.find(bytes.fromhex(other)) is None
    assert index.is_sound()


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=60, unique=True), st.integers(0, 40))
def test_ids_are_found_by_how_they_begin(tmp_path_factory: pytest.TempPathFactory, found: list[bytes], at: int) -> None:
    places = {one.hex(): 12 + number for number, one in enumerate(found)}
    path = write(tmp_path_factory.mktemp("index"), index_of(places, bytes(20)))
    index = PackIndex(path)
    for one in [*places, "0" * 40, "f" * 40]:
        assert index.beginning_with(one[:at]) == sorted(other for other in places if other.startswith(one[:at]))


def test_ids_that_share_bytes_across_their_ends_are_told_apart(tmp_path: Path) -> None:
    # What is sought stands in the table a second time, but across two ids.
    sought = "00" + "ab" * 19
    places = {"00" * 2 + "ab" * 18: 12, "ab" * 20: 13, "00" + "ab" * 18 + "00": 14, "00" + "aa" * 18 + "00": 15}
    index = PackIndex(write(tmp_path, index_of(places, bytes(20))))
    assert index.find(bytes.fromhex(sought)) is None
    assert [index.find(bytes.fromhex(one)) for one in places] == [12, 13, 14, 15]


# --- damage -----------------------------------------------------------------------------------------------------


def a_file(many: bool) -> tuple[bytes, dict[str, int]]:
    places = offsets(30)
    return (many_of({"pack-a.idx": places}) if many else index_of(places, bytes(20))), places


def look(path: Path, many: bool, wanted: str) -> int | None:
    index = opened(path, many)
    try:
        found = index.find(bytes.fromhex(wanted))
    finally:
        index.file.close()
    return found[1] if isinstance(found, tuple) else found


@pytest.mark.parametrize("many", [False, True], ids=["one pack", "many packs"])
def test_every_flipped_byte_is_told_or_changes_one_answer_only(tmp_path: Path, many: bool) -> None:
    sound, places = a_file(many)
    wanted = sorted(places)[7]
    for place in range(len(sound)):
        damaged = bytearray(sound)
        damaged[place] ^= 0x55
        path = write(tmp_path, bytes(damaged))
        try:
            found = look(path, many, wanted)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 - most bytes belong to other objects
            continue
        assert found in {places[wanted], None} or not opened(path, many).file.is_sound()


@pytest.mark.parametrize("many", [False, True], ids=["one pack", "many packs"])
@pytest.mark.parametrize("at_once", [True, False], ids=["read", "kept open"])
def test_a_file_that_is_cut_short_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(indexes, "_SMALL_FILE", -1)
    sound, places = a_file(many)
    for place in {*range(60), *range(0, len(sound), 41), len(sound) - 1}:
        path = write(tmp_path, sound[:place])
        try:
            index = opened(path, many)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 - the last part is optional, and looked at when it is needed
            continue
        assert place > len(sound) - 20 - 8 * len(places)
        assert not index.file.is_sound()
        for one, offset in places.items():
            try:
                assert look(path, many, one) == offset
            except ValueError as error:
                assert str(path) in str(error)  # noqa: PT017
        index.file.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.booleans())
def test_no_bytes_break_the_reader(tmp_path: Path, data: st.DataObject, many: bool) -> None:
    sound, places = a_file(many)
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        begin = data.draw(st.integers(0, len(sound) - 1))
        piece = data.draw(st.binary(max_size=12) | st.sampled_from([b"\xff" * 8, bytes(8)]))
        damaged[begin : begin + len(piece)] = piece
    path = write(tmp_path, bytes(damaged))
    for wanted in sorted(places)[::7]:
        try:
            look(path, many, wanted)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 - some bytes do no harm


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"MIDX\x02" + body[5:], lambda body: b"MIDX\x01\x02" + body[6:], lambda body: body[:6] + b"\xff" + body[7:],
        lambda body: body[:7] + b"\x01" + body[8:], lambda body: body[:8] + b"\xff" * 4 + body[12:],
    ],
    ids=["version 2", "SHA-256", "many parts", "one of a chain", "very many packs"],
)  # fmt: skip
def test_another_kind_of_index_is_not_understood(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match=str(tmp_path)):
        ManyPacksIndex(write(tmp_path, change(many_of({"pack-a.idx": offsets(5)}))))


def test_the_check_sum_is_over_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_SMALL_FILE", 1000)
    body = random.Random(3).randbytes(4321)
    whole = body + hashlib.sha1(body, usedforsecurity=False).digest()
    for content, sound in ((whole, True), (whole[:-1], False), (b"x" + whole[1:], False), (b"", False), (body, False)):
        file = indexes.FileBytes(write(tmp_path, content))
        assert file.is_sound() is sound
        file.close()
