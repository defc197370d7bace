"""An object in an open file, and how a large one comes from there into memory, without a copy in between."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.inflating import Inflating

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """One copy of an object, ready to be read; it is a context that gives its file back.

    Attributes
    ----------
    id, kind : str
        What it is said to be.
    size : int
        Its length in bytes, as the file claims.
    file : str
        Where it is, for people.
    descriptor : int
        The open file; this object's own.
    position : int
        Where its zlib stream begins.
    skipped : int
        How many bytes of the stream stand before the content.
    identity : tuple
        What is equal only for the same bytes on disk.
    """

    id: str
    kind: str
    size: int
    file: str
    descriptor: int
    position: int
    skipped: int
    identity: tuple[object, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read_into(self, begin: int, out: memoryview, *, check: bool) -> None:
        """Read the content, from some byte to its end, straight into memory.

        Parameters
        ----------
        begin : int
            First byte that is wanted.
        out : memoryview
            Where it goes, item size 1; exactly as long as what follows `begin`.
        check : bool
            Whether the hash is held against the id; the check sum of the stream always is.

        Raises
        ------
        DamagedObjectError
            If it is damaged, or not of this length.
        """
        if self.size != begin + len(out):
            raise self._damage(f"it has {self.size} bytes, expected are {begin + len(out)}")
        before = memoryview(bytearray(self.skipped + begin))
        try:
            stream = Inflating(self.descriptor, self.position)
            stream.fill(before)
            stream.fill(out)
            stream.finish()
        except (OSError, ValueError) as error:
            raise self._damage(str(error)) from None
        if check:
            digest = self._digest()
            digest.update(before[self.skipped :])
            digest.update(out)
            self._hold(digest)

    def blocks(self, begin: int, size: int, *, check: bool) -> Iterator[memoryview]:
        """Read the content, from some byte to its end, block by block into the same memory.

        Parameters
        ----------
        begin : int
            First byte that is wanted.
        size : int
            Bytes in a block; the last one may be shorter.
        check : bool
            Whether the hash is held against the id, at the end; the check sum of the stream always is.

        Yields
        ------
        memoryview
            The next bytes, valid until the next block is asked for.

        Raises
        ------
        DamagedObjectError
            If it is damaged, or ends before `begin`.
        """
        if begin > self.size:
            raise self._damage(f"it has {self.size} bytes, wanted are those from {begin} on")
        block = memoryview(bytearray(max(1, min(size, self.size))))
        digest = self._digest() if check else None
        try:
            stream = Inflating(self.descriptor, self.position)
            stream.fill(memoryview(bytearray(self.skipped)))
            place = 0
            while place < self.size:
                part = block[: (begin if place < begin else self.size) - place]
                stream.fill(part)
                if digest:
                    digest.update(part)
                if place >= begin:
                    yield part.toreadonly()
                place += len(part)
            stream.finish()
        except (OSError, ValueError) as error:
            raise self._damage(str(error)) from None
        if digest:
            self._hold(digest)

    def _digest(self) -> hashlib._Hash:
        return hashlib.sha1(f"{self.kind} {self.size}\0".encode(), usedforsecurity=False)

    def _hold(self, digest: hashlib._Hash) -> None:
        if digest.hexdigest() != self.id:
            raise self._damage("its content does not have this hash")

    def _damage(self, reason: str) -> DamagedObjectError:
        return DamagedObjectError(self.id, f"{self.file}: {reason}")
