"""``geometry``: where the pixels of a Jungfrau 16M are, beside psana's own answer.

psana lives in an environment of its own. The variable CALIBVCS_BENCH_PSANA names the Python of that environment.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from calibvcs import geometry
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target

# Read on import: benchmarks run in an environment without such variables.
PSANA = os.environ.get("CALIBVCS_BENCH_PSANA", "")
OURS, OURS_BINS = "calibvcs: coordinates", "calibvcs: coordinates and bins"
THEIRS, THEIRS_BINS = "psana: get_pixel_coords", "psana: get_pixel_coords, get_pixel_coord_indexes"
WRITING = "numpy: filling arrays of that size"
_PROGRAM = """
import hashlib, sys
from psana.pscalib.geometry.GeometryAccess import GeometryAccess
text = sys.stdin.readline().replace('|', chr(10))
arrays = ()
for line in sys.stdin:
    if line == 'digest\\n':
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(array)
        print(digest.hexdigest(), flush=True)
        continue
    arrays = ()
    access = GeometryAccess()
    access.load_pars_from_str(text)
    arrays = access.get_pixel_coords()
    if line == 'bins\\n':
        arrays += access.get_pixel_coord_indexes()
    del access
    print('done', flush=True)
"""


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    text, rounds = _jungfrau(2 if quick else 32), 1 if quick else 5
    shape = geometry.load(text).shape
    bins = np.prod(shape, dtype=int)

    def coordinates() -> tuple[np.ndarray, ...]:
        return geometry.load(text).pixel_coords()

    def both() -> tuple[np.ndarray, ...]:
        detector = geometry.load(text)
        coords = detector.pixel_coords()
        return (*coords, *detector.pixel_indexes(coords=coords))

    @cache
    def expected(count: int) -> str:
        return _digest(both()[:count])

    ways = {
        OURS: Way(coordinates, lambda found: _digest(found) == expected(3)),
        OURS_BINS: Way(both, lambda found: _digest(found) == expected(5)),
        WRITING: Way(lambda: [np.full(shape, n, np.float64) for n in range(5)], lambda found: len(list(found)) == 5),
    }
    if PSANA:
        with _psana(text) as process:
            ways[THEIRS] = Way(lambda: _ask(process, "coords"), lambda _: _ask(process, "digest") == expected(3))
            ways[THEIRS_BINS] = Way(lambda: _ask(process, "bins"), lambda _: _ask(process, "digest") == expected(5))
            rows = measure(ways, rounds)
    else:
        rows = measure(ways, rounds)
    return [
        Table(
            "geometry 16M",
            f"Jungfrau of {shape[0]} segments, {bins / 1e6:.1f} million pixels: from the text to x, y, z in float64, and "
            "rows and columns of the image in uint64, equal to those of psana bit for bit",
            tuple(rows),
            OURS_BINS,
            (Target(OURS_BINS, 5, THEIRS_BINS, faster=True, label="psana"),),
            () if PSANA else ("psana is not named by CALIBVCS_BENCH_PSANA",),
        )
    ]


def _jungfrau(segments: int) -> str:
    """Return a geometry of segments in columns of eight, each a little off its design as metrology finds it."""
    lines = []
    for number in range(segments):
        x, y = (number % 8) * 40000 - 140000 + 13 * number, (number // 8) * 79000 - 118500 - 7 * number
        lines.append(f"DET:V1 0 JUNGFRAU:V2 {number} {x} {y} {number % 5} 0 0 0 {number * 0.011 - 0.2:.5f} 0.01 -0.02")
    return "\n".join([*lines, "IP:V1 0 DET:V1 0 0 0 120000 90 0 0 0 0 0"])


@contextmanager
def _psana(text: str) -> Iterator[subprocess.Popen[str]]:
    """Start psana once, so that its start is not measured."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([PSANA, "-c", _PROGRAM], text=True, **pipes) as process:
        assert process.stdin is not None
        print(text.replace("\n", "|"), file=process.stdin, flush=True)
        yield process
        process.stdin.close()


def _ask(process: subprocess.Popen[str], what: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    print(what, file=process.stdin, flush=True)
    return process.stdout.readline().strip()


def _digest(arrays: object) -> str:
    assert isinstance(arrays, tuple)
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array)
    return digest.hexdigest()
