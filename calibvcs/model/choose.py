"""The rule that chooses: which range of a ctype is in force at a time.

Among the ranges with ``begin <= t < end`` the **largest begin** wins; for equal begin the **smallest end** (an open
end is the largest). Withdrawn constants are skipped. Every reader of calibvcs goes through `choose`; LCLS' rule for
run ranges is the same one, once the runs are turned into times.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from calibvcs.model.validity import Validity


WHY_CHOSEN = "largest begin of those that cover the time, then smallest end"


class Outcome(StrEnum):
    """What the rule said of a candidate."""

    CHOSEN = "chosen"
    WITHDRAWN = "withdrawn"
    BEGINS_EARLIER = "begins earlier"
    ENDS_LATER = "ends later"
    NOT_YET_VALID = "not yet valid"
    NO_LONGER_VALID = "no longer valid"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A range with the outcome and the reason, in words."""

    validity: Validity
    outcome: Outcome
    reason: str


def choose(ranges: Iterable[Validity], time: float, withdrawn: Collection[Validity] = ()) -> Validity | None:
    """Return the range in force at a time.

    Parameters
    ----------
    ranges : iterable of Validity
        Ranges of one detector and ctype, in any order.
    time : float
        UNIX seconds.
    withdrawn : collection of Validity
        Ranges whose default is withdrawn.

    Returns
    -------
    Validity or None
        The range in force; None where no range is valid at that time.
    """
    matching = [validity for validity in ranges if time in validity and validity not in withdrawn]
    return max(matching, key=lambda validity: validity.precedence, default=None)


def explain(ranges: Iterable[Validity], time: float, withdrawn: Collection[Validity] = ()) -> tuple[Candidate, ...]:
    """Return every range with the reason it won or lost, best candidate first.

    Parameters
    ----------
    ranges : iterable of Validity
        Ranges of one detector and ctype, in any order.
    time : float
        UNIX seconds.
    withdrawn : collection of Validity
        Ranges whose default is withdrawn.

    Returns
    -------
    tuple of Candidate
        First the ranges that cover the time, in the order of precedence, then the others, nearest first.
    """
    ranges = list(ranges)
    winner = choose(ranges, time, withdrawn)
    covering = sorted((v for v in ranges if time in v), key=lambda v: v.precedence, reverse=True)
    outside = sorted((v for v in ranges if time not in v), key=lambda v: (v.distance(time), v.begin, -v.precedence[1]))
    return tuple(_judge(validity, time, winner, validity in withdrawn) for validity in (*covering, *outside))


def _judge(validity: Validity, time: float, winner: Validity | None, withdrawn: bool) -> Candidate:
    if time < validity.begin:
        return Candidate(validity, Outcome.NOT_YET_VALID, f"begins {validity.begin - time:.16g} s after the time")
    if validity.end is not None and time >= validity.end:
        return Candidate(validity, Outcome.NO_LONGER_VALID, f"ended at {validity.end}; the end is not part of a range")
    if withdrawn:
        return Candidate(validity, Outcome.WITHDRAWN, "its default is withdrawn, so readers skip it")
    if winner is None or validity == winner:
        return Candidate(validity, Outcome.CHOSEN, WHY_CHOSEN)
    if validity.begin < winner.begin:
        reason = f"covers the time, but begins {winner.begin - validity.begin} s before {winner}"
        return Candidate(validity, Outcome.BEGINS_EARLIER, reason)
    return Candidate(validity, Outcome.ENDS_LATER, f"begins with {winner}, but ends later")
