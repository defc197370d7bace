"""A conflict as a person has to see it: who changed what on each side, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import CalibvcsError
from calibvcs.model.three_way import Side
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.diff import diff
from calibvcs.ops.tagging.standing import Standings
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.three_way import Conflict
    from calibvcs.ops.diff import ConstantDifference
    from calibvcs.ops.merges.merging import Merged
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class SideOfConflict:
    """What stands on one side, and the commit that made it so.

    Attributes
    ----------
    value : str
        Values of a row or entry as text, or the id of a folder or file; empty where there is nothing.
    version : str
        For a constant: the version that is the default there, as that side counts.
    commit, author, email, date, subject : str
        The last commit that changed it: id, who, when (ISO 8601) and why.
    difference : ConstantDifference or None
        For a constant: this side minus what both started from; None where one of the two is not there.
    trouble : str
        Why there is no difference, where data cannot be read.
    """

    value: str
    version: str
    commit: str
    author: str
    email: str
    date: str
    subject: str
    difference: ConstantDifference | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ConflictDescription:
    """A conflict, described.

    Attributes
    ----------
    kind, name : str
        As in `Conflict`.
    base : str
        What stood there where the histories parted; empty where there was nothing.
    ours, theirs : SideOfConflict
        The two sides.
    apart : ConstantDifference or None
        For a constant that is there on both sides: theirs minus ours.
    """

    schema: ClassVar[str] = "calibvcs.conflict/1"

    kind: str
    name: str
    base: str
    ours: SideOfConflict
    theirs: SideOfConflict
    apart: ConstantDifference | None = None


def describe(store: ReadableStore, merged: Merged, conflict: Conflict) -> ConflictDescription:
    """Describe a conflict; of a constant, its data are read and compared.

    Parameters
    ----------
    store : ReadableStore
        Where both sides are.
    merged : Merged
        The merge that the conflict is of.
    conflict : Conflict
        One of its conflicts, open or settled.

    Returns
    -------
    ConflictDescription
        Who, why, and the differences.

    Raises
    ------
    DamagedObjectError
        If a commit or tree is missing or damaged; missing payloads are told as trouble.
    """
    looking = _Looking(store, merged, conflict)
    ours, theirs = looking.side(Side.OURS), looking.side(Side.THEIRS)
    apart, _ = looking.difference(merged.ours, merged.theirs)
    return ConflictDescription(conflict.kind, conflict.name, conflict.base, ours, theirs, apart)


class _Looking:
    def __init__(self, store: ReadableStore, merged: Merged, conflict: Conflict) -> None:
        self._store = store
        self._conflict = conflict
        self._tips = {Side.OURS: merged.ours, Side.THEIRS: merged.theirs}
        self._standings = Standings(store, merged.ours, merged.theirs)
        self._base = next((base for base in merged.bases if self._has(base)), None)

    def side(self, side: Side) -> SideOfConflict:
        change = self._standings.change(self._conflict, side)
        version = self._standings.version(self._conflict, side)
        difference, trouble = self.difference(self._base, self._tips[side])
        return SideOfConflict(
            value=self._conflict.ours if side is Side.OURS else self._conflict.theirs,
            version=version.name if version else "",
            commit=change.id,
            author=change.author.name,
            email=change.author.email,
            date=as_text(change.author.time),
            subject=change.message.subject,
            difference=difference,
            trouble=trouble,
        )

    def difference(self, a: str | None, b: str) -> tuple[ConstantDifference | None, str]:
        """Return b minus a, or why it cannot be told."""
        if self._conflict.kind != "constant" or a is None or not (self._has(a) and self._has(b)):
            return None, ""
        name = self._conflict.name
        try:
            (difference,) = diff(Catalogue(Snapshot(self._store, b)), f"{name}@{a}", f"{name}@{b}", 0).constants
        except CalibvcsError as error:
            return None, error.problem
        return difference, ""

    def _has(self, commit_id: str) -> bool:
        return bool(Snapshot(self._store, commit_id).names(self._conflict.paths[0]))
