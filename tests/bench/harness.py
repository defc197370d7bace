"""Times of several ways to do one thing, taken in turn in one run, so that a machine that drifts drifts for all.

Every result of every way is checked in the same run: a way that is fast and wrong stops the benchmark.
"""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calibvcs.version import __version__
from tests.bench.results import Row

PATIENCE = 8.0
_FEWEST = 2


class WrongResultError(Exception):
    """A way gave something else than it should."""

    def __init__(self, way: str) -> None:
        super().__init__(f"wrong result of {way!r}: what came out is not what went in")


@dataclass(frozen=True)
class Way:
    """One way to do a thing.

    Attributes
    ----------
    run : callable
        Does it; this is what is timed.
    check : callable
        Gets what `run` returned, and tells whether it is right; outside the time.
    prepare : callable or None
        Called before each run, outside the time.
    repeat : int
        How often `run` is called for one time, where once is too short for the clock.
    """

    run: Callable[[], object]
    check: Callable[[object], bool]
    prepare: Callable[[], object] | None = None
    repeat: int = 1


def measure(ways: Mapping[str, Way], rounds: int, *, warm_up: bool = True) -> list[Row]:
    """Run every way once a round, in turn, and return the seconds of one run; one round more, the first, does not count.

    Where one round is enough, all that counts is that the results are right, and that round is the first one. A way
    that took more than `PATIENCE` seconds in two rounds or more is left out of those that are left; then the first one
    counts too, since what is that slow needs no warming up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    patient = dict.fromkeys(ways, True)
    first = int(warm_up and rounds > 1)
    names = list(ways)
    for turn in range(first + rounds):
        # Each begins a round in its turn: memory that the first one leaves warm would favour those behind it.
        start = turn * len(names) // (first + rounds)
        for name in names[start:] + names[:start]:
            way = ways[name]
            if not patient[name]:
                continue
            if way.prepare:
                way.prepare()
            gc.collect()
            os.sync()  # what the way before left to be written must not be paid by this one
            begin = time.perf_counter()
            for _ in range(way.repeat):
                result = way.run()
            seconds[name].append((time.perf_counter() - begin) / way.repeat)
            if not way.check(result):
                raise WrongResultError(name)
            del result
            patient[name] = len(seconds[name]) < _FEWEST or sum(seconds[name]) * way.repeat < PATIENCE
    return [Row(name, tuple(times[first if patient[name] else 0 :])) for name, times in seconds.items()]


def difference(name: str, rows: list[Row], more: str, less: str) -> Row:
    """Return how much more one row has than another, round by round."""
    named = {row.name: row for row in rows}
    pairs = zip(named[more].values, named[less].values, strict=True)
    return Row(name, tuple(a - b for a, b in pairs), named[more].unit)


def machine() -> str:
    """Return what was measured on, and when."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a file of the kernel
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    return (
        f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}, {memory:.0f} GB, {_file_system()}, "
        f"{platform.system()}, Python {platform.python_version()}, Git {git}, calibvcs {__version__}, "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}"
    )


def _file_system() -> str:
    """Return the kind of the file system that the data are written to."""
    words = ["df", "--output=fstype", tempfile.gettempdir()]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1]
