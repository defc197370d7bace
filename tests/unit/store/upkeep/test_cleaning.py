"""Cleaning up: what is needed stays, in packs that C Git reads; what nobody needs goes, but not before its time."""

from __future__ import annotations

import os
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import DamagedObjectError, StorageError, WriterBusyError
from calibvcs.store.git import GitStore
from calibvcs.store.refs.moving import LockFile
from calibvcs.store.upkeep import cleaning, taking_away
from calibvcs.store.upkeep.cleaning import Cleaned, clean_up

CAMERA = "opal1000-1"
DAY = 86400.0
LONG_AGO = time.time() - 30 * DAY
NOISE = np.random.default_rng(5)


def git(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float, shape: tuple[int, ...] = (4, 5)) -> np.ndarray[Any, Any]:
    return np.full(shape, value, np.float32)


def fill(folder: Path, number: int, begin: int = 0) -> None:
    with calibvcs.open(folder) as repository:
        for step in range(number):
            repository.add(CAMERA, "pedestals", level(begin + step + 1), begin=begin + step, message="Dark")


def age(folder: Path, when: float = LONG_AGO) -> None:
    """Let all objects be old."""
    for path in (folder / "objects").rglob("*"):
        os.utime(path, (when, when))


def ids(folder: Path) -> set[str]:
    listed = git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.split())


def loose(folder: Path) -> list[Path]:
    return sorted((folder / "objects").glob("??/*"))


def packs(folder: Path) -> list[Path]:
    return sorted((folder / "objects/pack").glob("*.pack"))


def is_well(folder: Path) -> None:
    git(folder, "fsck", "--strict", "--full")
    assert not list((folder / "objects").rglob("tmp_*"))
    assert not (folder / "gc.pid").exists()
    assert "garbage: 0" in git(folder, "count-objects", "-v")


def blob(folder: Path, content: bytes) -> str:
    return (
        subprocess.run(
            ["git", "-C", folder, "hash-object", "-w", "--stdin"], input=content, capture_output=True, check=True
        )
        .stdout.decode()
        .strip()
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "constants.git"
    calibvcs.init(made, bare=True)
    with calibvcs.open(made) as repository:
        repository.detector.add(CAMERA)
    fill(made, 3)
    return made


# --- packing ----------------------------------------------------------------------------------------------------


def test_everything_stands_in_one_pack_afterwards(folder: Path) -> None:
    before = ids(folder)
    done = clean_up(folder, 14 * DAY)
    assert ids(folder) == before
    assert (done.packed, done.removed, done.kept, done.merged) == (len(before), 0, 0, 0)
    assert loose(folder) == []
    assert [pack.name for pack in packs(folder)] == list(done.packs)
    is_well(folder)
    assert clean_up(folder, 14 * DAY).packs == ()


def test_a_dry_run_tells_the_same_and_changes_nothing(folder: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    told = clean_up(folder, 14 * DAY, dry_run=True)
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    assert told.packed == clean_up(folder, 14 * DAY).packed


def test_lists_of_ranges_become_small(folder: Path) -> None:
    fill(folder, 60, begin=100)
    clean_up(folder, 14 * DAY)
    depth = git(folder, "verify-pack", "-v", packs(folder)[0])
    assert "chain length = " in depth
    is_well(folder)
    ours = packs(folder)[0].stat().st_size
    git(folder, "repack", "-adfq")
    assert ours < 1.1 * packs(folder)[0].stat().st_size


def stream_of(folder: Path, wanted: str) -> bytes:
    """Return the zlib stream of an object in the only pack."""
    found = git(folder, "verify-pack", "-v", packs(folder)[0].with_suffix(".idx"))
    place = next(line.split() for line in found.splitlines() if line.startswith(wanted))
    entry = packs(folder)[0].read_bytes()[int(place[4]) : int(place[4]) + int(place[3])]
    return entry[next(number for number, byte in enumerate(entry) if not byte & 0x80) + 1 :]


@pytest.mark.parametrize("shrinks", [False, True])
def test_streams_are_copied_as_they_are(folder: Path, shrinks: bool) -> None:
    data = NOISE.normal(1000, 5, (600, 1000)).astype(np.float32)
    with calibvcs.open(folder) as repository:
        added = repository.add(CAMERA, "pixel_rms", np.round(data / 1000) if shrinks else data, begin=0, message="Dark")
    wanted = added.constants[0].blob
    was = zlib.decompressobj()
    content = was.decompress((folder / "objects" / wanted[:2] / wanted[2:]).read_bytes()).partition(b"\0")[2]
    clean_up(folder, 14 * DAY)
    first = stream_of(folder, wanted)
    assert zlib.decompress(first) == content
    assert (len(first) > len(content)) == (not shrinks)
    assert not shrinks or len(first) < len(content) / 10
    fill(folder, 1, begin=900)
    clean_up(folder, 14 * DAY, everything=True)
    clean_up(folder, 14 * DAY, everything=True)
    assert stream_of(folder, wanted) == first
    is_well(folder)


def test_many_packs_are_merged(folder: Path) -> None:
    git(folder, "config", "gc.autoPackLimit", "4")
    for number in range(5):
        fill(folder, 2, begin=10 * (number + 1))
        clean_up(folder, 14 * DAY)
    assert len(packs(folder)) == 5
    fill(folder, 1, begin=90)
    before = ids(folder)
    assert clean_up(folder, 14 * DAY).merged == 5
    assert (len(packs(folder)), ids(folder)) == (1, before)
    is_well(folder)


def test_packs_of_c_git_are_merged_too(folder: Path) -> None:
    git(folder, "repack", "-adq")
    fill(folder, 30, begin=50)
    git(folder, "repack", "-dq")
    before = ids(folder)
    assert clean_up(folder, 14 * DAY, everything=True).merged == 2
    assert (len(packs(folder)), ids(folder)) == (1, before)
    is_well(folder)


def test_a_pack_that_is_to_be_kept_stays(folder: Path) -> None:
    git(folder, "repack", "-adq")
    (kept,) = packs(folder)
    kept.with_suffix(".keep").touch()
    fill(folder, 2, begin=50)
    clean_up(folder, 14 * DAY)
    fill(folder, 2, begin=60)
    clean_up(folder, 14 * DAY, everything=True)
    assert kept in packs(folder)
    is_well(folder)


def test_promised_packs_stay_promised(folder: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone.git"
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", folder.as_uri(), clone)
    for begin in (20, 30):
        fill(folder, 2, begin=begin)
        git(clone, "fetch", "-q", "origin", "main:main")
    marks = sorted(clone.glob("objects/pack/*.promisor"))
    assert len(marks) > 1
    before = git(clone, "rev-list", "--objects", "--all", "--missing=print")
    done = clean_up(clone, 14 * DAY, everything=True)
    assert done.removed == 0
    assert len(list(clone.glob("objects/pack/*.promisor"))) == 1
    assert git(clone, "rev-list", "--objects", "--all", "--missing=print") == before
    is_well(clone)
    assert git(clone, "cat-file", "-e", "main:opal1000/opal1000-1/pedestals/20-end/data.npy") == ""


def test_the_index_of_many_packs_goes_with_its_packs(folder: Path) -> None:
    git(folder, "repack", "-adq")
    fill(folder, 2, begin=50)
    git(folder, "repack", "-dq")
    git(folder, "multi-pack-index", "write")
    clean_up(folder, 14 * DAY, everything=True)
    assert not (folder / "objects/pack/multi-pack-index").exists()
    is_well(folder)


# --- what nobody needs ------------------------------------------------------------------------------------------


def test_what_nobody_needs_goes_when_it_is_old(folder: Path) -> None:
    before = ids(folder)
    lost = blob(folder, b"nobody needs this\n")
    done = clean_up(folder, 14 * DAY)
    assert (done.removed, done.kept) == (0, 1)
    assert lost in ids(folder)
    age(folder)
    done = clean_up(folder, 14 * DAY)
    assert (done.removed, done.kept) == (1, 0)
    assert ids(folder) == before
    is_well(folder)


def test_what_something_young_refers_to_is_kept(folder: Path) -> None:
    old = blob(folder, b"old\n")
    age(folder)
    tree = subprocess.run(
        ["git", "-C", folder, "mktree"], input=f"100644 blob {old}\tfile\n", capture_output=True, text=True, check=True
    ).stdout.strip()
    assert clean_up(folder, 14 * DAY).kept == 2
    assert {old, tree} <= ids(folder)
    age(folder)
    assert clean_up(folder, 14 * DAY).removed == 2


def test_useless_parts_of_packs_go(folder: Path) -> None:
    before = ids(folder)
    tip = git(folder, "rev-parse", "main")
    with calibvcs.open(folder) as repository:
        big = NOISE.normal(1000, 5, (60, 100)).astype(np.float32)
        repository.add(CAMERA, "pixel_rms", big, begin=0, message="To be forgotten")
    clean_up(folder, 14 * DAY)
    git(folder, "update-ref", "refs/heads/main", tip)
    git(folder, "reflog", "expire", "--expire=now", "--all")
    assert clean_up(folder, 14 * DAY).removed == 0
    age(folder)
    done = clean_up(folder, 14 * DAY)
    assert (done.merged, done.removed > 4) == (1, True)
    assert ids(folder) == before
    is_well(folder)


@pytest.mark.parametrize("who", ["log", "index", "note", "ORIG_HEAD", "worktree", "tag"])
def test_what_somebody_may_come_back_to_is_kept(tmp_path: Path, who: str) -> None:
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(CAMERA)
    control = folder / ".git"
    fill(folder, 1)
    first = git(folder, "rev-parse", "main")
    fill(folder, 1, begin=9)
    last = git(folder, "rev-parse", "main")
    if who == "worktree":
        git(folder, "worktree", "add", "-q", "--detach", tmp_path / "other", last)
    git(folder, "reset", "-q", "--hard", first)
    wanted = last
    if who == "tag":
        git(folder, "tag", "-a", "-m", "Good", "good", last)
    if who != "log":
        git(folder, "reflog", "expire", "--expire=now", "--all")
    if who != "ORIG_HEAD":
        (control / "ORIG_HEAD").unlink()
    if who in {"index", "note"}:
        wanted = blob(folder, b"staged\n")
    if who == "index":
        git(folder, "update-index", "--add", "--cacheinfo", f"100644,{wanted},file")
    if who == "note":
        (control / "calibvcs/pending").mkdir(parents=True, exist_ok=True)
        (control / "calibvcs/pending/1.json").write_text(f'{{"file": "{wanted}", "new": null}}')
        (control / "calibvcs/pending/2.json").write_text('{"file": "')
    age(control)
    clean_up(control, 14 * DAY)
    assert git(folder, "cat-file", "-t", wanted) in {"commit", "blob"}
    git(folder, "fsck", "--strict")


def test_who_needs_it_at_the_last_moment_keeps_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = blob(folder, b"needed after all\n")
    noise = NOISE.bytes(60_000)
    in_pack = blob(folder, noise)
    git(folder, "tag", "hold", in_pack)
    clean_up(folder, 14 * DAY)
    git(folder, "tag", "-d", "hold")
    age(folder)
    plan = cleaning.plan_cleaning

    def and_then_written(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        assert {wanted, in_pack} <= made.garbage.keys()
        assert made.own.merged
        with GitStore(folder) as store:
            assert store.put_blob([b"needed after all\n"]) == wanted
            assert store.put_blob([noise]) == in_pack
        return made

    monkeypatch.setattr(cleaning, "plan_cleaning", and_then_written)
    assert clean_up(folder, 14 * DAY).removed == 0
    assert {wanted, in_pack} <= ids(folder)
    is_well(folder)


def test_who_refers_to_it_meanwhile_keeps_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = blob(folder, b"tagged meanwhile\n")
    age(folder)
    plan = cleaning.plan_cleaning

    def and_then_tagged(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        git(folder, "tag", "meanwhile", wanted)
        return made

    monkeypatch.setattr(cleaning, "plan_cleaning", and_then_tagged)
    assert clean_up(folder, 14 * DAY).removed == 0
    assert git(folder, "cat-file", "-p", "meanwhile") == "tagged meanwhile"


def test_a_writer_that_finds_it_gone_writes_it_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = blob(folder, b"again\n")
    age(folder)
    restore = taking_away._restore
    with GitStore(folder) as store:
        path = folder / "objects" / wanted[:2] / wanted[2:]
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", lambda path, missing_ok=False: store.put_blob([b"again\n"]))
            assert taking_away.take_away(path, wanted, folder / "objects", time.time())
    assert wanted in ids(folder)
    restore(folder / "objects" / f"tmp_gone_{wanted}", path)
    is_well(folder)


def test_what_a_killed_clean_up_had_begun_to_take_away_comes_back(folder: Path) -> None:
    wanted = loose(folder)[0]
    wanted.rename(folder / "objects" / f"tmp_gone_{wanted.parent.name}{wanted.name}")
    clean_up(folder, 14 * DAY)
    (pack,) = packs(folder)
    pack.rename(pack.with_name(f"tmp_gone_{pack.name}"))
    before = clean_up(folder, 14 * DAY)
    assert before.packs == ()
    is_well(folder)


def test_what_killed_writers_left_goes_when_it_is_old(folder: Path) -> None:
    objects = folder / "objects"
    quarantine = objects / "tmp_objdir-incoming-1"
    (quarantine / "pack").mkdir(parents=True)
    (quarantine / "pack/tmp_pack_1").write_bytes(b"PACK")
    (objects / "tmp_obj_1").touch()
    (objects / "pack/tmp_pack_2").touch()
    (loose(folder)[0].parent / ".calibvcs-tmp-1").touch()
    assert clean_up(folder, DAY).temporary == 0
    age(folder)
    (objects / "pack/tmp_pack_3").touch()
    assert clean_up(folder, DAY).temporary == 4
    assert [path.name for path in objects.rglob("tmp_*")] == ["tmp_pack_3"]


def test_locks_of_the_dead_go(folder: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    ours = folder / "refs/heads/main.lock"
    ours.write_text(f"calibvcs {dead.pid} {os.uname().nodename}\n")
    other = folder / "refs/heads/side.lock"
    other.write_text(f"calibvcs {dead.pid} another.example.org\n")
    of_git = folder / "HEAD.lock"
    of_git.touch()
    with LockFile(folder / "refs/heads/held"):
        assert clean_up(folder, DAY).temporary == 1
        assert (folder / "refs/heads/held.lock").exists()
    assert (ours.exists(), other.exists(), of_git.exists()) == (False, True, True)


# --- when something is wrong ------------------------------------------------------------------------------------


def test_a_damaged_payload_is_left_and_told(folder: Path) -> None:
    wanted = git(folder, "rev-parse", "main:opal1000/opal1000-1/pedestals/1-end/data.npy")
    path = folder / "objects" / wanted[:2] / wanted[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-20])
    done = clean_up(folder, 14 * DAY)
    assert list(done.damaged) == [wanted]
    assert loose(folder) == [path]
    assert wanted not in git(folder, "verify-pack", "-v", packs(folder)[0])


def test_where_history_is_damaged_nothing_is_touched(folder: Path) -> None:
    lost = blob(folder, b"nobody knows\n")
    age(folder)
    commit = git(folder, "rev-parse", "main~1")
    (folder / "objects" / commit[:2] / commit[2:]).unlink()
    before = loose(folder)
    with pytest.raises(DamagedObjectError, match=commit):
        clean_up(folder, 14 * DAY)
    assert loose(folder) == before
    assert lost[2:] in {path.name for path in before}


def test_a_full_disk_is_told_before_the_work_begins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = cleaning.shutil.disk_usage
    monkeypatch.setattr(cleaning.shutil, "disk_usage", lambda path: usage(path)._replace(free=10))
    with pytest.raises(StorageError, match="10 bytes are free"):
        clean_up(folder, 14 * DAY)
    assert packs(folder) == []
    assert not (folder / "gc.pid").exists()


def test_two_clean_ups_do_not_collide(folder: Path) -> None:
    machine = os.uname().nodename
    holder = subprocess.Popen(["sleep", "60"])
    try:
        for words in (f"{holder.pid} {machine}", f"{holder.pid} another.example.org", "1 another.example.org"):
            (folder / "gc.pid").write_text(words)
            with pytest.raises(WriterBusyError):
                clean_up(folder, 14 * DAY)
        assert packs(folder) == []
    finally:
        holder.kill()
        holder.wait()
    for dead in (
        f"{holder.pid} {machine}",
        f"{holder.pid} {machine} calibvcs",
        f"{os.getpid()} {machine} calibvcs",
        "",
    ):
        (folder / "gc.pid").write_text(dead)
        clean_up(folder, 14 * DAY)
    (folder / "gc.pid").write_text("1 another.example.org")
    os.utime(folder / "gc.pid", (LONG_AGO, LONG_AGO))
    assert isinstance(clean_up(folder, 14 * DAY), Cleaned)
    is_well(folder)


def test_c_git_sees_our_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = cleaning.plan_cleaning

    def beside_git(*arguments: Any, **options: Any) -> Any:
        done = subprocess.run(["git", "-C", folder, "gc"], capture_output=True, text=True)
        assert done.returncode != 0
        assert "gc is already running" in done.stderr
        with pytest.raises(WriterBusyError):
            clean_up(folder, 14 * DAY)
        return plan(*arguments, **options)

    monkeypatch.setattr(cleaning, "plan_cleaning", beside_git)
    clean_up(folder, 14 * DAY)
    is_well(folder)
