"""``growth``: what versions of constants cost on disk, as they are added, and after Git has tidied up."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import calibvcs
from tests.bench import arrays, fast_import
from tests.bench.harness import WrongResultError
from tests.bench.results import Sheet, shown
from tests.bench.surroundings import folder, git, pack_as_stored

DETECTOR, PANELS = "jungfrau-000016", {"4M": 8, "16M": 32}
PLAIN_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
A_YEAR = {
    "pedestals": 300, "pixel_rms": 300, "pixel_status": 300, "pixel_gain": 2, "pixel_mask": 12, "geometry": 12,
}  # fmt: skip
SETTINGS = ("auto", "store", "deflate")
STORED = "auto, arrays packed as they are before gc"

Version = Callable[[int], "np.ndarray | str"]


def run(*, quick: bool) -> list[Sheet]:
    """Measure."""
    shape = arrays.QUICK if quick else arrays.jungfrau(1)
    versions = 2 if quick else 12
    kinds = _kinds(shape)
    sizes = {ctype: _sizes(ctype, kinds[ctype], versions) for ctype in (list(kinds)[:1] if quick else kinds)}
    trees = _trees((10, 100) if quick else (10, 1_000, 10_000), 2 if quick else 20)
    return [
        _by_kind(sizes, shape, versions),
        _a_year(sizes, shape),
        _settings(kinds, 2 if quick else 6, quick=quick),
        trees,
    ]


def _kinds(shape: tuple[int, ...]) -> dict[str, Version]:
    """Return for each ctype what gives its n-th version, changed as dark runs change it."""
    level = np.random.default_rng(1).normal(2800, 40, shape)
    noise = np.random.default_rng(2).gamma(40, 0.075, shape)
    state, good = arrays.status(shape, 3), arrays.mask(shape[1:], 4)

    def pedestals(number: int) -> np.ndarray:
        """A drift of the panel, and what is left of the noise in the mean of 1000 frames."""
        drawn = np.random.default_rng(100 + number)
        means = level + drawn.normal(0, 5) + drawn.standard_normal(shape) * noise / np.sqrt(arrays.FRAMES)
        return (np.round(means * arrays.FRAMES) / arrays.FRAMES).astype(np.float32)

    def rms(number: int) -> np.ndarray:
        drawn = np.random.default_rng(200 + number)
        return (noise * (1 + drawn.standard_normal(shape) / np.sqrt(2 * arrays.FRAMES))).astype(np.float32)

    def status(number: int) -> np.ndarray:
        """One pixel in a thousand is judged differently each time."""
        return np.where(np.random.default_rng(300 + number).random(shape) < 1e-3, np.uint64(2), state)

    def mask(number: int) -> np.ndarray:
        return np.where(np.random.default_rng(400 + number).random(shape[1:]) < 1e-4, 0, good).astype(np.uint8)

    return {
        "pedestals": pedestals,
        "pixel_rms": rms,
        "pixel_status": status,
        "pixel_gain": lambda number: arrays.gain(shape, 500 + number),
        "pixel_mask": mask,
        "geometry": lambda number: arrays.geometry(32, shift=number),
    }


def _sizes(ctype: str, version: Version, versions: int) -> dict[str, float]:
    """Return bytes a version: of the file, on disk as added, after two kinds of gc; and the seconds of these."""
    with folder() as work:
        expected = [version(number) for number in range(versions)]
        _add(work / "ours", ctype, expected)
        _add(work / "empty", "", [])
        loose = disk(work / "empty")
        git(work / "empty", "gc", "-q", "--prune=now")
        packed = disk(work / "empty")
        raw = sum(len(one.encode()) if isinstance(one, str) else len(arrays.saved(one)) for one in expected)
        found = {"raw": raw / versions, "added": (disk(work / "ours") - loose) / versions}
        shutil.copytree(work / "ours", work / "plain")
        (work / "plain" / "config").write_text(PLAIN_CONFIG)
        (work / "plain" / "info" / "attributes").unlink(missing_ok=True)
        for name, repository in (("gc", work / "ours"), ("plain gc", work / "plain")):
            begin = time.perf_counter()
            git(repository, "gc", "-q", "--prune=now")
            found[f"{name} seconds"] = time.perf_counter() - begin
            found[name] = (disk(repository) - packed) / versions
            _check(repository, ctype, expected)
    return found


def _add(path: Path, ctype: str, data: Sequence[np.ndarray | str]) -> None:
    """Make a repository with a detector and some versions, each valid from another second on."""
    calibvcs.init(path, bare=True)
    with calibvcs.open(path) as repository:
        repository.detector.add(DETECTOR)
        for number, one in enumerate(data):
            repository.add(DETECTOR, ctype, one, begin=number, message=f"Dark run {number}")


def _check(path: Path, ctype: str, expected: Sequence[np.ndarray | str]) -> None:
    """Hold all versions against what was added."""
    git(path, "fsck", "--strict")
    with calibvcs.open(path) as repository:
        for number, one in enumerate(expected):
            found = repository.get(DETECTOR, ctype, number).data
            if found != one if isinstance(one, str) else not arrays.same(found, one):
                raise WrongResultError(f"{ctype} in {path.name} after git gc")


def _by_kind(sizes: dict[str, dict[str, float]], shape: tuple[int, ...], versions: int) -> Sheet:
    def row(ctype: str, size: dict[str, float]) -> tuple[str, ...]:
        panels = [1] * 2 if ctype == "geometry" else PANELS.values()
        parts = (f"{size[name] / size['raw']:.1%}" for name in ("added", "gc", "plain gc"))
        seconds = (shown(size[f"{name} seconds"], "s") for name in ("gc", "plain gc"))
        return (ctype, *(shown(size["raw"] * n, "B") for n in panels), *parts, *seconds)

    about = (
        f"{versions} versions of each, of one panel {'x'.join(map(str, shape))}, sizes scaled by the number of panels; "
        "on disk in per cent of the file, with all that a commit adds; the last two columns are the times of these gc"
    )
    head = (
        "constant", "version, Jungfrau 4M", "Jungfrau 16M", "on disk: as added", "after git gc",
        "after git gc, Git's own settings", "time of gc", "of gc, Git's own settings",
    )  # fmt: skip
    return Sheet("growth by kind", about, head, tuple(row(ctype, size) for ctype, size in sizes.items()))


def _a_year(sizes: dict[str, dict[str, float]], shape: tuple[int, ...]) -> Sheet:
    cells, totals = [], [0.0] * 4
    for ctype, size in sizes.items():
        count = A_YEAR[ctype]
        panels = [1] * 2 if ctype == "geometry" else PANELS.values()
        year = [size[name] * count * n for n in panels for name in ("added", "gc")]
        totals = [a + b for a, b in zip(totals, year, strict=True)]
        cells.append((ctype, str(count), *(shown(bytes_, "B") for bytes_ in year)))
    cells.append(("all", "", *(shown(total, "B") for total in totals)))
    head = ("constant", "versions a year", "4M: as added", "4M: after git gc", "16M: as added", "16M: after git gc")
    about = f"the sizes above, measured on one panel {'x'.join(map(str, shape))}, times panels, times versions a year"
    return Sheet("growth in a year", about, head, tuple(cells))


def _settings(kinds: dict[str, Version], versions: int, *, quick: bool) -> Sheet:
    cells = []
    wanted = {"pedestals": (STORED,)} if quick else {"pedestals": (*SETTINGS, STORED), "pixel_status": SETTINGS}
    for ctype, settings in wanted.items():
        arrays_ = [np.asarray(kinds[ctype](number)) for number in range(versions)]
        raw = sum(array.nbytes for array in arrays_)
        for setting in settings:
            with folder() as work:
                path = work / "ours"
                calibvcs.init(path, bare=True)
                git(path, "config", "calibvcs.compression", setting.partition(",")[0])
                empty, adds = disk(path), []
                with calibvcs.open(path) as repository:
                    repository.detector.add(DETECTOR)
                    for number, array in enumerate(arrays_):
                        os.sync()
                        begin = time.perf_counter()
                        repository.add(DETECTOR, ctype, array, begin=number, message="Dark run")
                        adds.append(time.perf_counter() - begin)
                row = [
                    f"{(disk(path) - empty) / raw:.1%}",
                    shown(float(np.median(adds)), "s"),
                    _get(path, ctype, arrays_),
                ]
                if setting == STORED:
                    pack_as_stored(path)
                git(path, "gc", "-q", "--prune=now")
                row += [f"{(disk(path) - empty) / raw:.1%}", _get(path, ctype, arrays_)]
            cells.append((ctype, setting, *row))
    shape = "x".join(map(str, arrays_[0].shape))
    about = f"arrays of {shape}: pedestals float32, pixel_status uint64; medians; get with the hash checked"
    head = ("constant", "calibvcs.compression", "on disk, as added", "add", "get", "after git gc", "get after git gc")
    return Sheet("growth by setting", about, head, tuple(cells))


def _get(path: Path, ctype: str, expected: Sequence[np.ndarray]) -> str:
    """Return the time of one get, the median over all versions."""
    seconds = []
    with calibvcs.open(path) as repository:
        for number, array in enumerate(expected):
            begin = time.perf_counter()
            found = repository.get(DETECTOR, ctype, number).data
            seconds.append(time.perf_counter() - begin)
            if not arrays.same(found, array):
                raise WrongResultError(f"get of {ctype} from {path.name}")
    return shown(float(np.median(seconds)), "s")


def _trees(counts: Sequence[int], commits: int) -> Sheet:
    cells = []
    camera = fast_import.camera(1)
    for ranges in counts:
        with folder() as work:
            fast_import.build(work / "ours", [[f"{camera}/pedestals/{1_500_000_000 + n}-end" for n in range(ranges)]])
            git(work / "ours", "repack", "-adfq")
            start = disk(work / "ours")
            with calibvcs.open(work / "ours") as repository:
                for number in range(commits):
                    data = fast_import.tiny(ranges + number)
                    repository.add(camera, "pedestals", data, begin=1_600_000_000 + number, message="Dark run")
                loose = disk(work / "ours")
                git(work / "ours", "gc", "-q", "--prune=now")
                packed = disk(work / "ours")
                for number in range(commits):
                    found = repository.get(camera, "pedestals", 1_600_000_000 + number).data
                    if not arrays.same(found, fast_import.tiny(ranges + number)):
                        raise WrongResultError("get after git gc")
            cells.append((f"{ranges:,}", *(shown((size - start) / commits, "B") for size in (loose, packed))))
    head = ("ranges of the ctype", "a commit adds", "after git gc")
    about = f"{commits} commits, each of one constant of 4 x 4 pixels, with all trees, metadata and the commit; bytes on disk"
    return Sheet("growth of trees", about, head, tuple(cells))


def disk(repository: Path) -> int:
    """Return the bytes that the objects of a repository take on disk, in whole blocks."""
    return sum(512 * file.stat().st_blocks for file in (repository / "objects").rglob("*") if file.is_file())
