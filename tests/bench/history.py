"""``history``: who changed one constant, in a history of very many commits."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import calibvcs
from calibvcs.api import Repository
from tests.bench import fast_import
from tests.bench.harness import Way, measure
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder, git

CTYPES = ("pedestals", "pixel_rms", "pixel_gain", "pixel_status", "pixel_mask")
RARE = 20
WARM = "calibvcs: log of one constant"


def commits(count: int, cameras: int, ranges: int) -> list[list[str]]:
    """Return what each commit of a history adds: every constant in turn, but one of them only some times."""
    in_turn = itertools.cycle(
        f"{fast_import.camera(camera)}/{ctype}/{begin}-end"
        for begin in range(ranges)
        for ctype in CTYPES
        for camera in range(1, cameras + 1)
    )
    rare = f"{fast_import.camera(cameras + 1)}/pedestals/0-end"
    step = count // RARE
    return [[rare] if n % step == 0 and n // step < RARE else [next(in_turn)] for n in range(count)]


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    count, cameras, ranges = (400, 2, 2) if quick else (100_000, 20, 10)
    added = commits(count, cameras, ranges)
    with folder() as work:
        path = work / "ours"
        fast_import.build(path, added)
        rare, often = added[0][0], added[1][0]
        touches = {name: sum([name] == commit for commit in added) for name in (rare, often)}
        rounds = 1 if quick else 5
        first = _first(path, rare, touches[rare], 1 if quick else 3)
        with calibvcs.open(path) as repository:
            rows = measure(_log(path, repository, rare, touches[rare]), rounds)
            rows += measure(_log(path, repository, often, touches[often]), rounds)
            rows += measure(_other(path, repository, rare, cameras * len(CTYPES) * ranges + 1), rounds)
            rows += first
            git(path, "commit-graph", "write", "--reachable", "--changed-paths", "--no-progress")
            rows += measure(_with_filters(path, rare, touches[rare]), rounds)
        size = sum(file.stat().st_size for file in (path / "calibvcs").rglob("*") if file.is_file())
        packs = sum(file.stat().st_size for file in (path / "objects").rglob("*") if file.is_file())
    targets = []
    for touched in touches.values():
        targets += [
            Target(_named(WARM, touched), 10e-3),
            Target(_named(WARM, touched), 10, _named("git log -- path", touched), faster=True, label="git log -- path"),
        ]
    sizes = (
        Row("calibvcs: the index of the history on disk", (size,), "B"),
        Row("objects of the repository", (packs,), "B"),
    )
    about = (
        f"{count:,} commits on {cameras * len(CTYPES) * ranges:,} constants in packs of git fast-import; "
        f"one constant was added {touches[rare]} times, another {touches[often]} times"
    )
    return [Table("history", about, (*rows, *sizes), "", tuple(targets))]


def _named(way: str, touched: int) -> str:
    return f"{way}, {touched} versions"


def _log(path: Path, repository: Repository, constant: str, touched: int) -> dict[str, Way]:
    def right(found: object) -> bool:
        entries = found.commits  # type: ignore[attr-defined]
        named = [[touch.constant for touch in entry.constants] for entry in entries]
        versions = [entry.constants[0].version for entry in entries]
        return named == [[constant]] * touched and versions == [f"v{n}" for n in range(touched, 0, -1)]

    def anew() -> object:
        with calibvcs.open(path) as fresh:
            return fresh.log(constant)

    return {
        _named(WARM, touched): Way(lambda: repository.log(constant), right, repeat=5),
        _named(f"{WARM}, repository opened anew", touched): Way(anew, right),
        _named("git log -- path", touched): _git_log(path, constant, touched),
    }


def _git_log(path: Path, constant: str, touched: int) -> Way:
    folder_path = f"opal1000/{constant}"
    return Way(
        lambda: git(path, "log", "--format=%H", "--", f"{folder_path}/data.npy"),
        lambda found: len(bytes(found).split()) == touched,  # type: ignore[arg-type]
    )


def _with_filters(path: Path, constant: str, touched: int) -> dict[str, Way]:
    return {_named("git log -- path, commit-graph with Bloom filters", touched): _git_log(path, constant, touched)}


def _other(path: Path, repository: Repository, constant: str, constants: int) -> dict[str, Way]:
    def last(found: object) -> bool:
        return found.version == f"v{RARE}" and found.constant == constant  # type: ignore[attr-defined]

    def ls_tree() -> int:
        return subprocess.run(
            ["git", "--git-dir", path, "ls-tree", "-r", "--name-only", "HEAD"], check=True, capture_output=True
        ).stdout.count(b"/data.npy\n")

    return {
        f"calibvcs: show of v{RARE}": Way(lambda: repository.show(f"{constant}@v{RARE}"), last),
        f"calibvcs: ls of {constants:,} constants": Way(
            repository.ls,
            lambda found: len(found.constants) == constants,  # type: ignore[attr-defined]
        ),
        "calibvcs: log -n 10": Way(
            lambda: repository.log(limit=10),
            lambda found: len(found.commits) == 10,  # type: ignore[attr-defined]
        ),
        f"git ls-tree -r of {constants:,} constants": Way(ls_tree, lambda found: found == constants),
    }


def _first(path: Path, constant: str, touched: int, rounds: int) -> list[Row]:
    """Measure the first look at a history that nobody has looked at."""

    def forget() -> None:
        shutil.rmtree(path / "calibvcs", ignore_errors=True)

    def look() -> object:
        with calibvcs.open(path) as fresh:
            return fresh.log(constant)

    way = Way(look, lambda found: len(found.commits) == touched, forget)  # type: ignore[attr-defined]
    return measure({"calibvcs: first log, index built from nothing": way}, rounds, warm_up=False)
