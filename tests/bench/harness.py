"""Times of several ways to do one thing, taken in turn in one run, so that a machine that drifts drifts for all."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Timing:
    """Seconds of one way, over some rounds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(ways: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> dict[str, Timing]:
    """Run every way once a round, in turn, and return their times; the first rounds do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(warm_up + rounds):
        for name, way in ways.items():
            gc.collect()
            os.sync()  # what the way before left to be written must not be paid by this one
            begin = time.perf_counter()
            way()
            if number >= warm_up:
                seconds[name].append(time.perf_counter() - begin)
    return {name: Timing(name, tuple(times)) for name, times in seconds.items()}


def table(timings: Mapping[str, Timing], base: str, notes: Mapping[str, str] = {}) -> list[str]:
    """Return the lines of a Markdown table: median, spread and ratio to one of the ways."""
    lines = ["| way | median | min .. max | ratio |", "|---|---|---|---|"]
    for timing in timings.values():
        ratio = timing.median / timings[base].median
        spread = f"{_shown(min(timing.seconds))} .. {_shown(max(timing.seconds))}"
        name = f"{timing.name} {notes.get(timing.name, '')}".strip()
        lines.append(f"| {name} | {_shown(timing.median)} | {spread} | {ratio:.2f} |")
    return lines


def machine() -> str:
    """Return what was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    )


def record(section: str, lines: list[str]) -> None:
    """Write a section of the document anew, between its two marks."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    text = DOCUMENT.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise SystemExit(f"{DOCUMENT} has no marks {begin} ... {end}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    DOCUMENT.write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{tail}", encoding="utf-8")


def _shown(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"
