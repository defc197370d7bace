"""``bundle``: the history, and the payloads of some or all detectors, in one file; and taking it in again."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError
from calibvcs.model import layout
from calibvcs.ops.sharing.selection import Selection, selected
from calibvcs.store.durable import disk_errors, make_folders, sync_folder
from calibvcs.store.initialise import initialise
from calibvcs.store.upkeep.bundling import look_into, make_bundle, take_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.git import GitStore

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class BundleResult:
    """A bundle.

    Attributes
    ----------
    path : str
        The file.
    refs : dict of str to str
        Branches and tags in it, each with the id it stands on.
    detectors : tuple of str
        The detectors whose payloads are in it, where that was asked for; empty for all.
    partial : bool
        Whether payloads of others were left out.
    objects, bytes : int
        What it holds, and its size.
    """

    schema: ClassVar[str] = "calibvcs.bundle/1"

    path: str
    refs: dict[str, str]
    detectors: tuple[str, ...]
    partial: bool
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BundleCheck:
    """What a look into a bundle found; damage is an error.

    Attributes
    ----------
    path : str
        The file.
    refs : dict of str to str
        Branches and tags in it.
    partial : bool
        Whether payloads were left out.
    objects : int
        What it holds.
    lacking : tuple of str
        Commits that it continues, and that are not here.
    """

    schema: ClassVar[str] = "calibvcs.bundle-check/1"

    path: str
    refs: dict[str, str]
    partial: bool
    objects: int
    lacking: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether it can be taken in here."""
        return not self.lacking


@dataclass(frozen=True, slots=True)
class Unbundled:
    """A bundle that was taken in.

    Attributes
    ----------
    repository : str
        Where it went.
    name : str
        Under which name its branches are kept.
    objects : int
        What came.
    partial : bool
        Whether payloads were left out.
    moved : tuple of str
        Refs that moved.
    notices : tuple of str
        What was left as it is.
    """

    schema: ClassVar[str] = "calibvcs.unbundle/1"

    repository: str
    name: str
    objects: int
    partial: bool
    moved: tuple[str, ...]
    notices: tuple[str, ...]


def create(catalogue: Catalogue, store: GitStore, target: Path, detectors: Sequence[str]) -> BundleResult:
    """Write a bundle.

    Parameters
    ----------
    catalogue : Catalogue
        The newest commit, which knows the detectors.
    store : GitStore
        The repository.
    target : Path
        The file; it must not exist.
    detectors : sequence of str
        Names, aliases or globs of the detectors whose payloads go with it; empty for all.

    Returns
    -------
    BundleResult
        What is in it.
    """
    chosen = sorted({one.detector for one in selected(catalogue, Selection(detectors=tuple(detectors)))})
    folders = [layout.detector_folder(detector) for detector in chosen] if detectors else None
    with disk_errors(target):
        done = make_bundle(store, target, folders, frozenset(layout.PAYLOAD_FILES))
    names = tuple(map(str, chosen)) if detectors else ()
    return BundleResult(str(target), done.refs, names, folders is not None, done.objects, done.size)


def check(store: GitStore | None, path: Path) -> BundleCheck:
    """Read a bundle to its end, and tell whether it can be taken in.

    Parameters
    ----------
    store : GitStore or None
        Where it would go.
    path : Path
        The file.

    Returns
    -------
    BundleCheck
        What it holds.
    """
    head, lacking, objects = look_into(path, store)
    return BundleCheck(str(path), dict(head.refs), head.partial, objects, lacking)


def unbundle(store: GitStore, path: Path, name: str | None) -> Unbundled:
    """Take a bundle in.

    Parameters
    ----------
    store : GitStore
        Where it goes.
    path : Path
        The file.
    name : str or None
        Under which name its branches are kept; None for the name of the file.

    Returns
    -------
    Unbundled
        What came.
    """
    name = name or _UNFIT.sub("-", path.stem).strip("-") or "bundle"
    done = take_in(store, path, name)
    moved = tuple(update.ref for update in done.changed)
    notices = tuple(notice.text for notice in done.notices)
    return Unbundled(store.location, name, done.objects, done.head.partial, moved, notices)


def unbundle_anew(repository: Path, path: Path) -> Unbundled:
    """Make a bare repository of a bundle; it appears whole or not at all.

    Parameters
    ----------
    repository : Path
        Where; nothing may be there.
    path : Path
        The file.

    Returns
    -------
    Unbundled
        What came.

    Raises
    ------
    AlreadyExistsError
        If something is there.
    """
    if repository.exists():
        raise AlreadyExistsError("file or folder", str(repository), "choose another path")
    head, _, _ = look_into(path)
    target = repository.absolute()
    growing = target.with_name(f".{target.name}.calibvcs-bundle-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with disk_errors(repository):
            make_folders(target.parent)
        with initialise(growing, bare=True, branch=head.head or "main") as store:
            done = unbundle(store, path, "origin")
        with disk_errors(repository):
            growing.replace(target)
            sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise
    return Unbundled(str(repository), done.name, done.objects, done.partial, done.moved, done.notices)
