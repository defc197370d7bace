"""Benchmarks: ``python -m tests.bench [--quick] [SECTION ...]``; without --quick the documents are written anew."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.bench import (
    adding,
    choosing,
    cold,
    document,
    geometry,
    growth,
    hdf5,
    history,
    memory,
    moving,
    plot,
    raw,
    reading,
    shared_memory,
    small_adds,
    startup,
    statistics,
    writing,
)
from tests.bench.harness import WrongResultError, machine
from tests.bench.results import Measured, Sheet, Table
from tests.bench.surroundings import private_home

SECTIONS: dict[str, Callable[..., Sequence[Table | Sheet]]] = {
    "write": writing.run,
    "add": adding.run,
    "add-small": small_adds.run,
    "read": reading.run,
    "deflated": reading.run_deflated,
    "mapped": reading.run_mapped,
    "cold": cold.run,
    "choose": choosing.run,
    "history": history.run,
    "start": startup.run,
    "memory": memory.run,
    "growth": growth.run,
    "hdf5": hdf5.run,
    "moving": moving.run,
    "raw": raw.run,
    "statistics": statistics.run,
    "geometry": geometry.run,
    "shm": shared_memory.run,
}


def main(words: Sequence[str] | None = None) -> int:
    """Measure the sections that are named, or all; 1 if a result was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, few rounds, nothing is written down")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the documents from what was kept")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="SECTION", help=", ".join(SECTIONS))
    arguments = parser.parse_args(words)
    measured = Measured.load()
    with private_home():
        for name in [] if arguments.render else arguments.sections or SECTIONS:
            print(f"\n## {name}\n", flush=True)
            begin, here = time.monotonic(), machine()
            try:
                results = SECTIONS[name](quick=arguments.quick)
            except WrongResultError as error:
                print(error, file=sys.stderr)
                return 1
            for result in results:
                if arguments.quick and isinstance(result, Table):
                    result = replace(result, targets=())  # noqa: PLW2901 - they are for data of full size
                placed = replace(result, machine=here)
                print(f"### {placed.name}\n\n" + "\n".join(placed.lines()) + "\n")
                measured.add(placed)
            print(f"({name}: {time.monotonic() - begin:.0f} s)", flush=True)
            if not arguments.quick:
                measured.save()
    if not arguments.quick:
        document.write(measured)
        print(plot.draw(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
