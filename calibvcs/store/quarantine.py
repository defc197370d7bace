"""A repository in the middle of a push: the objects that came in stand in a folder of their own until it is accepted.

Git hands that folder to its hooks as ``GIT_OBJECT_DIRECTORY``. It borrows from the ``objects`` of the repository, which
its ``info/alternates`` does not say: Git says it in the environment too, but it is always so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.git import GitStore
from calibvcs.store.objects.alternates import alternates
from calibvcs.store.objects.database import ObjectDatabase
from calibvcs.store.packs.folder import Packs
from calibvcs.store.packs.packed_object import PackedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dulwich.object_store import DiskObjectStore

    from calibvcs.store.objects.protocol import Objects, Verify
    from calibvcs.store.objects.reading import Copy

_FOLDER = "GIT_OBJECT_DIRECTORY"


def incoming_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the objects that come in; None where Git tells of none.

    Parameters
    ----------
    environment : mapping of str to str
        Variables that Git gave to its hook.
    """
    given = environment.get(_FOLDER)
    return Path(given).absolute() if given else None


class IncomingStore(GitStore):
    """The repository of a hook: what stands in it, and what a push wants to bring.

    Parameters
    ----------
    path : Path
        The repository.
    incoming : Path or None
        Folder of the objects that come in; None where they stand in the repository already.

    Raises
    ------
    NoRepositoryError
        If there is no Git repository.
    DamagedRepositoryError
        If it cannot be opened, or is of a kind that is not known here.
    """

    def __init__(self, path: Path, incoming: Path | None = None) -> None:
        self._incoming = incoming
        super().__init__(path)

    def _objects(self, *, plain: bool, verify: Verify) -> Objects:  # noqa: ARG002 - no hook reads with dulwich alone
        permanent = self._folder / "objects"
        self._all = _IncomingObjects(self._incoming or permanent, permanent, self._as_dulwich_reads, verify)
        return self._all

    def size(self, wanted: str) -> tuple[str, int]:
        """Return kind and size in bytes of an object, without inflating it.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        return self._all.size(wanted)

    def content(self, wanted: str, most: int) -> tuple[str, bytes]:
        """Return kind and content of an object, its hash checked; nothing is inflated of one that is too large.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or too large.
        """
        kind, size = self.size(wanted)
        if size > most:
            raise DamagedObjectError(wanted, f"it is a {kind} of {size} bytes; at most {most} are read")
        return self._all.read(wanted)

    def is_stored(self, wanted: str) -> bool:
        """Tell whether an object stood in the repository before the push."""
        return self._all.is_stored(wanted)


class _IncomingObjects(ObjectDatabase):
    """Objects of a push, of its repository, and of those that this one borrows from."""

    def __init__(
        self, incoming: Path, permanent: Path, fallback: Callable[[], DiskObjectStore], verify: Verify
    ) -> None:
        super().__init__(incoming, fallback, verify=verify)
        lenders = (permanent, *alternates(permanent))
        self._permanent = [(folder, Packs(folder)) for folder in lenders if folder != incoming]
        self._folders.extend(self._permanent)
        self._permanent = self._permanent if incoming != permanent else self._folders

    def size(self, wanted: str) -> tuple[str, int]:
        """Return kind and size of an object, without inflating it."""
        return self._existing(wanted, _size)

    def is_stored(self, wanted: str) -> bool:
        """Tell whether an object stands in a folder that was there before the push."""
        for folder, packs in self._permanent:
            packs.refresh()
            loose = f"{folder}/{wanted[:2]}/{wanted[2:]}"
            if os.path.exists(loose) or any(packs.copies(wanted)):  # noqa: PTH110 - hot
                return True
        return False

    def _all_folders(self) -> Iterator[tuple[Path, Packs]]:
        yield from self._folders


def _size(copy: Copy) -> tuple[str, int]:
    if isinstance(copy, PackedObject):
        return copy.size()
    kind, _, size = copy.read_head(0)
    return kind, size
