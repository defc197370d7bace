"""``why``: which constant is chosen for a time, and why no other one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.model.choose import Outcome, explain
from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.model.times import as_text
from calibvcs.ops.lineage import stands_in, with_fallback

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate: its range, its default version, and what the rule said of it."""

    constant: str
    outcome: str
    reason: str
    version: str
    commit: str
    author: str
    date: str
    comment: str


@dataclass(frozen=True, slots=True)
class Why:
    """The choice for one detector, ctype and time.

    Attributes
    ----------
    detector, ctype : str
        What was asked for, an alias resolved.
    time : float
        UNIX seconds.
    at : str
        The commit that was read.
    chosen : str or None
        The constant in force; None where no range is valid.
    commit : str
        Id of the commit that added its data; empty where nothing is chosen.
    candidates : tuple of Considered
        All ranges of the ctype, the winner first, then as the rule orders them.
    fallback : str
        That these are constants of a predecessor, in words; empty where they are the detector's own.
    """

    schema: ClassVar[str] = "calibvcs.why/1"

    detector: str
    ctype: str
    time: float
    at: str
    chosen: str | None
    commit: str
    candidates: tuple[Considered, ...]
    fallback: str = ""


def why(catalogue: Catalogue, detector: str, ctype: str, time: float, fallback: str | None = None) -> Why:
    """Explain a choice.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    detector : str
        Detector or alias; an alias is resolved at `time`.
    ctype : str
        Calibration type.
    time : float
        UNIX seconds.
    fallback : {"predecessor"}, optional
        Where no range is valid, explain the choice among those of the detector's predecessor.

    Returns
    -------
    Why
        The candidates in order, each with the reason it won or lost.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If there is no such detector or ctype.
    """
    asked, ctype = catalogue.resolve(detector, time), parse_ctype(ctype)
    name = with_fallback(catalogue, asked, ctype, time, fallback)
    ranges = catalogue.ranges(name, ctype)
    if not ranges:
        raise catalogue.unknown_ctype(name, ctype)
    covering = [validity for validity in ranges if time in validity]
    withdrawn = [v for v in covering if catalogue.metadata(ConstantName(name, ctype, v)).withdrawn]
    known = catalogue.history
    candidates = []
    for candidate in explain(ranges, time, withdrawn):
        constant = ConstantName(name, ctype, candidate.validity)
        version = known.default(constant)
        commit = version.commit if version else None
        candidates.append(
            Considered(
                constant=str(constant),
                outcome=candidate.outcome.value,
                reason=candidate.reason,
                version=version.name if version else "",
                commit=commit.id if commit else "",
                author=commit.author.name if commit else "",
                date=as_text(commit.author.time) if commit else "",
                comment=commit.message.subject if commit else "",
            )
        )
    winner = next((c for c in candidates if c.outcome == Outcome.CHOSEN), None)
    candidates.sort(key=lambda candidate: candidate is not winner)
    at = catalogue.snapshot.commit_id or ""
    chosen, commit_id = (winner.constant, winner.commit) if winner else (None, "")
    told = stands_in(asked, name, ctype)
    return Why(str(name), ctype, time, at, chosen, commit_id, tuple(candidates), told)
