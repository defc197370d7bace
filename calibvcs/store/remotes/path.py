"""A repository on this machine: what is loose is linked, the rest is copied, and a push goes through its own hooks.

Git's ``receive-pack`` runs the hooks and holds the settings of the repository that is pushed to; so every push goes
through it. Where C Git is not installed, a push is made here, but only into a repository that has no hook at all.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from calibvcs.errors import NetworkError
from calibvcs.store.git import GitStore
from calibvcs.store.packs.receiving import PackReceiver
from calibvcs.store.remotes.linking import link_everything, link_large
from calibvcs.store.remotes.missing import Lacking, missing_objects
from calibvcs.store.remotes.refs import HEADS, follow, trusted_refs, wanted_refs
from calibvcs.store.remotes.remote import Fetched, RemoteRefs, has_promises
from calibvcs.store.remotes.sending import pack_chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from calibvcs.store.remotes.remote import Progress, Pushed, RefUpdate
    from calibvcs.store.remotes.urls import Address


class PathRemote:
    """A repository on this machine.

    Parameters
    ----------
    address : Address
        Where it is.
    timeout : float
        Seconds that its hooks may be silent in a push.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self.address = address
        self._timeout = timeout
        self._opened: GitStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened:
            self._opened.close()
            self._opened = None

    @property
    def store(self) -> GitStore:
        """The repository itself, for reading; it is hashed where it comes in.

        Raises
        ------
        NoRepositoryError
            If there is none.
        NetworkError
            If its history was cut off by Git.
        """
        if self._opened is None:
            path = Path(self.address.path)
            self._opened = GitStore(path, verify="never")
            if (self._opened.folder / "shallow").exists():
                raise NetworkError(str(path), "its history was cut off by Git", "run git fetch --unshallow there first")
        return self._opened

    def refs(self) -> RemoteRefs:
        """Return its refs."""
        there = self.store
        refs = trusted_refs((ref.encode(errors="surrogateescape"), one.encode()) for ref, one in there.refs().items())
        return RemoteRefs(refs, there.branch if f"{HEADS}{there.branch}" in refs else None)

    def fetch(
        self,
        store: GitStore,
        *,
        name: str = "origin",
        branches: Sequence[str] | None = None,
        tags: bool = True,
        squeezed: bool = False,
        progress: Progress | None = None,
    ) -> Fetched:
        """Bring objects from it, and let ``refs/remotes/NAME/*`` follow."""
        remote = self.refs()
        wanted = wanted_refs(remote, branches, tags=tags)
        here = set(store.refs().values())
        squeezed = squeezed or has_promises(store.folder)
        if here or squeezed or branches is not None:
            new = [one for one in wanted.values() if one not in here]
            lacking = missing_objects(self.store, new, here, blobs=not squeezed)
            there_too = has_promises(self.store.folder)
            if there_too:  # it cannot give what was only promised to it
                lacking = [one for one in lacking if one.kind != "blob" or self.store.kind(one.id)]
            fetched = self._bring(store, lacking, promised=squeezed or there_too, progress=progress)
        else:
            linked = link_everything(self.store.folder / "objects", store.folder / "objects")
            fetched = Fetched(remote, (), len(linked.ids), linked.size)
            if progress:
                progress(linked.size)
        changed, notices = follow(store, name, wanted)
        return replace(fetched, remote=remote, changed=changed, notices=notices)

    def fetch_objects(self, store: GitStore, ids: Collection[str], *, progress: Progress | None = None) -> Fetched:
        """Bring single objects by their ids; those that are here already do not come again."""
        kinds = {wanted: self.store.kind(wanted) for wanted in ids if store.kind(wanted) is None}
        missing = [wanted for wanted, kind in kinds.items() if kind is None]
        if missing:
            raise NetworkError(
                str(self.address),
                f"it lacks {len(missing)} of the objects: {', '.join(missing[:3])}",
                f"calibvcs verify --repo {self.address}",
            )
        lacking = [Lacking(kind, wanted) for wanted, kind in kinds.items() if kind]
        return self._bring(store, lacking, promised=has_promises(store.folder), progress=progress)

    def push(self, store: GitStore, updates: Sequence[RefUpdate], *, progress: Progress | None = None) -> Pushed:
        """Bring objects to it, and move its refs."""
        path = str(self.store.folder.absolute())
        if shutil.which("git"):
            from calibvcs.store.remotes.network import NetworkRemote  # dulwich takes longer than most verbs

            return NetworkRemote(replace(self.address, path=path), self._timeout).push(
                store, updates, progress=progress
            )
        from calibvcs.store.remotes.direct_push import push_without_git

        return push_without_git(store, self.store, updates, str(self.address), progress)

    def _bring(
        self, store: GitStore, lacking: Sequence[Lacking], *, promised: bool, progress: Progress | None
    ) -> Fetched:
        return bring(self.store, store, lacking, str(self.address), promised=promised, progress=progress)


def bring(
    source: GitStore,
    target: GitStore,
    lacking: Sequence[Lacking],
    name: str,
    *,
    promised: bool,
    progress: Progress | None,
) -> Fetched:
    """Bring objects from one repository on this machine to another one.

    Large ones that are loose are linked, and hashed when they are first read; all others go into a pack, hashed.

    Raises
    ------
    DamagedObjectError, DamagedPackError
        If one is missing or damaged; nothing of the pack is kept.
    StorageError, NotWritableError
        If the disk refuses.
    """
    objects = target.folder / "objects"
    blobs = [one.id for one in lacking if one.kind == "blob"]
    linked = link_large(source.folder / "objects", objects, blobs)
    others = [one for one in lacking if one.id not in linked.ids]
    if progress and linked.size:
        progress(linked.size)

    def read(wanted: str) -> tuple[str, bytes] | None:
        return target.read_object(wanted) if target.kind(wanted) else None

    def count(size: int) -> None:
        if progress:
            progress(linked.size + size)

    def present(wanted: str) -> bool:
        return target.kind(wanted) is not None

    if not others:
        return Fetched(RemoteRefs({}, None), (), len(linked.ids), linked.size)
    with PackReceiver(objects, name, read, present, promised=promised, progress=count) as receiver:
        for chunk in pack_chunks(source, others):
            receiver.write(chunk)
        done = receiver.finish()
    return Fetched(RemoteRefs({}, None), (), len(linked.ids) + done.objects, linked.size + done.size, done.pack)
