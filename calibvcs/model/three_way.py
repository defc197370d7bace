"""The rule of every merge: what one side left as it was is taken from the other one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
K = TypeVar("K")


class Side(StrEnum):
    """One of the two histories that are merged: the own one, and the one that comes in."""

    OURS = "ours"
    THEIRS = "theirs"


class Rule(StrEnum):
    """How a conflict is to be settled: by a side, or by what is newer."""

    OURS = "ours"
    THEIRS = "theirs"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Rules:
    """How conflicts are to be settled.

    Attributes
    ----------
    general : Rule or None
        For all conflicts; None leaves them open.
    single : mapping of str to Rule
        For conflicts by their name; these go before the general one.
    """

    general: Rule | None = None
    single: Mapping[str, Rule] = field(default_factory=dict)

    def of(self, name: str) -> Rule | None:
        """Return the rule for the conflict of this name, or None."""
        return self.single.get(name, self.general)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that both sides changed, and not to the same.

    Attributes
    ----------
    kind : {"constant", "alias", "run", "experiment", "detector", "file"}
        What it is; for experiment and detector one entry of a record.
    name : str
        Its name: ``jungfrau-1/pedestals/0-end``, ``alias:front``, ``mfx1:7``, ``mfx1:instrument``,
        ``jungfrau-1:parameters.bias``, or a path.
    paths : tuple of str
        The folder or files in which it stands.
    base, ours, theirs : str
        What stood there where the histories parted, and what stands there on each side: the id of a folder or file,
        or values as text; empty where there is nothing.
    """

    kind: Literal["constant", "alias", "run", "experiment", "detector", "file"]
    name: str
    paths: tuple[str, ...]
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A conflict that a rule settled, and the side that it chose."""

    conflict: Conflict
    rule: Rule
    side: Side


class Judge:
    """Settles conflicts by rules, and keeps those that stay open.

    Parameters
    ----------
    rules : Rules
        How.
    newer : callable
        Returns the side on which the matter of a conflict is newer; None where that cannot be told.
    """

    def __init__(self, rules: Rules, newer: Callable[[Conflict], Side | None]) -> None:
        self._rules = rules
        self.newer = newer
        self.open: list[Conflict] = []
        self.settled: list[Settled] = []

    def side(self, conflict: Conflict) -> Side:
        """Return the side to be taken; of what stays open, ours."""
        rule = self._rules.of(conflict.name)
        chosen = self.newer(conflict) if rule is Rule.NEWEST else Side(rule.value) if rule else None
        if rule is None or chosen is None:
            self.open.append(conflict)
            return Side.OURS
        self.settled.append(Settled(conflict, rule, chosen))
        return chosen

    def attempt(self) -> Judge:
        """Return a judge by the same rules for something that may not succeed; `adopt` it if it did."""
        return Judge(self._rules, self.newer)

    def adopt(self, attempt: Judge) -> None:
        """Take over what another judge settled and left open."""
        self.open += attempt.open
        self.settled += attempt.settled

    def disputed(self, path: str) -> bool:
        """Tell whether there was a conflict in some file."""
        return any(path in conflict.paths for conflict in (*self.open, *(done.conflict for done in self.settled)))


def pick(base: T, ours: T, theirs: T) -> Side | None:
    """Return the side to be taken; None where both changed it, and not to the same."""
    if theirs in (ours, base):
        return Side.OURS
    return Side.THEIRS if ours == base else None


def merge_keyed(
    base: Mapping[K, T], ours: Mapping[K, T], theirs: Mapping[K, T], settle: Callable[[K], Side]
) -> dict[K, T]:
    """Merge key by key.

    Parameters
    ----------
    base, ours, theirs : mapping
        What stands under each key; a key that is not there stands for nothing.
    settle : callable
        Called for a key that both sides changed, and not to the same; returns the side to be taken.

    Returns
    -------
    dict
        The outcome: what ours has in its order, then what theirs brings.
    """
    merged: dict[K, T] = {}
    for key in _keys(ours, theirs):
        side = pick(base.get(key), ours.get(key), theirs.get(key)) or settle(key)
        chosen = ours if side is Side.OURS else theirs
        if key in chosen:
            merged[key] = chosen[key]
    return merged


def _keys(*mappings: Iterable[K]) -> dict[K, None]:
    return dict.fromkeys(key for mapping in mappings for key in mapping)
