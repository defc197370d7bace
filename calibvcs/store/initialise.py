"""Making a repository: plain Git, set up for arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dulwich.repo import Repo

from calibvcs.errors import AlreadyExistsError
from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_file
from calibvcs.store.git import GitStore
from calibvcs.store.memory import BRANCH

if TYPE_CHECKING:
    from pathlib import Path

# A bare repository does not read the .gitattributes of its tree: without this, packing tries deltas between arrays,
# which takes minutes and gigabytes and saves nothing.
_INFO_ATTRIBUTES = b"*.npy -delta\n"
_SETTINGS = (
    ("uploadpack", "allowFilter", "true"),  # clones may leave the payloads out
    ("uploadpack", "allowReachableSHA1InWant", "true"),  # ... and ask for single ones later
    ("uploadpack", "allowAnySHA1InWant", "true"),  # ... in Git's older protocol too, where the above means commits only
    ("receive", "denyNonFastForwards", "true"),  # history is never rewritten
    ("receive", "denyDeletes", "true"),
    ("transfer", "fsckObjects", "true"),
    ("transfer", "unpackLimit", "1"),  # a push is kept as the pack that came: Git would deflate its arrays anew
    ("pack", "compression", "0"),  # ... and so it would when it sends them: minutes, where seconds do
)


def initialise(path: Path, *, bare: bool, branch: str = BRANCH) -> GitStore:
    """Make an empty repository, without any commit.

    Parameters
    ----------
    path : Path
        Folder; it is made where it does not exist.
    bare : bool
        Whether it has no worktree, as a central repository.
    branch : str, optional
        Name of its branch.

    Returns
    -------
    GitStore
        The store in it.

    Raises
    ------
    AlreadyExistsError
        If there is a Git repository, or for a bare one any file.
    NotWritableError, StorageError
        If the disk refuses.
    """
    if (path / ".git").exists() or (path / "HEAD").exists():
        raise AlreadyExistsError("repository", str(path), "calibvcs doctor tells what it is; choose another path")
    if path.exists() and not path.is_dir():
        raise AlreadyExistsError("file", str(path), "choose another path")
    if bare and path.is_dir() and any(path.iterdir()):
        raise AlreadyExistsError("folder with files", str(path), "choose an empty or new folder for a bare repository")
    with disk_errors(path):
        make_folders(path.absolute())
        create = Repo.init_bare if bare else Repo.init
        repo = create(str(path), default_branch=branch.encode())
        with repo:
            config = repo.get_config()
            for section, name, value in _SETTINGS:
                config.set((section.encode(),), name.encode(), value.encode())
            config.write_to_path()
            folder = path if bare else path / ".git"
            make_folders((folder / "info").absolute())
            write_file(folder / "info" / "attributes", [_INFO_ATTRIBUTES])
        sync_folder(folder)
    return GitStore(path)
