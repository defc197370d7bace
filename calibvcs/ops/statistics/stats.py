"""``stats``: one version of a constant in numbers, per gain range and segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import commit_of, locate
from calibvcs.ops.statistics.array_summaries import summary_of
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.array_blocks import ArrayKind
    from calibvcs.model.array_statistics import SegmentStatistics


@dataclass(frozen=True, slots=True)
class Stats:
    """One version of a constant in numbers.

    Attributes
    ----------
    constant, version, commit, author, date, comment : str
        Its name, version, and the commit that added it; the comment is its first line.
    blob, dtype, unit : str
        Id, dtype and unit of the data.
    shape : tuple of int
        Shape of the data.
    kind : {"values", "mask", "status"}
        How they are to be read: measured values; a mask (1 good, 0 bad); a status word (0 good, else bits).
    gains : tuple of SegmentStatistics
        One a gain range, all its segments together, in the unit of the constant.
    segments : tuple of SegmentStatistics
        One a gain range and segment, gain by gain.
    """

    schema: ClassVar[str] = "calibvcs.stats/1"

    constant: str
    version: str
    commit: str
    author: str
    date: str
    comment: str
    blob: str
    dtype: str
    shape: tuple[int, ...]
    unit: str
    kind: ArrayKind
    gains: tuple[SegmentStatistics, ...]
    segments: tuple[SegmentStatistics, ...]


def stats(catalogue: Catalogue, given: str, now: float) -> Stats:
    """Return one version of a constant in numbers.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE[@VERSION]``; the range may be left out where there is only one.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Stats
        Numbers per gain range and segment.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    InvalidOptionError
        If it is text.
    DamagedObjectError, NotHereError
        If the data are missing or damaged.
    """
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    then = Catalogue(Snapshot(store, located.commit_id))
    found = summary_of(then, located.constant)
    commit = commit_of(catalogue, located)
    return Stats(
        constant=str(located.constant),
        version=located.version,
        commit=commit.id,
        author=commit.author.name,
        date=as_text(commit.author.time),
        comment=commit.message.subject,
        blob=found.blob,
        dtype=found.meta.dtype,
        shape=found.meta.shape,
        unit=found.meta.unit,
        kind=found.kind,
        gains=found.summary.gains,
        segments=found.summary.segments,
    )
