"""``trend``: how the numbers of constants changed, version by version, or range by range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidDataError, InvalidDocumentError, NotHereError
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import select
from calibvcs.ops.statistics.array_summaries import Summaries, holds_array
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.model.array_blocks import ArrayKind
    from calibvcs.model.array_statistics import SegmentStatistics
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.threads import Version


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One version of a constant in numbers.

    Attributes
    ----------
    constant, version, commit, author, date, comment : str
        Its name, version, and the commit that added it; the comment is its first line.
    begin, end : int or None
        Validity, UNIX seconds, half-open; None is open.
    default : bool
        Whether it is the default of its range.
    withdrawn : bool
        Whether readers skip the range.
    blob, unit : str
        Id and unit of the data.
    kind : {"values", "mask", "status"}
        How they are to be read.
    gains : tuple of SegmentStatistics
        One a gain range, all its segments together, in the unit of the constant; empty where there is a `problem`.
    segments : tuple of SegmentStatistics
        One a gain range and segment, where they were asked for.
    problem : str
        Why there are no numbers: the data are elsewhere, or no array; empty where there are.
    """

    constant: str
    version: str
    commit: str
    author: str
    date: str
    comment: str
    begin: int
    end: int | None
    default: bool
    withdrawn: bool
    blob: str = ""
    unit: str = ""
    kind: ArrayKind = "values"
    gains: tuple[SegmentStatistics, ...] = ()
    segments: tuple[SegmentStatistics, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """Versions of constants in numbers.

    Attributes
    ----------
    pattern, at : str
        What was asked for, and the commit that was read.
    over : {"history", "validity"}
        Whether these are all versions, in the order in which they were made; or the defaults, in the order of the
        times that they are for.
    lines : tuple of TrendLine
        Detector by detector and ctype by ctype, in this order.
    texts : tuple of str
        Constants that the pattern matches and that are text, which has no numbers.
    """

    schema: ClassVar[str] = "calibvcs.trend/1"

    pattern: str
    at: str
    over: str
    lines: tuple[TrendLine, ...]
    texts: tuple[str, ...] = ()


def trend(
    catalogue: Catalogue,
    pattern: str,
    now: float,
    *,
    since: float | None = None,
    until: float | None = None,
    defaults: bool = False,
    segments: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Trend:
    """Return versions of constants in numbers.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    pattern : str
        Glob over ``DET/CTYPE/RANGE``.
    now : float
        When an alias is to be resolved, UNIX seconds.
    since, until : float, optional
        Bounds, both included, UNIX seconds: of the author's time; of the begin of validity with `defaults`.
    defaults : bool, optional
        Only the default of each range, in the order of their begin.
    segments : bool, optional
        Whether the numbers of segments are wanted too.
    progress : callable, optional
        Is told how many versions were looked at, and how many there are.

    Returns
    -------
    Trend
        One line a version.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If a part of the pattern without wildcards names something that is not there.
    InvalidNameError
        If the pattern cannot be read.
    DamagedObjectError
        If data are damaged.
    """
    chosen: list[Version] = []
    texts: list[str] = []
    for name in select(catalogue, pattern, now):
        if holds_array(catalogue, name):
            chosen += _versions(catalogue, name, defaults=defaults)
        else:
            texts.append(str(name))
    moments = [(_moment(version, defaults=defaults), version) for version in chosen]
    inside = [
        (moment, version)
        for moment, version in moments
        if (since is None or moment >= since) and (until is None or moment <= until)
    ]
    # The sort is stable: versions of one second stay as they were counted.
    inside.sort(key=lambda pair: (str(pair[1].constant.detector), pair[1].constant.ctype, pair[0]))
    lines = []
    with Summaries(catalogue.snapshot.store) as summaries:
        for number, (_, version) in enumerate(inside, 1):
            lines.append(_line(catalogue, version, summaries, segments=segments))
            if progress:
                progress(number, len(inside))
    over = "validity" if defaults else "history"
    return Trend(pattern, catalogue.snapshot.commit_id or "", over, tuple(lines), tuple(texts))


def _versions(catalogue: Catalogue, name: ConstantName, *, defaults: bool) -> Iterator[Version]:
    if not defaults:
        yield from catalogue.history.versions(name)
    elif (default := catalogue.history.default(name)) is not None:
        yield default


def _moment(version: Version, *, defaults: bool) -> float:
    return version.constant.validity.begin if defaults else version.commit.author.time


def _line(catalogue: Catalogue, version: Version, summaries: Summaries, *, segments: bool) -> TrendLine:
    name, commit = version.constant, version.commit
    default = catalogue.history.default(name)
    plain = TrendLine(
        constant=str(name),
        version=version.name,
        commit=commit.id,
        author=commit.author.name,
        date=as_text(commit.author.time),
        comment=commit.message.subject,
        begin=name.validity.begin,
        end=name.validity.end,
        default=default is not None and default.number == version.number,
        withdrawn=catalogue.metadata(name).withdrawn,
    )
    then = Catalogue(Snapshot(catalogue.snapshot.store, commit.id))
    try:
        if not holds_array(then, name):
            return replace(plain, problem="it was text then")
        found = summaries.of(then, name)
    except (NotHereError, InvalidDataError, InvalidDocumentError) as error:
        return replace(plain, problem=error.problem)
    return replace(
        plain,
        blob=found.blob,
        unit=found.meta.unit,
        kind=found.kind,
        gains=found.summary.gains,
        segments=found.summary.segments if segments else (),
    )
