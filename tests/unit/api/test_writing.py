"""The verbs that change constants, on a real repository."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    EmptyCommentError,
    GateRefusedError,
    InvalidDataError,
    InvalidNameError,
    InvalidOptionError,
    LockedError,
    MissingFileError,
    UnknownDetectorError,
    UnknownRunError,
)

CAMERA, JUNGFRAU = "opal1000-1", "jungfrau-3"
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z, begin of run mfx1:7
FALLBACK, FIRST = f"{CAMERA}/pedestals/0-end", f"{CAMERA}/pedestals/{BEGIN}-end"


def dark(level: float) -> np.ndarray:
    return np.full((4, 5), level, np.float32)


def add(repository: Repository, data: Any, **arguments: Any) -> Any:
    """Add pedestals that are valid from second 1 on, unless something else is said."""
    given = {"begin": 1, "message": "Why", **arguments}
    return repository.add(given.pop("detector", CAMERA), given.pop("ctype", "pedestals"), data, **given)


def test_array_text_and_path(repository: Repository, tmp_path: Path) -> None:
    np.save(tmp_path / "dark.npy", dark(13))
    np.savetxt(tmp_path / "dark.txt", dark(14))
    geometry = repository.get(CAMERA, "geometry", 5).data
    (tmp_path / "geometry.data").write_text(geometry.replace("1.5", "2.5"))
    for begin, data in enumerate((dark(12), tmp_path / "dark.npy", str(tmp_path / "dark.npy"), tmp_path / "dark.txt")):
        add(repository, data, begin=10 + begin)
    assert [repository.get(CAMERA, "pedestals", begin).data[3, 4] for begin in (10, 11, 12, 13)] == [12, 13, 13, 14]
    add(repository, geometry.replace("1.5", "2"), ctype="geometry")
    assert repository.get(CAMERA, "geometry", 5).data == geometry.replace("1.5", "2")
    add(repository, tmp_path / "geometry.data", ctype="geometry", begin=2)
    assert "2.5" in repository.get(CAMERA, "geometry", 5).data


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_text_is_kept_byte_for_byte(repository: Repository, newline: str) -> None:
    text = f"gain = 3{newline}# \u00b5m{newline}"
    add(repository, text, ctype="settings", force_reason="The camera has settings of its own")
    constant = repository.get(CAMERA, "settings", 5)
    assert constant.data == text
    assert constant.meta.is_text
    assert "text" in repr(constant)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.astype(">f4"),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1][::-1],
        lambda a: np.ascontiguousarray(a.T).astype(">f4").T,
        lambda a: np.frombuffer(a.tobytes(), np.float32).reshape(a.shape),  # read-only
    ],
)
def test_any_order_in_memory_is_stored_in_one(repository: Repository, change: Callable[[Any], np.ndarray]) -> None:
    array = np.arange(1, 21, dtype=np.float32).reshape(4, 5)
    given = change(array)
    before = given.copy()
    plain, turned = add(repository, array), add(repository, given, begin=2)
    assert turned.constants[0].blob == plain.constants[0].blob
    data = repository.get(CAMERA, "pedestals", 2).data
    assert np.array_equal(data, array)
    assert data.flags.c_contiguous
    assert data.dtype == np.dtype("<f4")
    assert np.array_equal(given, before)
    assert given.dtype == before.dtype


@pytest.mark.parametrize(
    ("error", "data", "arguments"),
    [
        (GateRefusedError, np.full((4, 5), np.nan, np.float32), {}),
        (GateRefusedError, dark(1).astype(np.float64), {}),
        (GateRefusedError, dark(10), {"begin": 0}),  # the data of the default
        (GateRefusedError, dark(10), {"begin": 0, "force_reason": "  "}),
        (GateRefusedError, dark(1), {"ctype": "pedestal"}),
        (GateRefusedError, np.ones((3, 1, 2, 3), np.float32), {"detector": JUNGFRAU}),
        (InvalidDataError, [[1.0, 2.0]], {}),
        (InvalidDataError, None, {}),
        (InvalidDataError, b"\x93NUMPY", {}),
        (InvalidDataError, np.float32(1), {}),
        (InvalidDataError, np.array(["a"]), {}),
        (InvalidDataError, np.ma.masked_array(dark(1), dark(1) > 0), {}),
        (InvalidDataError, "no\ngeometry\n", {"ctype": "geometry"}),
        (InvalidDataError, "\ud800\n", {"ctype": "settings"}),
        (MissingFileError, "nowhere.npy", {}),
        (MissingFileError, dark(1), {"inputs": ["nowhere.xtc2"]}),
        (EmptyCommentError, dark(1), {"message": " \n"}),
        (InvalidOptionError, dark(1), {"message": "x\n\nCalibvcs-Action: lock"}),
        (InvalidOptionError, dark(1), {"begin": None}),
        (InvalidOptionError, dark(1), {"run": -1}),
        (InvalidOptionError, dark(1), {"inputs": "raw.xtc2"}),
        (InvalidOptionError, dark(1), {"command": "python dark.py"}),
        (InvalidOptionError, dark(1), {"parameters": {"bias": None}}),
        (InvalidOptionError, dark(1), {"parameters": {1: 2}}),
        (InvalidNameError, dark(1), {"experiment": "MFX 1"}),
        (UnknownRunError, dark(1), {"begin": "mfx1:8"}),
        (UnknownDetectorError, dark(1), {"detector": "opal1000-9"}),
    ],
)
def test_what_cannot_be_added_leaves_no_trace(
    repository: Repository, folder: Path, error: type[Exception], data: Any, arguments: dict[str, Any]
) -> None:
    commit = repository.commit
    with pytest.raises(error):
        add(repository, data, **arguments)
    assert repository.commit == commit
    assert subprocess.run(["git", "status", "--short"], cwd=folder, check=True, capture_output=True).stdout == b""


def test_everything_that_is_said_is_recorded(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "raw.xtc2").write_bytes(b"raw")
    result = add(
        repository,
        dark(12),
        begin="mfx1:7",
        end=BEGIN + 59.5,
        experiment="mfx1",
        run=np.int64(7),
        run_end=9,
        source="det:0",
        unit="keV",
        convention="none",
        parameters={"bias": np.float32(200.5), "roi": np.arange(2), "on": True, "by": {"date": datetime(2026, 1, 1)}},  # noqa: DTZ001
        inputs=[tmp_path / "raw.xtc2"],
        command=["dark", "--all"],
    )
    (one,) = result.constants
    assert str(one.constant) == f"{CAMERA}/pedestals/{BEGIN}-{BEGIN + 60}"
    assert (one.version, one.commit) == ("v1", repository.commit)
    assert (one.changes.against, one.changes.changed, one.changes.median) == (FIRST, 20, -8)
    meta = repository.get(CAMERA, "pedestals", BEGIN).meta
    assert (meta.unit, meta.convention) == ("keV", "none")
    assert (meta.origin.run, meta.origin.run_end, meta.origin.source) == (7, 9, "det:0")
    assert meta.parameters == {"bias": 200.5, "roi": [0, 1], "on": True, "by": {"date": "2026-01-01T00:00:00"}}
    assert meta.provenance.command == ("dark", "--all")
    assert [(file.path, file.size) for file in meta.provenance.inputs] == [(str(tmp_path / "raw.xtc2"), 3)]
    assert meta.provenance.software == f"calibvcs {calibvcs.__version__}"


def test_force_needs_a_reason_which_is_recorded(repository: Repository) -> None:
    wild = np.full((4, 5), np.inf, np.float32)
    result = add(repository, wild, force_reason="The sensor is gone")
    assert "finite" in result.constants[0].forced[0]
    assert repository.log(limit=1).commits[0].forced == "The sensor is gone"


@pytest.mark.parametrize("kind", [str, Path])
def test_manifest(repository: Repository, tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "dark.npy", dark(12))
    (tmp_path / "rms.txt").write_text("1 2\n3 4\n")
    manifest = tmp_path / "manifest.toml"
    rows = ((CAMERA, "pedestals", "dark.npy"), (CAMERA, "pixel_rms", "rms.txt"))
    tables = (f'[[constants]]\ndetector = "{d}"\nctype = "{c}"\nfile = "{f}"\nbegin = 9\n' for d, c, f in rows)
    manifest.write_text('message = "Two of one run"\n' + "".join(tables))
    result = repository.add_manifest(kind(manifest), command=["add"])
    assert [str(one.constant) for one in result.constants] == [f"{CAMERA}/{c}/9-end" for _, c, _ in rows]
    assert repository.log(limit=1).commits[0].subject == "Two of one run"
    with pytest.raises(MissingFileError):
        repository.add_manifest(kind(tmp_path / "none.toml"))


def test_a_manifest_that_is_refused_leaves_nothing_on_disk(
    repository: Repository, folder: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "good.npy", dark(12))
    np.save(tmp_path / "bad.npy", dark(0))
    tables = (
        f'[[constants]]\ndetector = "{CAMERA}"\nctype = "pedestals"\nfile = "{name}.npy"\nbegin = {begin}\n'
        for begin, name in enumerate(("good", "bad"), 9)
    )
    (tmp_path / "manifest.toml").write_text('message = "Two of one run"\n' + "".join(tables))
    before = state(folder / ".git" / "objects")
    with pytest.raises(GateRefusedError, match="not all zero"):
        repository.add_manifest(tmp_path / "manifest.toml")
    assert state(folder / ".git" / "objects") == before


def test_lock_unlock_withdraw_and_back(repository: Repository) -> None:
    add(repository, dark(21), begin=BEGIN)
    assert repository.lock(FIRST, message="Used by the beam line").locked
    for change in (lambda: add(repository, dark(22), begin=BEGIN), lambda: repository.withdraw(FIRST, message="x")):
        with pytest.raises(LockedError, match="Used by the beam line"):
            change()
    assert not repository.unlock(FIRST, message="The run is over").locked
    assert repository.withdraw(FIRST, message="Light leak").withdrawn_reason == "Light leak"
    assert str(repository.get(CAMERA, "pedestals", BEGIN).name) == FALLBACK
    default = repository.default.set(f"{FIRST}@v1", message="The first was good")
    assert (default.version, default.withdrawn, [row.version for row in default.versions]) == (
        "v1",
        False,
        ["v1", "v2"],
    )
    assert repository.get(CAMERA, "pedestals", BEGIN).data[0, 0] == 20
    actions = [entry.action for entry in repository.log(FIRST).commits]
    assert actions == ["restore", "withdraw", "unlock", "lock", "add", "add"]


def state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "change",
    [
        lambda r, path, **dry: add(r, dark(12), **dry),
        lambda r, path, **dry: add(r, "a\n", ctype="settings", force_reason="New here", **dry),
        lambda r, path, **dry: r.add_manifest(path, **dry),
        lambda r, path, **dry: r.lock(FIRST, message="x", **dry),
        lambda r, path, **dry: r.withdraw(FIRST, message="x", **dry),
        lambda r, path, **dry: r.unlock(f"{CAMERA}/geometry", message="x", **dry),
        lambda r, path, **dry: r.default.set(f"{FALLBACK}@v1", message="x", **dry),
        lambda r, path, **dry: r.detector.add("opal1000-2", **dry),
        lambda r, path, **dry: r.detector.set(CAMERA, longname="x", **dry),
        lambda r, path, **dry: r.alias.add("back", CAMERA, **dry),
        lambda r, path, **dry: r.run.mark("mfx1:9", kind="data", begin=5, end=6, message="x", **dry),
        lambda r, path, **dry: r.run.unmark("mfx1:7", **dry),
        lambda r, path, **dry: r.tag.create("golden", message="x", **dry),
    ],
)
def test_dry_run_tells_the_same_and_changes_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[..., Any]
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-06-01T00:00:00Z")
    np.save(tmp_path / "dark.npy", dark(12))
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(
        f'message = "x"\n[[constants]]\ndetector = "{CAMERA}"\nctype = "pedestals"\nfile = "dark.npy"\nbegin = 9\n'
    )
    with calibvcs.open(folder) as repository:
        add(repository, dark(11), begin=0)
        repository.lock(f"{CAMERA}/geometry", message="x")
        before = state(folder)
        tried = change(repository, manifest, dry_run=True)
        assert state(folder) == before
        assert change(repository, manifest) == tried  # the very same commit id
        assert state(folder) != before
