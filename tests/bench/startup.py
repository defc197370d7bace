"""How long a verb takes from nothing: a new process each time."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import calibvcs
from tests.bench.harness import machine, measure, record, table

SCRIPT = Path(sys.executable).with_name("calibvcs")
FLOOR = "python -c 'import typer, dulwich.repo'"
CONSTANTS = 1000


def run(*, quick: bool) -> list[str]:
    """Measure, and return the section."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "constants"
        _fill(repository, 20 if quick else CONSTANTS)
        dark = Path(folder) / "dark.npy"
        np.save(dark, np.random.default_rng(1).normal(1000, 3, (16, 16)).astype(np.float32))
        counter = iter(range(10_000_000, 20_000_000))

        def verb(*words: object) -> None:
            subprocess.run([SCRIPT, *map(str, words)], cwd=repository, check=True, stdout=subprocess.DEVNULL)

        ways = {
            FLOOR: lambda: subprocess.run([sys.executable, "-c", "import typer, dulwich.repo"], check=True),
            "python -c 'import numpy'": lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True),
            "calibvcs --help": lambda: verb("--help"),
            "calibvcs ls (1 detector)": lambda: verb("ls", "opal1000-1"),
            "calibvcs ls (all)": lambda: verb("ls"),
            "calibvcs why": lambda: verb("why", "opal1000-1", "pedestals", "-t", "now"),
            "calibvcs get": lambda: verb("get", "opal1000-1", "pedestals", "-t", "now"),
            "calibvcs log -n 10": lambda: verb("log", "-n", "10"),
            "calibvcs add (1 kB)": lambda: verb(
                "add", "opal1000-1", "pedestals", dark, "--begin", next(counter), "-m", "Dark"
            ),
        }
        timings = measure(ways, 3 if quick else 9)
    count = f"a repository of {20 if quick else CONSTANTS} constants, each added by a commit of its own"
    return [f"{machine()}; {count}; whole processes, warm cache.", "", *table(timings, FLOOR)]


def _fill(path: Path, constants: int) -> None:
    calibvcs.init(path)
    with calibvcs.open(path) as repository:
        for number in range(1, 11):
            repository.detector.add(f"opal1000-{number}")
        for number in range(constants):
            data = np.full((16, 16), 900 + number % 100, np.float32)
            repository.add(f"opal1000-{number % 10 + 1}", "pedestals", data, begin=number, message=f"Dark {number}")


def main(*, quick: bool) -> None:
    """Measure and write the section into the document."""
    lines = run(quick=quick)
    print("\n".join(lines))
    if not quick:
        record("start-up", lines)
