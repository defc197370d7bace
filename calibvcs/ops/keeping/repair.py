"""``repair``: brings back what is missing or damaged, from other copies of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.store.durable import disk_errors
from calibvcs.store.upkeep.lock import upkeep_lock
from calibvcs.store.upkeep.repair_sources import source_of
from calibvcs.store.upkeep.repairing import Repairing
from calibvcs.store.upkeep.taking_away import put_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.store.git import GitStore


@dataclass(frozen=True, slots=True)
class Brought:
    """An object that came back: its id, and from where."""

    id: str
    source: str


@dataclass(frozen=True, slots=True)
class Lost:
    """An object that was not found anywhere.

    Attributes
    ----------
    id : str
        The object.
    needed_by : str
        Its path in a commit, or what refers to it.
    reason : str
        What is wrong with it here.
    """

    id: str
    needed_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What `repair` found and mended.

    Attributes
    ----------
    brought : tuple of Brought
        Objects that came back.
    rewritten : tuple of str
        Damaged packs that were written anew.
    indexed : tuple of str
        Packs whose index was missing or damaged, and was made anew.
    removed : tuple of str
        Damaged files that went: there is another copy, or nobody needs one.
    lost : tuple of Lost
        Objects that were not found; their files were left as they are.
    """

    schema: ClassVar[str] = "calibvcs.repair/1"

    brought: tuple[Brought, ...]
    rewritten: tuple[str, ...]
    indexed: tuple[str, ...]
    removed: tuple[str, ...]
    lost: tuple[Lost, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is lost."""
        return not self.lost


def repair(store: GitStore, sources: Sequence[str], *, dry_run: bool) -> RepairResult:
    """Read every copy of every object, and bring back what cannot be read.

    Parameters
    ----------
    store : GitStore
        The repository.
    sources : sequence of str
        Where to look for it, the best first: names of remotes, addresses or paths.
    dry_run : bool
        Only look; the sources are not asked.

    Returns
    -------
    RepairResult
        What was mended, and what is lost.
    """
    given = [source_of(source, store.folder) for source in sources]
    repairing = Repairing(store.folder)
    with disk_errors(store.folder / "objects"):
        if dry_run:
            done = repairing.look()
        else:
            with upkeep_lock(store.folder):
                put_back(store.folder / "objects")
                done = repairing.run(given)
    brought = tuple(Brought(*one) for one in sorted(done.brought.items()))
    lost = tuple(Lost(trouble.id, trouble.by, trouble.reason) for _, trouble in sorted(done.lost.items()))
    return RepairResult(brought, tuple(done.rewritten), tuple(done.indexed), tuple(done.removed), lost)
