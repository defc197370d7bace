"""``detector``: which detectors there are, and what is recorded of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, InvalidOptionError, NothingToChangeError
from calibvcs.formats.toml import detector_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.detector import Detector, Parameters
from calibvcs.model.names import DetectorName
from calibvcs.model.times import as_text
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.times import RunName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class DetectorChange:
    """What is to be recorded of a detector; None leaves it as it is.

    Attributes
    ----------
    longname, predecessor, successor : str or None
        As in `Detector`.
    segments : tuple of str or None
        Ids of the panels, in order.
    parameters : mapping or None
        Parameters to be set; others stay.
    predecessor_until, successor_since : float, RunName or None
        When it replaced the one, and the other one replaced it: UNIX seconds or a run.
    """

    longname: str | None = None
    segments: tuple[str, ...] | None = None
    predecessor: str | None = None
    successor: str | None = None
    parameters: Parameters | None = None
    predecessor_until: float | RunName | None = None
    successor_since: float | RunName | None = None


@dataclass(frozen=True, slots=True)
class DetectorResult:
    """A detector as recorded, and the commit that recorded it last (empty for a mere look)."""

    schema: ClassVar[str] = "calibvcs.detector/1"

    detector: Detector
    ctypes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    commit: str = ""


@dataclass(frozen=True, slots=True)
class DetectorList:
    """All registered detectors."""

    schema: ClassVar[str] = "calibvcs.detector.ls/1"

    detectors: tuple[Detector, ...]


def add_detector(store: Store, author: Person, name: str, change: DetectorChange, message: str) -> DetectorResult:
    """Register a detector.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who registers it.
    name : str
        ``<dettype>-<detid>``.
    change : DetectorChange
        What is known of it.
    message : str
        Why; empty for "Register ...".

    Returns
    -------
    DetectorResult
        The record and the commit.

    Raises
    ------
    AlreadyExistsError
        If it is registered already.
    """
    detector = DetectorName.parse(name)
    created = as_text(author.sign()[0].time)

    def plan(catalogue: Catalogue) -> transaction.Plan[Detector]:
        if detector in catalogue.detectors:
            raise AlreadyExistsError("detector", str(detector), f"change it with calibvcs detector set {detector}")
        record = _changed(catalogue, Detector(detector, created=created), change)
        return _plan(catalogue, record, message or f"Register {detector}")

    commit, record = transaction.commit(store, author, plan)
    return DetectorResult(record, commit=commit)


def set_detector(store: Store, author: Person, name: str, change: DetectorChange, message: str) -> DetectorResult:
    """Change the record of a detector; what is not named stays.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who changes it.
    name : str
        Detector.
    change : DetectorChange
        What is to be changed.
    message : str
        Why; empty for "Change the record of ...".

    Returns
    -------
    DetectorResult
        The record and the commit.

    Raises
    ------
    UnknownDetectorError
        If it is not registered.
    NothingToChangeError
        If it is recorded so already.
    """
    detector = DetectorName.parse(name)

    def plan(catalogue: Catalogue) -> transaction.Plan[Detector]:
        old = catalogue.detector(detector)
        record = _changed(catalogue, old, change)
        if record == old:
            raise NothingToChangeError(str(detector), "is recorded so already")
        return _plan(catalogue, record, message or f"Change the record of {detector}")

    commit, record = transaction.commit(store, author, plan)
    return DetectorResult(record, commit=commit)


def show_detector(catalogue: Catalogue, name: str, time: float) -> DetectorResult:
    """Return what is recorded of a detector or alias, its ctypes and its aliases."""
    detector = catalogue.resolve(name, time)
    aliases = tuple(str(row) for row in catalogue.aliases if row.detector == detector)
    return DetectorResult(catalogue.detector(detector), catalogue.ctypes(detector), aliases)


def list_detectors(catalogue: Catalogue) -> DetectorList:
    """Return all registered detectors."""
    return DetectorList(tuple(catalogue.detector(name) for name in catalogue.detectors))


def _changed(catalogue: Catalogue, record: Detector, change: DetectorChange) -> Detector:
    given = {
        name: value
        for name in ("longname", "segments", "predecessor", "successor")
        if (value := getattr(change, name)) is not None
    }
    for role in ("predecessor", "successor"):
        if given.get(role):
            other = DetectorName.parse(given[role])
            catalogue.detector(other)
            if other == record.name:
                raise InvalidOptionError(f"--{role}", str(other), "a detector cannot follow itself")
            given[role] = str(other)
    for role, date in (("predecessor", "predecessor_until"), ("successor", "successor_since")):
        when = getattr(change, date)
        if when is not None:
            if not given.get(role, getattr(record, role)):
                raise InvalidOptionError(date, as_text(catalogue.seconds(when)), f"it goes with a {role}")
            given[date] = as_text(catalogue.seconds(when))
        elif given.get(role, getattr(record, role)) != getattr(record, role):
            given[date] = ""  # it was that of another one
    if change.parameters:
        given["parameters"] = {**record.parameters, **change.parameters}
    return replace(record, **given)


def _plan(catalogue: Catalogue, record: Detector, message: str) -> transaction.Plan[Detector]:
    path = layout.detector_file(record.name)
    edits = {path: detector_toml.encode(record, catalogue.snapshot.read(path))}
    return transaction.Plan(edits, Message(message, Action.DETECTOR), record)
