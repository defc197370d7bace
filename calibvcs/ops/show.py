"""``show``: everything that is known of one constant, with statistics of its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.formats import geometry_text
from calibvcs.model import layout
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.get import read
from calibvcs.ops.reference import commit_of, locate
from calibvcs.ops.statistics.array_summaries import holds_array, summary_of
from calibvcs.ops.tagging.tag_states import TagMarks
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.array_statistics import SegmentStatistics
    from calibvcs.model.metadata import Metadata
    from calibvcs.ops.tagging.tag_states import TagStates
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class Shown:
    """One version of a constant.

    Attributes
    ----------
    constant, version, commit, author, date, comment : str
        Its name, version, and the commit that added it.
    blob : str
        Id of the data.
    meta : Metadata
        What stands beside the data.
    segments : tuple of SegmentStatistics
        Statistics per gain range and segment, in the unit of the constant; empty for text.
    panels : tuple of str
        Labels of the panels of a geometry.
    text : str
        The text, for a constant that is text but no geometry.
    tags : tuple of TagStates
        The tags in whose set these data are the default, with their states.
    """

    schema: ClassVar[str] = "calibvcs.show/1"

    constant: str
    version: str
    commit: str
    author: str
    date: str
    comment: str
    blob: str
    meta: Metadata
    segments: tuple[SegmentStatistics, ...] = ()
    panels: tuple[str, ...] = ()
    text: str = ""
    tags: tuple[TagStates, ...] = ()


def show(catalogue: Catalogue, given: str, now: float) -> Shown:
    """Return everything that is known of a constant.

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
    Shown
        Metadata, provenance and statistics.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    """
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    then = Catalogue(Snapshot(store, located.commit_id))
    commit = commit_of(catalogue, located)
    text = ""
    segments: tuple[SegmentStatistics, ...] = ()
    panels: tuple[str, ...] = ()
    if holds_array(then, located.constant):
        found = summary_of(then, located.constant)
        blob, meta, segments = found.blob, found.meta, found.summary.segments
    else:
        constant = read(then, located.constant)
        blob, meta, text = constant.blob, constant.meta, str(constant.data)
        if located.constant.ctype in layout.GEOMETRY_CTYPES:
            panels = tuple(panel.label for panel in geometry_text.decode(text, given).panels)
            text = ""
    return Shown(
        constant=str(located.constant),
        version=located.version,
        commit=commit.id,
        author=commit.author.name,
        date=as_text(commit.author.time),
        comment=commit.message.comment,
        blob=blob,
        meta=meta,
        segments=segments,
        panels=panels,
        text=text,
        tags=tuple(_tags(store, f"{layout.constant_folder(located.constant)}/", blob)),
    )


def _tags(store: ReadableStore, folder: str, blob: str) -> Iterator[TagStates]:
    """Yield the tags in whose set a constant has these data."""
    marks = TagMarks(store)
    for commit_id in marks.commits:
        snapshot = Snapshot(store, commit_id)
        if any(snapshot.blob_id(f"{folder}{file}") == blob for file in layout.PAYLOAD_FILES):
            yield from marks.on(commit_id)
