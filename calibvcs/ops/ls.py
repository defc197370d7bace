"""``ls``: the constants that are there, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.model.times import as_text
from calibvcs.ops.reference import select
from calibvcs.ops.tagging.tag_states import TagMarks

if TYPE_CHECKING:
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.folders import Facts
    from calibvcs.ops.history import Summary
    from calibvcs.ops.tagging.tag_states import TagStates


@dataclass(frozen=True, slots=True)
class Row:
    """One constant and its default.

    Attributes
    ----------
    constant, detector, ctype : str
        Its name and the parts of it.
    begin, end : int or None
        Validity, UNIX seconds, half-open; None is open.
    version, commit, author, date, comment : str
        The default version: number, commit id, author, ISO 8601 date, subject.
    dtype, shape : str and tuple of int
        Form of the data.
    bytes : int or None
        Size of the file; None where it is not there.
    locked, withdrawn : bool
        State.
    """

    constant: str
    detector: str
    ctype: str
    begin: int
    end: int | None
    version: str
    commit: str
    author: str
    date: str
    comment: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int | None
    locked: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The constants of one commit, and the tags that stand on it."""

    schema: ClassVar[str] = "calibvcs.ls/1"

    at: str
    constants: tuple[Row, ...]
    tags: tuple[TagStates, ...] = ()


def ls(catalogue: Catalogue, pattern: str | None, *, now: float, valid_at: float | None = None) -> Listing:
    """List constants.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    pattern : str or None
        Glob over ``DET/CTYPE/RANGE``; missing parts match everything.
    now : float
        When an alias is to be resolved if `valid_at` is not given, UNIX seconds.
    valid_at : float, optional
        Only the constants that a reader gets for this time, UNIX seconds.

    Returns
    -------
    Listing
        Rows sorted by detector, ctype and range.
    """
    moment = now if valid_at is None else valid_at
    found = list(select(catalogue, pattern, moment))
    if valid_at is not None:
        found = [one for one in found if catalogue.in_force(one.detector, one.ctype, valid_at) == one]
    defaults = catalogue.history.defaults(found)
    all_facts = catalogue.facts(found)
    rows = (_row(constant, facts, defaults.get(constant)) for constant, facts in zip(found, all_facts, strict=True))
    at = catalogue.snapshot.commit_id or ""
    return Listing(at, tuple(rows), TagMarks(catalogue.snapshot.store).on(at))


def _row(constant: ConstantName, facts: Facts, default: Summary | None) -> Row:
    return Row(
        constant=str(constant),
        detector=str(constant.detector),
        ctype=constant.ctype,
        begin=constant.validity.begin,
        end=constant.validity.end,
        version=default.version if default else "",
        commit=default.commit if default else "",
        author=default.author if default else "",
        date=as_text(default.time) if default else "",
        comment=default.subject if default else "",
        dtype=facts.dtype,
        shape=facts.shape,
        bytes=facts.bytes,
        locked=facts.locked,
        withdrawn=facts.withdrawn,
    )
