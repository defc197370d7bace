"""``preview``: which defaults another state of the repository changes, and what readers would get for which runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from calibvcs.model.layout import constant_folder
from calibvcs.model.metadata import Provenance
from calibvcs.model.times import as_text
from calibvcs.ops.merges.three_trees import Trees
from calibvcs.ops.reading_changes import RunBegins, reading_changes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.history import Summary
    from calibvcs.ops.reading_changes import ReadingChange

Status: TypeAlias = Literal["added", "removed", "replaced", "withdrawn", "brought back", "metadata"]


@dataclass(frozen=True, slots=True)
class DefaultChange:
    """A constant whose default changes.

    Attributes
    ----------
    constant, detector, ctype : str
        Its name and the parts of it.
    begin, end : int or None
        Validity, UNIX seconds, half-open; None is open.
    status : str
        added, removed, replaced (other data), withdrawn, brought back (from being withdrawn), or metadata (the same
        data with another unit, convention, origin or other parameters).
    before, after : str
        The version that is the default before and after, each as that state counts; empty where there is none.
    commit, author, date, comment : str
        The version afterwards: commit id, author, ISO 8601 date, subject.
    """

    constant: str
    detector: str
    ctype: str
    begin: int
    end: int | None
    status: Status
    before: str
    after: str
    commit: str = ""
    author: str = ""
    date: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentRuns:
    """Runs of one experiment."""

    experiment: str
    runs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """A time for which a reader gets something else.

    Attributes
    ----------
    detector, ctype : str
        What is read.
    begin, end : int or None
        The time, UNIX seconds, half-open; None is open.
    before, after : str
        The constant in force, with its version; empty where there is none. The same constant, where its data or
        metadata are other ones.
    runs : tuple of ExperimentRuns
        The runs that begin in this time.
    """

    detector: str
    ctype: str
    begin: int
    end: int | None
    before: str
    after: str
    runs: tuple[ExperimentRuns, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What changes from one commit to another one.

    Attributes
    ----------
    before, after : str
        Ids of the two commits.
    defaults : tuple of DefaultChange
        Every constant whose default changes, sorted by name.
    effects : tuple of Effect
        What readers notice of it, sorted by detector, ctype and time.
    files : tuple of str
        Other files that differ: detector records, aliases, run tables, settings.
    """

    schema: ClassVar[str] = "calibvcs.preview/1"

    before: str
    after: str
    defaults: tuple[DefaultChange, ...]
    effects: tuple[Effect, ...]
    files: tuple[str, ...]


def preview(before: Catalogue, after: Catalogue, experiments: Collection[str] | None = None) -> Preview:
    """Tell what a reader gets at one commit that he does not get at another one.

    A lock, and how the same data came about, change no default. Runs are looked up in the run tables of `after`.

    Parameters
    ----------
    before, after : Catalogue
        The two commits. The store of `after` has both.
    experiments : collection of str, optional
        The experiments whose runs are wanted. Default is all.

    Returns
    -------
    Preview
        Changed defaults, and their effects; no payload is read.

    Raises
    ------
    UnknownConstantError, InvalidDocumentError
        If a constant that changes has no data, or no readable ``meta.toml``.
    """
    old_tree, new_tree = (at.snapshot.commit.tree if at.snapshot.commit_id else None for at in (before, after))
    places = list(Trees(after.snapshot.store).places(old_tree, old_tree, new_tree))
    names = sorted(name for place in places if (name := place.constant) is not None)
    changes = {name: how for name in names if (how := _status(before, after, name))}
    readings: list[ReadingChange] = []
    for (detector, ctype), group in groupby(changes, key=lambda name: (name.detector, name.ctype)):
        readings += reading_changes(before, after, detector, ctype, set(group))
    shown = {name for reading in readings for name in (reading.before, reading.after) if name} | set(changes)
    old, new = (at.history.defaults([name for name in shown if _is_there(at, name)]) for at in (before, after))
    runs = RunBegins(after, after.experiments() if experiments is None else experiments)
    return Preview(
        before.snapshot.commit_id or "",
        after.snapshot.commit_id or "",
        tuple(_default_change(name, how, old.get(name), new.get(name)) for name, how in changes.items()),
        tuple(_effect(reading, runs, old, new) for reading in readings),
        tuple(place.path for place in places if place.constant is None),
    )


def _is_there(at: Catalogue, name: ConstantName) -> bool:
    return bool(at.snapshot.names(constant_folder(name)))


def _status(before: Catalogue, after: Catalogue, name: ConstantName) -> Status | None:
    there = _is_there(before, name), _is_there(after, name)
    if not all(there):
        return "added" if there[1] else "removed"
    old, new = before.metadata(name), after.metadata(name)
    if old.withdrawn != new.withdrawn:
        return "withdrawn" if new.withdrawn else "brought back"
    if before.payload(name)[1].id != after.payload(name)[1].id:
        return "replaced"
    return None if _as_read(old) == _as_read(new) else "metadata"


def _as_read(metadata: Metadata) -> Metadata:
    """Return what of the metadata matters to who reads the data."""
    return replace(metadata.unlock(), provenance=Provenance(), withdrawn_reason="")


def _default_change(name: ConstantName, how: Status, old: Summary | None, new: Summary | None) -> DefaultChange:
    return DefaultChange(
        constant=str(name),
        detector=str(name.detector),
        ctype=name.ctype,
        begin=name.validity.begin,
        end=name.validity.end,
        status=how,
        before=old.version if old else "",
        after=new.version if new else "",
        commit=new.commit if new else "",
        author=new.author if new else "",
        date=as_text(new.time) if new else "",
        comment=new.subject if new else "",
    )


def _effect(
    reading: ReadingChange,
    runs: RunBegins,
    old: Mapping[ConstantName, Summary],
    new: Mapping[ConstantName, Summary],
) -> Effect:
    affected = (ExperimentRuns(*found) for found in runs.between(reading.begin, reading.end))
    labels = _label(reading.before, old), _label(reading.after, new)
    return Effect(str(reading.detector), reading.ctype, reading.begin, reading.end, *labels, tuple(affected))


def _label(name: ConstantName | None, versions: Mapping[ConstantName, Summary]) -> str:
    if name is None:
        return ""
    return f"{name}@{versions[name].version}" if name in versions else str(name)
