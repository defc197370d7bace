"""One constant on its way into one state of the repository: where it goes, what the gate says, what it changes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from calibvcs.errors import (
    GateRefusedError,
    LockedError,
    Refusal,
)
from calibvcs.formats import geometry_text
from calibvcs.formats.toml import meta_toml
from calibvcs.model import gate, geometry_difference, layout
from calibvcs.model.constant_types import KNOWN, constant_type
from calibvcs.model.metadata import DEFAULT_CONVENTIONS, Metadata
from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.model.repository import GateLimits
from calibvcs.ops.examination import examine, stored_array
from calibvcs.ops.loading import load
from calibvcs.ops.new_constant import validity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.model.constant_types import ConstantType
    from calibvcs.model.detector import Detector
    from calibvcs.model.names import DetectorName
    from calibvcs.model.validity import Validity
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.new_constant import NewConstant
    from calibvcs.ops.payload import Payload


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different from the data that were in force before.

    Attributes
    ----------
    against : str
        Name of the previous constant.
    of : str
        What is counted: pixels, panels (of a geometry) or lines (of other text).
    changed, compared : int
        How many of them differ, and how many there are on either side.
    median, max_abs : float or None
        Largest median difference of a segment, and largest difference, in the unit of the constant; None for text.
    """

    against: str
    of: str
    changed: int
    compared: int
    median: float | None = None
    max_abs: float | None = None


class State:
    """One state of the repository, with what many constants of one change ask of it.

    Parameters
    ----------
    catalogue : Catalogue
        The commit.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._detectors: dict[DetectorName, Detector] = {}
        self._validities: dict[tuple[object, ...], Validity] = {}

    @cached_property
    def ctypes(self) -> frozenset[str]:
        """Ctypes that any detector has."""
        return frozenset(name for detector in self.catalogue.detectors for name in self.catalogue.ctypes(detector))

    def detector(self, given: str, time: float) -> Detector:
        """Return a detector. Raises as `Catalogue.resolve` and `Catalogue.detector`."""
        name = self.catalogue.resolve(given, time)
        if name not in self._detectors:
            self._detectors[name] = self.catalogue.detector(name)
        return self._detectors[name]

    def validity(self, new: NewConstant) -> Validity:
        """Return the range of a new constant; what it does not say comes from its runs.

        Raises
        ------
        InvalidOptionError
            If there is no begin.
        InvalidRangeError, UnknownRunError
            If the range is empty, or a run is not in the run table.
        """
        key = (new.validity, new.begin, new.end, new.origin.experiment, new.origin.run, new.origin.run_end)
        if key not in self._validities:
            self._validities[key] = validity(self.catalogue, new)
        return self._validities[key]


class Candidate:
    """One constant that may be added.

    Parameters
    ----------
    state : State
        Where to.
    new : NewConstant
        What.
    force : bool
        Whether it is added even if the gate refuses it.

    Attributes
    ----------
    constant : ConstantName
        Its name.
    verdict : Verdict
        What the gate says; complete when its data are written.
    changes : Changes or None
        What is different from the data in force before; None where there were none that can be compared.
    """

    def __init__(self, state: State, new: NewConstant, *, force: bool) -> None:
        self._state, self._new, self._force = state, new, force
        catalogue = self._catalogue = state.catalogue
        ctype = parse_ctype(new.ctype)
        validity = state.validity(new)
        self._detector = state.detector(new.detector, validity.begin)
        self.constant = ConstantName(self._detector.name, ctype, validity)
        text = new.payload.array is None
        limits = catalogue.settings.gate.get(ctype, GateLimits())
        self._spec: ConstantType = limits.applied(constant_type(ctype, text=text))
        self._current = self._present()
        self._previous = self.constant if self._current else self._in_force()
        self.verdict = gate.Verdict()
        self.changes: Changes | None = None

    def check(self) -> None:
        """Let the gate judge, before anything is written.

        Raises
        ------
        LockedError
            If the default of the range is protected.
        GateRefusedError
            If the gate refuses the data, and they are not forced in.
        """
        if self._current and self._current.locked:
            raise LockedError(str(self.constant), self._current.lock_reason)
        array = self._new.payload.array
        ctype = self.constant.ctype
        self.verdict = gate.check_ctype(ctype, () if ctype in KNOWN else self._state.ctypes)
        if array is not None:
            self.verdict += gate.check_form(array.shape, array.dtype.name, self._spec, self._detector)
            self._examine(array)
        elif self._spec.kind != "text":
            self.verdict += gate.Verdict((Refusal("dtype", "text", f"an array, since {self._spec.name} is one"),))
        if array is None and self._previous:
            self._compare_text(self._previous)
        if self.verdict.refusals and not self._force:
            raise GateRefusedError(str(self.constant), self.verdict.refusals)

    def version(self, blob: str) -> str:
        """Return the name of the new version, once the data are written.

        Raises
        ------
        GateRefusedError
            If they are the data of the default already, and are not forced in.
        """
        known = self._catalogue.history
        if self._current and self._catalogue.payload(self.constant)[1].id == blob:
            default = known.default(self.constant)
            value = f"the data are those of {self.constant}@{default.name if default else 'the default'}"
            same = Refusal("new data", value, "data that differ; default set brings a version back")
            if not self._force:
                raise GateRefusedError(str(self.constant), (same,))
            self.verdict += gate.Verdict((same,))
        return f"v{known.count(self.constant) + 1}"

    def edits(self, blob: str) -> dict[str, bytes | str | None]:
        """Return the files of the constant."""
        new, payload, folder = self._new, self._new.payload, layout.constant_folder(self.constant)
        array = payload.array
        metadata = Metadata(
            dtype=payload.dtype,
            shape=payload.shape,
            dims=self._detector.dims(self._spec, payload.shape) if array is not None else (),
            unit=new.unit or self._spec.unit,
            convention=new.convention or DEFAULT_CONVENTIONS.get(self.constant.ctype, ""),
            origin=new.origin,
            provenance=new.provenance,
            parameters=new.parameters,
        )
        present = self._catalogue.snapshot.names(folder)
        edits: dict[str, bytes | str | None] = {
            f"{folder}/{file}": None for file in layout.PAYLOAD_FILES if file in present
        }
        return {**edits, f"{folder}/{payload.file}": blob, f"{folder}/{layout.META_FILE}": meta_toml.encode(metadata)}

    def _present(self) -> Metadata | None:
        names = self._catalogue.snapshot.names(layout.constant_folder(self.constant))
        return self._catalogue.metadata(self.constant) if names else None

    def _in_force(self) -> ConstantName | None:
        detector, ctype, validity = self._detector.name, self.constant.ctype, self.constant.validity
        found = self._catalogue.in_force(detector, ctype, validity.begin)
        if found is not None:
            return found
        ranges = self._catalogue.timeline(detector, ctype).ranges()
        closest = min(ranges, key=lambda other: other.distance(validity.begin), default=None)
        return ConstantName(detector, ctype, closest) if closest else None

    def _examine(self, array: NDArray[Any]) -> None:
        """Look at an array, and at what changed from the one before."""
        against, before = "", None
        if self._previous:
            file, entry = self._catalogue.payload(self._previous)
            if file == layout.ARRAY_FILE:
                against = str(self._previous)
                before = stored_array(self._catalogue.snapshot.store, entry.id, f"{against}/{file}")
        spec = self._spec
        dims = self._detector.dims(spec, array.shape)
        found = examine(array, before, dims=dims, kind=spec.array_kind, with_levels=spec.max_factor is not None)
        self.verdict += gate.judge_values(found.facts, spec)
        difference = found.difference
        if difference is None:
            return
        self.verdict += gate.check_change(difference, found.levels, spec, against)
        if difference.comparable:
            self.changes = Changes(
                against, "pixels", difference.changed, difference.pixels, difference.largest_median, difference.max_abs
            )

    def _compare_text(self, previous: ConstantName) -> None:
        file, entry = self._catalogue.payload(previous)
        if file != layout.ARRAY_FILE:
            old = load(self._catalogue.snapshot.store, file, entry.id, f"{previous}/{file}")
            self.changes = _text_changes(str(previous), str(old), self._new.payload)


def _text_changes(previous: str, old: str, new: Payload) -> Changes:
    if new.file == layout.GEOMETRY_FILE:
        before, after = geometry_text.decode(old, previous), geometry_text.decode(new.text, "new geometry")
        difference = geometry_difference.compare(before, after)
        return Changes(previous, "panels", len(difference.panels), difference.compared)
    old_lines, new_lines = old.splitlines(), new.text.splitlines()
    same = sum(size for _, _, size in difflib.SequenceMatcher(None, old_lines, new_lines).get_matching_blocks())
    longer = max(len(old_lines), len(new_lines))
    return Changes(previous, "lines", longer - same, longer)
