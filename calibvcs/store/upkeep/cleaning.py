"""Cleaning a repository up: what is needed goes into packs, what nobody needs goes away, and nobody notices.

The order is what makes it safe. New packs are on disk and visible before anything goes; a file goes only when each
object in it was read from there, its hash checked, and stands in a new pack, or is of no use to anybody; and what is of
use to nobody is looked at once more when it goes. A clean-up that is killed leaves some objects there twice.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError, StorageError
from calibvcs.store.configuration import settings
from calibvcs.store.durable import disk_errors, sync_folder, write_file
from calibvcs.store.objects.compression import Chooser
from calibvcs.store.objects.local_objects import LocalObjects
from calibvcs.store.objects.new_file import NewFile
from calibvcs.store.objects.streams import is_sound
from calibvcs.store.packs.stream import PackStream
from calibvcs.store.packs.writing import publish
from calibvcs.store.refs.moving import clear_dead_locks
from calibvcs.store.upkeep.cleaning_plan import plan_cleaning
from calibvcs.store.upkeep.gathering import Gatherer
from calibvcs.store.upkeep.lock import upkeep_lock
from calibvcs.store.upkeep.roots import roots_of
from calibvcs.store.upkeep.taking_away import put_back, remove_temporary, take_away, take_pack_away, temporary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from calibvcs.store.objects.local_objects import PackFile
    from calibvcs.store.upkeep.cleaning_plan import CleaningPlan, PackPlan

MOST_PACKS = 50
"""With more packs than this, every look-up is slower; Git begins to merge them here too."""

_LIMIT = "gc.autopacklimit"
_ARRAY = b"\x93NUMPY"
_NOTHING_IS_OLD = 0.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up did, or would do.

    Attributes
    ----------
    packed : int
        Objects in new packs.
    packs : tuple of str
        Names of the new packs.
    merged : int
        Packs that they replaced.
    removed : int
        Objects that nobody needs and that are gone.
    kept : int
        Objects that nothing refers to, and that are kept because somebody may be about to.
    temporary : int
        Files that killed writers had left and that are gone.
    before, after : int
        Bytes of all objects on disk.
    damaged : dict of str to str
        Objects of which no copy could be read, and why; their files were left as they are.
    """

    packed: int
    packs: tuple[str, ...]
    merged: int
    removed: int
    kept: int
    temporary: int
    before: int
    after: int
    damaged: Mapping[str, str]


def clean_up(common: Path, grace: float, *, everything: bool = False, dry_run: bool = False) -> Cleaned:
    """Pack what is loose, merge packs where there are many, and remove what nobody needs.

    Parameters
    ----------
    common : Path
        The Git folder.
    grace : float
        Seconds for which an object stays that nothing refers to.
    everything : bool, optional
        Merge all packs.
    dry_run : bool, optional
        Change nothing.

    Returns
    -------
    Cleaned
        What was done.

    Raises
    ------
    WriterBusyError
        If another clean-up is at work.
    DamagedObjectError, DamagedRepositoryError
        If something that is needed is missing or damaged; nothing was changed then.
    StorageError, NotWritableError
        If the disk is full, fails or is read-only; nothing was lost then.
    """
    before = time.time() - grace
    if dry_run:
        with LocalObjects(common / "objects") as local:
            return _Cleaning(common, local, before, everything=everything).told()
    with upkeep_lock(common), disk_errors(common / "objects"):
        put_back(common / "objects")
        with LocalObjects(common / "objects") as local:
            return _Cleaning(common, local, before, everything=everything).run()


def free(common: Path, keep: Iterable[str]) -> int:
    """Let arrays go that a remote sent and has: whoever asks for one brings it again. What was made here stays.

    Parameters
    ----------
    common : Path
        The Git folder of a squeezed clone.
    keep : iterable of str
        Ids of the arrays that stay.

    Returns
    -------
    int
        Bytes that the disk has more.

    Raises
    ------
    WriterBusyError, DamagedObjectError, DamagedRepositoryError, StorageError, NotWritableError
        As for `clean_up`.
    """
    with upkeep_lock(common), disk_errors(common / "objects"):
        put_back(common / "objects")
        with LocalObjects(common / "objects") as local:
            dropped = frozenset(_promised_arrays(local)).difference(keep)
            if not dropped:
                return 0
            done = _Cleaning(common, local, _NOTHING_IS_OLD, dropped=dropped).run()
            return max(done.before - done.after, 0)


def _promised_arrays(local: LocalObjects) -> Iterator[str]:
    for pack in local.packs():
        for one in pack.ids() if pack.promisor and not pack.fixed else ():
            kind, begin, _ = pack.copy(one).read_head(len(_ARRAY))
            if kind == "blob" and begin.startswith(_ARRAY):
                yield one


class _Cleaning:
    def __init__(
        self,
        common: Path,
        local: LocalObjects,
        before: float,
        *,
        everything: bool = False,
        dropped: frozenset[str] = frozenset(),
    ) -> None:
        self._common, self._local, self._before = common, local, before
        self._objects = common / "objects"
        limit = settings(common / "config").get(_LIMIT, "")
        most = int(limit) if limit.isdigit() else MOST_PACKS
        self._size = _size(self._objects)
        self._plan: CleaningPlan = plan_cleaning(
            local, common, before=before, most_packs=most, everything=everything, dropped=dropped
        )
        self._garbage, self._dropped = set(self._plan.garbage), dropped
        self._damaged: dict[str, str] = {}
        self._in_new: set[str] = set()
        self._packs: list[Path] = []

    def told(self) -> Cleaned:
        """Return what would be done; the sizes are those of now."""
        plan = self._plan
        packs = sum(bool(one.objects) for one in (plan.own, plan.promised))
        objects = len(plan.own.objects) + len(plan.promised.objects)
        merged = len(plan.own.merged) + len(plan.promised.merged)
        left = len(temporary(self._objects, self._before))
        names = ("to be written",) * packs
        return Cleaned(objects, names, merged, len(plan.garbage), plan.kept, left, self._size, self._size, {})

    def run(self) -> Cleaned:
        self._hold_room()
        self._gather(self._plan.own, {})
        self._gather(self._plan.promised, {".promisor": b""})
        self._look_again()
        merged = self._replace([*self._plan.own.merged, *self._plan.promised.merged])
        self._remove_doubles()
        removed = self._remove_garbage()
        left = len(remove_temporary(self._objects, self._before)) + len(clear_dead_locks(self._common))
        self._tell_dumb_servers()
        names = tuple(pack.name for pack in self._packs)
        kept, after = self._plan.kept, _size(self._objects)
        return Cleaned(len(self._in_new), names, merged, removed, kept, left, self._size, after, self._damaged)

    def _hold_room(self) -> None:
        """Refuse before hours of work, and before others find the disk full."""
        needed, free = self._plan.bytes, shutil.disk_usage(self._objects).free
        if needed > free:
            raise StorageError(str(self._objects), f"only {free} bytes are free", needed)

    def _gather(self, plan: PackPlan, marks: Mapping[str, bytes]) -> None:
        if not plan.objects:
            return
        folder = self._objects / "pack"
        deflates = Chooser(self._common / "config")
        with NewFile(folder, prefix="tmp_pack_", mode=0o444) as file:
            stream = PackStream(file, deflates)
            gatherer = Gatherer(stream, self._local.copies, deflates)
            gatherer.take(plan.objects, self._plan.walk.kinds)
            self._damaged.update(gatherer.damaged)
            if stream.places:
                self._packs.append(publish(file, folder, stream.places, stream.finish(), marks))
                self._in_new.update(stream.places)

    def _look_again(self) -> None:
        """Spare what somebody began to refer to while packs were written."""
        roots = roots_of(self._common)
        walk = self._plan.walk
        walk.add([*roots.needed.items(), *roots.kept.items()], lambda _: None)
        self._garbage -= walk.found.keys()
        if self._garbage:  # Git's graph may name commits that will be gone
            (self._objects / "info" / "commit-graph").unlink(missing_ok=True)
            shutil.rmtree(self._objects / "info" / "commit-graphs", ignore_errors=True)

    def _replace(self, packs: Iterable[PackFile]) -> int:
        """Take packs away of which every object stands in a new one, or is of no use."""
        gone = 0
        for pack in packs:
            if pack.path not in self._packs and not set(pack.ids()) - self._in_new - self._garbage - self._dropped:
                gone += take_pack_away(pack.path, pack.used)
        sync_folder(self._objects / "pack")
        return gone

    def _remove_doubles(self) -> None:
        """Remove the loose files of what is in a pack, where that copy is sound."""
        for wanted, file in self._plan.loose.items():
            if wanted in self._in_new or self._is_packed_well(wanted):
                file.path.unlink(missing_ok=True)
                self._drop(file.path.parent)

    def _is_packed_well(self, wanted: str) -> bool:
        for copy in self._local.packed(wanted):
            with suppress(DamagedObjectError, FileNotFoundError):
                return is_sound(copy)
        return False

    def _remove_garbage(self) -> int:
        removed = 0
        for wanted in sorted(self._garbage):
            file = self._plan.garbage[wanted]
            if file is not None and take_away(file.path, wanted, self._objects, file.used):
                self._drop(file.path.parent)
            removed += next(self._local.copies(wanted), None) is None
        return removed

    @staticmethod
    def _drop(folder: Path) -> None:
        with suppress(OSError):  # it is not empty
            folder.rmdir()

    def _tell_dumb_servers(self) -> None:
        listed = self._objects / "info" / "packs"
        if listed.exists():
            names = sorted(path.name for path in (self._objects / "pack").glob("pack-*.pack"))
            write_file(listed, ["".join(f"P {name}\n" for name in names).encode() + b"\n"])


def _size(objects: Path) -> int:
    sizes = 0
    for path in objects.rglob("*"):
        with suppress(FileNotFoundError):
            sizes += path.stat().st_size if path.is_file() else 0
    return sizes
