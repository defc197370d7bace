"""A new repository: plain Git, set up for arrays; nothing that is there already is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dulwich.config import ConfigFile

from calibvcs.errors import AlreadyExistsError, DamagedRepositoryError, NoRepositoryError, NotWritableError
from calibvcs.store import initialise as module
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.upkeep.health import missing_settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {
    "uploadpack": {"allowFilter": "true", "allowReachableSHA1InWant": "true", "allowAnySHA1InWant": "true"},
    "receive": {"denyNonFastForwards": "true", "denyDeletes": "true"},
    "transfer": {"fsckObjects": "true", "unpackLimit": "1"},
    "pack": {"compression": "0"},
}


@pytest.mark.parametrize("bare", [True, False])
def test_a_new_repository_is_empty_and_open(tmp_path: Path, bare: bool) -> None:
    with initialise(tmp_path / "some/where/new", bare=bare) as store:
        assert store.location == str(tmp_path / "some/where/new")
        assert store.folder == (tmp_path / "some/where/new" if bare else tmp_path / "some/where/new/.git")
        assert store.bare is bare
        assert (store.branch, store.tip(), store.refs()) == ("main", None, {})


@pytest.mark.parametrize("bare", [True, False])
def test_the_settings_let_clones_leave_arrays_out_and_keep_history(tmp_path: Path, bare: bool) -> None:
    with initialise(tmp_path / "new", bare=bare) as store:
        config = ConfigFile.from_path(str(store.folder / "config"))
        for section, values in SETTINGS.items():
            for name, value in values.items():
                assert config.get((section.encode(),), name.encode()) == value.encode()
        assert config.get_boolean((b"core",), b"bare") is bare
        assert (store.folder / "info/attributes").read_text() == "*.npy -delta\n"
        assert missing_settings(store.folder) == ()


def test_a_folder_with_files_becomes_a_worktree_and_they_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    initialise(tmp_path, bare=False).close()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("new", [True, False])
def test_a_repository_is_not_made_twice(tmp_path: Path, old: bool, new: bool) -> None:
    initialise(tmp_path / "repository", bare=old).close()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "repository").rglob("*")}
    with pytest.raises(AlreadyExistsError, match="repository"):
        initialise(tmp_path / "repository", bare=new)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "repository").rglob("*")} == before


def test_a_bare_repository_wants_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(AlreadyExistsError, match="folder with files"):
        initialise(tmp_path, bare=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("bare", [True, False])
def test_a_file_is_not_replaced(tmp_path: Path, bare: bool) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(AlreadyExistsError, match="file"):
        initialise(tmp_path / "file", bare=bare)
    assert (tmp_path / "file").read_text() == "mine"


def test_no_access_is_told_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(module, "make_folders", refused)
    with pytest.raises(NotWritableError) as caught:
        initialise(tmp_path / "new", bare=True)
    assert caught.value.path == str(tmp_path / "new")


# --- opening ----------------------------------------------------------------------------------------------------


def test_a_repository_is_found_from_the_folders_in_it(tmp_path: Path) -> None:
    initialise(tmp_path / "clone", bare=False).close()
    initialise(tmp_path / "bare", bare=True).close()
    (tmp_path / "clone/a/b").mkdir(parents=True)
    for start, found in (("clone/a/b", "clone"), ("clone", "clone"), ("bare/refs/heads", "bare"), ("bare", "bare")):
        with GitStore.discover(tmp_path / start) as store:
            assert store.location == str(tmp_path / found)


@pytest.mark.parametrize("start", [".git", ".git/refs/heads", ".git/objects"])
def test_the_git_folder_of_a_clone_stands_for_the_clone(tmp_path: Path, start: str) -> None:
    initialise(tmp_path, bare=False).close()
    with GitStore.discover(tmp_path / start) as store:
        assert (store.location, store.bare) == (str(tmp_path), False)


def test_where_there_is_no_repository_none_is_opened(tmp_path: Path) -> None:
    for look in (GitStore, GitStore.discover):
        with pytest.raises(NoRepositoryError) as caught:
            look(tmp_path)
        assert caught.value.path == str(tmp_path)
    with pytest.raises(NoRepositoryError):
        GitStore(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "setting",
    [
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n",
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnewThing = true\n",
        "[core]\n\trepositoryformatversion = 7\n",
        "[core]\n\trepositoryformatversion = x\n",
        "[core]\n\tbare = true\n\tworktree = /nowhere\n",
    ],
)
def test_a_repository_of_an_unknown_kind_is_refused(tmp_path: Path, setting: str) -> None:
    initialise(tmp_path, bare=False).close()
    (tmp_path / ".git/config").write_text(setting)
    with pytest.raises(DamagedRepositoryError) as caught:
        GitStore(tmp_path)
    assert caught.value.path == str(tmp_path)


def test_a_bare_repository_that_was_made_elsewhere_lacks_what_makes_clones_fast(tmp_path: Path) -> None:
    with initialise(tmp_path / "new", bare=True) as store:
        path = store.folder / "config"
        config = ConfigFile.from_path(str(path))
        del config[(b"pack",)]
        del config[(b"uploadpack",)]
        config.write_to_path(str(path))
        assert missing_settings(store.folder) == (
            f"git -C {store.folder} config uploadpack.allowFilter true",
            f"git -C {store.folder} config uploadpack.allowAnySHA1InWant true",
            f"git -C {store.folder} config pack.compression 0",
        )
        path.write_text("[broken")
        assert missing_settings(store.folder) == ()
