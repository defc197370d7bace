"""``gc``: packs what is loose, merges packs, and removes what nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.store.upkeep.cleaning import clean_up

if TYPE_CHECKING:
    from calibvcs.store.git import GitStore

LEAST_GRACE = 3600.0
"""Seconds. A writer refers to what it wrote within minutes; whatever is younger than this may be about to be needed."""


@dataclass(frozen=True, slots=True)
class DamagedObject:
    """An object that could not be read: its id, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class GcResult:
    """What `gc` did.

    Attributes
    ----------
    packed : int
        Objects that went into new packs.
    packs : tuple of str
        Names of the new packs.
    merged : int
        Packs that they replaced.
    removed : int
        Objects that nobody needed and that are gone.
    kept : int
        Objects that nothing refers to, kept because they are young.
    temporary : int
        Files that killed writers had left and that are gone.
    before, after : int
        Bytes of all objects on disk.
    damaged : tuple of DamagedObject
        Objects of which no copy could be read; their files were left as they are.
    """

    schema: ClassVar[str] = "calibvcs.gc/1"

    packed: int
    packs: tuple[str, ...]
    merged: int
    removed: int
    kept: int
    temporary: int
    before: int
    after: int
    damaged: tuple[DamagedObject, ...]

    @property
    def sound(self) -> bool:
        """Whether all that was to be packed could be read."""
        return not self.damaged


def gc(store: GitStore, grace: float, *, everything: bool, dry_run: bool) -> GcResult:
    """Clean a repository up; readers and writers go on.

    Parameters
    ----------
    store : GitStore
        The repository.
    grace : float
        Seconds for which what nothing refers to stays.
    everything : bool
        Merge all packs, and not only when there are many.
    dry_run : bool
        Change nothing.

    Returns
    -------
    GcResult
        What was done.
    """
    done = clean_up(store.folder, grace, everything=everything, dry_run=dry_run)
    damaged = tuple(DamagedObject(*one) for one in sorted(done.damaged.items()))
    return GcResult(
        done.packed, done.packs, done.merged, done.removed, done.kept, done.temporary, done.before, done.after, damaged
    )
