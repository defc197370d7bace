"""Reading objects wherever they are: loose, in a pack, or borrowed; where one copy is damaged, the next one is read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects import loose_reading
from calibvcs.store.objects.alternates import alternates, file_of
from calibvcs.store.objects.loose_reading import LooseObject
from calibvcs.store.packs.folder import Packs
from calibvcs.store.packs.packed_object import PackedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias, TypeVar

    from dulwich.object_store import DiskObjectStore

    from calibvcs.store.objects.opened import OpenedObject
    from calibvcs.store.objects.plain import PlainObject
    from calibvcs.store.objects.protocol import Verify
    from calibvcs.store.packs.folder import UnreadableObject

    T = TypeVar("T")
    Copy: TypeAlias = LooseObject | PackedObject | UnreadableObject | PlainObject

_ID, _PREFIX = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{0,40}")
_ATTEMPTS = 10


class ObjectReader:
    """Objects by their id, read from the files of Git.

    The hash of a commit, a tree, a tag or a blob that is read as a whole is always checked.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    fallback : callable
        Returns dulwich's view of the same objects, which reads what is unusual: old index versions. It is called only
        when that happens.
    verify : {"first", "always", "never"}
        When the hash of what goes straight into memory or comes in blocks is checked. A copy that was checked is known
        by its place on disk, so that another copy is checked again. The Adler-32 of its stream is always checked.
    """

    def __init__(self, objects: Path, fallback: Callable[[], DiskObjectStore], verify: Verify = "first") -> None:
        self._objects = objects
        self._fallback = fallback
        self._verify = verify
        self._folders = [(objects, Packs(objects))]
        self._alternates_seen: int | None = None
        self._checked: set[tuple[str, tuple[object, ...]]] = set()

    def read(self, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of an object, its hash checked.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        return self._existing(wanted, lambda copy: copy.read())

    def read_head(self, wanted: str, length: int) -> tuple[str, bytes, int]:
        """Return kind, first bytes and whole size of an object, reading as little as possible: no hash is checked.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        return self._existing(wanted, lambda copy: copy.read_head(length))

    def read_into(self, wanted: str, begin: int, out: memoryview) -> str:
        """Read the content of an object, from some byte to its end, straight into memory; return its kind.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged or of another length.
        """

        def look(copy: Copy) -> str:
            opened = copy.open()
            if opened is None:
                kind, content = copy.read()
                if len(content) != begin + len(out):
                    raise DamagedObjectError(wanted, f"it has {len(content)} bytes, expected are {begin + len(out)}")
                out[:] = memoryview(content)[begin:]
                return kind
            with opened:
                check = self._must_check(opened)
                opened.read_into(begin, out, check=check)
                self._remember(opened, check=check)
            return opened.kind

        return self._existing(wanted, look)

    def blocks(self, wanted: str, kind: str, begin: int, size: int) -> Iterator[memoryview]:
        """Read the content of an object, from some byte to its end, block by block.

        Raises
        ------
        DamagedObjectError
            If it is missing, damaged, of another kind, or ends before `begin`.
        """
        found = self._existing(wanted, lambda copy: copy.open() or copy.read())
        if isinstance(found, tuple):
            _of_kind(wanted, found[0], kind)
            content = memoryview(found[1])
            if begin > len(content):
                raise DamagedObjectError(wanted, f"it has {len(content)} bytes, wanted are those from {begin} on")
            for place in range(begin, len(content), size):
                yield content[place : place + size]
            return
        with found:
            _of_kind(wanted, found.kind, kind)
            check = self._must_check(found)
            yield from found.blocks(begin, size, check=check)
            self._remember(found, check=check)

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        found = self._look(wanted, lambda copy: copy.read_head(0))
        return found[0] if found else None

    def beginning_with(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits, sorted."""
        if not _PREFIX.fullmatch(prefix):
            return []
        found: set[str] = set()
        for objects, packs in self._all_folders():
            packs.refresh()
            found.update(loose_reading.beginning_with(objects, prefix), packs.beginning_with(prefix))
        if self._is_unusual():
            from calibvcs.store.objects import plain

            found.update(plain.beginning_with(self._fallback(), prefix))
        return sorted(found)

    def elsewhere(self, wanted: str) -> Path | None:
        """Return the file that holds an object which is not loose here: a pack, or a file of an alternate."""
        for _ in range(_ATTEMPTS):
            before = self._changes
            for copy in self._copies(wanted, loose_here=False):
                if isinstance(copy, PackedObject) and copy.pack.path.exists():  # a clean-up may have taken it away
                    return copy.pack.path
                if isinstance(copy, LooseObject) and os.path.exists(copy.file):  # noqa: PTH110 - hot
                    return Path(copy.file)
            self._refresh()
            if self._changes == before:
                break
        if self._is_unusual():
            from calibvcs.store.objects import plain

            return plain.pack_of(self._fallback(), wanted)
        return None

    def close(self) -> None:
        """Give all files back."""
        for _, packs in self._folders:
            packs.close()

    def _existing(self, wanted: str, look: Callable[[Copy], T]) -> T:
        found = self._look(wanted, look)
        if found is None:
            damaged = [path for _, packs in self._folders for path in packs.damaged_indexes()]
            why = f"; damaged is {', '.join(damaged)}" if damaged else ""
            raise DamagedObjectError(wanted, f"it is missing in {self._objects}{why}")
        return found

    def _look(self, wanted: str, look: Callable[[Copy], T]) -> T | None:
        """Return what the first sound copy of an object gives; None where there is none at all."""
        damage: DamagedObjectError | None = None
        for _ in range(_ATTEMPTS):
            before = self._changes
            for copy in self._copies(wanted):
                try:
                    return look(copy)
                except FileNotFoundError:  # not loose, or packed anew meanwhile
                    continue
                except DamagedObjectError as error:
                    damage = damage or error
            self._refresh()
            if self._changes == before:
                break
        if self._is_unusual():
            from calibvcs.store.objects.plain import PlainObject

            try:
                return look(PlainObject(wanted, self._fallback()))
            except FileNotFoundError:
                pass
            except DamagedObjectError as error:
                damage = damage or error
        if damage is not None:
            raise damage
        return None

    def _copies(self, wanted: str, *, loose_here: bool = True) -> Iterator[Copy]:
        if _ID.fullmatch(wanted):  # else it is the name of a tag, say
            for objects, packs in self._all_folders():
                if loose_here or objects is not self._objects:
                    yield LooseObject.at(objects, wanted)
                yield from packs.copies(wanted)

    def _all_folders(self) -> Iterator[tuple[Path, Packs]]:
        """Yield the own folder, then those that are borrowed from, which are looked up only when they are needed."""
        yield self._folders[0]
        try:
            written = file_of(self._objects).stat().st_mtime_ns
        except OSError:
            return
        if written != self._alternates_seen:
            known = dict(self._folders[1:])
            self._folders[1:] = [(folder, known.get(folder) or Packs(folder)) for folder in alternates(self._objects)]
            self._alternates_seen = written
        yield from self._folders[1:]

    def _refresh(self) -> None:
        for _, packs in self._folders:
            packs.refresh()

    @property
    def _changes(self) -> int:
        """Count how often packs came or went: another thread may have seen it first."""
        return sum(packs.changes for _, packs in self._folders) + len(self._folders)

    def _is_unusual(self) -> bool:
        return any(packs.unusual for _, packs in self._folders)

    def _must_check(self, opened: OpenedObject) -> bool:
        known = self._verify == "first" and (opened.id, opened.identity) in self._checked
        return self._verify != "never" and not known

    def _remember(self, opened: OpenedObject, *, check: bool) -> None:
        if check:
            self._checked.add((opened.id, opened.identity))


def _of_kind(wanted: str, found: str, kind: str) -> None:
    if found != kind:
        raise DamagedObjectError(wanted, f"it is a {found}, not a {kind}")
