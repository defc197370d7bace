"""A repository in which the right constants are hidden among many wrong ones; all of them are made up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Value = "np.ndarray | str"
PROGRAM = Path(sys.executable).with_name("calibvcs")
HOUR = 3600
_PSANA_EPOCH = 631_152_000


@dataclass(frozen=True)
class Case:
    """One detector in one file of real data.

    Attributes
    ----------
    file, experiment, run, name : str or int
        The file in the shared data, and what psana finds in it.
    detector : str
        Name of the detector in the repository.
    gains : int
        Gain ranges of its constants.
    shape : tuple of int
        Segments, rows, columns.
    geometry : str
        File of the shared data that its geometry is made from.
    edits : mapping
        Text of that file, and what stands in its place, so that it is no geometry that psana brings along.
    """

    file: str
    experiment: str
    run: int
    name: str
    detector: str
    gains: int
    shape: tuple[int, int, int]
    geometry: str
    edits: Mapping[str, str]


CASES = (
    Case(
        "test_jungfrau05M_calib.xtc2", "mfx101332224", 7, "jungfrau", "jungfrau-000003", 3, (1, 512, 1024),
        "geometry-def-jungfrau05M.data", {"90     0     0    0.0      0.0      0.0": "270    0     0    0.25     0.0      0.0"},
    ),
    Case(
        "test_epix_calib.xtc2", "ueddaq02", 109, "epixquad", "epix10ka-000007", 7, (4, 352, 384),
        "geometry-def-epix10kaquad.data", {"20248   -20908": "20648   -21108", "0.25623": "0.75623"},
    ),
)  # fmt: skip


def calibvcs(*words: str | Path) -> str:
    """Run the installed program and return what it prints."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"calibvcs {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def made_up(case: Case, seed: int, geometry: str) -> dict[str, Any]:
    """Return a set of constants of the right shapes and dtypes; another seed gives other values everywhere."""
    random = np.random.default_rng(seed)
    shape = (case.gains, *case.shape)
    levels = random.uniform(900, 1100, (case.gains, 1, 1, 1))
    gain = (
        random.normal(1, 0.05, shape)
        * (np.array([41.5, -1.39, -0.11, 1.0, 1.0, 1.0, 1.0])[: case.gains, None, None, None])
    )
    gain[:, 0, 5, :7] = 0
    status = np.where(random.random(shape) < 0.01, 1 << random.integers(0, 8, shape), 0)
    constants: dict[str, Any] = {
        "pedestals": random.normal(levels, 20, shape).astype(np.float32),
        "pixel_rms": random.uniform(2, 5, shape).astype(np.float32),
        "pixel_gain": gain.astype(np.float32),
        "pixel_status": status.astype(np.uint8),
        "pixel_mask": (random.random(case.shape) > 0.02).astype(np.uint8),
        "geometry": geometry,
    }
    if case.name == "jungfrau":
        high = np.where(random.random(shape) < 0.01, np.uint64(1) << random.integers(30, 64, shape, np.uint64), 0)
        constants["pixel_status"] = status.astype(np.uint64) | high.astype(np.uint64)
        constants["status_extra"] = np.where(random.random(shape) < 0.005, 4, 0).astype(np.uint64)
        constants["pixel_offset"] = random.normal(0, 3, shape).astype(np.float32)
    return constants


@dataclass(frozen=True)
class Hidden:
    """A repository, and the constants in it that are right for the run of a case."""

    folder: Path
    constants: Mapping[str, Any]


def hide(case: Case, data: Path, folder: Path) -> Hidden:
    """Make the repository of one case.

    Parameters
    ----------
    case : Case
        Which detector.
    data : Path
        The shared data.
    folder : Path
        An empty folder to work in.

    Returns
    -------
    Hidden
        The right constants are version 2 of the range that begins an hour before the run; version 3 is newer.
    """
    reference = json.loads((data / "xtc2" / "reference.json").read_text())[case.file]
    begin = (reference["begin_timestamp"] >> 32) + _PSANA_EPOCH
    longname = reference["detectors"][case.name]
    geometry = (data / "geometry" / case.geometry).read_text()
    for old, new in case.edits.items():
        assert old in geometry
        geometry = geometry.replace(old, new)
    wrong_geometry = geometry.replace(" 0.0 ", " 1.0 ").replace("20150", "29150")
    target = folder / "repository"
    calibvcs("init", target)

    def detector(name: str, panels: str) -> None:
        calibvcs("detector", "add", name, "--longname", panels, "--repo", target)

    def add(name: str, seed: int, first: int, last: int | None = None, only: tuple[str, ...] = ()) -> Mapping[str, Any]:
        right = seed == RIGHT
        constants = made_up(case, seed, geometry if right else wrong_geometry)
        chosen = {ctype: value for ctype, value in constants.items() if not only or ctype in only}
        rows = []
        for ctype, value in chosen.items():
            file = folder / (f"{ctype}.txt" if isinstance(value, str) else f"{ctype}.npy")
            if isinstance(value, str):
                file.write_text(value)
            else:
                np.save(file, value)
            end = "" if last is None else f"end = {last}\n"
            origin = f'experiment = "{case.experiment}"\nrun = {case.run}\n' if right else ""
            rows.append(
                f'[[constants]]\ndetector = "{name}"\nctype = "{ctype}"\nfile = "{file.name}"\nbegin = {first}\n{end}{origin}'
            )
        manifest = folder / "manifest.toml"
        manifest.write_text(f'message = "Made-up constants {seed}"\n' + "\n".join(rows))
        reason = ("--force", "--reason", "made up for a test")
        calibvcs("add", "--manifest", manifest, "--repo", target, *reason)
        return chosen

    dettype = case.detector.partition("-")[0]
    detector(f"{dettype}-000001", f"{dettype}_{longname.rpartition('-')[2]}-another")
    detector(case.detector, longname)
    detector(f"{dettype}-000009", f"{longname}_one-panel-more-0000000001")
    calibvcs(
        "run",
        "mark",
        f"{case.experiment}:{case.run}",
        "--kind",
        "data",
        "--begin",
        begin,
        "-m",
        "Data",
        "--repo",
        target,
    )
    calibvcs("run", "mark", "cxi100126:3", "--kind", "data", "--begin", begin - 50, "-m", "Elsewhere", "--repo", target)
    few = ("pedestals", "pixel_gain", "pixel_status", "geometry")
    add(case.detector, 20, 0, only=few)  # the fallback of all
    add(f"{dettype}-000001", 21, begin - 10)  # another detector of the type, newer
    add(f"{dettype}-000009", 22, begin - 10, only=few)
    add(case.detector, 23, begin - HOUR, only=few)  # version 1 of the right range
    constants = add(case.detector, RIGHT, begin - HOUR)
    add(case.detector, 24, begin - HOUR, only=few)  # version 3
    for ctype in few:
        name = f"{case.detector}/{ctype}/{begin - HOUR}-end@v2"
        calibvcs("default", "set", name, "-m", "Version 3 was a mistake", "--repo", target)
    add(case.detector, 25, begin + HOUR, only=few)  # for later runs
    add(case.detector, 26, begin - HOUR // 2, begin - HOUR // 4, only=few)  # it ended before the run
    add(case.detector, 27, begin - 2 * HOUR, begin + HOUR, only=few)  # narrower, but it begins earlier
    add(case.detector, 28, begin - 60, only=few)
    for ctype in few:
        calibvcs("withdraw", f"{case.detector}/{ctype}/{begin - 60}-end", "-m", "Bad dark run", "--repo", target)
    return Hidden(target, constants)


RIGHT = 1
