"""Refs are read as Git reads them, and what is remembered of them is never older than the files."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from calibvcs.errors import DamagedRepositoryError
from calibvcs.store.opening import Folders
from calibvcs.store.refs import reading as ref_reading
from calibvcs.store.refs.reading import Head, RefReader, is_ref_name

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = "a" * 40, "b" * 40, "c" * 40
HOUR = 3600


@pytest.fixture
def git(tmp_path: Path) -> Path:
    """Return a Git folder as far as refs are concerned."""
    write(tmp_path, "HEAD", "ref: refs/heads/main\n")
    (tmp_path / "refs/heads").mkdir(parents=True)
    return tmp_path


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def reader(git: Path, control: Path | None = None) -> RefReader:
    return RefReader(Folders(git.parent, control or git, git, bare=False))


def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files look as old as files mostly are when they are read."""
    now = time.time_ns
    monkeypatch.setattr(ref_reading.time, "time_ns", lambda: now() + HOUR * 10**9)


def count_opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    opened: list[str] = []
    original = type(ref_reading._Reading()).content

    def content(self: ref_reading._Reading, path: Path) -> bytes | None:
        opened.append(path.name)
        return original(self, path)

    monkeypatch.setattr(ref_reading._Reading, "content", content)
    return opened


# --- which id -----------------------------------------------------------------------------------------------------


def test_a_branch_without_commit(git: Path) -> None:
    assert reader(git).head() == Head("main", None)
    assert reader(git).all() == {}


@pytest.mark.parametrize("content", [A, A + "\n", A.upper() + "\n", A + "  \n", A + "\tof a fetch\n"])
def test_a_branch_with_a_file_of_its_own(git: Path, content: str) -> None:
    write(git, "refs/heads/main", content)
    assert reader(git).head() == Head("main", A)
    assert reader(git).all() == {"refs/heads/main": A}


def test_a_branch_in_packed_refs(git: Path) -> None:
    head = "# pack-refs with: peeled fully-peeled sorted \n"
    write(git, "packed-refs", f"{head}{B} refs/heads/main\n{A} refs/heads/main2\n{A} refs/tags/v1\n^{C}\n")
    found = reader(git)
    assert found.head() == Head("main", B)
    assert found.packed("refs/heads/main2") == A
    assert (found.packed("refs/heads/mai"), found.packed("heads/main"), found.packed("refs/tags/v")) == (
        None,
        None,
        None,
    )
    assert found.all() == {"refs/heads/main": B, "refs/heads/main2": A, "refs/tags/v1": A}


def test_the_file_comes_before_packed_refs(git: Path) -> None:
    write(git, "packed-refs", f"{B} refs/heads/main\n{C} refs/tags/v1\n")
    write(git, "refs/heads/main", f"{A}\n")
    assert reader(git).head().commit == reader(git).all()["refs/heads/main"] == A
    assert reader(git).packed("refs/heads/main") == B
    assert reader(git).target("refs/tags/v1") == C


def test_a_detached_head(git: Path) -> None:
    write(git, "HEAD", f"{A}\n")
    assert reader(git).head() == Head("HEAD", A)


def test_head_on_something_that_is_no_branch(git: Path) -> None:
    write(git, "HEAD", "ref: refs/remotes/origin/main\n")
    write(git, "refs/remotes/origin/main", f"{A}\n")
    assert reader(git).head() == Head("HEAD", A)


@pytest.mark.parametrize("form", ["ref: {}\n", "ref:{}", "ref:\t {}  \n"])
def test_a_branch_that_stands_for_another_one(git: Path, form: str) -> None:
    write(git, "HEAD", form.format("refs/heads/current"))
    write(git, "refs/heads/current", form.format("refs/heads/of/today"))
    assert reader(git).head() == Head("of/today", None)
    assert reader(git).all() == {}, "a ref for one that is missing is none"
    write(git, "refs/heads/of/today", f"{A}\n")
    assert reader(git).head() == Head("of/today", A)
    assert reader(git).all() == {"refs/heads/current": A, "refs/heads/of/today": A}


def test_a_link_as_git_once_wrote_it(git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago(monkeypatch)
    (git / "HEAD").unlink()
    (git / "HEAD").symlink_to("refs/heads/main")
    found = reader(git)
    assert found.head() == Head("main", None)
    write(git, "refs/heads/main", f"{A}\n")
    assert found.head() == Head("main", A)
    (git / "HEAD").unlink()
    (git / "HEAD").symlink_to("refs/heads/other")
    assert found.head() == Head("other", None)


def test_a_file_behind_a_link(git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago(monkeypatch)
    write(git, "elsewhere", f"{A}\n")
    (git / "refs/heads/main").symlink_to(git / "elsewhere")
    found = reader(git)
    assert found.head() == Head("main", A)
    write(git, "elsewhere", f"{B}\n")
    assert found.head() == Head("main", B)


def test_a_linked_worktree_has_a_head_of_its_own_and_shares_the_branches(git: Path) -> None:
    control = git / "worktrees/second"
    write(control, "HEAD", "ref: refs/heads/side\n")
    for name, target in (("refs/heads/main", A), ("refs/heads/side", B), ("refs/bisect/bad", A)):
        write(git, name, f"{target}\n")
    write(control, "refs/bisect/good", f"{B}\n")
    write(control, "refs/worktree/own", f"{C}\n")
    write(control, "refs/heads/lost", f"{C}\n")
    assert reader(git).head() == Head("main", A)
    assert reader(git).all() == {"refs/bisect/bad": A, "refs/heads/main": A, "refs/heads/side": B}
    second = reader(git, control)
    assert second.head() == Head("side", B)
    assert second.target("refs/bisect/bad") is None
    assert second.all() == {
        "refs/bisect/good": B, "refs/heads/main": A, "refs/heads/side": B, "refs/worktree/own": C,
    }  # fmt: skip


def test_folders_locks_and_half_written_files_are_no_refs(git: Path) -> None:
    write(git, "refs/heads/main", f"{A}\n")
    for name in ("main.lock", "main~12.lock", ".hidden", "a..b", "with blank", "tail."):
        write(git, f"refs/heads/{name}", f"{B}\n")
    (git / "refs/tags/empty").mkdir(parents=True)
    assert reader(git).all() == {"refs/heads/main": A}
    assert reader(git).target("refs/tags/empty") is None
    assert reader(git).target("refs/heads/main/below") is None
    assert reader(git).target("refs/heads/" + "x" * 300) is None
    assert reader(git).target("refs/heads/../../HEAD") is None


def test_an_empty_folder_in_the_place_of_a_packed_ref(git: Path) -> None:
    (git / "refs/heads/main").mkdir()
    write(git, "packed-refs", f"{A} refs/heads/main\n")
    assert reader(git).head() == Head("main", A)


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", ["", "garbage\n", A[:39], A + "a", "ref: ../../secret\n", "ref: \n", "ref: refs/a..b\n", "\0"]
)
@pytest.mark.parametrize("name", ["HEAD", "refs/heads/main"])
def test_what_is_no_ref_is_never_taken_for_one(git: Path, name: str, content: str) -> None:
    write(git, "refs/heads/other", f"{A}\n")
    write(git, "packed-refs", f"{A} refs/heads/main\n")
    write(git, name, content)
    with pytest.raises(DamagedRepositoryError, match=name) as caught:
        reader(git).head()
    assert caught.value.path == str(git.parent)
    assert reader(git).all()["refs/heads/other"] == A
    assert name == "HEAD" or "refs/heads/main" not in reader(git).all()


def test_a_missing_head_is_damage(git: Path) -> None:
    (git / "HEAD").unlink()
    with pytest.raises(DamagedRepositoryError, match="HEAD is missing"):
        reader(git).head()


def test_refs_that_go_round_in_a_circle_are_damage(git: Path) -> None:
    write(git, "refs/heads/main", "ref: refs/heads/other\n")
    write(git, "refs/heads/other", "ref: refs/heads/main\n")
    with pytest.raises(DamagedRepositoryError, match="HEAD stands for"):
        reader(git).head()
    assert reader(git).all() == {}


@pytest.mark.parametrize("line", ["garbage", f"{A[:39]} refs/heads/main", f"{'x' * 40} refs/heads/main", ""])
def test_a_damaged_line_of_packed_refs(git: Path, line: str) -> None:
    write(git, "packed-refs", f"{B} refs/heads/side\n{line}\n")
    with pytest.raises(DamagedRepositoryError, match="packed-refs"):
        reader(git).all()
    assert reader(git).target("refs/heads/side") == B


def test_a_file_that_may_not_be_read(git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(git), "open", refused)
    with pytest.raises(DamagedRepositoryError, match="Permission denied"):
        reader(git).head()


# --- what is remembered -------------------------------------------------------------------------------------------


def test_while_nothing_changes_no_file_is_opened_again(git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(git, "refs/heads/main", f"{A}\n")
    long_ago(monkeypatch)
    opened = count_opened(monkeypatch)
    found = reader(git)
    assert [found.head() for _ in range(5)] == [Head("main", A)] * 5
    assert opened == ["HEAD", "main"]


def test_a_packed_branch_is_remembered_together_with_the_lack_of_its_file(
    git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(git, "packed-refs", f"{A} refs/heads/main\n")
    long_ago(monkeypatch)
    opened = count_opened(monkeypatch)
    found = reader(git)
    assert [found.head() for _ in range(5)] == [Head("main", A)] * 5
    assert opened == ["HEAD", "main", "packed-refs"]
    write(git, "refs/heads/main", f"{B}\n")
    assert found.head() == Head("main", B)


@pytest.mark.parametrize(
    ("name", "content", "head"),
    [
        ("HEAD", "ref: refs/heads/side\n", Head("side", None)),
        ("HEAD", f"{C}\n", Head("HEAD", C)),
        ("refs/heads/main", f"{B}\n", Head("main", B)),
        ("refs/heads/main", "ref: refs/heads/side\n", Head("side", None)),
    ],
)
@pytest.mark.parametrize("renamed", [True, False])
def test_a_change_is_seen_at_once(
    git: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, head: Head, renamed: bool
) -> None:
    write(git, "refs/heads/main", f"{A}\n")
    long_ago(monkeypatch)
    found = reader(git)
    assert found.head() == Head("main", A)
    if renamed:
        write(git, "new", content).replace(git / name)
    else:
        write(git, name, content)
    assert found.head() == head


def test_packing_and_unpacking_are_seen_at_once(git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago(monkeypatch)
    found = reader(git)
    assert found.head() == Head("main", None)
    write(git, "packed-refs", f"{A} refs/heads/main\n")
    assert found.head() == Head("main", A)
    write(git, "new", f"{B} refs/heads/main\n").replace(git / "packed-refs")
    assert found.head() == Head("main", B)
    (git / "packed-refs").unlink()
    assert found.head() == Head("main", None)


@pytest.mark.parametrize("age", [0, 1, HOUR, -HOUR])
def test_a_file_that_looks_the_same_after_a_change_is_read_again_as_long_as_it_is_young(git: Path, age: int) -> None:
    """The clock of a file system ticks so slowly that a file may change twice in one tick."""
    branch = write(git, "refs/heads/main", f"{A}\n")
    written = time.time_ns() - age * 10**9
    os.utime(branch, ns=(written, written))  # the time of the change of the inode stays young, whatever this says
    found = reader(git)
    before = ref_reading._state_of(branch)
    assert found.head() == Head("main", A)
    branch.write_text(f"{B}\n")
    os.utime(branch, ns=(written, written))
    assert before is not None
    found._known[1].files[1] = (branch, ref_reading._state_of(branch))  # type: ignore[index]  # as if in the same tick
    assert found.head() == Head("main", B)


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HEAD", "ORIG_HEAD", "refs/heads/main", "refs/tags/v1.0", "refs/x/@", "refs/heads/é"])
def test_names_of_refs(name: str) -> None:
    assert is_ref_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "main", "Head", "refs/", "refs//a", "refs/a/", "refs/.a", "refs/a.lock", "refs/a.lock/b", "refs/a.", "refs/a..b", "refs/a@{b",
     "refs/a b", "refs/a\tb", "refs/a~b", "refs/a^", "refs/a:b", "refs/a?", "refs/a*", "refs/a[", "refs/a\\b", "refs/a\x7f", "../x", "É"],
)  # fmt: skip
def test_names_of_no_refs(name: str) -> None:
    assert not is_ref_name(name)
