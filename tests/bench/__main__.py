"""Benchmarks: ``python -m tests.bench [--quick] [SECTION ...]``; without --quick the tables of the document are rewritten."""

from __future__ import annotations

import argparse

from tests.bench import payload, startup

SECTIONS = {"start-up": startup.main, "payload": payload.main}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, few rounds, nothing is written down")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="SECTION", help=", ".join(SECTIONS))
    arguments = parser.parse_args()
    for name in arguments.sections or SECTIONS:
        print(f"\n## {name}\n")
        SECTIONS[name](quick=arguments.quick)


if __name__ == "__main__":
    main()
