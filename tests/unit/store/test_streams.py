"""zlib streams from and into memory: whatever zlib makes is read, and what is damaged is told, never returned."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.store.streams import inflate_into, write_stored


def read(stream: bytes, prefix: int, size: int, offset: int = 0) -> tuple[bytes, bytes]:
    descriptor = os.memfd_create("stream")
    try:
        os.write(descriptor, b"x" * offset + stream + b"behind it")
        out = bytearray(size)
        return inflate_into(descriptor, offset, prefix, memoryview(out)), bytes(out)
    finally:
        os.close(descriptor)


def written(parts: list[bytes]) -> bytes:
    descriptor = os.memfd_create("stream")
    try:
        write_stored(descriptor, [memoryview(part) for part in parts])
        return os.pread(descriptor, 1 << 24, 0)
    finally:
        os.close(descriptor)


contents = st.one_of(
    st.binary(max_size=300),
    st.integers(1, 300_000).map(os.urandom),
    st.sampled_from([65534, 65535, 65536, 131070, 131071, 1_000_000]).map(bytes),
)


@given(st.lists(contents, max_size=4))
def test_zlib_reads_what_is_written(parts: list[bytes]) -> None:
    stream = written(parts)
    assert zlib.decompress(stream) == b"".join(parts)
    assert len(stream) <= sum(map(len, parts)) + 5 * (sum(map(len, parts)) // 60000 + len(parts) + 1) + 6


@given(contents, st.integers(0, 70_000), st.integers(-1, 9), st.integers(0, 5), st.integers(1, 70_000))
def test_what_zlib_writes_is_read(content: bytes, prefix: int, level: int, offset: int, flush: int) -> None:
    prefix = min(prefix, len(content))
    deflater = zlib.compressobj(level)
    pieces = [content[begin : begin + flush] for begin in range(0, len(content), flush)][:20]
    stream = b"".join(deflater.compress(piece) + deflater.flush(zlib.Z_FULL_FLUSH) for piece in pieces)
    content = b"".join(pieces)
    prefix = min(prefix, len(content))
    stream += deflater.flush()
    assert read(stream, prefix, len(content) - prefix, offset) == (content[:prefix], content[prefix:])


@given(st.binary(max_size=200_000), st.integers(0, 9), st.integers(0, 2**32), st.integers(1, 255))
def test_no_flipped_bit_is_ever_returned_as_data(content: bytes, level: int, place: int, flip: int) -> None:
    stream = bytearray(written([content]) if level == 0 else zlib.compress(content, level))
    stream[place % len(stream)] ^= flip
    try:
        assert read(bytes(stream), 0, len(content)) == (b"", content)  # bits that mean nothing may flip
    except ValueError:
        return


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("wrong", [-70_000, -1, 1, 70_000])
def test_another_length_than_expected_is_told(level: int, wrong: int) -> None:
    content = os.urandom(150_000)
    stream = zlib.compress(content, level)
    with pytest.raises(ValueError, match=r"bytes|cut short|check sum|damaged"):
        read(stream, 10, len(content) - 10 + wrong)


@pytest.mark.parametrize("length", [0, 1, 6, 7, 8, 60_000, 65_541, 65_545, 140_000])
def test_a_stream_that_is_cut_short_is_told(tmp_path: Path, length: int) -> None:
    file = tmp_path / "stream"
    file.write_bytes(written([os.urandom(150_000)])[:length])
    with file.open("rb") as opened, pytest.raises(ValueError, match=r"cut short|begin|damaged"):
        inflate_into(opened.fileno(), 0, 0, memoryview(bytearray(150_000)))
