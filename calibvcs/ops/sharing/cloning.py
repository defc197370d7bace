"""``clone``: a repository of one's own, with everything in it or with what a selection needs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, UnknownRevisionError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.sharing import squeezing
from calibvcs.store.durable import disk_errors, make_folders, sync_folder
from calibvcs.store.initialise import initialise
from calibvcs.store.memory import BRANCH
from calibvcs.store.remotes.settings import ORIGIN, RemoteSettings, configure_remote
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.ops.sharing.selection import Selection
    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Fetched, Progress, Remote


@dataclass(frozen=True, slots=True)
class Cloned:
    """A clone that was made.

    Attributes
    ----------
    path, origin : str
        Where it is, and where it came from.
    branch, commit : str
        The branch that it stands on, and the commit.
    constants : int
        How many constants have their data here.
    objects, bytes : int
        How many objects came, and in how many bytes.
    squeezed : bool
        Whether other data stayed behind.
    notices : tuple of str
        What the other side could not do.
    """

    schema: ClassVar[str] = "calibvcs.clone/1"

    path: str
    origin: str
    branch: str
    commit: str
    constants: int
    objects: int
    bytes: int
    squeezed: bool
    notices: tuple[str, ...]


def clone(
    remote: Remote, url: str, path: Path, wanted: Selection, *, bare: bool, progress: Progress | None = None
) -> Cloned:
    """Make a clone. It appears whole or not at all.

    Parameters
    ----------
    remote : Remote
        The repository that is cloned, open.
    url : str
        What is remembered as its address.
    path : Path
        Where the clone goes; a folder that does not exist, or is empty.
    wanted : Selection
        Which data are brought; all commits and trees always are.
    bare : bool
        Whether it has no worktree.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    Cloned
        What came.

    Raises
    ------
    AlreadyExistsError
        If something is at the path.
    UnknownRevisionError
        If the other repository has no commit.
    NotCalibvcsError
        If it is none of ours.
    NetworkError, StorageError, NotWritableError
        If the network or the disk fail; nothing is left behind.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise AlreadyExistsError("file or folder", str(path), "choose another path, or an empty folder")
    with disk_errors(path):
        make_folders(path.absolute().parent)
    refs = remote.refs()
    heads = sorted(name.removeprefix("refs/heads/") for name in refs.refs if name.startswith("refs/heads/"))
    branch = refs.head or next(iter(heads), BRANCH)
    growing = path.absolute().with_name(f".{path.name}.calibvcs-clone-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with initialise(growing, bare=bare, branch=branch) as store:
            commit, constants, fetched = _fill(
                store, remote, RemoteSettings(ORIGIN, url, not wanted.whole), wanted, progress
            )
        with disk_errors(path):
            growing.replace(path.absolute())
            sync_folder(path.absolute().parent)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise
    return Cloned(
        path=str(path),
        origin=url,
        branch=branch,
        commit=commit,
        constants=constants,
        objects=sum(one.objects for one in fetched),
        bytes=sum(one.size for one in fetched),
        squeezed=not wanted.whole,
        notices=tuple(notice.text for one in fetched for notice in one.notices),
    )


def _fill(
    store: GitStore, remote: Remote, origin: RemoteSettings, wanted: Selection, progress: Progress | None
) -> tuple[str, int, list[Fetched]]:
    branch = store.branch
    configure_remote(store.folder, origin, branch)
    fetched = [remote.fetch(store, squeezed=origin.squeezed, progress=progress)]
    tip = store.refs().get(f"refs/remotes/{origin.name}/{branch}")
    if tip is None:
        raise UnknownRevisionError(branch, reason=f"{origin.url} has no commit yet")
    catalogue = Catalogue(Snapshot(store, tip))
    if origin.squeezed:
        fetched += squeezing.bring(store, remote, catalogue, wanted, progress)
        squeezing.remember(store, wanted)
    _ = catalogue.settings  # proves that it is one of ours
    store.set_ref(f"refs/heads/{branch}", None, tip)
    return tip, squeezing.check_out(store, catalogue, wanted), fetched
