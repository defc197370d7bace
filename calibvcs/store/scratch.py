"""A scratch repository: the history of another one up to some commit, without a copy, and without a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.store.durable import disk_errors
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.objects.alternates import file_of

if TYPE_CHECKING:
    from pathlib import Path


def scratch(path: Path, source: GitStore, commit_id: str) -> GitStore:
    """Make a bare repository whose branch stands on a commit of another one.

    It borrows the objects of the other one and knows no remote, so that nothing that is done in it reaches the other.
    Nothing in it is signed. It is of use only as long as the other one is there.

    Parameters
    ----------
    path : Path
        Folder; it does not exist, or is empty.
    source : GitStore
        The other repository.
    commit_id : str
        The commit.

    Returns
    -------
    GitStore
        The store in it.

    Raises
    ------
    NotWritableError, StorageError
        If the disk refuses.
    """
    branch = source.branch
    with initialise(path, bare=True, branch=branch), disk_errors(path):
        file = file_of(path / "objects")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{(source.folder / 'objects').resolve()}\n")
        with (path / "config").open("a") as config:
            config.write("[commit]\n\tgpgsign = false\n[tag]\n\tgpgsign = false\n")
    store = GitStore(path)
    store.set_ref(f"refs/heads/{branch}", None, commit_id)
    return store
