"""``memory``: the most memory that a process needs to add and to get a large array, besides what it needs anyhow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import calibvcs
from tests.bench import arrays
from tests.bench.harness import WrongResultError, difference
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder

LARGE, SMALL = "jungfrau-000016", "opal1000-1"
SPARE = 32e6
_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
_OPEN = "import sys, numpy, calibvcs; repository = calibvcs.open('ours')"
_ADD = "repository.add(sys.argv[1], 'pedestals', numpy.load(sys.argv[2]), begin=int(sys.argv[3]), message='Dark run')"
_GET = "array = repository.get(sys.argv[1], 'pedestals', 5).data"
_SAVE = "numpy.save(sys.argv[2], array)"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    array = arrays.pedestals(arrays.QUICK if quick else arrays.jungfrau(32), 1)
    found: dict[str, list[float]] = {}
    with folder() as work:
        calibvcs.init(work / "ours", bare=True)
        with calibvcs.open(work / "ours") as repository:
            for detector, data in ((LARGE, array), (SMALL, arrays.small(1))):
                repository.detector.add(detector)
                repository.add(detector, "pedestals", data, begin=0, message="Dark run")
            for number in range(100, 101 if quick else 103):
                new = {LARGE: arrays.stamp(array.copy(), number), SMALL: arrays.small(number)}
                for detector, name in ((LARGE, "large"), (SMALL, "1 kB")):
                    np.save(work / "new.npy", new[detector])
                    added = _peak(work, [_OPEN, _ADD, _PEAK], detector, "new.npy", str(number))
                    got = _peak(work, [_OPEN, _GET, _PEAK, _SAVE], detector, "got.npy")
                    found.setdefault(f"add of {name}", []).append(added)
                    found.setdefault(f"get of {name}", []).append(got)
                    old = array if detector == LARGE else arrays.small(1)
                    if not arrays.same(repository.get(detector, "pedestals", number).data, new[detector]):
                        raise WrongResultError("add")
                    if not arrays.same(np.load(work / "got.npy"), old):
                        raise WrongResultError("get")
    rows = [Row(name, tuple(values), "B") for name, values in sorted(found.items())]
    size = f"{array.nbytes / 1e6:.0f} MB"
    for verb in ("add", "get"):
        rows.append(
            difference(f"calibvcs: {verb} of {size}, more than with 1 kB", rows, f"{verb} of large", f"{verb} of 1 kB")
        )
    targets = tuple(Target(row.name, array.nbytes + SPARE) for row in rows[-2:])
    rows = [Row(row.name.replace("large", f"{size}, whole process"), row.values, row.unit) for row in rows]
    about = f"peak resident memory (VmHWM) of a process with numpy and calibvcs; the array itself has {size}"
    return [Table("memory", about, tuple(rows), "", targets)]


def _peak(work: Path, lines: list[str], *arguments: str) -> float:
    """Run a program, and return the peak of its memory in bytes."""
    words = [sys.executable, "-c", "\n".join(lines), *arguments]
    return 1024.0 * int(subprocess.run(words, cwd=work, check=True, capture_output=True, text=True).stdout)
