"""What an object database can do; the fast one and the plain one behave alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from calibvcs.store.protocol import Buffers

Verify: TypeAlias = Literal["first", "always", "never"]
"""When large contents are held against their hash: when a copy is read for the first time, always, or never."""


class Writer(Protocol):
    """Writing objects: each by itself, those of one change together, or many in a batch."""

    def put(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; in a batch it is on disk when that ends."""
        ...

    def write(self, contents: Iterable[tuple[str, Buffers]]) -> list[str]:
        """Write objects, each by its kind and content, and return their ids; then they are on disk, all before too."""
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Collect what is put, until `write` or the end."""
        ...


class Objects(Protocol):
    """Objects by their id: commits, trees, blobs and tags as bytes."""

    @property
    def writer(self) -> Writer:
        """What writes objects here."""
        ...

    def read(self, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of an object, its hash checked.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        ...

    def read_head(self, wanted: str, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of an object, reading as little as possible: no hash is checked.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        ...

    def read_into(self, wanted: str, begin: int, out: memoryview) -> str:
        """Read the content of an object, from some byte to its end, straight into memory; return its kind.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or of another length.
        """
        ...

    def blocks(self, wanted: str, kind: str, begin: int, size: int) -> Iterator[memoryview]:
        """Read the content of an object, from some byte to its end, block by block.

        What was yielded is to be trusted only when the iteration has ended.

        Parameters
        ----------
        wanted, kind : str
            Its id, and what it has to be.
        begin : int
            First byte that is wanted.
        size : int
            Bytes in a block; the last one may be shorter.

        Yields
        ------
        memoryview
            The next bytes, read-only, valid until the next block is asked for.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged, of another kind, or ends before `begin`.
        """
        ...

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        ...

    def beginning_with(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits, sorted."""
        ...

    def write(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; then it is on disk."""
        ...

    def close(self) -> None:
        """Give all files back."""
        ...
