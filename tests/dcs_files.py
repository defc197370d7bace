"""Files of the Detector Calibration Store as the original writes them, made with h5py alone; and all that one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

GEOMETRY = "# a camera of one panel\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
Dump = dict[str, tuple[tuple[int, ...], str, bytes] | None]


def put(group: h5py.Group, **values: Any) -> None:
    """Write scalars: shape (1,); text S, int int64, float float64."""
    for name, value in values.items():
        kind = f"S{len(value)}" if isinstance(value, str) else np.int64 if isinstance(value, int) else np.float64
        group.create_dataset(name, data=np.array([value.encode() if isinstance(value, str) else value], kind))


def note(group: h5py.Group, parameters: dict[str, Any], history: dict[float, str]) -> None:
    """Write parameters and history."""
    put(group.create_group("_parameters"), **parameters)
    put(group.create_group("_history"), **{f"{time:.6f}": text for time, text in history.items()})


def dark(level: float, dtype: str = "f4") -> np.ndarray:
    """Return four panels of eight pixels."""
    return (np.arange(32).reshape(4, 2, 4) + level).astype(dtype)


def make(path: Path, name: str = "opal1000-7") -> Path:
    """Write a file that uses everything there is, at every level."""
    dettype, _, detid = name.partition("-")
    with h5py.File(path, "w") as root:
        put(root, dettype=dettype, detname=name, detid=detid, tscfile=1.4e9 + 0.25)
        put(root, predecessor=f"{dettype}-6", successor=f"{dettype}-8")
        note(root, {"experiment": "cxi01516", "nruns": 3, "temperature": -21.5}, {1.4e9: "made", 1.4e9 + 0.5: "moved"})
        pedestals = root.create_group("pedestals")
        put(pedestals, ctype="pedestals")
        note(pedestals, {"unit": "ADU"}, {1.4e9 + 1: "first pedestals"})
        bounded = pedestals.create_group("1471000000-1471086401")
        put(bounded, begin=1471000000.25, end=1471086400.75, range="1471000000-1471086401", versdef=2)
        note(bounded, {"run_begin": 12}, {1.4e9 + 2: "range opened"})
        for number, level in ((1, 10), (2, 20), (4, 30)):
            version = bounded.create_group(f"v{number:04d}")
            put(version, version=number, tsprod=1.4e9 + 10 * number + 0.125)
            note(
                version,
                {"author": "expert", "run": 10 + number, "gain": 1.5, "big": 2**62},
                {1.4e9 + 9: f"dark {level}"},
            )
            version["data"] = dark(level)
        opened = pedestals.create_group("1471086400-end")
        put(opened, begin=1471086400.0, end="end", range="1471086400-end", versdef=0)
        version = opened.create_group("v0001")
        put(version, version=1, tsprod=1.4e9 + 11)
        version["data"] = dark(40)
        for ctype, data in (
            ("geometry", np.array([GEOMETRY.encode()])), ("pixel_status", dark(0, "u8")), ("pixel_mask", dark(1, "u1")),
            ("hits", dark(-3, "i4")), ("flags", dark(0) > 7), ("weights", dark(0, "c16")), ("half", dark(0, "f2")),
            ("notes", np.array([b"cooled to -20 C"])),
        ):  # fmt: skip
            group = root.create_group(ctype)
            put(group, ctype=ctype)
            whole = group.create_group("0-end")
            put(whole, begin=0.0, end="end", range="0-end", versdef=0)
            version = whole.create_group("v0001")
            put(version, version=1, tsprod=1.4e9 + 12)
            version["data"] = data
        empty = root.create_group("pixel_rms")
        put(empty, ctype="pixel_rms")
        bare = empty.create_group("5-end")
        put(bare, begin=5.5, end="end", range="5-end", versdef=0)
        note(bare, {"planned": 1}, {1.4e9 + 3: "nothing yet"})
    return path


def dump(path: Path) -> Dump:
    """Return every group (None) and dataset (shape, dtype, bytes) of a file, and make sure there is no attribute."""
    found: Dump = {}

    def visit(name: str, member: h5py.Group | h5py.Dataset) -> None:
        assert not member.attrs, name
        if isinstance(member, h5py.Dataset):
            found[name] = (member.shape, member.dtype.str, np.asarray(member[()]).tobytes())
        else:
            found[name] = None

    with h5py.File(path, "r") as root:
        assert not root.attrs
        root.visititems(visit)
    return found


def without_ours(found: Dump) -> Dump:
    """Return the same without what calibvcs adds: parameters of its own, and the groups that it made for them."""
    kept = {name: value for name, value in found.items() if "/calibvcs_" not in f"/{name}"}
    return {
        name: value
        for name, value in kept.items()
        if not name.endswith("_parameters") or any(other.startswith(f"{name}/") for other in kept)
    }
