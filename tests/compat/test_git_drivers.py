"""With the drivers, C Git shows constants in words, and never mixes two arrays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.api.git_drivers import install_git_drivers_globally
from calibvcs.errors import MissingProgramError, NotWritableError

DETECTOR = "jungfrau-3"
NAME = f"jungfrau/{DETECTOR}/pedestals/1000-end"
GEOMETRY = "# drawn\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"


def git(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def dark(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, 5, (3, 2, 8, 16)).astype(np.float32)


def add(repository: Repository, data: np.ndarray, why: str) -> None:
    repository.add(DETECTOR, "pedestals", data, begin=1000, message=why)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository with the drivers: a dark run, then one segment in one gain range is replaced."""
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(DETECTOR, segments=["a", "b"], parameters={"panel_shape": [8, 16]})
        data = dark()
        add(repository, data, "First dark")
        data[1, 0] += 3
        add(repository, data, "Panel a was exchanged")
        repository.add(DETECTOR, "geometry", GEOMETRY, begin=0, message="As drawn")
        repository.install_git_drivers()
    return folder


def test_log_shows_what_changed(folder: Path) -> None:
    shown = git(folder, "log", "-p", "-1", "--format=%s", "--", NAME)
    changed = [line for line in shown.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    places = [line.split()[0] for line in changed if "[" in line[:2]]
    assert places == ["-[1,0]", "+[1,0]"]
    assert sum(line.startswith(("-sha256", "+sha256")) for line in changed) == 2
    assert " array float32 3x2x8x16" in shown
    assert "Binary files" not in shown


def test_blame_tells_who_replaced_the_segment(folder: Path) -> None:
    lines = git(folder, "blame", "-s", f"{NAME}/data.npy").splitlines()
    first, second = git(folder, "log", "--format=%h", "--reverse", "--", f"{NAME}/data.npy").split()
    whose = {line.split(") ")[1].split()[0]: line.split()[0].lstrip("^")[:7] for line in lines}
    assert whose["[1,0]"] == second[:7]
    assert whose["[0,0]"] == whose["array"] == first[:7]


def test_diff_of_an_edited_worktree(folder: Path) -> None:
    np.save(folder / NAME / "data.npy", dark() * 2)
    assert "+[0,0] min " in git(folder, "diff")
    geometry = folder / "jungfrau" / DETECTOR / "geometry" / "0-end" / "geometry.txt"
    geometry.write_text(GEOMETRY.replace(" 0 1.5", "   0   1.500"))
    assert "@@" not in git(folder, "diff", "--", str(geometry))
    geometry.write_text(GEOMETRY.replace("1.5", "2.5"))
    assert "+IP:V1 0 CAMERA:V1 0 2.5 -2 " in git(folder, "diff", "--", str(geometry))


def test_head_of_a_hunk_names_the_table(folder: Path) -> None:
    meta = folder / NAME / "meta.toml"
    meta.write_text(meta.read_text().replace('host = "', 'host = "x'))
    assert "@@ [provenance]" in git(folder, "diff", "-U0", "--", str(meta))


def test_difftool_compares_numbers(folder: Path) -> None:
    shown = git(folder, "difftool", "-y", "-t", "calibvcs", "HEAD~2", "HEAD~1")
    assert "128 of 768 values differ, largest |d| 3" in shown
    head, *rows = shown.partition("largest")[2].splitlines()[1:3]
    assert head.split()[:3] == ["gain", "segment", "changed"]
    assert [row.split()[:3] for row in rows] == [["1", "0", "128"]]
    assert f"added jungfrau/{DETECTOR}/geometry/0-end/geometry.txt" in git(
        folder, "difftool", "-y", "-t", "calibvcs", "HEAD~1", "HEAD"
    )
    assert "removed" in git(folder, "difftool", "-y", "-t", "calibvcs", "HEAD", "HEAD~1")


def two_sides(folder: Path) -> None:
    """Let two branches replace the same range."""
    git(folder, "checkout", "-q", "-b", "theirs")
    with calibvcs.open(folder) as repository:
        add(repository, dark(2), "Their dark")
    git(folder, "checkout", "-q", "main")
    with calibvcs.open(folder) as repository:
        add(repository, dark(3), "Our dark")


def test_arrays_are_never_mixed(folder: Path) -> None:
    two_sides(folder)
    before = (folder / NAME / "data.npy").read_bytes()
    told = git(folder, "merge", "theirs", code=1)
    assert f"calibvcs: {NAME}/data.npy was changed on both sides" in told
    assert "768 of 768 values differ" in told
    assert (folder / NAME / "data.npy").read_bytes() == before
    assert "<<<<" not in (folder / NAME / "meta.toml").read_text()
    advice = next(line for line in told.splitlines() if "take one side" in line)
    for command in advice.partition(":")[2].replace("--ours|--theirs", "--theirs").split("&&"):
        git(folder, *command.split()[1:])
    git(folder, "commit", "-q", "--no-edit")
    with calibvcs.open(folder) as repository:
        assert repository.verify(deep=True).sound
        assert np.array_equal(repository.get(DETECTOR, "pedestals", 2000).data, dark(2))


def test_different_constants_merge_by_themselves(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "theirs")
    with calibvcs.open(folder) as repository:
        repository.add(DETECTOR, "pedestals", dark(4), begin=5000, message="Later")
    git(folder, "checkout", "-q", "main")
    with calibvcs.open(folder) as repository:
        add(repository, dark(5), "Our dark")
    assert "CONFLICT" not in git(folder, "merge", "--no-edit", "theirs")


def test_calibvcs_goes_on_as_before(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        assert repository.status().clean
        add(repository, dark(6), "Another one")
        assert repository.status().clean
        assert repository.verify(deep=True).sound
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "fsck", "--strict") == ""


def test_uninstall_leaves_what_others_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    config, attributes = folder / ".git" / "config", folder / ".git" / "info" / "attributes"
    config.write_text(f"# mine\n{config.read_text()}")
    attributes.write_text(f"{attributes.read_text()}*.h5 -diff\n")
    before = config.read_text(), attributes.read_text()
    with calibvcs.open(folder) as repository:
        repository.install_git_drivers()
        once = config.read_text(), attributes.read_text()
        assert repository.install_git_drivers().installed
        assert (config.read_text(), attributes.read_text()) == once != before
        assert not repository.remove_git_drivers().installed
        assert (config.read_text(), attributes.read_text()) == before
        repository.remove_git_drivers()
        assert (config.read_text(), attributes.read_text()) == before


def test_a_bare_repository_shows_them_too(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    calibvcs.clone(folder, bare, bare=True)
    assert "Binary files" in git(bare, "log", "-p", "-1", "--", NAME)
    with calibvcs.open(bare) as repository:
        repository.install_git_drivers()
    assert "Binary files" not in git(bare, "log", "-p", "-1", "--", NAME)


def test_for_all_repositories_of_a_user(folder: Path, private_home: Path) -> None:
    with calibvcs.open(folder) as repository:
        repository.remove_git_drivers()
    assert "Binary files" in git(folder, "log", "-p", "-1", "--", NAME)
    (private_home / ".gitconfig").write_text("# mine\n[user]\n\tname = Ada\n")
    made = install_git_drivers_globally()
    assert (made.config, made.attributes) == ("--global", "")
    assert "Binary files" not in git(folder, "log", "-p", "-1", "--", NAME)
    install_git_drivers_globally(remove=True)
    assert (private_home / ".gitconfig").read_text() == "# mine\n[user]\n\tname = Ada\n"


def test_what_stands_in_the_way_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = folder / ".git" / "config.lock"
    lock.touch()
    with calibvcs.open(folder) as repository, pytest.raises(NotWritableError, match="lock"):
        repository.install_git_drivers()
    lock.unlink()
    monkeypatch.setenv("PATH", "")
    with calibvcs.open(folder) as repository, pytest.raises(MissingProgramError):
        repository.install_git_drivers()
