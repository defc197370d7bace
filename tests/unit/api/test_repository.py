"""The public names, and how a repository is made, opened and closed."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    AlreadyExistsError,
    InvalidOptionError,
    NoIdentityError,
    NoRepositoryError,
    NotCalibvcsError,
    UnknownRevisionError,
)

CAMERA = "opal1000-1"
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z, begin of run mfx1:7


def test_public_names() -> None:
    assert {"open", "init", "doctor", "Repository", "CalibvcsError", "__version__"} <= set(calibvcs.__all__)
    verbs = (
        "get get_many add ls log diff why show verify choose lock unlock withdraw add_manifest close commit location"
    )
    nouns = "detector alias run tag default"
    verbs += " status commit_edits restore"
    verbs += " fetch pull push conflicts propose proposals review merge squeeze gc repair"
    verbs += " export_shm check_shm export_hdf5 import_hdf5 diff_hdf5 export_calibdir import_calibdir in_overlay"
    verbs += " export_npy import_tree import_psana stats trend blame pixel_history bisect"
    verbs += " plot plot_diff plot_trend diff_html preview provenance recorded rerun"
    verbs += " install_git_drivers remove_git_drivers diff_files"
    nouns += " access bundle param dcs lock_file"
    assert {name for name in dir(Repository) if not name.startswith("_")} == {*verbs.split(), *nouns.split()}


@pytest.mark.parametrize(
    ("noun", "verbs"),
    [
        ("detector", {"add", "set", "show", "ls"}),
        ("alias", {"add", "ls", "resolve", "import_als", "export_als"}),
        ("param", {"get", "set", "unset"}),
        ("lock_file", {"make", "write", "check", "restore", "restore_defaults"}),
        ("dcs", {"read", "save", "seconds"}),
        ("run", {"mark", "unmark", "ls"}),
        ("tag", {"create", "list", "show", "state", "set_state", "accept"}),
        ("default", {"show", "set"}),
        ("access", {"check", "test"}),
        ("bundle", {"create", "verify", "unbundle"}),
    ],
)
def test_verbs_that_begin_with_a_noun(repository: Repository, noun: str, verbs: set[str]) -> None:
    assert {name for name in dir(getattr(repository, noun)) if not name.startswith("_")} == verbs


def test_no_verb_takes_what_it_does_not_name(repository: Repository) -> None:
    groups = [repository, repository.detector, repository.alias, repository.run, repository.tag, repository.default]
    verbs = [verb for group in groups for _, verb in inspect.getmembers(group, inspect.ismethod)]
    parameters = [parameter for verb in verbs for parameter in inspect.signature(verb).parameters.values()]
    assert inspect.Parameter.VAR_KEYWORD not in {parameter.kind for parameter in parameters}


def test_open_finds_the_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = folder / "opal1000" / CAMERA
    with calibvcs.open(inside) as one, calibvcs.open(str(folder)) as two:
        assert one.location == two.location == str(folder)
        assert re.fullmatch(f"<Repository {re.escape(str(folder))} at {one.commit[:12]}>", repr(one))
    monkeypatch.chdir(inside)
    assert calibvcs.open().location == str(folder)
    monkeypatch.setenv("CALIBVCS_REPO", str(folder.parent))
    with pytest.raises(NoRepositoryError):
        calibvcs.open()


@pytest.mark.parametrize("bare", [False, True])
def test_init(tmp_path: Path, bare: bool) -> None:
    made = calibvcs.init(tmp_path / "new.git", bare=bare)
    assert (made.name, made.bare) == ("new", bare)
    assert (tmp_path / "new.git" / ".git").exists() is not bare
    with calibvcs.open(tmp_path / "new.git") as repository:
        assert repository.commit == made.commit
        assert repository.verify(deep=True).sound
    with pytest.raises(AlreadyExistsError):
        calibvcs.init(tmp_path / "new.git")


def test_init_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidOptionError):
        calibvcs.init(tmp_path / "new", name="a\0b")
    monkeypatch.delenv("GIT_AUTHOR_NAME")
    with pytest.raises(NoIdentityError):
        calibvcs.init(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_doctor(folder: Path, tmp_path: Path) -> None:
    assert calibvcs.doctor(folder).sound
    broken = calibvcs.doctor(tmp_path)
    assert [check.name for check in broken.checks if check.level == "error"] == ["repository"]


def test_nothing_is_written_into_a_repository_of_others(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "git"], check=True)
    with calibvcs.open(tmp_path / "git") as repository:
        assert repr(repository).endswith("at no commit>")
        with pytest.raises(UnknownRevisionError):
            repository.detector.add(CAMERA)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "git", check=True)
    for dry_run in (True, False):
        with calibvcs.open(tmp_path / "git") as repository, pytest.raises(NotCalibvcsError):
            repository.detector.add(CAMERA, dry_run=dry_run)


def test_closing_gives_files_back_and_leaves_data(folder: Path) -> None:
    process = Path("/proc/self")
    if not process.exists():
        pytest.skip("no /proc here")

    def is_held() -> bool:
        opened = [os.path.realpath(link) for link in (process / "fd").iterdir()]
        return any(file.startswith(str(folder)) for file in opened) or str(folder) in (process / "maps").read_text()

    subprocess.run(["git", "gc", "-q"], cwd=folder, check=True)
    with calibvcs.open(folder) as repository:
        constant = repository.get(CAMERA, "pedestals", BEGIN)
        assert is_held()
    assert not is_held()
    assert np.array_equal(constant.data, np.full((4, 5), 20, np.float32))
