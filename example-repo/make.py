"""Make the example tree: three detectors, a few hundred kB, the same bytes on every machine.

    python example-repo/make.py

writes the tree anew beside this file. It is built through calibvcs itself, with a fixed author and a fixed clock, so
that the commit id is always the same; a test holds both the id and the files.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from calibvcs.formats.toml import repository_toml
from calibvcs.model.commits import Action, Message, Person
from calibvcs.model.layout import REPOSITORY_FILE
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.repository import RepositorySettings
from calibvcs.model.runs import RunKind, RunReason
from calibvcs.model.times import RunName
from calibvcs.ops import alias, payload, run, transaction
from calibvcs.ops.add import add
from calibvcs.ops.detector import DetectorChange, add_detector
from calibvcs.ops.init import init
from calibvcs.ops.new_constant import NewConstant
from calibvcs.store.initialise import initialise

HERE = Path(__file__).parent
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z
AUTHOR = Person("Ada Lovelace", "ada@example.org", "Ada Lovelace", "ada@example.org", lambda: (BEGIN + 3600, 0))
PROVENANCE = Provenance(("python", "example-repo/make.py"), "calibvcs", "ada", "example")
FRAMES = 1000

JUNGFRAU, EPIX, CAMERA = "jungfrau-000001", "epix100-000007", "opal1000-000002"

JUNGFRAU_GEOMETRY = """\
# TITLE      Example of two Jungfrau panels, the second 550 um beside the first
# DETECTOR   jungfrau-000001
# HDR PARENT IND  OBJECT      IND  X0[um]  Y0[um]  Z0[um]  ROT-Z ROT-Y ROT-X  TILT-Z  TILT-Y  TILT-X
JFCAMERA:V1  0    JUNGFRAU:V2 0    0       -19525  0       90    0     0      0.01    0.0     0.0
JFCAMERA:V1  0    JUNGFRAU:V2 1    0       19525   0       90    0     0      -0.02   0.0     0.0
IP:V1        0    JFCAMERA:V1 0    0       0       100000  0     0     0      0.0     0.0     0.0
"""
EPIX_GEOMETRY = """\
# TITLE      Example of an epix100
# HDR PARENT IND  OBJECT      IND  X0[um]  Y0[um]  Z0[um]   ROT-Z ROT-Y ROT-X  TILT-Z  TILT-Y  TILT-X
IP:V1        0    EPIX100:V1  0    0       0       1000000  90    180   0      0.0     0.0     0.0
"""


def noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return integers from 0 to 1023 that look random and are the same with every numpy (splitmix64)."""
    word = np.arange(seed << 32, (seed << 32) + int(np.prod(shape)), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((word ^ (word >> np.uint64(31))) >> np.uint64(54)).astype(np.int64).reshape(shape)


def pedestals(levels: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 pedestals in ADU: means of 1000 integer frames about a level, with a spread of 20 ADU."""
    sums = levels * FRAMES + noise(shape, seed) * 40
    return (sums / FRAMES).astype(np.float32)


def rms(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 noise in ADU, between 2 and 4."""
    return (2 + noise(shape, seed) / 512).astype(np.float32)


def status(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return uint16 status words: one pixel in a hundred is noisy (bit 1) or cold (bit 8)."""
    drawn = noise(shape, seed)
    return (np.where(drawn < 6, 1, 0) + np.where(drawn > 1019, 8, 0)).astype(np.uint16)


def build(path: Path) -> str:
    """Make the example repository, and return the id of its last commit."""
    panels, camera, epix = (3, 2, 32, 64), (64, 64), (1, 88, 96)
    levels = np.array([2800, 15000, 14000]).reshape(3, 1, 1, 1)
    gains = np.array([40.0, -1.45, -0.11]).reshape(3, 1, 1, 1)
    mask = np.ones(panels[1:], np.uint8)
    mask[:, 0, :] = mask[:, :, 0] = 0
    with initialise(path, bare=False) as store:
        init(store, AUTHOR, "example")
        settings = RepositorySettings("example", {"jungfrau": ("pedestals", "pixel_gain", "geometry")})
        edits = {REPOSITORY_FILE: repository_toml.encode(settings)}
        message = Message("Say what every Jungfrau must have", Action.INIT)
        transaction.commit(store, AUTHOR, lambda _: transaction.Plan(edits, message, None))
        for name, segments, shape in (
            (JUNGFRAU, ("260101-100000001", "260102-100000002"), [32, 64]),
            (EPIX, ("0000000007-0000000001",), [88, 96]),
            (CAMERA, (), [64, 64]),
        ):
            longname = name.replace("-", "_") + "".join(f"_{segment}" for segment in segments)
            change = DetectorChange(longname, segments, parameters={"panel_shape": shape})
            add_detector(store, AUTHOR, name, change, f"Register {name}, with cut-down panels")
        alias.add(store, AUTHOR, "front", JUNGFRAU, begin=BEGIN, end=None, source="jungfrau", message="")
        dark = RunName("mfx000126", 7)
        text = "First dark run of the beam time"
        run.mark(
            store, AUTHOR, dark, kind=RunKind.DARK, reason=RunReason.OPPORTUNISTIC, message=text,
            begin=BEGIN, end=BEGIN + 300, instrument="mfx",
        )  # fmt: skip
        origin = Origin("mfx000126", 7)
        for detector, message_text, data in (
            (JUNGFRAU, "Dark run 7: pedestals, noise and status in three gain ranges", {
                "pedestals": pedestals(levels, panels, 1), "pixel_rms": rms(panels, 2),
                "pixel_status": status(panels, 3),
            }),
            (JUNGFRAU, "Gains of the flat field campaign, mask of the edges, geometry of the assembly", {
                "pixel_gain": np.broadcast_to(gains, panels).astype(np.float32), "pixel_mask": mask,
                "geometry": JUNGFRAU_GEOMETRY,
            }),
            (EPIX, "Dark run 7 of the epix100, with its geometry", {
                "pedestals": pedestals(np.array(3000), epix, 4), "pixel_rms": rms(epix, 5),
                "pixel_status": status(epix, 6), "geometry": EPIX_GEOMETRY,
            }),
            (CAMERA, "Dark run 7 of the camera", {"pedestals": pedestals(np.array(30), camera, 7)}),
        ):  # fmt: skip
            add(store, AUTHOR, [new(detector, ctype, value, origin) for ctype, value in data.items()], message_text)
        return store.tip() or ""


def new(detector: str, ctype: str, value: np.ndarray | str, origin: Origin) -> NewConstant:
    """Return one constant to be added; geometry and gains are valid always, the rest from the dark run on."""
    lasting = ctype in {"geometry", "pixel_gain", "pixel_mask"}
    data = payload.from_text(value.encode(), ctype, ctype) if isinstance(value, str) else payload.from_array(value)
    source = Origin(source="assembly drawing") if lasting else origin
    return NewConstant(detector, ctype, data, 0 if lasting else BEGIN, origin=source, provenance=PROVENANCE)


def main() -> None:
    """Write the tree beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        commit = build(Path(folder) / "example")
        for old in HERE.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
        for entry in (Path(folder) / "example").iterdir():
            if entry.name != ".git":
                (shutil.copytree if entry.is_dir() else shutil.copy)(entry, HERE / entry.name)
    print(f"commit {commit}")


if __name__ == "__main__":
    main()
