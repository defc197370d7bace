"""What every store can do; the Git store and its twin in memory behave alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from calibvcs.model.commits import Commit, Signature, Signer, Tag
    from calibvcs.store.derived import DerivedData

Buffers: TypeAlias = "Sequence[bytes | memoryview]"
"""The bytes of a blob in pieces, so that an array needs no copy to be written."""

FILE_MODE = 0o100644
TREE_MODE = 0o40000


class TreeEntry(NamedTuple):
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
    def derived(self) -> DerivedData:
        """The same for longer than the process, where there is a place for it."""
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

    def tree_data(self, tree_id: str) -> bytes:
        """Return the bytes of a tree as Git stores them, sorted by name; their hash is checked.

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

    def blob_blocks(self, blob_id: str, begin: int, size: int) -> Iterator[memoryview]:
        """Read a blob, from some byte to its end, block by block, in little memory.

        What was yielded is to be trusted only when the iteration has ended: damage may show at the last byte, and the
        hash is checked at the end, if it was not checked before.

        Parameters
        ----------
        blob_id : str
            Which blob.
        begin : int
            First byte that is wanted.
        size : int
            Bytes in a block; the last one may be shorter.

        Yields
        ------
        memoryview
            The next bytes, item size 1, read-only; valid until the next block is asked for.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged, no blob, or ends before `begin`.
        """
        ...

    def clean_file(self, path: str, blob_id: str, size: int) -> memoryview | None:
        """Return a blob as a map of its file in a worktree, read-only; None where the file may hold something else.

        Parameters
        ----------
        path : str
            Path of the file.
        blob_id : str
            The blob that it has to hold.
        size : int
            Size of the blob in bytes.
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
        """Write a blob durably and return its id; nothing refers to it yet.

        In a `batch` it is on disk, and can be read, when the batch ends or `commit_edits` moves the branch.
        """
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Write many blobs, and the trees and the commit that follow, at once: much faster, and into one pack.

        The pack is finished, and on disk, before the first `commit_edits` in the ``with`` statement moves the branch,
        or when the statement ends. Until then nobody can read what was put, but it may be put again. When the branch
        had moved, the pack stays, and the next attempt finds its blobs. What is put after the first attempt is written
        as without a batch. An exception that leaves the statement before takes away all that was put.
        """
        ...

    def commit_edits(
        self,
        parent: str | None,
        edits: Mapping[str, str | None],
        text: str,
        author: Signature,
        committer: Signature,
        *,
        sign: Signer | None = None,
        merged: str | None = None,
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
        sign : callable, optional
            Returns the signature of the commit. Where it raises, no commit is written and nothing moves.
        merged : str, optional
            Commit that the new one merges: its second parent.

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

    def advance(self, parent: str, commit_id: str, reason: str, committer: Signature) -> None:
        """Move the branch to a commit that was made on it elsewhere.

        Parameters
        ----------
        parent : str
            Commit that the branch stands on.
        commit_id : str
            Commit that it will stand on; all that it refers to is here.
        reason : str
            Why, for the log of the branch.
        committer : Signature
            Who and when.

        Raises
        ------
        BranchMovedError, WriterBusyError, DirtyWorktreeError
            As for `commit_edits`.
        """
        ...

    def create_tag(
        self,
        name: str,
        target: str,
        text: str,
        tagger: Signature,
        *,
        kind: str = "commit",
        sign: Signer | None = None,
    ) -> Tag:
        """Write an annotated tag.

        Parameters
        ----------
        name : str
            Its name.
        target : str
            Id of the object that it stands on.
        text : str
            Its message, ending with a line feed.
        tagger : Signature
            Who and when.
        kind : {"commit", "tag"}, optional
            What it stands on.
        sign : callable, optional
            Returns the signature of the tag. Where it raises, nothing is written.

        Returns
        -------
        Tag
            The new tag.

        Raises
        ------
        AlreadyExistsError
            If there is a tag of this name; it is never moved.
        """
        ...
