"""Let the unmodified psana judge the pickles that ``calibvcs export --shm`` writes.

``python -m tests.e2e.psana.judge --psana /path/to/python [--data DIR]`` prints a line for each comparison, and fails if
anything differs in a single bit. It writes to /dev/shm, since psana reads nowhere else, and cleans up.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.e2e.psana import expected
from tests.e2e.psana.repository import CASES, Case, calibvcs, hide

SHARED_MEMORY = Path("/dev/shm")
_OURS = ("calibconst*.pkl*", "*_calibc_cache.pkl*", "calibvcs", ".calibvcs*")
_PSANA_DTYPES = {"pixel_status": "uint64", "status_extra": "uint64", "pixel_mask": "uint8"}
_LONGEST = 300


@dataclass(frozen=True)
class Finding:
    """One comparison: what was compared, and what is different (nothing where it is the same bit for bit)."""

    what: str
    difference: str = ""


def judge(python: str, data: Path, case: Case, folder: Path) -> list[Finding]:
    """Export the constants of one case, let psana use them, and compare all that it gives with plain numpy.

    Parameters
    ----------
    python : str
        An interpreter that has psana 4.3.4.
    data : Path
        The shared data.
    case : Case
        Which detector.
    folder : Path
        An empty folder to work in.

    Returns
    -------
    list of Finding
        One for each constant, and three for each event.
    """
    hidden = hide(case, data, folder)
    runs = folder / "xtc"
    runs.mkdir()
    raw = runs / f"{case.experiment}-r{case.run:04d}-s000-c000.xtc2"
    shutil.copyfile(data / "xtc2" / case.file, raw)
    with shared_memory():
        calibvcs(
            "export", "--shm", "--xtc-dir", runs, "--experiment", case.experiment, "--output-dir", SHARED_MEMORY,
            "--detectors", case.name, "--repo", hidden.folder,
        )  # fmt: skip
        given = _run_psana(python, raw, case.name, folder)
    return list(_compare(given, hidden.constants, data, case))


@dataclass(frozen=True)
class Given:
    """What psana gave."""

    arrays: dict[str, np.ndarray]
    told: dict[str, Any]

    def constant(self, ctype: str) -> Any:
        """Return one of the constants that psana works with."""
        return self.told["texts"].get(ctype, self.arrays.get(f"constant/{ctype}"))


def _run_psana(python: str, raw: Path, name: str, folder: Path) -> Given:
    script, out = Path(__file__).with_name("psana_side.py"), folder / "given"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LCLS_CALIB_HTTP": f"http://127.0.0.1:{_closed_port()}/ws",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_btl": "self",
    }
    done = subprocess.run(
        [python, script, raw, name, out], cwd=folder, env=environment, capture_output=True, text=True, timeout=_LONGEST
    )
    if done.returncode:
        raise AssertionError(f"psana fails:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    with np.load(f"{out}.npz", allow_pickle=False) as arrays:
        return Given({key: arrays[key] for key in arrays.files}, json.loads(Path(f"{out}.json").read_text()))


def _compare(given: Given, constants: Any, data: Path, case: Case) -> Iterator[Finding]:
    reference = json.loads((data / "xtc2" / "reference.json").read_text())[case.file]
    told = (given.told["experiment"], given.told["run"], given.told["stamps"])
    stamps = [event["timestamp"] for event in reference["events"]]
    yield Finding("experiment, run and events", "" if told == (case.experiment, case.run, stamps) else f"{told}")
    names = sorted(given.told["documents"])
    yield Finding("the constants that there are", "" if names == sorted(constants) else f"psana has {names}")
    for ctype, value in constants.items():
        is_text = isinstance(value, str)
        wanted = value if is_text else value.astype(_PSANA_DTYPES.get(ctype, value.dtype))
        yield Finding(f"constant {ctype}", _difference(given.constant(ctype), wanted))
    for attribute, difference in given.told["cache"].items():
        yield Finding(f"cache {attribute}", difference)
    frames = np.load(data / "frames" / f"{case.experiment}-r{case.run:04d}-{case.name}.npy")
    for number, raw in enumerate(frames):
        yield Finding(f"event {number} raw", _difference(given.arrays[f"raw/{number}"], raw))
        calibrated = _calibrated(raw, given, constants, case)
        yield Finding(f"event {number} calib", _difference(given.arrays[f"calib/{number}"], calibrated))
        image = expected.image(calibrated, constants["geometry"])
        yield Finding(f"event {number} image", _difference(given.arrays[f"image/{number}"], image))


def _calibrated(raw: np.ndarray, given: Given, constants: Any, case: Case) -> np.ndarray:
    if case.name == "jungfrau":
        return expected.jungfrau(raw, constants)
    panels = [
        expected.epix10ka_ranges(panel, given.arrays[f"pixel_config/{segment}"], given.arrays[f"trbit/{segment}"])
        for segment, panel in enumerate(raw)
    ]
    return expected.epix10ka(raw, np.stack(panels), constants)


def _difference(found: Any, wanted: Any) -> str:
    """Say what is different, down to the bit; nothing where all is the same."""
    if isinstance(wanted, str) or not isinstance(found, np.ndarray):
        lines = (
            [text.split() for text in (found or "").splitlines() if text.strip()] if isinstance(found, str) else found
        )
        same = isinstance(wanted, str) and lines == [text.split() for text in wanted.splitlines() if text.strip()]
        return "" if same else f"{str(found)[:60]!r}"
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        return f"{found.dtype} {found.shape}, not {wanted.dtype} {wanted.shape}"
    one, other = (np.ascontiguousarray(a).reshape(-1).view(np.uint8).reshape(a.size, -1) for a in (found, wanted))
    wrong = int((one != other).any(axis=1).sum())
    return f"{wrong} of {wanted.size} values" if wrong else ""


@contextmanager
def shared_memory() -> Iterator[None]:
    """Have /dev/shm alone among the tests of this machine, and leave it as it was.

    Raises
    ------
    RuntimeError
        If constants lie there already: they may be those of a DAQ at work, and are not touched.
    """
    lock = Path(tempfile.gettempdir()) / f"calibvcs-psana-{os.getuid()}.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if there := _in_shared_memory():
            raise RuntimeError(f"{', '.join(map(str, there))}: move them away first; they may be in use")
        try:
            yield
        finally:
            for path in _in_shared_memory():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _in_shared_memory() -> list[Path]:
    return [path for pattern in _OURS for path in SHARED_MEMORY.glob(pattern)]


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main(arguments: list[str]) -> int:
    """Judge every case, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--psana", default=os.environ.get("CALIBVCS_PSANA_PYTHON"), help="Python that has psana 4.3.4")
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default, help="folder of real detector data")
    chosen = parser.parse_args(arguments)
    if not chosen.psana:
        parser.error("--psana PYTHON, or CALIBVCS_PSANA_PYTHON, is needed; see README.md beside this file")
    wrong = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            for found in judge(chosen.psana, chosen.data, case, Path(folder)):
                wrong += bool(found.difference)
                print(f"{case.name:9} {found.what:30} {found.difference or 'equal'}")
    print("all equal, bit for bit" if not wrong else f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
