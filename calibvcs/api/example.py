"""The example repository, to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import calibvcs
from calibvcs import settings
from calibvcs.errors import MissingFileError
from calibvcs.ops.exchange.import_tree import import_tree
from calibvcs.store.identity import configure_identity
from calibvcs.store.initialise import initialise

if TYPE_CHECKING:
    from calibvcs.model.commits import Person

DETECTOR = "jungfrau-000001"


def example_tree() -> Path:
    """Return the folder of the example tree: in the installed package, or beside it in a checkout.

    Returns
    -------
    Path
        A tree of constants in format 1.

    Raises
    ------
    MissingFileError
        If this installation has none.
    """
    package = Path(calibvcs.__file__).parent
    for folder in (package / "example_repo", package.parent / "example-repo"):
        if (folder / ".calibvcs").is_dir():
            return folder
    raise MissingFileError(str(package / "example_repo"), "this installation has no example tree")


def make_example(path: Path, new_dark: Path) -> str:
    """Make a repository from the example tree, and beside it the file of a second dark run.

    Parameters
    ----------
    path : Path
        Folder of the new repository, with a worktree. Where nobody said who the user is, it gets an identity of its
        own, so that the commands work there.
    new_dark : Path
        ``.npy`` file to write: pedestals as in the example, float32 of shape (3, 2, 32, 64) in ADU, drifted by 2 ADU
        in gain range 0 of segment 1, and by 25.5 ADU in 40 pixels of gain range 2 of segment 0.

    Returns
    -------
    str
        Id of the commit.

    Raises
    ------
    AlreadyExistsError
        If there is a repository already.
    MissingFileError
        If this installation has no example tree.
    InvalidDataError
        If that tree breaks the format.
    NotWritableError, StorageError
        If the disk refuses.
    """
    tree = example_tree()
    with initialise(path, bare=False) as store:
        who = settings.identity(store.folder)
        if not (who.name and who.email):
            configure_identity(store.folder, "Quick Start", "quickstart@example.org")
        author: Person = settings.author(store.folder)
        commit = import_tree(store, author, tree, "Take over the example constants").commit
    with calibvcs.open(path) as repository:
        pedestals = repository.get(DETECTOR, "pedestals", 1_767_225_600).data
    drifted = np.array(pedestals, dtype=np.float32)
    drifted[0, 1] += np.float32(2)
    drifted[2, 0, 4:8, 10:20] += np.float32(25.5)
    np.save(new_dark, drifted)
    return commit
