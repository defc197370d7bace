"""One object in a pack, as one of the copies that a repository has of it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.store.objects.opened import OpenedObject
    from calibvcs.store.packs.reading import Pack


@dataclass(frozen=True, slots=True)
class PackedObject:
    """One object in a pack.

    Attributes
    ----------
    id : str
        Id of the object.
    pack : Pack
        Where it is.
    offset : int
        Where it begins there.
    """

    id: str
    pack: Pack
    offset: int

    def read(self) -> tuple[str, bytes]:
        """Return kind and content, the hash checked.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If the pack was taken away meanwhile.
        """
        with _told(self.id, self.pack.path):
            kind, content = self.pack.read(self.offset)
            if object_id(kind, [content]) != self.id:
                raise ValueError("its content does not have this hash")
            return kind, content

    def read_head(self, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size, reading as little as possible.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If the pack was taken away meanwhile.
        """
        with _told(self.id, self.pack.path):
            return self.pack.read_head(self.offset, length)

    def size(self) -> tuple[str, int]:
        """Return kind and size in bytes, inflating no more than the head of a delta.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If the pack was taken away meanwhile.
        """
        with _told(self.id, self.pack.path):
            return self.pack.size(self.offset)

    def open(self) -> OpenedObject | None:
        """Open it, to be read in pieces; None for a delta.

        Raises
        ------
        DamagedObjectError
            If it is damaged.
        FileNotFoundError
            If the pack was taken away meanwhile.
        """
        with _told(self.id, self.pack.path):
            return self.pack.open(self.offset, self.id)


@contextmanager
def _told(wanted: str, file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ESTALE:  # taken away by another machine
            raise FileNotFoundError(str(file)) from None
        raise DamagedObjectError(wanted, f"{file}: {error}") from None
