"""``blame``: which commit last changed each segment and gain range of a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidDataError, InvalidDocumentError, InvalidOptionError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import locate
from calibvcs.ops.statistics.array_summaries import Summaries, holds_array
from calibvcs.ops.statistics.origins import ChangedBy, Origins, changed_by
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calibvcs.model.names import ConstantName
    from calibvcs.store.protocol import ReadableStore

Place = tuple[int | None, int | None]
"""Gain range and segment; None where the array has no such axis."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """One segment in one gain range, and the id of the commit that last changed it."""

    gain: int | None
    segment: int | None
    commit: str


@dataclass(frozen=True, slots=True)
class Blame:
    """Who changed what of a constant last.

    Attributes
    ----------
    constant, version, at : str
        Its name and version, and the commit whose data are looked at.
    blocks : tuple of Blamed
        One a gain range and segment, gain by gain.
    commits : tuple of ChangedBy
        The commits that are named in them, newest first.
    """

    schema: ClassVar[str] = "calibvcs.blame/1"

    constant: str
    version: str
    at: str
    blocks: tuple[Blamed, ...]
    commits: tuple[ChangedBy, ...]


def blame(
    catalogue: Catalogue, given: str, now: float, *, gain: int | None = None, segment: int | None = None
) -> Blame:
    """Return the commit that last changed each segment and gain range.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE[@VERSION]``; the range may be left out where there is only one.
    now : float
        When an alias is to be resolved, UNIX seconds.
    gain, segment : int, optional
        Only this gain range, and this segment.

    Returns
    -------
    Blame
        For each block the newest commit after which it has not changed. Data that were brought back are changed by the
        commit that did so; another dtype or shape changes all. Merges are followed to the side that a block is of.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    InvalidOptionError
        If it is text, or has no such gain range or segment.
    DamagedObjectError, NotHereError
        If data that are needed are missing or damaged.
    """
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    name, tip = located.constant, located.commit_id
    with Summaries(store) as summaries:
        wanted = _chosen(tuple(_blocks(summaries, store, tip, name)), gain, segment)
        found = _found(summaries, store, name, tip, wanted)
    commits = changed_by(Catalogue(Snapshot(store, tip)), name, set(found.values()))
    newest = sorted(commits.values(), key=lambda commit: commit.date, reverse=True)
    return Blame(str(name), located.version, tip, tuple(Blamed(*p, found[p]) for p in wanted), tuple(newest))


def _found(
    summaries: Summaries, store: ReadableStore, name: ConstantName, tip: str, wanted: Sequence[Place]
) -> dict[Place, str]:
    """Return the id of a commit for each block; where all are told, older data are not looked at."""
    found: dict[Place, str] = {}
    origins, waiting = Origins(store, name), [(tip, frozenset(wanted))]
    while waiting:
        commit_id, places = waiting.pop()
        origin = origins.of(commit_id)
        here, left = _blocks(summaries, store, origin.commit.id, name), set(places)
        for parent in origin.parents:
            if not left:
                break
            there = _older_blocks(summaries, store, parent, name)
            same = frozenset(place for place in left if there.get(place) == here[place])
            if same:
                waiting.append((parent, same))
                left -= same
        found.update(dict.fromkeys(left, origin.commit.id))
    return found


def _blocks(summaries: Summaries, store: ReadableStore, commit_id: str, name: ConstantName) -> Mapping[Place, str]:
    """Return the fingerprint of every block at a commit."""
    summary = summaries.of(Catalogue(Snapshot(store, commit_id)), name).summary
    return {(s.gain, s.segment): mark for s, mark in zip(summary.segments, summary.fingerprints, strict=True)}


def _older_blocks(
    summaries: Summaries, store: ReadableStore, commit_id: str, name: ConstantName
) -> Mapping[Place, str]:
    """Return the same; text, and data that are no array, have nothing in common with what came later."""
    if not holds_array(Catalogue(Snapshot(store, commit_id)), name):
        return {}
    try:
        return _blocks(summaries, store, commit_id, name)
    except (InvalidDataError, InvalidDocumentError):
        return {}


def _chosen(places: tuple[Place, ...], gain: int | None, segment: int | None) -> list[Place]:
    for option, wanted, axis in (("--gain", gain, 0), ("--segment", segment, 1)):
        there = sorted({index for place in places if (index := place[axis]) is not None})
        if wanted is not None and wanted not in there:
            allowed = f"allowed are {there[0]} to {there[-1]}" if there else "the array has no such axis"
            raise InvalidOptionError(option, str(wanted), allowed)
    return [place for place in places if gain in {None, place[0]} and segment in {None, place[1]}]
