"""zlib streams into memory: whatever zlib makes is read, and what is damaged is told, never returned."""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.store.objects.inflating import Deflated, Inflating

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held(stream: bytes, offset: int = 0, behind: bytes = b"") -> Iterator[int]:
    descriptor = os.memfd_create("stream")
    try:
        os.write(descriptor, b"x" * offset + stream + behind)
        yield descriptor
    finally:
        os.close(descriptor)


def read(stream: bytes, sizes: list[int], offset: int = 0, behind: bytes = b"behind it") -> list[bytes]:
    """Fill pieces of memory one after the other, and hold that the stream ends behind them."""
    with held(stream, offset, behind) as descriptor:
        inflating, pieces = Inflating(descriptor, offset), [bytearray(size) for size in sizes]
        for piece in pieces:
            inflating.fill(memoryview(piece))
        inflating.finish()
        return [bytes(piece) for piece in pieces]


def cut(content: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[begin:end] for begin, end in pairwise(edges)]


def stored(blocks: list[bytes]) -> bytes:
    """Make a stream of stored blocks."""
    parts = [b"\x78\x01"]
    for number, block in enumerate(blocks):
        size = len(block)
        parts += [struct.pack("<BHH", number == len(blocks) - 1, size, size ^ 0xFFFF), block]
    return b"".join([*parts, zlib.adler32(b"".join(blocks)).to_bytes(4)])


NOISE = os.urandom(300_000)
contents = st.one_of(
    st.binary(max_size=300),
    st.integers(1, 300_000).map(lambda size: NOISE[:size]),
    st.sampled_from([65534, 65535, 65536, 131070, 131071, 1_000_000]).map(bytes),
)
places = st.lists(st.integers(0, 1 << 20), max_size=5)


@given(contents, places, st.integers(-1, 9), st.integers(0, 5), st.integers(1, 70_000))
def test_what_zlib_writes_is_read(content: bytes, at: list[int], level: int, offset: int, flush: int) -> None:
    deflater = zlib.compressobj(level)
    pieces = [content[begin : begin + flush] for begin in range(0, len(content), flush)][:20]
    stream = b"".join(deflater.compress(piece) + deflater.flush(zlib.Z_FULL_FLUSH) for piece in pieces)
    stream += deflater.flush()
    expected = cut(b"".join(pieces), at)
    assert read(stream, [len(piece) for piece in expected], offset) == expected


@given(st.lists(st.integers(0, 3000) | st.sampled_from([0, 65535, 65534, 1024, 1023]), min_size=1, max_size=70), places)
def test_stored_blocks_of_any_length_are_read(sizes: list[int], at: list[int]) -> None:
    blocks = [os.urandom(size) for size in sizes]
    expected = cut(b"".join(blocks), at)
    assert read(stored(blocks), [len(piece) for piece in expected]) == expected


@given(contents, contents, places, st.booleans())
def test_stored_and_deflated_blocks_in_one_stream_are_read(
    first: bytes, second: bytes, at: list[int], stored_first: bool
) -> None:
    raw = [zlib.compressobj(0, wbits=-15), zlib.compressobj(9, wbits=-15)]
    one, other = raw if stored_first else raw[::-1]
    body = one.compress(first) + one.flush(zlib.Z_SYNC_FLUSH) + other.compress(second) + other.flush()
    stream = b"\x78\x01" + body + zlib.adler32(first + second).to_bytes(4)
    assert zlib.decompress(stream) == first + second
    expected = cut(first + second, at)
    assert read(stream, [len(piece) for piece in expected]) == expected


@given(st.binary(max_size=200_000), st.integers(0, 9), st.integers(0, 2**32), st.integers(1, 255))
def test_no_flipped_bit_is_ever_returned_as_data(content: bytes, level: int, place: int, flip: int) -> None:
    stream = bytearray(zlib.compress(content, level))
    stream[place % len(stream)] ^= flip
    try:
        assert read(bytes(stream), [len(content)]) == [content]  # bits that mean nothing may flip
    except ValueError:
        return


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("wrong", [-70_000, -1, 1, 70_000])
def test_another_length_than_expected_is_told(level: int, wrong: int) -> None:
    content = os.urandom(150_000)
    with pytest.raises(ValueError, match=r"ends after 150000 bytes|holds more than"):
        read(zlib.compress(content, level), [10, len(content) - 10 + wrong])


@pytest.mark.parametrize("level", [0, 6])
@pytest.mark.parametrize("length", [0, 1, 2, 6, 7, 8, 60_000, 65_541, 65_545, 140_000, -1, -4, -5])
def test_a_stream_that_is_cut_short_is_told(level: int, length: int) -> None:
    stream = zlib.compress(os.urandom(150_000), level)[:length]
    with pytest.raises(ValueError, match=r"cut short|begin|check sum|damaged"):
        read(stream, [150_000], behind=b"")


@pytest.mark.parametrize("head", ["0000", "7800", "7902", "7820", "1b01"])
def test_what_is_no_zlib_stream_is_told(head: str) -> None:
    with pytest.raises(ValueError, match="does not begin like a zlib stream"):
        read(bytes.fromhex(head) + zlib.compress(b"content")[2:], [7])


def test_every_bit_of_the_heads_of_blocks_and_of_the_check_sum_matters() -> None:
    blocks = [os.urandom(2000), os.urandom(500), os.urandom(2000)]
    stream = stored(blocks)
    heads = [2, 2 + 5 + 2000, 2 + 5 + 2000 + 5 + 500, len(stream) - 4]
    for place in sorted({head + number for head in heads for number in range(5)} - {len(stream)}):
        for bit in range(8):
            if place >= len(stream):
                continue
            damaged = bytearray(stream)
            damaged[place] ^= 1 << bit
            with pytest.raises(ValueError, match=r"it |its |the head"):
                read(bytes(damaged), [4500])


def test_very_many_empty_blocks_end_quickly() -> None:
    # Each block of its own would be a call to the system; zlib takes over and reads a file of 5 MB in milliseconds.
    stream = stored([b""] * 1_000_000 + [b"content"])
    calls, pread = [0], os.pread

    def counting(*arguments: int) -> bytes:
        calls[0] += 1
        return pread(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calibvcs.store.objects.inflating.os.pread", counting)
        assert read(stream, [7]) == [b"content"]
    assert calls[0] < 500


@given(contents, st.integers(-1, 9), st.integers(0, 400_000))
def test_pieces_of_a_stream_add_up(content: bytes, level: int, ahead: int) -> None:
    stream = zlib.compress(content, level)
    ahead = min(ahead, len(stream))
    with held(stream, 3) as descriptor:
        assert Deflated(descriptor, 3 + ahead, stream[:ahead]).take_all(len(content)) == content
        length = len(content) // 2
        assert Deflated(descriptor, 3).take_head(length) == content[:length]
        assert Deflated(descriptor, 3).take_head(len(content) + 1) == content
        for wrong in {len(content) + 1, max(0, len(content) - 1)} - {len(content)}:
            with pytest.raises(ValueError, match=f"claims {wrong} bytes and holds"):
                Deflated(descriptor, 3).take_all(wrong)
