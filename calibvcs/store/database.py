"""The objects of a repository, wherever they are: loose, in a pack, or borrowed from another repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store import loose, packed
from calibvcs.store.objects import object_id
from calibvcs.store.packs import Packs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dulwich.object_store import DiskObjectStore

    from calibvcs.store.protocol import Buffers


class ObjectDatabase:
    """Objects by their id; every content is held against its hash when it is read for the first time.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    fallback : dulwich.object_store.DiskObjectStore
        Reads what is unusual: borrowed objects, old index versions.
    """

    def __init__(self, objects: Path, fallback: DiskObjectStore) -> None:
        self._objects = objects
        self._fallback = fallback
        self._packs = Packs(objects)
        self._checked: set[str] = set()

    def read(self, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of an object.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        found = loose.read(self._objects, wanted)
        if found is not None:
            return found
        place = self._packs.find(wanted)
        found = place[0].read(place[1], wanted) if place else packed.read(self._fallback, wanted)
        if object_id(found[0], [found[1]]) != wanted:
            raise DamagedObjectError(wanted, "its content in the pack does not have this hash")
        return found

    def read_head(self, wanted: str, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of an object, reading as little as possible.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        found = loose.read_head(self._objects, wanted, length)
        if found is not None:
            return found
        place = self._packs.find(wanted)
        return (
            place[0].read_head(place[1], wanted, length) if place else packed.read_head(self._fallback, wanted, length)
        )

    def read_into(self, wanted: str, begin: int, out: memoryview) -> str:
        """Read the content of an object, from some byte to its end, straight into memory; return its kind.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or of another length.
        """
        check = wanted not in self._checked
        kind = loose.read_into(self._objects, wanted, begin, out, check=check)
        if kind is None:
            place = self._packs.find(wanted)
            kind = place[0].read_into(place[1], wanted, begin, out, check=check) if place else None
        if kind is None:
            kind, content = self.read(wanted)
            if len(content) != begin + len(out):
                raise DamagedObjectError(wanted, f"it has {len(content)} bytes, expected are {begin + len(out)}")
            out[:] = content[begin:]
        self._checked.add(wanted)
        return kind

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        found = loose.read_head(self._objects, wanted, 0)
        if found is None and (self._packs.find(wanted) or packed.contains(self._fallback, wanted)):
            found = self.read_head(wanted, 0)
        return found[0] if found else None

    def beginning_with(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits, sorted."""
        return packed.abbreviated(self._fallback, prefix)

    def write(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; then it is on disk."""
        return loose.write(self._objects, kind, buffers, self._packed)

    def close(self) -> None:
        """Give all maps back."""
        self._packs.close()

    def _packed(self, wanted: str) -> bool:
        return self._packs.find(wanted) is not None or packed.contains(self._fallback, wanted)
