"""``choose``: which constant is in force, without its data; among few ranges and among very many."""

from __future__ import annotations

import sqlite3
import subprocess
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

import calibvcs
from calibvcs.api import Repository
from tests.bench import fast_import
from tests.bench.harness import Way, measure
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder, has_module, missing

CTYPES = (
    "pedestals", "pixel_rms", "pixel_gain", "pixel_offset", "pixel_bkgd", "pixel_status", "status_extra", "status_data",
    "pixel_datast", "pixel_mask", "users_mask", "pixel_max", "pixel_min", "common_mode", "geometry", "code_geometry",
    "other_one", "other_two", "other_three", "other_four",
)  # fmt: skip
FIRST, STEP = 1_500_000_000, 600
CAMERA = fast_import.camera(1)
WARM, COLD = "calibvcs: choose, warm", "calibvcs: open, first choose"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    few, many = (50, 500) if quick else (1_000, 100_000)
    ctypes = CTYPES[:3] if quick else CTYPES
    with folder() as work:
        _build(work / "few", few, ctypes)
        _build(work / "many", many, ctypes[:1])
        rows: list[Row] = []
        with calibvcs.open(work / "few") as one, calibvcs.open(work / "many") as other:
            ways = _ours(work / "few", one, few, f"{few:,} ranges x {len(ctypes)} ctypes")
            ways |= _ours(work / "many", other, many, f"{many:,} ranges")
            ways |= _peers(work / "few", few, f"{few:,} ranges") | _peers(work / "many", many, f"{many:,} ranges")
            rows = measure(ways, 1 if quick else 7)
    warm, cold, warm_many, cold_many = (row.name for row in rows[:4])
    targets = (
        Target(warm, 30e-6),
        Target(cold, 5e-3),
        Target(warm_many, 2, warm, label=f"warm among {few:,}"),
        Target(cold_many, 60e-3),
    )
    about = "name, version, commit and metadata of the constant in force at a time; the peers only find the name of the range"
    return [Table("choose", about, tuple(rows), "", targets, missing("pygit2"))]


def _build(path: Path, ranges: int, ctypes: Sequence[str]) -> None:
    """Make a repository with so many ranges of each ctype, added by 50 commits."""
    names = [f"{CAMERA}/{ctype}/{FIRST + STEP * number}-end" for number in range(ranges) for ctype in ctypes]
    size = len(names) // 50
    fast_import.build(path, (names[begin : begin + size] for begin in range(0, len(names), size)))


def _ours(path: Path, repository: Repository, ranges: int, label: str) -> dict[str, Way]:
    moment, expected = _asked(ranges)

    def right(found: object) -> bool:
        chosen = getattr(found, "constant", "")
        return chosen == f"{CAMERA}/pedestals/{expected}" and getattr(found, "version", "") == "v1"

    def anew() -> object:
        with calibvcs.open(path) as fresh:
            return fresh.choose(CAMERA, "pedestals", moment)

    return {
        f"{WARM}: {label}": Way(lambda: repository.choose(CAMERA, "pedestals", moment), right, repeat=100),
        f"{COLD}: {label}": Way(anew, right),
    }


def _peers(path: Path, ranges: int, label: str) -> dict[str, Way]:
    moment, expected = _asked(ranges)
    tree = f"opal1000/{CAMERA}/pedestals"

    def ls_tree() -> str:
        words = ["git", "--git-dir", str(path), "ls-tree", "--name-only", f"HEAD:{tree}"]
        return _last_before(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split(), moment)

    def dulwich() -> str:
        import dulwich.object_store
        from dulwich.objects import Commit, Tree
        from dulwich.repo import Repo

        with Repo(str(path)) as repo:
            head = repo[repo.head()]
            assert isinstance(head, Commit)
            _, tree_id = dulwich.object_store.tree_lookup_path(repo.object_store.__getitem__, head.tree, tree.encode())
            found = repo[tree_id]
            assert isinstance(found, Tree)
            return _last_before([name.decode() for name in found], moment)

    def pygit2() -> str:
        import pygit2

        found = pygit2.Repository(str(path)).head.peel(pygit2.Commit).tree[tree]
        return _last_before([entry.name for entry in found], moment)

    def right(found: object) -> bool:
        return found == expected

    ways = {
        f"git ls-tree: {label}": Way(ls_tree, right),
        f"dulwich, opened anew: {label}": Way(dulwich, right),
    }
    if has_module("pygit2"):
        ways[f"pygit2, opened anew: {label}"] = Way(pygit2, right)
    ways[f"sqlite, warm: {label}"] = Way(_sqlite(ranges), right, repeat=100)
    return ways


def _sqlite(ranges: int) -> Callable[[], str]:
    """Return a look-up in a table with an index, for a single ctype without overlaps."""
    moment, _ = _asked(ranges)
    base = sqlite3.connect(":memory:")
    base.execute("create table ranges (detector text, ctype text, begin integer, name text)")
    rows = ((CAMERA, "pedestals", FIRST + STEP * n, f"{FIRST + STEP * n}-end") for n in range(ranges))
    base.executemany("insert into ranges values (?, ?, ?, ?)", rows)
    base.execute("create index by_begin on ranges (detector, ctype, begin)")
    wanted = "select name from ranges where detector = ? and ctype = ? and begin <= ? order by begin desc limit 1"
    return lambda: str(base.execute(wanted, (CAMERA, "pedestals", moment)).fetchone()[0])


def _asked(ranges: int) -> tuple[int, str]:
    """Return a time in the middle, and the range that is in force then."""
    begin = FIRST + STEP * (ranges // 2)
    return begin + STEP // 2, f"{begin}-end"


def _last_before(names: list[str], moment: int) -> str:
    return names[bisect_right(names, moment, key=lambda name: int(name.partition("-")[0])) - 1]
