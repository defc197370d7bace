"""Files made to cost much: floods of small things, deep nests, numbers that promise gigabytes."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.sources.runs import look
from calibvcs.sources.xtc2 import Xtc2Source
from tests import xtc2_writer as w

WHEN = w.stamp(1_767_225_600)
BLOCK = w.raw_blocks("jungfrau", "jungfrau", ["a"])[0]
HEAD = w.head([BLOCK], "xpptut15", 3, WHEN)
MOST = 64 << 20
SIZE = 1 << 20


def _many(part: bytes) -> bytes:
    return part * (SIZE // len(part))


def _configure(payload: bytes) -> bytes:
    return w.datagram(w.CONFIGURE, WHEN, payload)


def _lying_array() -> bytes:
    shapes = w.xtc(w.SHAPES, struct.pack("<5I", 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0))
    return w.xtc(w.SHAPES_DATA, shapes + w.xtc(w.DATA, b"x" * 100), source=BLOCK.key)


def _many_names() -> bytes:
    return b"".join(w.names(w.Block(n, f"d{n}", "t", "s")) for n in range(SIZE // 1048))


def _one_with_many_fields() -> bytes:
    return w.names(w.Block(1, "d", "t", "s", [("a", 1, 2)] * (SIZE // 524)))


FLOODS: dict[str, Callable[[], bytes]] = {
    "events": lambda: HEAD + _many(w.datagram(w.L1_ACCEPT, WHEN + 9)),
    "slow updates": lambda: HEAD + _many(w.datagram(w.SLOW_UPDATE, WHEN + 9)),
    "runs": lambda: HEAD + _many(w.begin_run(WHEN, None)),
    "runs at many times": lambda: HEAD + b"".join(w.begin_run(WHEN + n, None) for n in range(SIZE // 24)),
    "configures": lambda: _many(_configure(b"")),
    "no detectors": lambda: _configure(_many(w.xtc(w.PARENT))),
    "data without names": lambda: _configure(b"".join(w.xtc(w.SHAPES_DATA, source=n) for n in range(SIZE // 12))),
    "names": lambda: _configure(_many_names()),
    "fields": lambda: _configure(_one_with_many_fields()),
    "parents in an event": lambda: HEAD + w.datagram(w.L1_ACCEPT, WHEN, _many(w.xtc(w.PARENT))),
    "data in an event": lambda: HEAD + w.datagram(w.L1_ACCEPT, WHEN, _many(w.xtc(w.SHAPES_DATA, source=BLOCK.key))),
    "an array of exabytes": lambda: HEAD + w.datagram(w.L1_ACCEPT, WHEN, _lying_array()),
    "a long text": lambda: HEAD + w.datagram(w.SLOW_UPDATE, WHEN, w.data(w.RUN_INFO, ["\x01" * SIZE, 1])),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_little(name: str, tmp_path: Path) -> None:
    path = tmp_path / "flood.xtc2"
    path.write_bytes(FLOODS[name]())
    tracemalloc.start()
    try:
        look(path)
        _read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST


def _read(path: Path) -> None:
    try:
        with Xtc2Source([path]) as source:
            for every in (source.transitions(), source.events()):
                for event in itertools.islice(every, 500):
                    _look_at(event)
    except InvalidDataError as error:
        assert "byte" in error.reason  # noqa: PT017


def _look_at(event: object) -> None:
    try:
        assert all(isinstance(array, np.ndarray) for array in event.arrays.values())  # type: ignore[attr-defined]
        event.all_values()  # type: ignore[attr-defined]
    except InvalidDataError as error:
        assert "byte" in error.reason  # noqa: PT017


@pytest.mark.parametrize("depth", [16, 1000, 100_000])
def test_a_nest_is_refused(depth: int, tmp_path: Path) -> None:
    sizes = range(12, 12 * depth + 12, 12)
    nest = b"".join(struct.pack("<IHHI", 0, 0, w.PARENT, size) for size in reversed(sizes))
    (tmp_path / "nest.xtc2").write_bytes(HEAD + w.datagram(w.L1_ACCEPT, WHEN, nest))
    (event,) = Xtc2Source([tmp_path / "nest.xtc2"]).events()
    with pytest.raises(InvalidDataError, match=r"nest\.xtc2: byte \d+: Xtcs inside each other, more than 16 deep"):
        len(event.arrays)


def test_a_nest_of_allowed_depth_is_read(tmp_path: Path) -> None:
    frame = np.arange(24, dtype=np.uint16).reshape(4, 6)
    payload = w.data(BLOCK, [frame, 0])
    for _ in range(10):
        payload = w.xtc(w.PARENT, payload)
    (tmp_path / "nest.xtc2").write_bytes(HEAD + w.datagram(w.L1_ACCEPT, WHEN, payload))
    (event,) = Xtc2Source([tmp_path / "nest.xtc2"]).events()
    assert np.array_equal(event.arrays["jungfrau"], frame[None])
