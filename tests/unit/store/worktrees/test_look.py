"""What differs between commit, index and files, and what is known without reading them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.file_content import SOMETHING_ELSE, content_id
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.worktrees import files as worktree_files
from calibvcs.store.worktrees import look as worktree_look
from calibvcs.store.worktrees.files import Taken
from calibvcs.store.worktrees.index_file import seen_entry
from calibvcs.store.worktrees.look import UNREAD, Look
from calibvcs.store.worktrees.staged_changes import staged_changes

GRACE = Signature("Grace Hopper", "grace@example.org", 1_767_225_600)
X = "a/x.txt"


@pytest.fixture
def store(tmp_path: Path) -> GitStore:
    with initialise(tmp_path / "clone", bare=False) as made:
        files = {X: b"one\n", "a/b/y.txt": b"two\n", "top.txt": b"three\n"}
        edits = {path: made.put_blob([data]) for path, data in files.items()}
        made.commit_edits(None, edits, "First\n", GRACE, GRACE)
        return made


def look(store: GitStore) -> Look:
    assert store.worktree is not None
    return store.worktree.look(store.tip(), lambda folder: folder != "foreign")


def test_nothing_differs_and_nothing_is_read(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in Path(store.location).rglob("*.txt"):
        os.utime(file, ns=(10**18, 10**18))
    assert store.worktree is not None
    store.worktree.refresh(look(store))
    monkeypatch.setattr(worktree_look, "content_id", pytest.fail)
    assert look(store).files == ()


def test_a_file_of_another_size_is_not_read(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worktree_look, "content_id", pytest.fail)
    time.sleep(0.02)
    (Path(store.location) / X).write_bytes(b"longer than before\n")
    (Path(store.location) / "a/new.txt").write_bytes(b"new\n")
    with monkeypatch.context() as patch:  # what is racy is read all the same
        patch.setattr(worktree_look, "content_id", content_id)
        found = {one.path: one for one in look(store).files}
    assert (found[X].content, found["a/new.txt"].content) == (UNREAD, UNREAD)
    assert found["a/new.txt"].committed is None


def test_a_folder_of_others_is_not_looked_into(store: GitStore) -> None:
    root = Path(store.location)
    (root / "foreign/deep").mkdir(parents=True)
    assert look(store).files == ()
    (root / "foreign/deep/file").write_text("x")
    (root / "clone/.git").mkdir(parents=True)
    (root / "empty").mkdir()
    assert [(one.path, one.trouble) for one in look(store).files] == [
        ("clone/", "it is a folder of others"), ("foreign/", "it is a folder of others"),
    ]  # fmt: skip


def test_half_written_files_of_a_writer_are_not_told(store: GitStore) -> None:
    (Path(store.location) / "a/.calibvcs-worktree-1-abc").write_text("half")
    assert look(store).files == ()


def test_a_mode_of_a_file_counts_where_git_says_so(store: GitStore) -> None:
    (Path(store.location) / X).chmod(0o755)
    (one,) = look(store).files
    assert (one.path, one.trouble) == (X, "it is executable")
    assert store.worktree is not None
    assert store.worktree.restore([X]) == (X,)
    assert (Path(store.location) / X).stat().st_mode & 0o777 == 0o644


# --- single files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 7])
def test_the_id_of_a_file_is_that_of_its_blob(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert content_id(tmp_path / "file") == object_id("blob", [data])


def test_what_is_no_plain_file_has_no_id(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "nothing", "."):
        assert content_id(tmp_path / name) == SOMETHING_ELSE


def test_a_file_that_was_read_is_trusted_once_its_clock_has_moved_on(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    found = file.stat()
    settled = found.st_ctime_ns + 3_000_000_000
    assert Taken("id", found, settled).still(found)
    assert not Taken("id", found, found.st_ctime_ns + 1_000_000_000).still(found)
    file.write_text("y")
    assert not Taken("id", found, settled).still(file.stat())
    assert not Taken(None, None, settled).still(found)


def test_what_was_taken_is_not_hashed_once_more(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(store.location) / X
    file.write_bytes(b"edited\n")
    blob = store.put_blob([b"edited\n"])
    monkeypatch.setattr(worktree_files, "_CERTAIN", -(10**12))
    monkeypatch.setattr(worktree_files, "content_id", lambda file: pytest.fail(str(file)))
    assert store.worktree is not None
    with store.worktree.taking({X: Taken(blob, file.stat(), time.time_ns())}):
        store.commit_edits(store.tip(), {X: blob}, "By hand\n", GRACE, GRACE)
    monkeypatch.undo()
    assert look(store).files == ()


# --- index against commit ---------------------------------------------------------------------------------------

_names = st.sampled_from(["a", "b", "a.b", "a0", "c"])
_paths = st.lists(_names, min_size=1, max_size=3).map("/".join)
_trees = st.dictionaries(_paths, st.sampled_from([b"1", b"2"]), max_size=8)


def _possible(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out files that stand where another one has its folder."""
    return {path: data for path, data in tree.items() if not any(other.startswith(f"{path}/") for other in tree)}


@given(_trees.map(_possible), _trees.map(_possible))
def test_differences_of_index_and_commit_are_those_of_their_files(
    committed: dict[str, bytes], staged: dict[str, bytes]
) -> None:
    store = MemoryStore()
    ids = {path: store.put_blob([data]) for path, data in committed.items()}
    tip = store.commit_edits(None, ids, "x\n", GRACE, GRACE)
    found = Path(__file__).stat()
    entries = {path: seen_entry(found, object_id("blob", [data])) for path, data in staged.items()}
    told = dict(staged_changes(store.tree, store.commit(tip).tree, entries))
    expected = {path for path in {*committed, *staged} if committed.get(path) != staged.get(path)}
    assert set(told) == expected
    before = dict(Snapshot(store, tip).files())
    assert all(told[path] == before.get(path) for path in expected)
