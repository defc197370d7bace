"""``raw``: all raw frames of an XTC2 file; beside psana, where CALIBVCS_BENCH_PSANA names a Python that has it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import calibvcs.sources
from tests import xtc2_writer
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder

PSANA_PYTHON = os.environ.get("CALIBVCS_BENCH_PSANA", "")  # read before the benchmark has an environment of its own
SEGMENTS, PANEL, EVENTS = 4, (512, 1024), 48
FROMFILE, READINTO, OURS, FRESH, VIEWS, PSANA = (
    "np.fromfile of the whole file", "readinto of the whole file, into memory in use", "calibvcs: open, all frames into an array in use", "calibvcs: open, all frames into a new array", "calibvcs: open, all frames as views",
    "psana: open, all frames into an array in use",
)  # fmt: skip
_PSANA = """
import hashlib, sys
import numpy as np
from psana import DataSource

def read(out):
    source = DataSource(files=[sys.argv[1]], skip_calib_load="all")
    number = 0
    for run in source.runs():
        detector = run.Detector("jungfrau")
        for event in run.events():
            out[number] = detector.raw.raw(event)
            number += 1
    return number

out = np.empty(eval(sys.argv[2], {}), np.uint16)
print("#ready", flush=True)
for line in sys.stdin:
    if line.strip() == "read":
        out[...] = 0
        print("#begin", flush=True)
        print("#read", read(out), flush=True)
    else:
        print("#sha1", hashlib.sha1(out).hexdigest(), flush=True)
"""


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    events, panel = (3, (64, 128)) if quick else (EVENTS, PANEL)
    with folder() as work:
        path = work / "mfx101332224-r0007-s000-c000.xtc2"
        frames = _write(path, events, panel)
        size = path.stat().st_size
        out = np.zeros_like(frames)

        plain = np.zeros(size, np.uint8)

        def ours(into: np.ndarray = out) -> np.ndarray:
            with calibvcs.sources.open(path) as source:
                for number, event in enumerate(source.events()):
                    into[number] = event.arrays["jungfrau"]
            return into

        def readinto() -> int:
            with path.open("rb", buffering=0) as file:
                return file.readinto(plain)

        def views() -> list[np.ndarray]:
            with calibvcs.sources.open(path) as source:
                return [event.arrays["jungfrau"] for event in source.events()]

        def right(found: object) -> bool:
            return np.array_equal(np.asarray(found), frames)

        ways = {
            FROMFILE: Way(lambda: np.fromfile(path, np.uint8), lambda found: np.size(found) == size),
            READINTO: Way(
                readinto, lambda found: found == size and plain[-1000:].tobytes() == path.read_bytes()[-1000:]
            ),
            FRESH: Way(lambda: ours(np.empty_like(frames)), right),
            OURS: Way(ours, right, lambda: out.fill(0)),
            VIEWS: Way(views, right),
        }
        with _psana(path, frames) as way:
            rows = measure(ways | way, 1 if quick else 9)
    about = f"{events} events of {SEGMENTS} x {panel[0]} x {panel[1]} uint16, {size / 1e6:.0f} MB; warm page cache"
    notes = () if PSANA_PYTHON else ("psana was not measured: CALIBVCS_BENCH_PSANA names no Python that has it",)
    targets = (Target(OURS, 1.5, READINTO), Target(FRESH, 1.5, FROMFILE), Target(VIEWS, 0.01), Target(OURS, 1.0, PSANA))
    return [Table("raw", about, tuple(rows), FROMFILE, targets, notes)]


def _write(path: Path, events: int, panel: tuple[int, int]) -> np.ndarray:
    """Write a run, and return its frames."""
    generator = np.random.default_rng(9)
    frames = generator.integers(0, 1 << 14, (events, SEGMENTS, *panel), np.uint16)
    serials = [f"serial-{number}" for number in range(SEGMENTS)]
    blocks = xtc2_writer.raw_blocks("jungfrau", "jungfrau", serials, axes=3)
    begin = xtc2_writer.stamp(1_767_225_600)
    with path.open("wb") as file:
        file.write(xtc2_writer.head(blocks, "mfx101332224", 7, begin))
        file.write(xtc2_writer.datagram(xtc2_writer.ENABLE, begin + 1))
        for number, frame in enumerate(frames):
            file.write(xtc2_writer.event(begin + (number + 1 << 32), blocks, list(frame[:, None]), number))
        file.write(xtc2_writer.datagram(xtc2_writer.END_RUN, begin + (events + 2 << 32)))
    return frames


@contextmanager
def _psana(path: Path, frames: np.ndarray) -> Iterator[dict[str, Way]]:
    """Keep psana ready in a process of its own, so that only its reading is timed."""
    if not PSANA_PYTHON:
        yield {}
        return
    wanted = hashlib.sha1(frames, usedforsecurity=False).hexdigest()
    words = [PSANA_PYTHON, "-c", _PSANA, str(path), str(frames.shape)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:

        def answer(to: str = "") -> str:
            assert child.stdin is not None
            assert child.stdout is not None
            if to:
                child.stdin.write(f"{to}\n")
                child.stdin.flush()
            return next((line for line in child.stdout if line.startswith("#")), "#nothing").strip()

        assert answer() == "#ready", f"{PSANA_PYTHON} has no psana that works"
        yield {
            PSANA: Way(answer, lambda _: answer("check") == f"#sha1 {wanted}", lambda: answer("read")),
        }
        child.stdin.close()  # type: ignore[union-attr]
