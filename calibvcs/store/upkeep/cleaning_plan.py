"""What a clean-up of a repository will do: which objects go into a new pack, and which nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.store.remotes.remote import has_promises
from calibvcs.store.upkeep.roots import roots_of
from calibvcs.store.upkeep.walking import Walk, raised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from calibvcs.store.objects.local_objects import LocalObjects, LooseFile, PackFile
    from calibvcs.store.upkeep.walking import Trouble

LARGEST_MERGED = 4 << 30
"""Packs of this size and more, in bytes, are not merged with others: that would cost more than many packs do."""

_WASTE = 10
_GRACE = "the time of grace"


@dataclass(frozen=True, slots=True)
class PackPlan:
    """A pack to be written.

    Attributes
    ----------
    objects : dict of str to str
        Ids and paths of what goes into it, the newest first.
    merged : tuple of PackFile
        Packs that it replaces.
    """

    objects: Mapping[str, str]
    merged: tuple[PackFile, ...]


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """All that is to be done.

    Attributes
    ----------
    own, promised : PackPlan
        The pack of what was made here, and that of what came from a remote that promised the rest.
    loose : dict of str to LooseFile
        The loose files of what is needed.
    garbage : dict of str to LooseFile or None
        What nobody needs: its loose file, or None where it is only in packs.
    kept : int
        Number of objects that nothing refers to, and that are kept because they are young or follow from what is.
    walk : Walk
        What is needed or kept.
    """

    own: PackPlan
    promised: PackPlan
    loose: Mapping[str, LooseFile]
    garbage: Mapping[str, LooseFile | None]
    kept: int
    walk: Walk

    @property
    def bytes(self) -> int:
        """Bytes that new packs will take at most, but for what is deflated less well."""
        packed = sum(self.loose[one].size for one in self.own.objects if one in self.loose)
        return packed + sum(pack.size for plan in (self.own, self.promised) for pack in plan.merged)


def plan_cleaning(
    local: LocalObjects,
    common: Path,
    *,
    before: float,
    most_packs: int,
    everything: bool = False,
    dropped: frozenset[str] = frozenset(),
) -> CleaningPlan:
    """Look through a repository, and say what is to be done; nothing is changed.

    Parameters
    ----------
    local : LocalObjects
        Its objects.
    common : Path
        Its Git folder.
    before : float
        What nothing refers to goes only if nobody needed it since; UNIX seconds.
    most_packs : int
        From how many packs on they are merged.
    everything : bool, optional
        Merge all packs, how many or large they may be.
    dropped : frozenset of str, optional
        Objects in packs of a remote that are to leave, though something refers to them: the remote has them.

    Returns
    -------
    CleaningPlan
        The plan.

    Raises
    ------
    DamagedObjectError
        If something that is needed is missing or damaged: what follows from it is not known, so nothing may go.
    DamagedRepositoryError
        If an index cannot be read.
    """
    roots = roots_of(common)
    walk = Walk(local.reader, roots.shallow)
    promises = has_promises(common)
    walk.add(roots.needed.items(), _unless_promised if promises else None)
    walk.add(roots.kept.items(), _ignored)
    loose = {file.id: file for file in local.loose()}
    packs = [pack for pack in local.packs() if not pack.fixed]
    own = [pack for pack in packs if not pack.promisor]
    ids = {pack: pack.ids() for pack in own}
    used: dict[str, float] = {one: file.used for one, file in loose.items() if one not in walk.found}
    for pack in own:
        for one in ids[pack]:
            if one not in walk.found:
                used[one] = max(used.get(one, 0.0), pack.used)
    walk.add(((one, _GRACE) for one, last in used.items() if last >= before), _ignored)
    garbage = {one: loose.get(one) for one in used if one not in walk.found}
    needed = {one: file for one, file in loose.items() if one in walk.found and one not in used}
    merged = _merged(own, most_packs, everything=everything)
    merged += [pack for pack in own if pack not in merged and _is_wasteful(pack, ids[pack], garbage)]
    taken = {one for pack in merged for one in ids[pack] if one not in garbage}
    lone = {one for one in needed if next(local.packed(one), None) is None}
    theirs = [pack for pack in packs if pack.promisor]
    promised = _merged(theirs, most_packs, everything=everything)
    promised += [pack for pack in theirs if pack not in promised and not dropped.isdisjoint(pack.ids())]
    from_promised = [one for pack in promised for one in pack.ids() if one not in dropped]
    return CleaningPlan(
        PackPlan(_ordered(walk, taken | lone), tuple(merged)),
        PackPlan(_ordered(walk, set(from_promised)), tuple(promised)),
        needed,
        garbage,
        len(used) - len(garbage),
        walk,
    )


def _merged(packs: Sequence[PackFile], most: int, *, everything: bool) -> list[PackFile]:
    if everything:
        return list(packs)
    small = [pack for pack in packs if pack.size < LARGEST_MERGED]
    return small if len(packs) > most and len(small) > 1 else []


def _is_wasteful(pack: PackFile, ids: Iterable[str], garbage: Mapping[str, object]) -> bool:
    """Tell whether a tenth of a pack or more is of no use."""
    ordered = list(ids)
    ends = [*(pack.offset(one) for one in ordered[1:]), pack.size]
    waste = sum(end - pack.offset(one) for one, end in zip(ordered, ends, strict=True) if one in garbage)
    return waste * _WASTE >= pack.size


def _ordered(walk: Walk, wanted: set[str]) -> dict[str, str]:
    """Return objects in the order in which the walk found them, then those that it did not."""
    known = {one: path for one, path in walk.found.items() if one in wanted}
    return {**known, **dict.fromkeys(sorted(wanted - known.keys()), "")}


def _ignored(trouble: Trouble) -> None:
    """Go on: what is only kept need not be there."""


def _unless_promised(trouble: Trouble) -> None:
    if not trouble.missing:
        raised(trouble)
