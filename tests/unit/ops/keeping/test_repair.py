"""Repairing: what is missing or damaged comes back, hashed; what is healthy stays; what is lost is named."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import NoRepositoryError
from calibvcs.ops.keeping.repair import RepairResult, repair
from calibvcs.store.git import GitStore
from calibvcs.store.objects.local_objects import LocalObjects
from calibvcs.store.upkeep.cleaning import clean_up

CAMERA = "opal1000-1"
PAYLOAD = "main:opal1000/opal1000-1/pedestals/2-end/data.npy"
LARGE = "main:opal1000/opal1000-1/pixel_rms/0-end/data.npy"


def git(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full((4, 5), value, np.float32)


def mended(folder: Path, *sources: Path | str, dry_run: bool = False) -> RepairResult:
    with GitStore(folder) as store:
        return repair(store, list(map(str, sources)), dry_run=dry_run)


def path_of(folder: Path, wanted: str) -> Path:
    return folder / "objects" / wanted[:2] / wanted[2:]


def spoil(path: Path, place: int = -30) -> None:
    """Change one byte of a file, in a copy of it: the original may be linked to elsewhere."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0x55
    path.unlink()
    path.write_bytes(data)


def is_well(folder: Path, whole: Path) -> None:
    git(folder, "fsck", "--strict", "--full")
    assert not list((folder / "objects").rglob("tmp_*"))
    assert not (folder / "gc.pid").exists()
    with calibvcs.open(folder) as repository:
        assert repository.verify(deep=True).sound
    listed = [git(one, "rev-list", "--objects", "--all") for one in (folder, whole)]
    assert listed[0] == listed[1]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("original") / "constants.git"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        calibvcs.init(made, bare=True)
        with calibvcs.open(made) as repository:
            repository.detector.add(CAMERA)
            for step in range(1, 5):
                repository.add(CAMERA, "pedestals", level(step), begin=step, message="Dark")
            large = np.random.default_rng(3).normal(30, 3, (400, 1000)).astype(np.float32)
            repository.add(CAMERA, "pixel_rms", large, begin=0, message="Large")
    return made


@pytest.fixture
def whole(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "whole.git")


@pytest.fixture(params=["loose", "packed", "packed by C Git"])
def folder(request: pytest.FixtureRequest, original: Path, tmp_path: Path) -> Path:
    made: Path = shutil.copytree(original, tmp_path / "damaged.git")
    if request.param == "packed":
        clean_up(made, 1e6)
    elif request.param != "loose":
        git(made, "-c", "core.compression=0", "repack", "-adqf")
    return made


def packs(folder: Path) -> list[Path]:
    return sorted((folder / "objects/pack").glob("*.pack"))


def damage(folder: Path, wanted: str, how: str = "spoilt") -> None:
    """Spoil an object wherever it is, or take its loose file away."""
    path = path_of(folder, wanted)
    if path.exists() and how == "missing":
        path.unlink()
    elif path.exists():
        spoil(path, path.stat().st_size // 2)
    else:
        spoil_in_pack(folder, wanted)


def spoil_in_pack(folder: Path, wanted: str) -> None:
    """Spoil the check sum at the end of an entry."""
    with LocalObjects(folder / "objects") as local:
        (pack,) = local.packs()
        ids = pack.ids()
        number = ids.index(wanted)
        end = pack.offset(ids[number + 1]) if number + 1 < len(ids) else pack.size - 20
    spoil(pack.path, end - 3)


def test_a_sound_repository_stays_as_it_is(folder: Path, whole: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in (folder / "objects").rglob("*") if path.is_file())
    assert mended(folder, whole) == RepairResult((), (), (), (), ())
    assert sorted((p, p.stat().st_mtime_ns) for p in (folder / "objects").rglob("*") if p.is_file()) == before
    is_well(folder, whole)


@pytest.mark.parametrize("what", [PAYLOAD, LARGE, "main", "main~2", "main^{tree}", "main~3^{tree}", "main:opal1000"])
def test_what_is_damaged_comes_back(folder: Path, whole: Path, what: str) -> None:
    wanted = git(folder, "rev-parse", what)
    damage(folder, wanted)
    told = mended(folder, dry_run=True)
    assert wanted in [lost.id for lost in told.lost]
    assert wanted in [lost.id for lost in mended(folder).lost]
    done = mended(folder, whole)
    assert {brought.source for brought in done.brought} == {str(whole)}
    assert wanted in {brought.id for brought in done.brought}
    assert done.sound
    is_well(folder, whole)
    assert mended(folder, whole) == RepairResult((), (), (), (), ())


def test_what_is_missing_comes_back_with_all_that_follows(whole: Path, original: Path, tmp_path: Path) -> None:
    folder: Path = shutil.copytree(original, tmp_path / "damaged.git")
    chance = random.Random(6)
    gone = chance.sample(sorted((folder / "objects").glob("??/*")), 25)
    for path in gone:
        path.unlink()
    (folder / "objects" / "00").mkdir(exist_ok=True)
    done = mended(folder, whole)
    assert {f"{path.parent.name}{path.name}" for path in gone} == {brought.id for brought in done.brought}
    is_well(folder, whole)


def test_several_sources_complete_each_other(folder: Path, whole: Path, tmp_path: Path) -> None:
    one, other = git(folder, "rev-parse", PAYLOAD), git(folder, "rev-parse", LARGE)
    second: Path = shutil.copytree(whole, tmp_path / "second.git")
    damage(folder, one, "missing")
    damage(folder, other, "missing")
    damage(whole, one, "missing")
    damage(second, other)
    done = mended(folder, second, whole)
    assert [(brought.id, brought.source) for brought in done.brought] == sorted(
        [(one, str(second)), (other, str(whole))]
    )
    git(folder, "fsck", "--strict")


def test_what_nobody_has_is_named_and_nothing_is_thrown_away(folder: Path, whole: Path) -> None:
    wanted = git(folder, "rev-parse", PAYLOAD)
    damage(folder, wanted)
    damage(whole, wanted)
    before = {path: path.read_bytes() for path in (folder / "objects").rglob("*") if path.is_file()}
    done = mended(folder, whole)
    assert [(lost.id, lost.needed_by) for lost in done.lost] == [(wanted, PAYLOAD.partition(":")[2])]
    assert not done.sound
    assert {path: path.read_bytes() for path in (folder / "objects").rglob("*") if path.is_file()} == before


def test_a_source_that_lies_is_not_believed(folder: Path, whole: Path) -> None:
    wanted, other = git(folder, "rev-parse", PAYLOAD), git(whole, "rev-parse", "main:.gitattributes")
    damage(folder, wanted)
    shutil.copyfile(path_of(whole, other), path_of(whole, wanted).with_suffix(".lie"))
    path_of(whole, wanted).with_suffix(".lie").replace(path_of(whole, wanted))
    assert [lost.id for lost in mended(folder, whole).lost] == [wanted]


def test_another_copy_here_is_enough(whole: Path, original: Path, tmp_path: Path) -> None:
    folder: Path = shutil.copytree(original, tmp_path / "damaged.git")
    git(folder, "repack", "-aq")
    wanted = git(folder, "rev-parse", PAYLOAD)
    spoil(path_of(folder, wanted))
    assert mended(folder).removed == (f"{wanted[:2]}/{wanted[2:]}",)
    is_well(folder, whole)
    other = git(folder, "rev-parse", "main:opal1000")
    spoil_in_pack(folder, other)
    (name,) = mended(folder).rewritten
    assert not (folder / "objects/pack" / name).exists()
    is_well(folder, whole)


def test_damage_that_nobody_needs_goes(folder: Path, whole: Path) -> None:
    wanted = (
        subprocess.run(
            ["git", "-C", folder, "hash-object", "-w", "--stdin"], input=b"spare", capture_output=True, check=True
        )
        .stdout.decode()
        .strip()
    )
    spoil(path_of(folder, wanted), 5)
    assert mended(folder).removed == (f"{wanted[:2]}/{wanted[2:]}",)
    is_well(folder, whole)


@pytest.mark.parametrize("how", ["gone", "spoilt", "empty"])
def test_an_index_is_made_again(original: Path, whole: Path, tmp_path: Path, how: str) -> None:
    folder: Path = shutil.copytree(original, tmp_path / "damaged.git")
    clean_up(folder, 1e6)
    (pack,) = packs(folder)
    index = pack.with_suffix(".idx")
    if how == "spoilt":
        spoil(index, 1100)
    else:
        index.unlink()
    if how == "empty":
        index.touch()
    assert mended(folder).indexed == (pack.name,)
    is_well(folder, whole)


@pytest.mark.parametrize("place", [2, -3])
def test_damage_of_a_pack_beside_its_objects_is_mended(original: Path, whole: Path, tmp_path: Path, place: int) -> None:
    folder: Path = shutil.copytree(original, tmp_path / "damaged.git")
    clean_up(folder, 1e6)
    (pack,) = packs(folder)
    spoil(pack, place)
    assert mended(folder).rewritten == (pack.name,)
    is_well(folder, whole)


def test_marks_of_a_pack_go_over_to_the_new_one(original: Path, whole: Path, tmp_path: Path) -> None:
    folder: Path = shutil.copytree(original, tmp_path / "damaged.git")
    clean_up(folder, 1e6)
    (pack,) = packs(folder)
    pack.with_suffix(".keep").write_text("Backup of 2026")
    damage(folder, git(folder, "rev-parse", LARGE))
    assert mended(folder, whole).sound
    (new,) = packs(folder)
    assert new != pack
    assert new.with_suffix(".keep").read_text() == "Backup of 2026"
    is_well(folder, whole)


def test_what_was_promised_is_not_lost(whole: Path, tmp_path: Path) -> None:
    git(whole, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone.git"
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", whole.as_uri(), clone)
    assert mended(clone).sound
    wanted = git(clone, "rev-parse", "main^{tree}")
    spoil_in_pack(clone, wanted)
    done = mended(clone, "origin")
    assert wanted in [brought.id for brought in done.brought]
    git(clone, "fsck", "--strict")
    assert not list((clone / "objects").glob("tmp_*"))


def test_a_borrowed_object_is_not_missing(whole: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone.git"
    git(tmp_path, "clone", "-q", "--bare", "--shared", whole, clone)
    assert mended(clone).sound
    damage(whole, git(whole, "rev-parse", LARGE), "missing")
    assert not mended(clone).sound


def test_a_source_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError):
        mended(folder, tmp_path / "nowhere")
