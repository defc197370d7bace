"""``start``: how long a verb takes from nothing, a new process each time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.bench import fast_import
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder, git

SCRIPT = Path(sys.executable).with_name("calibvcs")
FLOOR = "python -c 'import typer, dulwich.repo'"
LS = "calibvcs ls"
CAMERAS = 10
MOMENT = 2**31


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    constants = 30 if quick else 1_000
    first = fast_import.camera(1)
    with folder() as work:
        fast_import.build(
            work / "ours", ([f"{fast_import.camera(n % CAMERAS + 1)}/pedestals/{n}-end"] for n in range(constants))
        )
        np.save(work / "dark.npy", fast_import.tiny(constants + 1))
        counter = iter(range(constants, 10**9))
        newest = f"{first}/pedestals/{constants - CAMERAS}-end"

        def verb(*words: object) -> Way:
            def run() -> bytes:
                return _output([SCRIPT, *map(str, words)], work / "ours")

            return Way(run, bool)

        def add() -> bytes:
            begin = next(counter)
            words = [
                SCRIPT,
                "add",
                "opal1000-2",
                "pedestals",
                "dark.npy",
                "--begin",
                str(begin),
                "-m",
                "Dark",
                "--json",
            ]
            return _output([*words, "--repo", work / "ours"], work)

        def added(found: object) -> bool:
            path = f"HEAD:opal1000/{json.loads(bytes(found))['constants'][0]['constant']}/data.npy"  # type: ignore[arg-type]
            return git(work / "ours", "show", path) == (work / "dark.npy").read_bytes()

        def names(part: str, count: int) -> Way:
            way = verb(*part.split())
            return Way(way.run, lambda found: bytes(found).count(b"/pedestals/") >= count)  # type: ignore[arg-type]

        where = f"{first} pedestals -t {MOMENT}"
        ways = {
            FLOOR: Way(lambda: _output([sys.executable, "-c", "import typer, dulwich.repo"], work), lambda _: True),
            "python -c 'import numpy'": Way(
                lambda: _output([sys.executable, "-c", "import numpy"], work), lambda _: True
            ),
            "calibvcs --help": verb("--help"),
            f"{LS} of 1 detector": names(f"ls {first}", 1),
            f"{LS} of {constants:,} constants": names("ls", constants),
            "calibvcs why": names(f"why {where}", 1),
            "calibvcs get": Way(
                verb("get", *where.split()).run,
                lambda found: newest.encode() in bytes(found),  # type: ignore[arg-type]
            ),
            "calibvcs log -n 10": verb("log", "-n", "10"),
            "calibvcs add of 1 kB": Way(add, added),
        }
        rows = measure(ways, 1 if quick else 31)
    about = f"a bare repository of {constants:,} constants, each added by a commit of its own; whole processes"
    targets = [Target(row.name, 1.4, FLOOR, label="the floor") for row in rows if row.name.startswith(LS)]
    return [Table("start", about, tuple(rows), FLOOR, tuple(targets))]


def _output(words: list[object], where: Path) -> bytes:
    return subprocess.run(list(map(str, words)), cwd=where, check=True, stdout=subprocess.PIPE).stdout
