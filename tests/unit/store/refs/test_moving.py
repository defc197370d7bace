"""Moving a ref: one writer at a time, by the lock file that C Git uses too; dead writers do not stay in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from calibvcs.errors import InvalidOptionError, NotWritableError, WriterBusyError
from calibvcs.store.refs import moving as refs
from calibvcs.store.refs.moving import LockFile, append_reflog, branch_ref, clashing, compare_and_set

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW, OTHER = "1" * 40, "2" * 40, "3" * 40
MAIN = "refs/heads/main"


def nothing_packed(_: str) -> str | None:
    return None


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


HOLD = """
import pathlib, sys, time
from calibvcs.store.refs.moving import LockFile
with LockFile(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def killed_holder(target: Path) -> Path:
    """Let a process take the lock and be killed; return the lock file that it leaves."""
    with subprocess.Popen([sys.executable, "-c", HOLD, target], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    return target.with_name(f"{target.name}.lock")


# --- the lock ---------------------------------------------------------------------------------------------------


def test_a_lock_is_a_file_beside_what_it_protects_and_goes_with_the_commit(tmp_path: Path) -> None:
    target = tmp_path / "main"
    with LockFile(target) as lock:
        assert files(tmp_path) == ["main.lock"]
        lock.commit(b"content")
        assert files(tmp_path) == ["main"]
    assert files(tmp_path) == ["main"]
    assert target.read_bytes() == b"content"


def test_the_old_content_stays_until_the_commit(tmp_path: Path) -> None:
    target = tmp_path / "main"
    target.write_bytes(b"old")
    with LockFile(target):
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["main"]


def test_a_lock_is_given_back_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), LockFile(tmp_path / "main"):
        raise ZeroDivisionError
    assert files(tmp_path) == []


def test_a_writer_waits_until_the_other_one_is_done(tmp_path: Path) -> None:
    target, order = tmp_path / "main", []

    def second() -> None:
        with LockFile(target, wait=20) as lock:
            order.append("second")
            lock.commit(b"second")

    with LockFile(target) as lock:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.05)
        order.append("first")
        lock.commit(b"first")
    thread.join()
    assert order == ["first", "second"]
    assert target.read_bytes() == b"second"


def test_a_writer_gives_up_and_names_the_file_and_its_age(tmp_path: Path) -> None:
    lock = tmp_path / "main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 100, time.time() - 100))
    begin = time.monotonic()
    with pytest.raises(WriterBusyError, match="nothing was committed") as caught, LockFile(tmp_path / "main", wait=0.1):
        pytest.fail("the lock was taken twice")
    assert 0.1 <= time.monotonic() - begin < 5
    assert caught.value.path == str(lock)
    assert caught.value.age == pytest.approx(100, abs=5)
    assert lock.exists()


def test_a_lock_that_belongs_to_the_next_writer_stays(tmp_path: Path) -> None:
    target = tmp_path / "main"
    with LockFile(target) as first:
        first.commit(b"first")
        with LockFile(target, wait=0):
            first.__exit__()
            assert files(tmp_path) == ["main", "main.lock"]
    assert files(tmp_path) == ["main"]


def test_whose_lock_was_taken_away_does_not_commit(tmp_path: Path) -> None:
    target = tmp_path / "main"
    with LockFile(target) as first:
        (tmp_path / "main.lock").unlink()
        with LockFile(target, wait=0) as second:
            second.commit(b"second")
        with pytest.raises(WriterBusyError):
            first.commit(b"first")
    assert target.read_bytes() == b"second"
    assert files(tmp_path) == ["main"]


def test_the_lock_of_a_killed_writer_is_cleared_away(tmp_path: Path) -> None:
    target = tmp_path / "main"
    lock = killed_holder(target)
    assert lock.exists()
    assert lock.read_text().startswith("calibvcs ")
    process = lock.read_text().split()[1]
    (tmp_path / f"main~{process}.lock").write_bytes(b"half of what it wanted to write")
    with LockFile(target, wait=0) as ours:
        assert files(tmp_path) == ["main.lock"]
        ours.commit(b"ours")
    assert files(tmp_path) == ["main"]


def test_a_lock_says_whose_it_is_from_its_first_moment(tmp_path: Path) -> None:
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        pytest.skip("this file system cannot make a file before it has a name")
    seen, stop = set(), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            with suppress(FileNotFoundError):
                seen.add((tmp_path / "main.lock").read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(300):
        with LockFile(tmp_path / "main"):
            pass
    stop.set()
    watcher.join()
    assert all(claim.startswith(b"calibvcs ") for claim in seen)


def test_where_it_has_to_be_made_first_a_lock_is_a_lock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(refs.os, "O_TMPFILE")
    with LockFile(tmp_path / "main") as lock:
        assert (tmp_path / "main.lock").read_bytes().startswith(b"calibvcs ")
        with pytest.raises(WriterBusyError), LockFile(tmp_path / "main", wait=0.02):
            pytest.fail("the lock was taken twice")
        lock.commit(b"content")
    assert files(tmp_path) == ["main"]


def test_the_lock_of_a_living_writer_is_not_cleared_away(tmp_path: Path) -> None:
    target = tmp_path / "main"
    with LockFile(target):
        claim = (tmp_path / "main.lock").read_bytes()
        with pytest.raises(WriterBusyError), LockFile(target, wait=0.05):
            pytest.fail("the lock was taken twice")
        assert (tmp_path / "main.lock").read_bytes() == claim


@pytest.mark.parametrize(
    "claim",
    [b"", f"{NEW}\n".encode(), b"DIRC\0\0\0\2", b"calibvcs 1 another-machine\n", b"calibvcs 1", b"calibvcs x y\n"],
)
def test_a_lock_of_git_or_of_another_machine_is_left_alone(tmp_path: Path, claim: bytes) -> None:
    (tmp_path / "main.lock").write_bytes(claim)
    with pytest.raises(WriterBusyError), LockFile(tmp_path / "main", wait=0.02):
        pytest.fail("the lock was taken away")
    assert (tmp_path / "main.lock").read_bytes() == claim


def test_only_one_of_many_clears_a_dead_lock_and_all_write_in_turn(tmp_path: Path) -> None:
    target, seen = tmp_path / "main", []
    killed_holder(target)

    def write(number: int) -> None:
        with LockFile(target, wait=30) as lock:
            seen.append(number)
            before = target.read_bytes() if target.exists() else b""
            time.sleep(0.001)
            lock.commit(before + b"x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(12))
    assert target.read_bytes() == b"x" * 12
    assert files(tmp_path) == ["main"]


def test_without_locks_in_the_kernel_the_file_alone_is_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(refs.fcntl, "flock", refused)
    with LockFile(tmp_path / "main") as lock:
        assert (tmp_path / "main.lock").read_bytes() == b""
        with pytest.raises(WriterBusyError), LockFile(tmp_path / "main", wait=0.02):
            pytest.fail("the lock was taken twice")
        lock.commit(b"content")
    assert files(tmp_path) == ["main"]


# --- compare and set --------------------------------------------------------------------------------------------


def test_a_ref_moves_only_from_where_it_is_said_to_stand(tmp_path: Path) -> None:
    assert not compare_and_set(tmp_path, MAIN, OLD, NEW, nothing_packed)
    assert compare_and_set(tmp_path, MAIN, None, OLD, nothing_packed)
    assert not compare_and_set(tmp_path, MAIN, None, NEW, nothing_packed)
    assert not compare_and_set(tmp_path, MAIN, OTHER, NEW, nothing_packed)
    assert (tmp_path / MAIN).read_text() == f"{OLD}\n"
    assert compare_and_set(tmp_path, MAIN, OLD, NEW, nothing_packed)
    assert (tmp_path / MAIN).read_text() == f"{NEW}\n"
    assert files(tmp_path) == [MAIN]


def test_a_packed_ref_counts_where_there_is_no_loose_one(tmp_path: Path) -> None:
    asked: list[str] = []

    def packed(ref: str) -> str:
        asked.append(ref)
        assert (tmp_path / f"{MAIN}.lock").exists()  # C Git takes it too before it packs the loose ref away
        return OLD

    assert not compare_and_set(tmp_path, MAIN, None, NEW, packed)
    assert not compare_and_set(tmp_path, MAIN, OTHER, NEW, packed)
    assert compare_and_set(tmp_path, MAIN, OLD, NEW, packed)
    assert asked == [MAIN] * 3
    assert not compare_and_set(tmp_path, MAIN, OLD, OTHER, packed)  # the loose ref hides the packed one
    assert compare_and_set(tmp_path, MAIN, NEW, OTHER, packed)
    assert asked == [MAIN] * 3


def test_a_busy_ref_is_left_as_it_stands(tmp_path: Path) -> None:
    assert compare_and_set(tmp_path, MAIN, None, OLD, nothing_packed)
    (tmp_path / f"{MAIN}.lock").touch()
    with pytest.raises(WriterBusyError):
        compare_and_set(tmp_path, MAIN, OLD, NEW, nothing_packed, wait=0.02)
    assert (tmp_path / MAIN).read_text() == f"{OLD}\n"


def test_an_empty_folder_in_the_place_of_a_ref_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "refs/tags/cxi").mkdir(parents=True)
    assert compare_and_set(tmp_path, "refs/tags/cxi", None, NEW, nothing_packed)
    assert (tmp_path / "refs/tags/cxi").read_text() == f"{NEW}\n"


def test_no_access_is_told_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: os.PathLike[str], *_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "refs/heads").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(refs.os, "open", refused)
        with pytest.raises(NotWritableError) as caught:
            compare_and_set(tmp_path, MAIN, None, NEW, nothing_packed)
    assert caught.value.path.endswith("refs/heads/main.lock")


def test_many_writers_lose_no_move(tmp_path: Path) -> None:
    first = f"{0:040d}"
    assert compare_and_set(tmp_path, MAIN, None, first, nothing_packed)
    moves: list[tuple[str, str]] = []

    def count(times: int) -> None:
        done = 0
        while done < times:
            old = (tmp_path / MAIN).read_text().strip()
            new = f"{int(old) + 1:040d}"
            if compare_and_set(tmp_path, MAIN, old, new, nothing_packed, wait=30):
                moves.append((old, new))
                done += 1

    threads = [threading.Thread(target=count, args=(10,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int((tmp_path / MAIN).read_text()) == 60
    assert len(set(moves)) == 60


# --- names and logs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "new", "clash"),
    [
        (["refs/tags/a"], "refs/tags/a/b", "refs/tags/a"),
        (["refs/tags/a/b"], "refs/tags/a", "refs/tags/a/b"),
        (["refs/tags/ab", "refs/tags/a-b"], "refs/tags/a", None),
        (["refs/heads/a"], "refs/tags/a/b", None),
        (["refs/tags/a"], "refs/tags/a", None),
        ([], "refs/tags/a", None),
    ],
)
def test_refs_clash_where_one_is_a_folder_of_the_other(present: list[str], new: str, clash: str | None) -> None:
    assert clashing(present, new) == clash


def test_a_change_needs_a_branch() -> None:
    assert branch_ref("main") == "refs/heads/main"
    with pytest.raises(InvalidOptionError, match="detached"):
        branch_ref(refs.DETACHED)


def test_a_log_is_kept_where_it_is_kept(tmp_path: Path) -> None:
    append_reflog(tmp_path, MAIN, "one", create=False)
    assert files(tmp_path) == []
    append_reflog(tmp_path, MAIN, "one", create=True)
    append_reflog(tmp_path, MAIN, "two ✓", create=False)
    assert (tmp_path / "logs" / MAIN).read_text(encoding="utf-8") == "one\ntwo ✓\n"
