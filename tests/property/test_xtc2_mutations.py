"""Damaged XTC2 files give a result or our error: never a crash, a hang, or much memory.

``CALIBVCS_TEST_MUTATIONS=100000 pytest tests/property/test_xtc2_mutations.py`` tries that many inputs; a few hundred are
the default. Half of them are made from real files, where they are there.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources.runs import look
from calibvcs.sources.xtc2 import Xtc2Source
from calibvcs.sources.xtc2_events import Xtc2Event
from tests import xtc2_writer as w

MUTATIONS = int(os.environ.get("CALIBVCS_TEST_MUTATIONS", "400"))
MORE_MEMORY = 64 << 20
PATIENCE = 30
LIES = (
    0,
    1,
    3,
    11,
    12,
    13,
    23,
    24,
    36,
    255,
    256,
    0x7FFF,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
REAL = (
    "test_jungfrau05M_calib.xtc2", "test_epix_calib.xtc2", "chunking/xpptut15-r0014-s000-c000.xtc2",
    "chunking/smalldata/xpptut15-r0014-s000-c000.smd.xtc2", "multirun_w_new_config/xpptut15-r0014-s000-c000.xtc2",
)  # fmt: skip


def made() -> dict[str, bytes]:
    """Return small valid files that hold everything the format has."""
    when = w.stamp(1_767_225_600)
    blocks = w.raw_blocks("jungfrau", "jungfrau", ["a", "b", "c"], axes=3)
    blocks += w.raw_blocks("epix", "epix10ka", {3: "p", 1: "q"}, first_key=0x140)
    every = [(f"f{kind}", kind, 0) for kind in range(10)] + [(f"a{kind}", kind, kind % 5 + 1) for kind in range(10)]
    every += [("text", 10, 1), ("mode:modeEnum", 11, 0), ("low:modeEnum", 12, 0), ("high:modeEnum", 12, 0)]
    config = w.Block(0x155, "jungfrau", "jungfrau", "a", every, "config")
    values = list(range(10)) + [np.full((2,) * (kind % 5 + 1), kind) for kind in range(10)]
    values += ["some text", 1, 0, 1]
    frames = [np.arange(24).reshape(1, 4, 6)] * 3 + [np.arange(24).reshape(4, 6)] * 2
    configure = w.datagram(
        w.CONFIGURE, when, b"".join(map(w.names, [*blocks, config, w.RUN_INFO, w.CHUNK_INFO])) + w.data(config, values)
    )
    run = configure + w.begin_run(when + 1, "xpptut15", 3) + w.datagram(w.ENABLE, when + 2)
    run += b"".join(w.event(when + 3 + n, blocks, frames, n) for n in range(4))
    run += w.datagram(w.SLOW_UPDATE, when + 8, w.data(config, values), damage=2)
    chunk = w.datagram(w.ENABLE, when + 9, w.data(w.CHUNK_INFO, ["next.xtc2", 1]))
    damaged = w.datagram(
        w.L1_ACCEPT, when + 10, w.xtc(w.SHAPES_DATA, b"?", source=0x100, damage=w.CORRUPTED, extent=13)
    )
    whole = run + chunk + damaged + w.datagram(w.END_RUN, when + 11)
    again = whole + whole[: len(configure)] + w.begin_run(when + 20, "xpptut15", 4) + whole[len(run) :]
    small = w.small_data(whole)
    return {"one-r0003-s000-c000.xtc2": whole, "again.xtc2": again, "one-r0003-s000-c000.smd.xtc2": small}


def read_all(path: Path) -> str:
    """Read everything that can be read of a file; return how it ended. Any error but ours is a failure."""
    look(path)
    try:
        with Xtc2Source([path]) as source:
            for detector in source.detectors:
                source.settings(detector.name)
            damaged = [read_event(event) for every in (source.events(), source.transitions()) for event in every]
            noted = bool(source.notes) or any(damaged)
    except (InvalidDataError, MissingFileError) as error:
        return "refused" if error.problem else "said nothing"
    else:
        return "noted" if noted else "whole"


def read_event(event: Xtc2Event) -> str:
    """Look at everything in an event; return what is wrong with it."""
    try:
        for array in event.arrays.values():
            assert not array.flags.writeable
            if array.size:
                assert np.array_equal(array[(-1,) * array.ndim], array.flat[-1], equal_nan=array.dtype.kind == "f")
        event.all_values()
    except InvalidDataError as error:
        return error.problem
    else:
        return "damaged" if event.damage else ""


def interesting(content: bytes) -> list[int]:
    """Return offsets of bytes that say something about the form: all but large data."""
    found: list[int] = []
    offset = 0
    while offset + 24 <= len(content):
        size = 12 + struct.unpack_from("<I", content, offset + 20)[0]
        found.extend(range(offset, min(offset + min(size, 1500), len(content))))
        offset += max(size, 24)
    return found


def mutate(content: bytes, places: list[int], chance: random.Random) -> tuple[dict[int, bytes], int]:
    """Return what is to be written where, and the new length."""
    changes: dict[int, bytes] = {}
    length = len(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        place = chance.choice(places)
        kind = chance.randrange(5)
        if kind == 0:
            changes[place] = bytes([content[place] ^ 1 << chance.randrange(8)])
        elif kind == 1:
            place = min(place & ~3, length - 4)
            changes[place] = struct.pack("<I", chance.choice(LIES))
        elif kind == 2:
            place = min(place & ~3, length - 4)
            old = struct.unpack_from("<I", content, place)[0]
            changes[place] = struct.pack(
                "<I", (old + chance.choice((-24, -12, -1, 1, 4, 12, 24, 1 << 16))) & 0xFFFFFFFF
            )
        elif kind == 3:
            size = min(chance.choice((4, 12, 24, 524)), length - place)
            source = chance.choice(places)
            changes[place] = content[source : source + size]
        else:
            length = chance.choice((place, chance.randrange(length + 1), max(length - chance.randrange(64), 0)))
            if length < 4:
                break
    return changes, length


@contextmanager
def bounded() -> Iterator[None]:
    """Give the process no more memory than it is allowed, and an end to its patience for each input."""

    def alarm(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE} s for one input")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, alarm)
    # The file itself is mapped: it is no memory that is taken.
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MORE_MEMORY + (8 << 20), limit[1]))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limit)


def try_mutations(path: Path, content: bytes, count: int, seed: str) -> dict[str, int]:
    """Damage a file in `count` ways, one after the other; return how many ended how."""
    chance = random.Random(seed)
    places = interesting(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert read_all(path) != "refused"
    seen: dict[str, int] = {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with bounded(), path.open("r+b") as file:
        for _ in range(count):
            changes, length = mutate(content, places, chance)
            for place, new in changes.items():
                file.seek(place)
                file.write(new)
            file.truncate(length)
            file.flush()
            signal.alarm(PATIENCE)
            end = read_all(path)
            seen[end] = seen.get(end, 0) + 1
            signal.alarm(0)
            for place, new in changes.items():
                file.seek(place)
                file.write(content[place : place + len(new)])
            if length < len(content):
                file.seek(length)
                file.write(content[length:])
            file.truncate(len(content))
            file.flush()
    assert path.read_bytes() == content
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    assert grown < MORE_MEMORY, f"{grown} bytes more"
    if count > 1000:
        sys.stderr.write(f"\n{path.name}: {count} inputs, {seen}, {grown / 1e6:.1f} MB more\n")
    return seen


@pytest.mark.parametrize("name", made())
def test_made_files_with_damage(name: str, tmp_path: Path) -> None:
    content = made()[name]
    folder = tmp_path
    if ".smd." in name:
        (tmp_path / name.replace(".smd", "")).write_bytes(made()["one-r0003-s000-c000.xtc2"])
        folder = tmp_path / "smalldata"
    seen = try_mutations(folder / name, content, MUTATIONS // 6 + 1, name)
    assert {"refused", "noted"} <= set(seen) or MUTATIONS < 100


@pytest.mark.parametrize("name", REAL)
def test_real_files_with_damage(name: str, shared_data: Path, tmp_path: Path) -> None:
    seen = try_mutations(
        tmp_path / "x" / Path(name).name, (shared_data / "xtc2" / name).read_bytes(), MUTATIONS // 10 + 1, name
    )
    assert sum(seen.values()) == MUTATIONS // 10 + 1
    assert "said nothing" not in seen
