"""The verbs that are broken, as a table: a further one is one line in `SCENARIOS`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import calibvcs
from calibvcs import Repository
from calibvcs.api.bundles import unbundle_anew
from calibvcs.errors import AlreadyExistsError, NothingToChangeError

DETECTOR = "opal1000-1"
LONG_AGO = time.time() - 30 * 86400

Acknowledge = Callable[[str], None]


def git(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full((4, 5), value, np.float32)


@dataclass(frozen=True)
class Scenario:
    """One verb.

    Attributes
    ----------
    name : str
        The verb.
    act : callable
        Does it in a place, a copy of `build`, and acknowledges the commits it made.
    changed : tuple of str
        The repositories that it may change; they are looked at afterwards.
    """

    name: str
    act: Callable[[Path, Acknowledge], None]
    changed: tuple[str, ...]


def add(place: Path, acknowledge: Acknowledge) -> None:
    with calibvcs.open(place / "constants") as repository:
        for step in (5, 6):
            added = repository.add(DETECTOR, "pixel_rms", level(step), begin=step, message="Added")
            acknowledge(added.commit)


def gc(place: Path, _: Acknowledge) -> None:
    with calibvcs.open(place / "constants") as repository:
        repository.gc(grace="1h")


def repair(place: Path, _: Acknowledge) -> None:
    with calibvcs.open(place / "damaged.git") as repository:
        assert repository.repair(place / "constants").sound


def bundle(place: Path, _: Acknowledge) -> None:
    if (place / "all.bundle").exists():
        git(place / "constants", "bundle", "verify", place / "all.bundle")
        return
    with calibvcs.open(place / "constants") as repository:
        repository.bundle.create(place / "all.bundle")


def unbundle(place: Path, _: Acknowledge) -> None:
    try:
        unbundle_anew(place / "made.bundle", place / "new.git")
    except AlreadyExistsError:
        assert git(place / "new.git", "rev-parse", "main") == git(place / "constants", "rev-parse", "main")


def clone(place: Path, _: Acknowledge) -> None:
    if not (place / "copy").exists():
        calibvcs.clone(place / "constants", place / "copy")


def squeezed(place: Path, _: Acknowledge) -> None:
    if not (place / "small").exists():
        calibvcs.clone(place / "constants", place / "small", detectors=[DETECTOR], since=3)


def fetch(place: Path, _: Acknowledge) -> None:
    with calibvcs.open(_with_origin(place)) as repository:
        repository.fetch()
    assert git(place / "sandbox", "rev-parse", "origin/main") == git(place / "central.git", "rev-parse", "main")


def pull(place: Path, _: Acknowledge) -> None:
    with calibvcs.open(_with_origin(place)) as repository:
        repository.pull()
    git(place / "sandbox", "merge-base", "--is-ancestor", "origin/main", "main")


def _push_what_is_left(repository: Repository) -> None:
    with suppress(NothingToChangeError):  # all was pushed before the kill
        repository.push()


def push(place: Path, _: Acknowledge) -> None:
    with calibvcs.open(_with_origin(place)) as repository:
        _push_what_is_left(repository)
    assert git(place / "sandbox", "rev-parse", "main") == git(place / "central.git", "rev-parse", "main")


def _with_origin(place: Path, name: str = "central.git") -> Path:
    git(place / "sandbox", "config", "remote.origin.url", place / name)
    return place / "sandbox"


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("add", add, ("constants",)),
        Scenario("gc", gc, ("constants",)),
        Scenario("repair", repair, ("damaged.git",)),
        Scenario("bundle create", bundle, ("constants",)),
        Scenario("bundle unbundle", unbundle, ("new.git",)),
        Scenario("clone", clone, ("copy",)),
        Scenario("clone --detector", squeezed, ("small",)),
        Scenario("fetch", fetch, ("sandbox",)),
        Scenario("pull", pull, ("sandbox",)),
        Scenario("push", push, ("sandbox", "central.git")),
    )
}


def build(place: Path) -> None:
    """Make what all verbs begin with: a repository that has everything a clean-up can meet, and a damaged copy."""
    folder = place / "constants"
    objects = folder / ".git/objects"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(DETECTOR)
        for step in range(1, 5):
            repository.add(DETECTOR, "pedestals", level(step), begin=step, message="Dark")
            if step < 4:
                git(folder, "repack", "-dq")
    git(folder, "config", "gc.autoPackLimit", "2")
    git(folder, "config", "gc.auto", "0")
    noise = random.Random(4).randbytes(9000)
    for number in range(2):
        useless = subprocess.run(["git", "-C", folder, "hash-object", "-w", "--stdin"],
                                 input=noise[number:], capture_output=True, check=True).stdout.decode().strip()  # fmt: skip
        if number == 0:
            subprocess.run(["git", "-C", folder, "pack-objects", "-q", objects / "pack/pack"],
                           input=useless.encode(), capture_output=True, check=True)  # fmt: skip
            git(folder, "prune-packed")
    git(folder, "multi-pack-index", "write")
    git(folder, "commit-graph", "write", "--reachable")
    (objects / "tmp_obj_left").touch()
    shutil.copytree(folder / ".git", place / "damaged.git")
    git(folder, "bundle", "create", "-q", place / "made.bundle", "--all", "HEAD")
    _damage(place / "damaged.git")
    git(place, "clone", "-q", "--bare", folder, place / "central.git")
    git(place, "clone", "-q", place / "central.git", place / "sandbox")
    for name, ctype in (("central.git", "pixel_rms"), ("sandbox", "pixel_gain")):
        with calibvcs.open(place / name) as repository:
            repository.add(DETECTOR, ctype, level(9), begin=9, message="On one side")
    for path in place.rglob("*"):
        if "objects" in path.parts:
            os.utime(path, (LONG_AGO, LONG_AGO))


def _damage(folder: Path) -> None:
    git(folder, "config", "core.bare", "true")
    (folder / "index").unlink()
    loose = sorted((folder / "objects").glob("??/*"))
    loose[0].unlink()
    pack = max((folder / "objects/pack").glob("*.pack"), key=lambda path: path.stat().st_size)
    for path, where in ((loose[1], 5), (pack, pack.stat().st_size // 2)):
        data = bytearray(path.read_bytes())
        data[where] ^= 0x55
        path.chmod(0o600)
        path.write_bytes(data)
