"""``add``: an array becomes the default of its range, by calibvcs and by other programs that keep versions of files."""

from __future__ import annotations

import itertools

import numpy as np

import calibvcs
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table, Target
from tests.bench.surroundings import folder, git, missing
from tests.bench.version_peers import PEERS, PLAIN_GIT, version_peers
from tests.bench.writing import FLOOR, new_file, synced

DETECTOR = "jungfrau-000016"
FIRST, NEXT = "calibvcs: add, nothing before it", "calibvcs: add, compared with a predecessor"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    sizes = {"1.6 MB": arrays.QUICK} if quick else {"50 MB": arrays.jungfrau(8), "200 MB": arrays.jungfrau(32)}
    rounds = 1 if quick else 5
    tables = [_pedestals(size, shape, rounds) for size, shape in sizes.items()]
    return [*tables, _kinds(arrays.QUICK if quick else arrays.jungfrau(8), rounds)]


def _pedestals(size: str, shape: tuple[int, ...], rounds: int) -> Table:
    array, counter = arrays.pedestals(shape, 1), itertools.count(1)
    unused: list[str] = []
    with folder() as work:
        calibvcs.init(work / "ours", bare=True)
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(DETECTOR)
            repository.add(DETECTOR, "pedestals", arrays.stamp(array, 0), begin=0, message="Dark run")

            def stamp() -> None:
                arrays.stamp(array, next(counter))

            def save() -> object:
                path = new_file(work, "npy")
                np.save(path, array)
                return synced(path)

            def register() -> None:
                stamp()
                unused.append(f"jungfrau-{next(counter) + 100}")
                repository.detector.add(unused[-1])

            def first() -> str:
                added = repository.add(unused[-1], "pedestals", array, begin=0, message="Dark run").constants[0]
                return str(added.constant)

            def later() -> str:
                begin = next(counter) + 100
                added = repository.add(DETECTOR, "pedestals", array, begin=begin, message="Dark run").constants[0]
                assert added.changes is not None
                return str(added.constant)

            def kept(constant: object) -> bool:
                return git(work / "ours", "show", f"HEAD:jungfrau/{constant}/data.npy") == arrays.saved(array)

            ways = {
                FLOOR: Way(save, lambda path: arrays.same(np.load(str(path)), array), stamp),
                FIRST: Way(first, kept, register),
                NEXT: Way(later, kept, stamp),
            }
            for name, (add, restored) in version_peers(work, array).items():
                ways[name] = Way(add, restored, stamp)
            rows = measure(ways, rounds)
        git(work / "ours", "fsck", "--strict")
    targets = [Target(FIRST, 3, FLOOR), Target(NEXT, 3, FLOOR)]
    targets += [Target(NEXT, 1, peer, faster=True, label=peer) for peer in PEERS]
    return Table(
        f"add {size}",
        f"float32 pedestals {'x'.join(map(str, shape))}, {size}; the peers' commands are given the array as a new file of np.save",
        tuple(rows),
        FLOOR,
        tuple(target for target in targets if target.of in ways),
        missing("git-lfs", "git-annex", "dvc"),
    )


def _kinds(shape: tuple[int, ...], rounds: int) -> Table:
    """Measure what shrinks: masks, gains and status words."""
    kinds = {
        "pixel_status": arrays.status(shape, 2),
        "pixel_gain": arrays.gain(shape, 3),
        "pixel_mask": arrays.mask(shape[1:], 4),
    }
    counter, targets = itertools.count(1), []
    with folder() as work:
        calibvcs.init(work / "ours", bare=True)
        git(work, "init", "-q", "git")
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(DETECTOR)
            ways = {}
            for ctype, array in kinds.items():
                repository.add(DETECTOR, ctype, array, begin=0, message="First")
                size = f"{ctype}, {array.dtype} {array.nbytes / 1e6:.0f} MB"

                def stamp(array: np.ndarray = array) -> None:
                    arrays.stamp(array, next(counter))

                def save(array: np.ndarray = array) -> object:
                    path = new_file(work, "npy")
                    np.save(path, array)
                    return synced(path)

                def add(ctype: str = ctype, array: np.ndarray = array) -> str:
                    begin = next(counter) + 100
                    return str(
                        repository.add(DETECTOR, ctype, array, begin=begin, message="Next").constants[0].constant
                    )

                def commit(array: np.ndarray = array) -> object:
                    np.save(work / "git" / "data.npy", array)
                    git(work / "git", "add", "data.npy")
                    git(work / "git", "commit", "-q", "-m", "Next")
                    return "data.npy"

                def kept(constant: object, array: np.ndarray = array) -> bool:
                    return git(work / "ours", "show", f"HEAD:jungfrau/{constant}/data.npy") == arrays.saved(array)

                def committed(path: object, array: np.ndarray = array) -> bool:
                    return git(work / "git", "show", f"HEAD:{path}") == arrays.saved(array)

                ways[f"{FLOOR}: {size}"] = Way(save, lambda path, a=array: arrays.same(np.load(str(path)), a), stamp)
                ways[f"calibvcs: add {size}"] = Way(add, kept, stamp)
                ways[f"{PLAIN_GIT}: {size}"] = Way(commit, committed, stamp)
                targets.append(Target(f"calibvcs: add {size}", 3, f"{FLOOR}: {size}", label=FLOOR))
                targets.append(Target(f"calibvcs: add {size}", 1, f"{PLAIN_GIT}: {size}", faster=True, label=PLAIN_GIT))
            rows = measure(ways, rounds)
    return Table("add others", "constants that shrink, each with a predecessor", tuple(rows), "", tuple(targets))
