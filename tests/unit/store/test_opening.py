"""The folders of a repository: worktree, Git folder, and the one that several worktrees share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from calibvcs.errors import DamagedRepositoryError, NoRepositoryError
from calibvcs.store.initialise import initialise
from calibvcs.store.opening import Folders, above, locate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository with a worktree."""
    initialise(tmp_path / "clone", bare=False).close()
    return tmp_path / "clone"


def add_to_config(clone: Path, text: str) -> None:
    with (clone / ".git/config").open("a") as file:
        file.write(text)


def test_a_clone_and_a_bare_repository(clone: Path, tmp_path: Path) -> None:
    git = clone / ".git"
    assert locate(clone) == locate(git) == Folders(clone, git, git, bare=False)
    bare = tmp_path / "bare.git"
    initialise(bare, bare=True).close()
    assert locate(bare) == Folders(bare, bare, bare, bare=True)


@pytest.mark.parametrize("name", ["elsewhere", "../clone/elsewhere"])
def test_a_file_may_name_the_git_folder(clone: Path, name: str) -> None:
    (clone / ".git").rename(clone / "elsewhere")
    (clone / ".git").write_text(f"gitdir: {name}\n")
    assert locate(clone) == Folders(clone, clone / name, clone / name, bare=False)


@pytest.mark.parametrize("content", ["nonsense", "gitdir: nowhere\n", "gitdir: ", "", "\0"])
def test_a_file_that_names_no_git_folder_is_damage(clone: Path, content: str) -> None:
    (clone / ".git").rename(clone / "elsewhere")
    (clone / ".git").write_text(content)
    with pytest.raises(DamagedRepositoryError) as caught:
        locate(clone)
    assert caught.value.path == str(clone)


def test_a_linked_worktree_shares_all_but_head_and_index(clone: Path, tmp_path: Path) -> None:
    control = clone / ".git/worktrees/second"
    control.mkdir(parents=True)
    (control / "commondir").write_text("../..\n")
    (tmp_path / "second").mkdir()
    (tmp_path / "second/.git").write_text(f"gitdir: {control}\n")
    assert locate(tmp_path / "second") == Folders(tmp_path / "second", control, clone / ".git", bare=False)


@pytest.mark.parametrize("where", ["/some/where", "../files", '"../with blanks"'])
def test_the_configuration_may_name_the_worktree(clone: Path, where: str) -> None:
    add_to_config(clone, f"[core]\n\tworktree = {where}\n")
    assert locate(clone).root == clone / ".git" / where.strip('"')


def test_a_bare_repository_with_a_worktree_named_is_a_contradiction(clone: Path) -> None:
    add_to_config(clone, "[core]\n\tbare = true\n\tworktree = /some/where\n")
    with pytest.raises(DamagedRepositoryError, match=r"core\.bare and core\.worktree"):
        locate(clone)


def test_a_worktree_may_have_settings_of_its_own(clone: Path) -> None:
    (clone / ".git/config.worktree").write_text("[core]\n\tworktree = /some/where\n")
    assert locate(clone).root == clone, "the file does not count as long as the extension is not switched on"
    add_to_config(clone, "[extensions]\n\tworktreeConfig = true\n")
    assert str(locate(clone).root) == "/some/where"


@pytest.mark.parametrize(
    "known", ["objectFormat = sha1", "refStorage = files", "partialClone = origin", "worktreeConfig"]
)
def test_extensions_that_change_nothing_here_are_fine(clone: Path, known: str) -> None:
    add_to_config(clone, f"[core]\n\trepositoryformatversion = 1\n[extensions]\n\t{known}\n")
    assert locate(clone).root == clone


@pytest.mark.parametrize(
    ("unknown", "reason"),
    [
        ("[extensions]\n\tobjectFormat = sha256\n", "sha256; supported is sha1"),
        ("[extensions]\n\trefStorage = reftable\n", "reftable; supported is files"),
        ('[extensions]\n\trefStorage = "reftable"\n', "reftable; supported is files"),
        ("[extensions]\n\tnewThing = 1\n", "extensions.newthing = 1"),
        ("[core]\n\trepositoryformatversion = 2\n", "version 2"),
        ("[core]\n\trepositoryformatversion = x\n", "'x'"),
        ("[co\n", "git cannot open it"),
    ],
)
def test_other_kinds_are_refused_and_nothing_is_written(clone: Path, unknown: str, reason: str) -> None:
    add_to_config(clone, unknown)
    before = sorted(clone.rglob("*"))
    with pytest.raises(DamagedRepositoryError) as caught:
        locate(clone)
    assert reason in caught.value.reason
    assert caught.value.path == str(clone)
    assert sorted(clone.rglob("*")) == before


def test_the_repository_above(clone: Path, tmp_path: Path) -> None:
    (clone / "a/b").mkdir(parents=True)
    assert above(clone / "a/b") == above(clone) == clone
    assert above(clone / ".git/refs/heads") == clone / ".git"
    with pytest.raises(NoRepositoryError) as caught:
        above(tmp_path)
    assert caught.value.path == str(tmp_path)


@pytest.mark.parametrize("missing", ["", ".git", ".git/objects"])
def test_no_repository(clone: Path, missing: str) -> None:
    (clone / missing).rename(clone.parent / "away")
    with pytest.raises(NoRepositoryError):
        locate(clone)
