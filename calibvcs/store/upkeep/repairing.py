"""Objects that are missing or damaged, brought back from other copies of the repository.

Nothing is trusted: whatever comes is hashed on its way. Nothing healthy is ever removed: a damaged file goes only when
all that stood in it can be read elsewhere, or is of no use to anybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from calibvcs.errors import DamagedObjectError, DamagedPackError
from calibvcs.store.durable import make_folders, sync_folder
from calibvcs.store.objects.compression import Chooser
from calibvcs.store.objects.local_objects import LocalObjects
from calibvcs.store.objects.loose_writing import path_of
from calibvcs.store.objects.new_file import NewFile
from calibvcs.store.objects.streams import is_sound, loose_stream
from calibvcs.store.packs.receiving import PackReceiver
from calibvcs.store.packs.stream import PackStream
from calibvcs.store.packs.writing import publish
from calibvcs.store.remotes.remote import has_promises
from calibvcs.store.upkeep.examining import examine
from calibvcs.store.upkeep.gathering import Gatherer
from calibvcs.store.upkeep.roots import roots_of
from calibvcs.store.upkeep.taking_away import take_pack_away
from calibvcs.store.upkeep.walking import Trouble, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from calibvcs.store.objects.local_objects import PackFile
    from calibvcs.store.objects.reading import Copy
    from calibvcs.store.upkeep.examining import Examination

_PIECE = 1 << 20
_MARKS = (".promisor", ".keep")


class Source(Protocol):
    """Another copy of the repository, or of a part of it."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        ...

    def objects(self, wanted: Mapping[str, bool]) -> AbstractContextManager[Path]:
        """Return an ``objects`` folder with as many of the wanted objects as can be had.

        Parameters
        ----------
        wanted : mapping of str to bool
            Ids, and of each whether it is to be asked for by its id; else all history is needed to find it.
        """
        ...


@dataclass(slots=True)
class Repair:
    """What was mended.

    Attributes
    ----------
    brought : dict of str to str
        Objects that came from another repository, and which.
    rewritten : list of str
        Packs that were damaged, and are written anew.
    indexed : list of str
        Packs whose index was damaged, and is made anew.
    removed : list of str
        Damaged loose files that are gone, as there is another copy or nobody needs one.
    lost : dict of str to Trouble
        Objects that could not be found anywhere.
    """

    brought: dict[str, str] = field(default_factory=dict)
    rewritten: list[str] = field(default_factory=list)
    indexed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    lost: dict[str, Trouble] = field(default_factory=dict)


class Repairing:
    """One repair of one repository; to change anything, its upkeep lock has to be held.

    Parameters
    ----------
    common : Path
        The Git folder.
    """

    def __init__(self, common: Path) -> None:
        self._common, self._objects = common, common / "objects"
        self._deflates = Chooser(common / "config")
        self._done = Repair()
        self._tried: set[str] = set()
        self._blobs: set[str] = set()
        self._complete = True

    def look(self) -> Repair:
        """Return what is missing or damaged and has no other copy here, as `lost`; nothing is changed."""
        with LocalObjects(self._objects) as local:
            examined = examine(local)
            self._done.lost = _needed(self._lacking(local, examined))
        self._done.indexed = [pack.path.name for pack in examined.unreadable]
        self._done.indexed += [pack.name for pack in self._without_index()]
        self._done.rewritten = [pack.path.name for pack in examined.packs]
        return self._done

    def run(self, sources: Sequence[Source]) -> Repair:
        """Mend what can be mended.

        Parameters
        ----------
        sources : sequence of Source
            Where objects may be found, the best first.

        Returns
        -------
        Repair
            What was done.

        Raises
        ------
        OSError
            If the disk refuses; nothing was lost then.
        """
        with LocalObjects(self._objects) as local:
            unreadable = [pack.path for pack in examine(local, indexes_only=True).unreadable]
        for path in (*unreadable, *self._without_index()):
            self._index_again(path)
        with LocalObjects(self._objects) as local:
            examined = examine(local)
            lacking = self._lacking(local, examined)
            while found := self._bring(lacking, sources):
                examined.sound |= found
                lacking = self._lacking(local, examined)
            self._done.lost = _needed(lacking)
            for wanted, file in examined.loose.items():
                if wanted in self._done.brought or self._is_of_use(wanted, examined):
                    continue
                file.path.unlink(missing_ok=True)
                self._done.removed.append(str(file.path.relative_to(self._objects)))
            for pack, bad in examined.packs.items():
                if not bad & self._done.lost.keys() and (self._complete or not bad - examined.sound):
                    self._rewrite(local, pack)
        return self._done

    def _is_of_use(self, wanted: str, examined: Examination) -> bool:
        """Tell whether a damaged loose file may still serve somebody who looks at it by hand."""
        return wanted not in examined.sound and (wanted in self._done.lost or not self._complete)

    def _without_index(self) -> list[Path]:
        found = sorted((self._objects / "pack").glob("pack-*.pack"))
        return [path for path in found if not path.with_suffix(".idx").exists()]

    def _lacking(self, local: LocalObjects, examined: Examination) -> dict[str, Trouble]:
        """Return what has no sound copy; those that nobody needs are needed by nothing."""
        roots, promises = roots_of(self._common), has_promises(self._common)
        walk = Walk(local.reader, roots.shallow)
        met: list[Trouble] = []
        walk.add(roots.needed.items(), met.append)
        self._complete = not met
        walk.add(roots.kept.items(), lambda _: None)
        damaged = examined.damaged()
        for wanted, path in walk.found.items():
            if wanted not in walk.kinds and wanted not in examined.sound and not _is_borrowed(local, wanted):
                self._blobs.add(wanted)
                reason = examined.reasons.get(wanted, "it is missing")
                met.append(Trouble(wanted, reason, path or "the index", missing=wanted not in damaged))
        found = {one.id: one for one in met if not (promises and one.missing)}
        spare = {one: Trouble(one, examined.reasons[one], "", missing=False) for one in sorted(damaged - found.keys())}
        return {**found, **spare}

    def _bring(self, lacking: Mapping[str, Trouble], sources: Sequence[Source]) -> set[str]:
        """Bring objects from the first source that has a sound copy; return which came."""
        left = {one: bool(trouble.by) for one, trouble in lacking.items() if one not in self._tried}
        self._tried.update(left)
        came: set[str] = set()
        for source in sources:
            wanted = {one: one in self._blobs or not is_needed for one, is_needed in left.items() if one not in came}
            if not wanted:
                break
            with source.objects(wanted) as folder, LocalObjects(folder) as other:
                for one in wanted:
                    if any(self._write(one, copy) for copy in other.all_copies(one)):
                        came.add(one)
                        self._done.brought[one] = source.name
        return came

    def _write(self, wanted: str, copy: Copy) -> bool:
        """Put a copy in the place of the loose file of an object; tell whether it was sound."""
        path = path_of(self._objects, wanted)
        make_folders(path.parent)
        try:
            with NewFile(self._objects, prefix="tmp_obj_", mode=0o444) as file:
                with loose_stream(copy, self._deflates) as stream:
                    for pieces in stream.pieces:
                        file.write([piece for piece in pieces if len(piece)])
                file.sync()
                file.rename(path)
        except (DamagedObjectError, FileNotFoundError):
            return False
        sync_folder(path.parent)
        return True

    def _index_again(self, pack: Path) -> None:
        """Make the index of a pack from the pack; where that is damaged too, both stay as they are."""
        promised = pack.with_suffix(".promisor").exists()
        try:
            with (
                PackReceiver(self._objects, str(pack), lambda _: None, lambda _: True, promised=promised) as receiver,
                pack.open("rb") as file,
            ):
                while data := file.read(_PIECE):
                    receiver.write(data)
                made = receiver.finish().pack
        except DamagedPackError:
            return
        if made is not None and made != pack:
            take_pack_away(pack, math.inf)
        self._done.indexed.append(pack.name)

    def _rewrite(self, local: LocalObjects, pack: PackFile) -> None:
        """Write a damaged pack anew, with all that it holds or should hold."""
        folder = self._objects / "pack"
        marks = {mark: path.read_bytes() for mark in _MARKS if (path := pack.path.with_suffix(mark)).exists()}
        with NewFile(folder, prefix="tmp_pack_", mode=0o444) as file:
            stream = PackStream(file, self._deflates)
            gatherer = Gatherer(stream, local.all_copies, self._deflates)
            gatherer.take(dict.fromkeys(pack.ids(), ""), {})
            if gatherer.damaged.keys() & self._done.lost.keys():
                return
            made = publish(file, folder, stream.places, stream.finish(), marks) if stream.places else None
        if made != pack.path:
            take_pack_away(pack.path, math.inf)
        self._done.rewritten.append(pack.path.name)


def _needed(lacking: Mapping[str, Trouble]) -> dict[str, Trouble]:
    return {one: trouble for one, trouble in lacking.items() if trouble.by}


def _is_borrowed(local: LocalObjects, wanted: str) -> bool:
    """Tell whether there is a sound copy in a folder that is borrowed from."""
    for copy in local.borrowed(wanted):
        try:
            return is_sound(copy)
        except (DamagedObjectError, FileNotFoundError):
            continue
    return False
