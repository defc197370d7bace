"""A worktree that C Git and calibvcs work in by turns: each finds it as the other one left it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import DirtyWorktreeError
from calibvcs.store.worktrees.worktree import Worktree

CAMERAS = ("opal1000-1", "opal1000-2")
DATA = "opal1000/opal1000-1/pedestals/0-end/data.npy"
META = "opal1000/opal1000-1/pedestals/0-end/meta.toml"
NEW = "opal1000/opal1000-1/pedestals/5-9/data.npy"
OTHER = "opal1000/opal1000-2/pedestals/0-end/data.npy"


def git(folder: Path, *arguments: str | Path, expect: int | None = 0) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert expect is None or done.returncode == expect, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def save(folder: Path, path: str, level: float) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    np.save(folder / path, np.full((4, 5), level, np.float32))


def agreed(folder: Path) -> bool:
    """Tell whether C Git finds nothing to do, and nothing wrong, and so do we."""
    git(folder, "fsck", "--strict")
    with calibvcs.open(folder) as repository:
        return git(folder, "status", "--porcelain") == "" and repository.status().clean


def edits(repository: Repository) -> dict[str, tuple[str, str]]:
    return {
        row.name.removeprefix("opal1000-1/pedestals/"): (row.state, row.staged) for row in repository.status().edits
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a worktree with pedestals of 10 ADU of two cameras."""
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        for camera in CAMERAS:
            repository.detector.add(camera)
            repository.add(camera, "pedestals", np.full((4, 5), 10, np.float32), begin=0, message="Ten")
    return folder


@pytest.fixture(params=[2, 3, 4])
def versioned(request: pytest.FixtureRequest, folder: Path) -> Path:
    """Return the same with an index of each version that Git knows."""
    version = int(request.param)
    if version == 3:  # Git writes it where an entry has a flag that version 2 has no room for
        git(folder, "update-index", "--skip-worktree", ".gitattributes")
    else:
        git(folder, "update-index", "--index-version", str(version))
    git(folder, "update-index", "--force-write-index")
    assert (folder / ".git/index").read_bytes()[7] == version
    return folder


def test_c_git_agrees_after_a_commit_and_a_restore(versioned: Path) -> None:
    folder = versioned
    with calibvcs.open(folder) as repository:
        assert repository.status().clean
        for level in (11, 12):
            save(folder, DATA, level)
            save(folder, NEW, level)
            assert edits(repository) == {"0-end": ("changed", "no"), "5-9": ("new" if level == 11 else "changed", "no")}
            repository.commit_edits(message=f"Pedestals of {level} ADU")
            assert agreed(folder)
        save(folder, DATA, 13)
        (folder / META).unlink()
        (folder / OTHER).write_text("broken")
        assert repository.restore(everything=True).files == (DATA, META, OTHER)
    assert agreed(folder)
    assert git(folder, "show", "-s", "--format=%(trailers:key=Calibvcs-Action,valueonly)", "HEAD").strip() == "add"


def test_what_c_git_staged_is_told_and_the_worktree_is_taken(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, NEW, 11)
        save(folder, DATA, 11)
        git(folder, "add", "-A")
        assert edits(repository) == {"0-end": ("changed", "yes"), "5-9": ("new", "yes")}
        save(folder, DATA, 12)
        assert edits(repository) == {"0-end": ("changed", "partly"), "5-9": ("new", "yes")}
        repository.commit_edits(message="Both")
        assert agreed(folder)
        assert np.load(folder / DATA)[0, 0] == 12
        assert repository.get("opal1000-1", "pedestals", 20).data[0, 0] == 12


def test_only_what_is_named_leaves_the_rest_staged(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, NEW, 11)
        save(folder, DATA, 11)
        git(folder, "add", "-A")
        repository.commit_edits(["opal1000-1/pedestals/0-end"], message="One")
    assert git(folder, "status", "--porcelain") == f"A  {NEW}"


def test_what_was_staged_and_taken_back_is_no_edit(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, DATA, 11)
        save(folder, NEW, 11)
        git(folder, "add", "-A")
        save(folder, DATA, 10)
        (folder / NEW).unlink()
        assert edits(repository) == {"0-end": ("changed", "partly"), "5-9": ("removed", "partly")}
        with pytest.raises(calibvcs.CalibvcsError, match="nothing to commit"):
            repository.commit_edits(message="Nothing")
        repository.restore(everything=True)
    assert agreed(folder)


def test_restore_unstages_what_was_never_committed_and_keeps_it(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, NEW, 11)
        git(folder, "add", "-A")
        assert repository.restore(["opal1000-1/pedestals/5-9"]).kept == (NEW,)
    assert (folder / NEW).exists()
    assert git(folder, "status", "--porcelain", "-uall") == f"?? {NEW}"


def test_flags_of_git_are_respected(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, NEW, 11)
        git(folder, "add", "-N", NEW)
        assert edits(repository) == {"5-9": ("new", "no")}
        repository.commit_edits(message="New")
        git(folder, "update-index", "--assume-unchanged", DATA)
        save(folder, DATA, 12)
        assert agreed(folder)
        git(folder, "config", "core.fileMode", "false")
        (folder / OTHER).chmod(0o755)
    assert agreed(folder)


def test_a_sparse_worktree_stays_sparse(folder: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--no-checkout", folder, clone)
    git(clone, "sparse-checkout", "set", "--no-cone", "/.calibvcs/", "/opal1000/opal1000-1/")
    git(clone, "checkout", "-q", "main")
    assert not (clone / OTHER).exists()
    with calibvcs.open(clone) as repository:
        assert repository.status().clean
        save(clone, DATA, 11)
        repository.commit_edits(message="Eleven")
        save(clone, DATA, 12)
        (clone / META).unlink()
        assert repository.restore(everything=True).files == (DATA, META)
        assert repository.restore(["opal1000-2"]).files == ()
        assert agreed(clone)
        assert not (clone / OTHER).exists()
        assert f"S {OTHER}" in git(clone, "ls-files", "-t").splitlines()
        save(clone, OTHER, 13)  # somebody puts a file where none is checked out
        assert [row.name for row in repository.status().edits] == ["opal1000-2/pedestals/0-end"]
        repository.commit_edits(message="Thirteen")
        assert repository.status().clean
        assert not (clone / OTHER).with_name("meta.toml").exists()
    git(clone, "fsck", "--strict")
    assert git(clone, "status", "--porcelain") == ""


def test_both_sides_of_a_branch_are_counted_by_detector(folder: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", folder, clone)
    with calibvcs.open(folder) as theirs, calibvcs.open(clone) as ours:
        remote = ours.status().remote
        assert remote is not None
        assert (remote.ref, remote.detectors) == ("origin/main", ())
        for camera, count in zip(CAMERAS, (1, 2), strict=True):
            for begin in range(count):
                data = np.full((4, 5), 11 + begin, np.float32)
                theirs.add(camera, "pedestals", data, begin=100 + begin, message="Theirs")
        theirs.alias.add("front", "opal1000-1", begin=0)
        git(clone, "fetch", "-q")
        save(clone, DATA, 14)
        ours.commit_edits(message="Ours")
        remote = ours.status().remote
        assert remote is not None
        assert [(one.detector, one.ahead, one.behind) for one in remote.detectors] == [
            ("", 0, 1), ("opal1000-1", 1, 1), ("opal1000-2", 0, 2),
        ]  # fmt: skip
        assert (remote.ahead, remote.behind) == (1, 4)


def test_a_conflict_of_c_git_is_told_and_can_be_given_up(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        git(folder, "branch", "side")
        save(folder, DATA, 11)
        repository.commit_edits(message="Eleven")
        git(folder, "switch", "-q", "side")
        save(folder, DATA, 12)
        repository.commit_edits(message="Twelve")
        git(folder, "merge", "main", expect=1)
        assert set(repository.status().unmerged) >= {DATA}
        with pytest.raises(calibvcs.CalibvcsError, match="merge"):
            repository.commit_edits(message="Neither")
        (folder / ".git/MERGE_HEAD").unlink()
        with pytest.raises(DirtyWorktreeError, match=r"data\.npy"):
            repository.commit_edits(message="Neither")
        repository.restore(everything=True)
    assert agreed(folder)
    assert np.load(folder / DATA)[0, 0] == 12


class Killed(BaseException):
    """What takes the place of SIGKILL: no handler of ours catches it."""


def _die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("finisher", ["doctor", "commit", "restore"])
@pytest.mark.parametrize("staged", [False, True])
def test_what_a_killed_commit_left_is_told_and_finished(
    folder: Path, finisher: str, staged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with calibvcs.open(folder) as repository:
        if staged:
            save(folder, DATA, 15)
            git(folder, "add", "-A")
        with (folder / DATA).open("wb") as file:
            np.lib.format.write_array(file, np.full((4, 5), 11, np.float32), version=(2, 0))
        save(folder, NEW, 11)
        before = repository.commit
        with monkeypatch.context() as patch:
            patch.setattr(Worktree, "_follow", _die)
            with pytest.raises(Killed):
                repository.commit_edits(message="Eleven")
        assert repository.commit != before
        assert repository.status().pending == 1
        if finisher == "doctor":
            (told,) = (check for check in calibvcs.doctor(folder).checks if check.name == "worktree")
            assert "brought up to date" in told.value
        elif finisher == "commit":
            save(folder, OTHER, 14)
            repository.commit_edits(["opal1000-2"], message="Next")
        else:
            repository.restore(["opal1000-1"])
        assert repository.status().pending == 0
    assert agreed(folder)
    assert (folder / DATA).read_bytes()[6] == 1
    assert (folder / NEW).with_name("meta.toml").exists()


def test_our_edits_and_an_edit_of_c_git_go_on_from_each_other(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        save(folder, DATA, 11)
        repository.commit_edits(message="Eleven")
        save(folder, DATA, 12)
        git(folder, "commit", "-qam", "Twelve, by C Git")
        assert agreed(folder)
        save(folder, DATA, 13)
        assert repository.commit_edits(message="Thirteen").constants[0].version == "v4"
    assert agreed(folder)
