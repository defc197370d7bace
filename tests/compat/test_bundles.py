"""Bundles: C Git takes ours and we take its; what is partial, damaged or does not fit is told, and changes nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs.api.bundles import unbundle_anew
from calibvcs.errors import (
    AlreadyExistsError,
    DamagedObjectError,
    DamagedPackError,
    InvalidOptionError,
    MissingFileError,
    NotHereError,
    UnknownDetectorError,
)

CAMERAS = ("opal1000-1", "opal1000-2", "epix100-3")


def git(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full((4, 5), value, np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "constants.git"
    calibvcs.init(made, bare=True)
    with calibvcs.open(made) as repository:
        for number, camera in enumerate(CAMERAS):
            repository.detector.add(camera)
            for step in range(1, 3):
                data = level(step if step == 2 else 10 * number + step)  # the second one is the same for all
                repository.add(camera, "pedestals", data, begin=step, message="Dark")
        data = np.random.default_rng(3).normal(30, 3, (400, 1000)).astype(np.float32)
        repository.add(CAMERAS[0], "pixel_rms", data, begin=0, message="Large")
        repository.alias.add("camera", CAMERAS[1], message="It is the first one")
        repository.tag.create("good", message="Good")
    return made


def state(folder: Path) -> tuple[str, set[Path]]:
    return git(folder, "for-each-ref"), {path for path in (folder / "objects").rglob("*") if path.is_file()}


# --- complete ---------------------------------------------------------------------------------------------------


def test_c_git_clones_a_complete_bundle(folder: Path, tmp_path: Path) -> None:
    with calibvcs.open(folder) as repository:
        made = repository.bundle.create(tmp_path / "all.bundle")
        assert repository.bundle.verify(tmp_path / "all.bundle").fits
    assert (made.partial, made.bytes) == (False, (tmp_path / "all.bundle").stat().st_size)
    assert "records a complete history" in git(folder, "bundle", "verify", tmp_path / "all.bundle")
    git(tmp_path, "clone", "-q", tmp_path / "all.bundle", tmp_path / "clone")
    git(tmp_path / "clone", "fsck", "--strict")
    assert git(tmp_path / "clone", "rev-parse", "HEAD", "good") == git(folder, "rev-parse", "main", "good")
    with calibvcs.open(tmp_path / "clone") as repository:
        assert repository.verify(deep=True).sound


def test_we_take_a_bundle_of_c_git_in(folder: Path, tmp_path: Path) -> None:
    git(folder, "bundle", "create", "-q", tmp_path / "git.bundle", "--all", "HEAD")
    done = unbundle_anew(tmp_path / "git.bundle", tmp_path / "new.git")
    assert not done.partial
    git(tmp_path / "new.git", "fsck", "--strict")
    assert git(tmp_path / "new.git", "rev-parse", "HEAD", "good") == git(folder, "rev-parse", "main", "good")
    with calibvcs.open(tmp_path / "new.git") as repository:
        assert repository.verify(deep=True).sound
    with pytest.raises(AlreadyExistsError):
        unbundle_anew(tmp_path / "git.bundle", tmp_path / "new.git")


def test_what_is_new_comes_as_a_remote(folder: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone.git"
    git(tmp_path, "clone", "-q", "--bare", folder, clone)
    with calibvcs.open(folder) as repository:
        added = repository.add(CAMERAS[0], "pedestals", level(7), begin=7, message="Newer")
        repository.tag.create("newer", message="Newer")
    git(folder, "bundle", "create", "-q", tmp_path / "usb stick 7.bundle", "main~1..main", "newer")
    with calibvcs.open(clone) as repository:
        done = repository.bundle.unbundle(tmp_path / "usb stick 7.bundle")
        assert done.moved == ("refs/remotes/usb-stick-7/main", "refs/tags/newer")
        assert repository.bundle.unbundle(tmp_path / "usb stick 7.bundle", name="usb-stick-7").moved == ()
    assert git(clone, "rev-parse", "usb-stick-7/main") == added.commit
    assert git(clone, "rev-parse", "main") != added.commit
    git(clone, "fsck", "--strict")


def test_what_it_continues_has_to_be_here(folder: Path, tmp_path: Path) -> None:
    git(folder, "bundle", "create", "-q", tmp_path / "newest.bundle", "main~1..main")
    other = tmp_path / "other.git"
    calibvcs.init(other, bare=True)
    before = state(other)
    with calibvcs.open(other) as repository:
        assert repository.bundle.verify(tmp_path / "newest.bundle").lacking == (git(folder, "rev-parse", "main~1"),)
        with pytest.raises(DamagedPackError, match="continues a history that is not here"):
            repository.bundle.unbundle(tmp_path / "newest.bundle")
    assert state(other) == before
    with pytest.raises(DamagedPackError):
        unbundle_anew(tmp_path / "newest.bundle", tmp_path / "new.git")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["constants.git", "newest.bundle", "other.git"]


# --- partial ----------------------------------------------------------------------------------------------------


def test_a_partial_bundle_holds_what_was_asked_for(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.bundle"
    with calibvcs.open(folder) as repository:
        made = repository.bundle.create(path, ["camera", "epix*"])
        assert made.detectors == (CAMERAS[2], CAMERAS[1])
        assert made.bytes < 100_000
    assert (
        "okay"
        in subprocess.run(
            ["git", "-C", folder, "bundle", "verify", path], capture_output=True, text=True, check=True
        ).stderr
    )
    unbundle_anew(path, tmp_path / "new.git")
    git(tmp_path / "new.git", "fsck", "--strict")
    missing = git(tmp_path / "new.git", "rev-list", "--objects", "--all", "--missing=print").count("?")
    payloads = {git(folder, "rev-parse", f"main:opal1000/{CAMERAS[0]}/{name}/data.npy") for name in
                ("pedestals/1-end", "pixel_rms/0-end")}  # fmt: skip
    assert missing == len(payloads)
    with calibvcs.open(tmp_path / "new.git") as repository:
        assert len(repository.log().commits) == len(git(folder, "log", "--format=%h").split())
        for camera in CAMERAS[1:]:
            assert repository.get(camera, "pedestals", 5).data.max() == 2
            repository.get(camera, "pedestals", 1)
        with pytest.raises(NotHereError, match="there is no repository"):
            repository.get(CAMERAS[0], "pixel_rms", 5)


def test_c_git_takes_a_partial_bundle_in(folder: Path, tmp_path: Path) -> None:
    path, clone = tmp_path / "one.bundle", tmp_path / "clone.git"
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", folder.as_uri(), clone)
    with calibvcs.open(folder) as repository:
        repository.add(CAMERAS[1], "pedestals", level(7), begin=7, message="Newer")
        repository.add(CAMERAS[0], "pedestals", level(8), begin=7, message="Newer")
        repository.bundle.create(path, [CAMERAS[1]])
    git(clone, "bundle", "unbundle", path)
    git(clone, "update-ref", "refs/heads/main", git(folder, "rev-parse", "main"))
    git(clone, "fsck", "--strict")


def test_a_partial_bundle_completes_a_squeezed_clone(folder: Path, tmp_path: Path) -> None:
    path, clone = tmp_path / "one.bundle", tmp_path / "clone.git"
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", folder.as_uri(), clone)
    with calibvcs.open(folder) as repository:
        repository.bundle.create(path, [CAMERAS[0]])
    with calibvcs.open(clone) as repository:
        with pytest.raises(NotHereError):
            repository.bundle.create(tmp_path / "not.bundle")
        assert not (tmp_path / "not.bundle").exists()
        repository.bundle.unbundle(path)
        assert repository.get(CAMERAS[0], "pixel_rms", 5).data.shape == (400, 1000)
    git(clone, "fsck", "--strict")
    assert len(list(clone.glob("objects/pack/*.promisor"))) == len(list(clone.glob("objects/pack/*.pack")))


def test_a_complete_repository_does_not_take_half_in(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.git"
    calibvcs.init(other, bare=True)
    before = state(other)
    with calibvcs.open(folder) as repository:
        repository.bundle.create(tmp_path / "one.bundle", [CAMERAS[1]])
    with calibvcs.open(other) as repository, pytest.raises(DamagedPackError, match="neither in it nor here"):
        repository.bundle.unbundle(tmp_path / "one.bundle")
    assert state(other) == before


# --- when something is wrong ------------------------------------------------------------------------------------


def test_a_damaged_bundle_changes_nothing(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.bundle"
    with calibvcs.open(folder) as repository:
        repository.bundle.create(path)
    whole = path.read_bytes()
    other = tmp_path / "other.git"
    calibvcs.init(other, bare=True)
    before = state(other)
    with calibvcs.open(other) as repository:
        for place in range(0, len(whole), len(whole) // 40):
            path.write_bytes(whole[:place])
            with pytest.raises(DamagedPackError):
                repository.bundle.unbundle(path)
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :])
            with pytest.raises(DamagedPackError):
                repository.bundle.unbundle(path)
            assert state(other) == before
        path.write_bytes(b"# v2 git bundle\n" + b"x" * 70_000)
        with pytest.raises(DamagedPackError):
            repository.bundle.verify(path)
        path.unlink()
        with pytest.raises(MissingFileError):
            repository.bundle.verify(path)


def test_what_is_damaged_here_makes_no_bundle(folder: Path, tmp_path: Path) -> None:
    wanted = git(folder, "rev-parse", f"main:opal1000/{CAMERAS[0]}/pedestals/1-end/data.npy")
    (folder / "objects" / wanted[:2] / wanted[2:]).unlink()
    with calibvcs.open(folder) as repository:
        with pytest.raises(DamagedObjectError, match=wanted):
            repository.bundle.create(tmp_path / "all.bundle")
        with pytest.raises(UnknownDetectorError):
            repository.bundle.create(tmp_path / "all.bundle", ["opal1000-9"])
        repository.bundle.create(tmp_path / "one.bundle", [CAMERAS[1]])
        with pytest.raises(AlreadyExistsError):
            repository.bundle.create(tmp_path / "one.bundle", [CAMERAS[1]])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["constants.git", "one.bundle"]


def test_a_bundle_is_not_cloned_but_named(folder: Path, tmp_path: Path) -> None:
    with calibvcs.open(folder) as repository:
        repository.bundle.create(tmp_path / "all.bundle")
    with pytest.raises(InvalidOptionError, match=r"calibvcs bundle unbundle .*all.bundle --new PATH"):
        calibvcs.clone(tmp_path / "all.bundle", tmp_path / "clone")
    assert not (tmp_path / "clone").exists()
