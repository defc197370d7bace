"""How far a branch and its counterpart on a remote are apart: how many constants of each detector differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.model.layout import constant_of
from calibvcs.ops.records import parsed
from calibvcs.store.objects.trees import changed_files
from calibvcs.store.refs.merge_base import merge_bases

if TYPE_CHECKING:
    from calibvcs.model.names import ConstantName
    from calibvcs.store.protocol import ReadableStore

REMOTE = "origin"


@dataclass(frozen=True, slots=True)
class Distance:
    """How many constants of a detector one side changed since both parted.

    Attributes
    ----------
    detector : str
        Its name; empty for everything that is no constant (detectors, alias and run tables, settings), by file.
    ahead : int
        Changed here, and not there yet.
    behind : int
        Changed there, and not here yet.
    """

    detector: str
    ahead: int
    behind: int


@dataclass(frozen=True, slots=True)
class Tracking:
    """A branch on a remote, as it was when it was last fetched.

    Attributes
    ----------
    ref : str
        Its name here, such as ``origin/main``.
    commit : str
        Where it stands.
    detectors : tuple of Distance
        Sorted by name, only where something differs; what is no constant comes first.
    """

    ref: str
    commit: str
    detectors: tuple[Distance, ...]

    @property
    def ahead(self) -> int:
        """Number of constants and other files that were changed here."""
        return sum(one.ahead for one in self.detectors)

    @property
    def behind(self) -> int:
        """Number of constants and other files that were changed there."""
        return sum(one.behind for one in self.detectors)


def tracking(store: ReadableStore, tip: str | None) -> Tracking | None:
    """Compare the branch with the one of its name on the remote.

    Parameters
    ----------
    store : ReadableStore
        The clone.
    tip : str or None
        Where its branch stands.

    Returns
    -------
    Tracking or None
        None where the remote has no such branch, as far as is known here.

    Raises
    ------
    DamagedObjectError
        If a commit or tree is missing or damaged.
    """
    name = f"{REMOTE}/{store.branch}"
    theirs = store.refs().get(f"refs/remotes/{name}")
    if theirs is None:
        return None
    if tip is None or tip == theirs:
        return Tracking(name, theirs, ())
    bases = merge_bases(store.commit, [tip], [theirs])
    base = store.commit(bases[0]).tree if bases else None
    ahead, behind = (_changed(store, base, store.commit(side).tree) for side in (tip, theirs))
    rows = (Distance(detector, ahead[detector], behind[detector]) for detector in sorted({*ahead, *behind}))
    return Tracking(name, theirs, tuple(rows))


def _changed(store: ReadableStore, base: str | None, tree: str) -> Counter[str]:
    constants: set[ConstantName] = set()
    others = 0
    for path in changed_files(store.tree, base, tree):
        constant = parsed(constant_of, path)
        if constant is None:
            others += 1
        else:
            constants.add(constant)
    found = Counter(str(constant.detector) for constant in constants)
    return found + Counter({"": others})
