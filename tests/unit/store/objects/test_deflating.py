"""zlib streams out of memory: whatever is written, zlib reads; what is stored is what hardly shrinks."""

from __future__ import annotations

import os
import random
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.store.objects.deflating import deflate, shrinks, store, stored_size

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 400_000

contents = st.one_of(
    st.binary(max_size=300),
    st.integers(1, 300_000).map(os.urandom),
    st.sampled_from([65534, 65535, 65536, 131070, 131071, 1_000_000, 2_200_000]).map(bytes),
)


def views(*parts: bytes) -> list[memoryview]:
    return [memoryview(part) for part in parts]


def written(way: Callable[..., None], parts: list[bytes]) -> bytes:
    pieces: list[bytes] = []
    way(lambda buffers: pieces.append(b"".join(buffers)), views(*parts))
    return b"".join(pieces)


@given(st.lists(contents, max_size=4))
def test_zlib_reads_what_is_stored(parts: list[bytes]) -> None:
    stream = written(store, parts)
    assert zlib.decompress(stream) == b"".join(parts)
    assert len(stream) == stored_size(views(*parts))
    assert len(stream) <= sum(map(len, parts)) + 5 * (sum(map(len, parts)) // 60000 + len(parts) + 1) + 6


@given(st.lists(contents, max_size=4), st.integers(1, 9))
def test_zlib_reads_what_is_deflated(parts: list[bytes], level: int) -> None:
    def way(write: Callable[[list[bytes | memoryview]], None], pieces: list[memoryview]) -> None:
        deflate(write, pieces, level)

    assert zlib.decompress(written(way, parts)) == b"".join(parts)


def test_storing_copies_nothing() -> None:
    array = np.random.default_rng(1).random(1 << 21)
    tracemalloc.start()
    try:
        store(lambda _: None, [memoryview(b"blob 16777216\0"), memoryview(array).cast("B")])
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def pedestals() -> bytes:
    return np.random.default_rng(2).normal(1000, 20, SIZE // 4).astype(np.float32).tobytes()


def status() -> bytes:
    array = np.zeros(SIZE // 8, np.uint64)
    array[np.random.default_rng(3).integers(0, len(array), len(array) // 100)] = 4
    return array.tobytes()


def nearly_constant() -> bytes:
    array = np.full(SIZE // 4, 41.5, np.float32)
    array[:: SIZE // 40] += 0.25
    return array.tobytes()


def text() -> bytes:
    return b"".join(b"IP:V1 0 CAMERA:V1 %d 0 1.5 -2 100000 90 0 0 0.125 0 0\n" % number for number in range(5000))


@pytest.mark.parametrize("content", [status(), nearly_constant(), text(), bytes(SIZE), b"ab" * 500])
def test_what_repeats_shrinks(content: bytes) -> None:
    assert shrinks(views(content))
    assert shrinks(views(content[:100], content[100:]))


@pytest.mark.parametrize("content", [pedestals(), random.Random(1).randbytes(SIZE), b"", b"x", os.urandom(3000)])
def test_noise_does_not_shrink(content: bytes) -> None:
    assert not shrinks(views(content))
    assert not shrinks(views(content[:100], content[100:]))


def test_samples_come_from_everywhere() -> None:
    noise, zeros, third = pedestals(), bytes(SIZE), SIZE // 3
    assert not shrinks(views(noise[:third], zeros[:third], noise[-third:]))
    assert shrinks(views(zeros[:third], noise[:third], zeros[-third:]))
    assert not shrinks(views(zeros[:third] + noise[: 2 * third]))


def test_the_header_of_an_array_does_not_stand_for_the_array() -> None:
    assert shrinks(views(os.urandom(128), status()))
    assert not shrinks(views(bytes(128), pedestals()))
