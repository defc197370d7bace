"""Deltas: what they make is what they were made of, and whatever is wrong with one is told at no cost."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.store.objects.deltas import apply_delta
from tests.unit.store.packs_by_hand import delta_of, varint

LIMIT = 1 << 31


@given(st.binary(max_size=500), st.binary(max_size=500), st.integers(0, 70_000))
def test_a_delta_makes_what_it_was_made_of(base: bytes, rest: bytes, shared: int) -> None:
    base = base * 150
    content = base[:shared] + rest
    assert apply_delta(base, delta_of(base, content), LIMIT) == content


def test_a_copy_without_a_length_is_of_64_kilobytes() -> None:
    base = bytes(range(256)) * 300
    assert apply_delta(base, varint(len(base)) + varint(0x10000) + b"\x81\x05", LIMIT) == base[5 : 5 + 0x10000]


def test_copies_may_overlap_and_come_in_any_order() -> None:
    base = b"0123456789"
    delta = varint(10) + varint(9) + b"\x91\x05\x05" + b"\x91\x03\x04"
    assert apply_delta(base, delta, LIMIT) == b"567893456"


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_no_bytes_break_it(delta: bytes, base: bytes) -> None:
    for prefix in (b"", varint(len(base))):
        try:
            assert len(apply_delta(base, prefix + delta, 1 << 20)) <= 1 << 20
        except ValueError:
            continue


@pytest.mark.parametrize(
    "delta",
    [
        b"", b"\x0a", b"\x0a\x05", b"\x0a\x05\x00", b"\x0b\x05\x05hello", b"\x0a\x05\x06hello!", b"\x0a\x05\x04hell",
        b"\x0a\x05\x05hell", b"\x0a\x05\x91\x08\x05", b"\x0a\x05\x91", b"\x0a\x05\xff", b"\x8a", b"\xff" * 100,
        b"\x0a" + b"\xff" * 100_000 + b"\x01",
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(delta: bytes) -> None:
    with pytest.raises(ValueError, match="delta"):
        apply_delta(b"0123456789", delta, LIMIT)


@pytest.mark.parametrize("promised", [4 << 30, LIMIT, 1 << 30])
def test_a_promise_of_gigabytes_costs_no_memory(promised: int) -> None:
    base = bytes(1 << 16)
    copies = b"\x80" * 1000  # 64 kB each
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"promises|does not fit"):
            apply_delta(base, varint(len(base)) + varint(promised) + copies, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
