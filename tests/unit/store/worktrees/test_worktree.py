"""The worktree follows the branch, and nobody's edit is ever lost by it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from dulwich import porcelain
from dulwich.index import EXTENDED_FLAG_SKIP_WORKTREE, Index, index_entry_from_stat

from calibvcs.errors import (
    BranchMovedError,
    DamagedRepositoryError,
    DirtyWorktreeError,
    WriterBusyError,
)
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.refs import moving as refs
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.worktrees import files as worktree_files
from calibvcs.store.worktrees import worktree as module
from calibvcs.store.worktrees.worktree import Worktree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GRACE = Signature("Grace Hopper", "grace@example.org", 1_767_225_600)
X = "a/x.txt"


class Killed(BaseException):
    """What takes the place of SIGKILL: no handler of ours catches it."""


def commit(store: GitStore, files: Mapping[str, bytes | None]) -> str:
    edits = {path: None if data is None else store.put_blob([data]) for path, data in files.items()}
    return store.commit_edits(store.tip(), edits, "Change\n", GRACE, GRACE)


def status(store: GitStore) -> dict[str, list[str]]:
    """Return what `git status` would list."""
    found = porcelain.status(store.location)
    listed = {**found.staged, "unstaged": found.unstaged, "untracked": found.untracked}
    return {kind: sorted(map(_text, paths)) for kind, paths in listed.items() if paths}


def _text(path: bytes | str) -> str:
    return path.decode() if isinstance(path, bytes) else path


def files(store: GitStore) -> dict[str, bytes]:
    root = Path(store.location)
    found = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def committed(store: GitStore) -> dict[str, bytes]:
    return {path: store.blob(entry.id) for path, entry in Snapshot(store, store.tip()).files()}


def notes(store: GitStore) -> list[str]:
    return sorted(path.name for path in (store.folder / "calibvcs/pending").glob("*"))


def litter(store: GitStore) -> list[Path]:
    return [*store.folder.rglob("*.lock"), *Path(store.location).rglob(".calibvcs-*-*")]


def in_order(store: GitStore) -> bool:
    return status(store) == {} and files(store) == committed(store) and not notes(store) and not litter(store)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GitStore]:
    with initialise(tmp_path / "clone", bare=False) as made:
        commit(made, {X: b"one\n", "a/b/y.txt": b"two\n", "top.txt": b"three\n"})
        yield made


@pytest.fixture
def x(store: GitStore) -> Path:
    return Path(store.location) / X


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LockFile", lambda path: refs.LockFile(path, wait=0.02))


# --- following --------------------------------------------------------------------------------------------------


def test_files_and_index_follow_every_change(store: GitStore) -> None:
    assert in_order(store)
    for change in (
        {X: b"one, again\n", "a/c/d/z.txt": b"four\n"}, {"a/b/y.txt": None}, {"a/c/d/z.txt": None, "b.txt": b""},
        {X: None, "top.txt": b"last\n"}, {"b.txt": None, "top.txt": None}, {X: b"first of all\n"}, {},
    ):  # fmt: skip
        commit(store, change)
        assert in_order(store)


def test_folders_vanish_with_their_last_file_but_not_with_files_of_others(store: GitStore) -> None:
    root = Path(store.location)
    (root / "a/notes.txt").write_text("mine")
    commit(store, {X: None, "a/b/y.txt": None})
    assert not (root / "a/b").exists()
    assert status(store) == {"untracked": ["a/"]}
    assert (root / "a/notes.txt").read_text() == "mine"


def test_the_index_has_no_cache_of_trees_that_would_be_out_of_date(store: GitStore) -> None:
    index = store.folder / "index"
    data = index.read_bytes()[:-20]
    extension = b"TREE" + (5).to_bytes(4, "big") + b"\0-1 0"
    index.write_bytes(data + extension + hashlib.sha1(data + extension, usedforsecurity=False).digest())
    commit(store, {X: b"one, again\n"})
    assert b"TREE" not in index.read_bytes()
    assert in_order(store)


def test_a_mapped_file_keeps_its_content_when_a_new_version_comes(store: GitStore) -> None:
    values = np.arange(5000, dtype="f8")
    commit(store, {"data.bin": values.tobytes()})
    mapped = np.memmap(Path(store.location) / "data.bin", dtype="f8", mode="r")
    commit(store, {"data.bin": (values + 1).tobytes()})
    assert np.array_equal(mapped, values)
    commit(store, {"data.bin": None})
    assert np.array_equal(mapped, values)
    assert in_order(store)


def test_a_file_that_was_deleted_by_hand_comes_back_with_its_new_version(store: GitStore, x: Path) -> None:
    x.unlink()
    commit(store, {X: b"new\n"})
    assert x.read_bytes() == b"new\n"
    assert in_order(store)


def test_a_file_that_already_has_the_new_content_is_taken_as_it_is(store: GitStore) -> None:
    commit(store, {X: None})
    commit(store, {X: b"one\n"})
    assert in_order(store)


def test_edits_of_other_files_stay_as_they_are(store: GitStore, x: Path) -> None:
    root = Path(store.location)
    x.write_bytes(b"edited, not staged\n")
    (root / "top.txt").write_bytes(b"edited and staged\n")
    porcelain.add(store.location, [str(root / "top.txt")])
    (root / "notes.txt").write_bytes(b"mine\n")
    commit(store, {"a/b/y.txt": b"changed by us\n", "new.txt": b"new\n"})
    assert status(store) == {"modify": ["top.txt"], "unstaged": [X], "untracked": ["notes.txt"]}
    assert x.read_bytes() == b"edited, not staged\n"
    assert (root / "top.txt").read_bytes() == b"edited and staged\n"


def test_a_sparse_worktree_stays_sparse(store: GitStore, x: Path) -> None:
    index = Index(str(store.folder / "index"))
    entry = index[X.encode()]
    index[X.encode()] = replace(entry, extended_flags=entry.extended_flags | EXTENDED_FLAG_SKIP_WORKTREE)
    index.write()
    x.unlink()
    made = commit(store, {X: b"new\n", "a/b/y.txt": b"new\n"})
    assert not x.exists()
    entry = Index(str(store.folder / "index"))[X.encode()]
    assert entry.extended_flags & EXTENDED_FLAG_SKIP_WORKTREE
    assert entry.sha.decode() == Snapshot(store, made).blob_id(X)


# --- edits by hand in the way -----------------------------------------------------------------------------------


def edit(x: Path) -> None:
    x.write_bytes(b"mine\n")


def edit_unseen(x: Path) -> None:
    """Change a file and give it the size and the time of its old content."""
    stat = x.stat()
    x.write_bytes(b"eno\n")
    os.utime(x, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def stage(x: Path) -> None:
    x.write_bytes(b"mine\n")
    porcelain.add(str(x.parents[1]), [str(x)])


def stage_and_edit_back(x: Path) -> None:
    stage(x)
    x.write_bytes(b"one\n")


def stage_removal(x: Path) -> None:
    porcelain.remove(str(x.parents[1]), [str(x)])


def replace_by_folder(x: Path) -> None:
    x.unlink()
    x.mkdir()
    (x / "notes.txt").write_bytes(b"mine\n")


def replace_folder_by_file(x: Path) -> None:
    (x.parent / "b/y.txt").unlink()
    (x.parent / "b").rmdir()
    x.unlink()
    x.parent.rmdir()
    x.parent.write_bytes(b"mine\n")


@pytest.mark.parametrize("change", [b"ours\n", b"one\n", None], ids=["set", "same", "removed"])
@pytest.mark.parametrize(
    "by_hand",
    [edit, edit_unseen, stage, stage_and_edit_back, stage_removal, replace_by_folder, replace_folder_by_file],
)
def test_an_edit_in_the_way_is_refused_and_nothing_is_touched(
    store: GitStore, x: Path, by_hand: object, change: bytes | None
) -> None:
    by_hand(x)  # type: ignore[operator]
    before = files(store), (store.folder / "index").read_bytes(), store.tip()
    with pytest.raises(DirtyWorktreeError, match=X) as caught:
        commit(store, {X: change, "top.txt": b"goes with it\n"})
    assert caught.value.paths == (X,)
    assert (files(store), (store.folder / "index").read_bytes(), store.tip()) == before
    assert not notes(store)
    assert not litter(store)


def test_an_untracked_file_in_the_way_of_a_new_one_is_refused(store: GitStore) -> None:
    path = Path(store.location) / "new.txt"
    path.write_bytes(b"mine\n")
    with pytest.raises(DirtyWorktreeError, match=r"new\.txt"):
        commit(store, {"new.txt": b"ours\n"})
    assert path.read_bytes() == b"mine\n"


def test_an_edit_in_the_same_tick_of_the_clock_is_seen_also_after_other_changes(store: GitStore, x: Path) -> None:
    # The index claims to have seen the file as it is now, and is as old as the file: Git calls that racy.
    x.write_bytes(b"two\n")
    index = Index(str(store.folder / "index"))
    index[X.encode()] = index_entry_from_stat(x.stat(), index[X.encode()].sha, 0o100644)
    index.write()
    os.utime(store.folder / "index", ns=(x.stat().st_mtime_ns,) * 2)
    commit(store, {"top.txt": b"another change\n"})
    with pytest.raises(DirtyWorktreeError, match=X):
        commit(store, {X: b"ours\n"})
    assert x.read_bytes() == b"two\n"


# --- writers that were killed -----------------------------------------------------------------------------------


def _die(*_: object, **__: object) -> None:
    raise Killed


def killed(store: GitStore, change: Mapping[str, bytes | None], where: type, step: str) -> None:
    """Leave what a writer leaves that is killed when it comes to a step."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, step, _die)
        with pytest.raises(Killed):
            commit(store, change)
    assert notes(store)


def killed_after_the_branch_moved(store: GitStore, change: Mapping[str, bytes | None]) -> None:
    killed(store, change, Worktree, "_follow")


def tree_of(store: GitStore) -> Worktree:
    assert store._worktree is not None
    return store._worktree


CHANGE: dict[str, bytes | None] = {X: b"new\n", "a/b/y.txt": None, "new/file.txt": b"new too\n"}


def test_recover_finishes_what_a_killed_writer_began(store: GitStore, x: Path) -> None:
    killed_after_the_branch_moved(store, CHANGE)
    assert x.read_bytes() == b"one\n"
    assert status(store) != {}
    assert tree_of(store).recover() == 1
    assert x.read_bytes() == b"new\n"
    assert in_order(store)
    assert tree_of(store).recover() == 0


def test_recover_reads_the_note_of_another_process(store: GitStore) -> None:
    before = {path: Snapshot(store, store.tip()).blob_id(path) for path in CHANGE}
    killed_after_the_branch_moved(store, CHANGE)
    (own,) = (store.folder / "calibvcs/pending").glob("*.json")
    assert json.loads(own.read_text()) == before
    own.rename(own.with_name("4194305-0badcafe.json"))  # no process has this number
    assert tree_of(store).recover() == 1
    assert in_order(store)


def test_half_written_files_of_a_killed_writer_are_cleared_away(store: GitStore, x: Path) -> None:
    killed_after_the_branch_moved(store, CHANGE)
    (x.parent / ".calibvcs-worktree-4194305-0badcafe").write_bytes(b"ne")
    (x.parent / ".calibvcs-tmp-4194305-0badcafe").write_bytes(b"of another verb, which may be alive")
    (store.folder / "calibvcs/pending/.calibvcs-tmp-4194305-0badcafe").write_bytes(b'{"a/x')
    assert tree_of(store).recover() == 2
    assert status(store) == {"untracked": ["a/.calibvcs-tmp-4194305-0badcafe"]}
    assert not notes(store)


def test_the_next_change_finishes_it_too(store: GitStore) -> None:
    killed_after_the_branch_moved(store, CHANGE)
    commit(store, {X: b"newer\n"})
    assert in_order(store)


def test_two_killed_writers_of_one_file_are_made_good(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after_the_branch_moved(store, {X: b"new\n"})
    monkeypatch.setattr(Worktree, "_finish", lambda *_: None)  # as if the second did not see the first
    with pytest.raises(DirtyWorktreeError):
        commit(store, {X: b"newer\n"})
    killed_after_the_branch_moved(store, {"top.txt": b"newer\n"})
    monkeypatch.undo()
    assert tree_of(store).recover() == 2
    assert in_order(store)


def test_what_was_edited_after_the_kill_is_left_alone(store: GitStore, x: Path) -> None:
    killed_after_the_branch_moved(store, CHANGE)
    x.write_bytes(b"mine\n")
    (Path(store.location) / "new").mkdir()
    (Path(store.location) / "new/file.txt").write_bytes(b"mine too\n")
    assert tree_of(store).recover() == 1
    assert x.read_bytes() == b"mine\n"
    assert status(store) == {"unstaged": [X, "new/file.txt"]}


def test_what_was_staged_after_the_kill_is_left_alone(store: GitStore, x: Path) -> None:
    killed_after_the_branch_moved(store, {X: b"new\n"})
    stage(x)
    commit(store, {"top.txt": b"another change\n"})
    assert x.read_bytes() == b"mine\n"
    assert status(store) == {"modify": [X]}


def test_a_writer_that_was_killed_before_the_branch_moved_leaves_nothing_to_do(store: GitStore, x: Path) -> None:
    killed(store, CHANGE, GitStore, "_move")
    stage(x)  # and somebody goes on by hand
    assert tree_of(store).recover() == 1
    assert x.read_bytes() == b"mine\n"
    assert status(store) == {"modify": [X]}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[1]", b"\xff", b"{}"])
def test_half_a_note_is_cleared_away(store: GitStore, content: bytes) -> None:
    folder = store.folder / "calibvcs/pending"
    (folder / "1-2.json").write_bytes(content)
    assert tree_of(store).recover() == 1
    assert in_order(store)


# --- other writers ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_while_another_program_has_the_index_nothing_is_committed(store: GitStore) -> None:
    (store.folder / "index.lock").touch()
    before = store.tip()
    with pytest.raises(WriterBusyError) as caught:
        commit(store, CHANGE)
    assert caught.value.path == str(store.folder / "index.lock")
    assert store.tip() == before
    (store.folder / "index.lock").unlink()
    assert in_order(store)


def test_who_comes_second_is_told_that_the_branch_moved_and_leaves_no_trace(store: GitStore, x: Path) -> None:
    old = store.tip()
    commit(store, {X: b"first\n"})
    with pytest.raises(BranchMovedError):
        store.commit_edits(old, {X: store.put_blob([b"second\n"])}, "Second\n", GRACE, GRACE)
    assert x.read_bytes() == b"first\n"
    assert in_order(store)


def test_a_branch_that_moves_at_the_last_moment_leaves_no_trace(
    store: GitStore, x: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitStore, "_move", lambda *_: False)
    with pytest.raises(BranchMovedError):
        commit(store, {X: b"second\n"})
    assert x.read_bytes() == b"one\n"
    assert in_order(store)


def test_many_writers_in_one_worktree_lose_nothing(store: GitStore) -> None:
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with GitStore(Path(store.location)) as own:
                for count in range(4):
                    while True:
                        try:
                            commit(own, {f"own/{number}": b"%d" % count, "shared": b"%d %d" % (number, count)})
                        except BranchMovedError:
                            continue
                        break
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert in_order(store)
    assert {path: data for path, data in files(store).items() if path.startswith("own/")} == {
        f"own/{number}": b"3" for number in range(5)
    }
    seen, tip = 0, store.tip()
    while tip:
        seen += 1
        tip = next(iter(store.commit(tip).parents), None)
    assert seen == 1 + 5 * 4


def test_a_full_disk_behind_the_commit_is_told_as_what_it_is(
    store: GitStore, x: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file = worktree_files.write_file

    def full(path: Path, content: list[bytes], **more: str) -> None:
        if path == x:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_file(path, content, **more)

    monkeypatch.setattr(worktree_files, "write_file", full)
    with pytest.raises(DamagedRepositoryError) as caught:
        commit(store, {X: b"new\n"})
    monkeypatch.undo()
    assert f"committed as {store.tip()}" in str(caught.value)
    assert "No space left on device" in str(caught.value)
    assert committed(store)[X] == b"new\n"
    assert x.read_bytes() == b"one\n"
    commit(store, {"top.txt": b"next\n"})
    assert in_order(store)


# --- an index that cannot be used -------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 5, 40, 100, -30, -1])
def test_a_damaged_index_is_refused(store: GitStore, place: int) -> None:
    index, before = store.folder / "index", store.tip()
    data = bytearray(index.read_bytes())
    data[place] ^= 1
    index.write_bytes(data)
    with pytest.raises(DamagedRepositoryError, match="index"):
        commit(store, {X: b"new\n"})
    assert store.tip() == before
    assert index.read_bytes() == data


@pytest.mark.parametrize("kept", [0, 3, 12, 60, 150])
def test_an_index_that_is_cut_short_is_refused(store: GitStore, kept: int) -> None:
    index = store.folder / "index"
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(DamagedRepositoryError, match="index"):
        commit(store, {X: b"new\n"})


@pytest.mark.parametrize("signature", [b"link", b"sdir", b"next"])
def test_an_index_with_an_extension_that_must_be_understood_is_refused(store: GitStore, signature: bytes) -> None:
    index, before = store.folder / "index", store.tip()
    data = index.read_bytes()[:-20] + signature + (4).to_bytes(4, "big") + b"1234"
    index.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())
    with pytest.raises(DamagedRepositoryError, match="split or sparse"):
        commit(store, {"new.txt": b"new\n"})
    assert store.tip() == before


def test_a_clone_without_an_index_gets_one(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=False) as store:
        assert not (store.folder / "index").exists()
        commit(store, {X: b"one\n"})
        assert in_order(store)
