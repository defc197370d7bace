"""What every store can do; the Git store and its twin in memory behave alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calibvcs.model.commits import Commit, Signature, Tag

Buffers: TypeAlias = "Sequence[bytes | memoryview]"
"""The bytes of a blob in pieces, so that an array needs no copy to be written."""

FILE_MODE = 0o100644
TREE_MODE = 0o40000


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name in a tree: its mode and the id of what it names."""

    mode: int
    id: str

    @property
    def is_tree(self) -> bool:
        """Whether it names a folder."""
        return self.mode == TREE_MODE


class ReadableStore(Protocol):
    """Reading: no lock is taken, and what an id names never changes."""

    @property
    def memo(self) -> dict[str, object]:
        """What others derived from objects, which never change; it goes with the store."""
        ...

    @property
    def location(self) -> str:
        """Where it is, for people."""
        ...

    @property
    def branch(self) -> str:
        """Name of the branch that HEAD stands on."""
        ...

    def refs(self) -> Mapping[str, str]:
        """Return every ref with the id it stands on: ``refs/heads/main`` and so on, tags not peeled."""
        ...

    def tip(self) -> str | None:
        """Return the commit that the branch stands on; None while it has none."""
        ...

    def commit(self, commit_id: str) -> Commit:
        """Return a commit.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or no commit.
        """
        ...

    def tree(self, tree_id: str) -> Mapping[str, TreeEntry]:
        """Return the names in a tree.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or no tree.
        """
        ...

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob, its hash checked.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or no blob.
        """
        ...

    def blob_head(self, blob_id: str, length: int) -> tuple[bytes, int]:
        """Return the first bytes of a blob, and its whole size in bytes, reading as little as possible.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or no blob.
        """
        ...

    def blob_into(self, blob_id: str, begin: int, out: memoryview) -> None:
        """Read a blob, from some byte to its end, straight into memory; its hash is checked at the first time.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged, no blob, or not of this length.
        """
        ...

    def tag(self, name: str) -> Tag | None:
        """Return a tag, or None."""
        ...

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        ...

    def abbreviated(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits."""
        ...


class Store(ReadableStore, Protocol):
    """Writing: blobs first, then trees and commit, then the branch is moved if it still stands where it stood."""

    def put_blob(self, buffers: Buffers) -> str:
        """Write a blob durably and return its id; nothing refers to it yet."""
        ...

    def commit_edits(
        self, parent: str | None, edits: Mapping[str, str | None], text: str, author: Signature, committer: Signature
    ) -> str:
        """Write the trees and the commit that follow from edits of a parent, and move the branch to it.

        Parameters
        ----------
        parent : str or None
            Commit that the edits are made on; None for the first commit.
        edits : mapping of path to blob id
            Files to be set; None takes a file away.
        text : str
            Commit message.
        author, committer : Signature
            Who and when.

        Returns
        -------
        str
            Id of the new commit; when it is returned, everything is on disk.

        Raises
        ------
        BranchMovedError
            If the branch does not stand on `parent` any more; nothing is visible then.
        WriterBusyError
            If another writer holds the branch for longer than writers do.
        DirtyWorktreeError
            If a file of the worktree that would be replaced was edited by hand.
        """
        ...

    def create_tag(self, name: str, commit_id: str, text: str, tagger: Signature) -> Tag:
        """Write an annotated tag.

        Raises
        ------
        AlreadyExistsError
            If there is a tag of this name; it is never moved.
        """
        ...
