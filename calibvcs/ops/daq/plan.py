"""What is in force for the detectors of a run, and what of it psana can use; payloads are not read yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana import psana_documents, psana_limits
from calibvcs.formats.psana.shm_index import SharedConstant, SharedDetector
from calibvcs.model.times import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.formats.psana.psana_limits import Unusable
    from calibvcs.model.detector import Detector
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.daq.selection import Found, Selection


@dataclass(frozen=True, slots=True)
class Planned:
    """One constant in force.

    Attributes
    ----------
    name : ConstantName
        Which one.
    metadata : Metadata
        What stands beside its data.
    shared : SharedConstant
        What the index will say of it.
    """

    name: ConstantName
    metadata: Metadata
    shared: SharedConstant


@dataclass(frozen=True, slots=True)
class PlannedDetector:
    """A detector of the run with everything that is in force for it."""

    found: Found
    constants: tuple[Planned, ...]

    @property
    def shared(self) -> SharedDetector:
        """What the index will say of it."""
        name = str(self.found.detector.name) if self.found.detector else ""
        source = self.found.source
        return SharedDetector(source.name, name, source.longname, tuple(one.shared for one in self.constants))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is in force for a run, and what is worth knowing of it."""

    detectors: tuple[PlannedDetector, ...]
    notes: tuple[str, ...]

    @property
    def constants(self) -> Iterator[Planned]:
        """All constants."""
        return (one for detector in self.detectors for one in detector.constants)


def plan(catalogue: Catalogue, selection: Selection) -> Plan:
    """Choose what is in force for the detectors of a run.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    selection : Selection
        The detectors and the time.

    Returns
    -------
    Plan
        The constants, each with its document.

    Raises
    ------
    BrokenRepositoryError
        If what is read is missing or damaged.
    """
    notes = list(selection.notes)
    detectors = tuple(
        PlannedDetector(found, tuple(_in_force(catalogue, found, selection.time, notes))) for found in selection.found
    )
    notes += [
        f"{one.found.source.name}: no constant of {one.found.detector.name} is in force"
        for one in detectors
        if one.found.detector and not one.constants
    ]
    return Plan(detectors, tuple(notes))


def _in_force(catalogue: Catalogue, found: Found, time: float, notes: list[str]) -> Iterator[Planned]:
    if found.detector is None:
        return
    for ctype in catalogue.ctypes(found.detector.name):
        name = catalogue.in_force(found.detector.name, ctype, time)
        if name is None:
            notes.append(f"{found.source.name}: no {ctype} is valid at {as_text(time)}")
        else:
            yield _planned(catalogue, found, name)


def _planned(catalogue: Catalogue, found: Found, name: ConstantName) -> Planned:
    metadata, entry, store = catalogue.metadata(name), catalogue.payload(name)[1], catalogue.snapshot.store
    version = catalogue.history.default(name)
    commit = version.commit if version else catalogue.snapshot.commit
    described = psana_documents.Described(
        name=name,
        metadata=metadata,
        version=version.name if version else "",
        commit=commit,
        at=catalogue.snapshot.commit_id or "",
        blob=entry.id,
        repository=store.location,
        longname=found.source.longname,
        detname=found.source.name,
    )
    shared = SharedConstant(
        ctype=name.ctype,
        constant=str(name),
        version=described.version,
        commit=commit.id,
        blob=entry.id,
        size=store.blob_head(entry.id, 0)[1],
        dtype=metadata.dtype,
        shape=metadata.shape,
        unit=metadata.unit,
        begin=name.validity.begin,
        end=name.validity.end,
        document=psana_documents.document(described),
    )
    return Planned(name, metadata, shared)


class Refusals:
    """Collects what psana cannot use: what it does as well without is noted, the rest refused unless that is allowed.

    Parameters
    ----------
    allowed : bool
        Whether to go on without what psana needs.
    """

    def __init__(self, *, allowed: bool) -> None:
        self.notes: list[str] = []
        self._allowed = allowed

    def left_out(self, planned: Planned, unusable: Unusable | None) -> bool:
        """Tell whether psana does not get a constant.

        Raises
        ------
        InvalidDataError
            If psana needs it.
        """
        if unusable is None:
            return False
        if unusable.needed and not self._allowed:
            advice = "add a version that psana can use, or go on without it: --allow-missing"
            raise InvalidDataError(str(planned.name), unusable.reason, advice)
        self.notes.append(f"{planned.name} is left out for psana: {unusable.reason}")
        return True


def form_limits(detector: PlannedDetector) -> Callable[[Planned], Unusable | None]:
    """Return what tells by its form whether psana can use a constant of a detector."""
    metadata = {one.name.ctype: one.metadata for one in detector.constants}
    segments = len(detector.found.source.segments) or None
    record: Detector | None = detector.found.detector

    def limit(planned: Planned) -> Unusable | None:
        return psana_limits.unusable(record, planned.name.ctype, metadata, segments) if record else None

    return limit
