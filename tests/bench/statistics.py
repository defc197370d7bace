"""``statistics``: one version in numbers, twenty of them, and who changed what, of the largest constant there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import calibvcs
from calibvcs.model.array_statistics import SegmentStatistics
from calibvcs.ops.statistics.blame import Blame
from calibvcs.ops.statistics.stats import Stats
from calibvcs.ops.statistics.trend import Trend
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder

DETECTOR = "jungfrau-000016"
CONSTANT = f"{DETECTOR}/pedestals/0-end"
MEMORY = 1e9
_PEAK = (
    "import sys; from calibvcs.cli.app import call; code = call(sys.argv[1:]); "
    "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), file=sys.stderr); "
    "sys.exit(code)"
)
Numbers = dict[tuple[int, int | None], tuple[float, ...]]


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    shape, versions = ((3, 2, 128, 256), 4) if quick else (arrays.jungfrau(32), 20)
    rounds = 1 if quick else 2
    with folder() as work:
        files = _make(work, shape, versions)
        cache = work / "ours" / "calibvcs" / "derived-1.sqlite3"

        def forget() -> None:
            cache.unlink(missing_ok=True)

        expected = [_plain_numbers(file) for file in files[-1:]]
        changed = _plain_blame(files)

        def stats() -> Stats:
            with calibvcs.open(work / "ours") as repository:
                return repository.stats(CONSTANT)

        def trend() -> Trend:
            with calibvcs.open(work / "ours") as repository:
                return repository.trend(CONSTANT, segments=True)

        def blame() -> Blame:
            with calibvcs.open(work / "ours") as repository:
                return repository.blame(CONSTANT)

        def one_right(found: object) -> bool:
            return isinstance(found, Stats) and _same([*found.gains, *found.segments], expected[-1])

        def all_right(found: object) -> bool:
            assert isinstance(found, Trend)
            last = found.lines[-1]
            return len(found.lines) == versions and _same([*last.gains, *last.segments], expected[-1])

        def blame_right(found: object) -> bool:
            assert isinstance(found, Blame)
            names = {commit.commit: int(commit.version[1:]) - 1 for commit in found.commits}
            told = {(block.gain, block.segment): names[block.commit] for block in found.blocks}
            return told == changed

        by_version = measure(
            {
                "numpy: np.load and statistics": Way(
                    lambda: _plain_numbers(files[-1]), lambda found: found == expected[-1]
                ),
                "calibvcs stats": Way(stats, one_right, forget),
                "calibvcs stats, the second time": Way(stats, one_right, stats),
            },
            rounds,
        )
        over_versions = measure(
            {
                "numpy: np.load and statistics of each": Way(
                    lambda: [_plain_numbers(file) for file in files],
                    lambda found: len(found) == versions,  # type: ignore[arg-type]
                ),
                "calibvcs trend": Way(trend, all_right, forget),
                "calibvcs trend, the second time": Way(trend, all_right, trend),
                "numpy: np.load and comparison, newest first": Way(
                    lambda: _plain_blame(files), lambda found: found == changed
                ),
                "calibvcs blame": Way(blame, blame_right, forget),
                "calibvcs blame, the second time": Way(blame, blame_right, blame),
            },
            rounds,
            warm_up=False,
        )
        memory = []
        for words in (
            ["stats", CONSTANT],
            ["trend", CONSTANT],
            ["blame", CONSTANT],
            ["blame", CONSTANT, "--pixel", "3,5", "--segment", "1"],
        ):
            forget()
            memory.append(Row(f"calibvcs {' '.join(words).replace(CONSTANT, 'CONSTANT')}", (_peak(work, words),), "B"))
    form = f"float32 pedestals {'x'.join(map(str, shape))}, {4 * np.prod(shape) / 1e6:.0f} MB"
    again, first = (
        (Target(f"calibvcs {verb}, the second time", 0.1) for verb in ("trend", "blame")),
        Target("calibvcs trend", 60),
    )
    return [
        Table("statistics of one version", f"{form}; warm page cache", tuple(by_version), by_version[0].name),
        Table(
            f"statistics of {versions} versions", f"{form}, {versions} versions; warm page cache", tuple(over_versions), "",
            (first, Target("calibvcs blame", 60), *again),
        ),
        Table(
            "memory of statistics", f"peak resident memory (VmHWM) of the whole process; {form}, {versions} versions",
            tuple(memory), "", tuple(Target(row.name, MEMORY) for row in memory),
        ),
    ]  # fmt: skip


def _make(work: Path, shape: tuple[int, ...], versions: int) -> list[Path]:
    """Make the versions, each with another block changed; return them as plain files too."""
    calibvcs.init(work / "ours", bare=True)
    files = []
    with calibvcs.open(work / "ours") as repository:
        repository.detector.add(DETECTOR)
        array = arrays.pedestals(shape, 1)
        for number in range(versions):
            array[number % shape[0], number % shape[1]] += 1
            repository.add(DETECTOR, "pedestals", array, begin=0, message=f"Dark run {number}")
            files.append(work / f"{number}.npy")
            np.save(files[-1], array)
    return files


def _plain_numbers(file: Path) -> Numbers:
    """Return what is wanted of a version, as everybody would write it."""
    array = np.load(file)
    found: Numbers = {}
    for gain in range(array.shape[0]):
        blocks = [(segment, array[gain, segment]) for segment in range(array.shape[1])]
        for segment, block in [(None, array[gain]), *blocks]:
            numbers = (
                block.min(),
                np.median(block),
                block.max(),
                block.std(dtype=np.float64),
                np.count_nonzero(block == 0),
            )
            found[gain, segment] = tuple(map(float, numbers))
    return found


def _same(found: list[SegmentStatistics], numbers: Numbers) -> bool:
    for one in found:
        assert one.gain is not None
        low, middle, high, rms, zeros = numbers[one.gain, one.segment]
        if (one.min, one.max, one.zeros) != (low, high, zeros) or not np.allclose((one.median, one.rms), (middle, rms)):
            return False
    return len(found) == len(numbers)


def _plain_blame(files: list[Path]) -> dict[tuple[int, int], int]:
    """Return the number of the file that changed each block last."""
    new = np.load(files[-1])
    open_, found = {(gain, segment) for gain in range(new.shape[0]) for segment in range(new.shape[1])}, {}
    for number in range(len(files) - 1, 0, -1):
        old = np.load(files[number - 1])
        for place in sorted(open_):
            if not np.array_equal(old[place], new[place], equal_nan=True):
                found[place] = number
        open_ -= found.keys()
        new = old
    return {**dict.fromkeys(open_, 0), **found}


def _peak(work: Path, words: list[str]) -> float:
    """Run the command line, and return the peak of its memory in bytes."""
    program = [sys.executable, "-c", _PEAK, *words, "--repo", "ours"]
    done = subprocess.run(program, cwd=work, check=True, capture_output=True, text=True)
    return 1024.0 * int(done.stderr.split()[-1])
