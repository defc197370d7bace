"""``add``: new data become the default of their range, once the gate lets them pass."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import GateRefusedError, InvalidOptionError, LockedError, NoValidConstantError, Refusal
from calibvcs.formats import geometry_text, meta_toml
from calibvcs.model import array_difference, gate, geometry_difference, layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.constant_types import constant_type
from calibvcs.model.metadata import DEFAULT_CONVENTIONS, Metadata, Origin, Provenance
from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.model.repository import GateLimits
from calibvcs.model.validity import Validity
from calibvcs.ops import payload as payloads
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.commits import Person
    from calibvcs.model.constant_types import ConstantType
    from calibvcs.model.detector import Detector, Parameters
    from calibvcs.model.times import RunName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Payload
    from calibvcs.store.protocol import Store


@dataclass(frozen=True)
class NewConstant:
    """What somebody wants to add.

    Attributes
    ----------
    detector : str
        Detector or alias.
    ctype : str
        Calibration type.
    payload : Payload
        The data.
    begin : float, RunName or None
        Begin of the range; None takes it from the run of `origin`.
    end : float, RunName or None
        End of the range; None is open.
    origin : Origin
        Where the data were taken.
    unit, convention : str
        Unit, and how to apply the values; empty for what is usual for the ctype.
    parameters : mapping
        Free parameters.
    provenance : Provenance
        How the data came about.
    """

    detector: str
    ctype: str
    payload: Payload
    begin: float | RunName | None
    end: float | RunName | None = None
    origin: Origin = field(default_factory=Origin)
    unit: str = ""
    convention: str = ""
    parameters: Parameters = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)


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


@dataclass(frozen=True, slots=True)
class Added:
    """One constant that was added."""

    constant: ConstantName
    version: str
    commit: str
    blob: str
    changes: Changes | None
    warnings: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddResult:
    """What `add` did."""

    schema: ClassVar[str] = "calibvcs.add/1"

    constants: tuple[Added, ...]
    commit: str


def add(
    store: Store, author: Person, constants: Sequence[NewConstant], message: str, *, force_reason: str = ""
) -> AddResult:
    """Add constants, all in one commit; each becomes the default of its range.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who adds them.
    constants : sequence of NewConstant
        What is to be added; no two for the same range.
    message : str
        Why.
    force_reason : str, optional
        Why data that the gate refuses are right all the same; empty lets the gate decide.

    Returns
    -------
    AddResult
        Constant, version, commit and changes of each.

    Raises
    ------
    GateRefusedError
        If the data look wrong; all reasons are listed.
    LockedError
        If the default of the range is protected.
    UnknownDetectorError, InvalidRangeError, InvalidOptionError, EmptyCommentError
        If the request itself is not in order.
    """
    written: dict[int, str] = {}

    def plan(catalogue: Catalogue) -> transaction.Plan[tuple[Added, ...]]:
        edits: dict[str, bytes | str | None] = {}
        added: list[Added] = []
        for number, new in enumerate(constants):
            adder = _Adder(catalogue, new, bool(force_reason))
            if any(adder.constant == other.constant for other in added):
                raise InvalidOptionError("constant", str(adder.constant), "it is named twice in one change")
            adder.check()
            if number not in written:
                written[number] = store.put_blob(new.payload.buffers)
            added.append(adder.added(written[number]))
            edits.update(adder.edits(written[number]))
        names = tuple(one.constant for one in added)
        forced = force_reason if any(one.forced for one in added) else ""
        return transaction.Plan(edits, Message(message, Action.ADD, names, forced=forced), tuple(added))

    Message(message).encode()  # an empty comment is told before arrays are read
    commit, added = transaction.commit(store, author, plan)
    return AddResult(
        tuple(Added(a.constant, a.version, commit, a.blob, a.changes, a.warnings, a.forced) for a in added), commit
    )


class _Adder:
    """One constant on its way into one state of the repository."""

    def __init__(self, catalogue: Catalogue, new: NewConstant, force: bool) -> None:
        self._catalogue, self._new, self._force = catalogue, new, force
        ctype = parse_ctype(new.ctype)
        validity = _validity(catalogue, new)
        self._detector: Detector = catalogue.detector(catalogue.resolve(new.detector, validity.begin))
        self.constant = ConstantName(self._detector.name, ctype, validity)
        text = new.payload.array is None
        limits = catalogue.settings.gate.get(ctype, GateLimits())
        self._spec: ConstantType = limits.applied(constant_type(ctype, text=text))
        self._current = self._present()
        self._previous = self.constant if self._current else self._in_force()
        self._verdict = gate.Verdict()
        self._changes: Changes | None = None

    def check(self) -> None:
        """Let the gate judge; without force, its refusals are raised."""
        if self._current and self._current.locked:
            raise LockedError(str(self.constant), self._current.lock_reason)
        array = self._new.payload.array
        present = {name for detector in self._catalogue.detectors for name in self._catalogue.ctypes(detector)}
        self._verdict = gate.check_ctype(self.constant.ctype, present)
        if array is not None:
            self._verdict += gate.check_form(array.shape, array.dtype.name, self._spec, self._detector)
            self._verdict += gate.check_values(array, self._spec)
        elif self._spec.kind != "text":
            self._verdict += gate.Verdict((Refusal("dtype", "text", f"an array, since {self._spec.name} is one"),))
        if self._previous:
            self._compare(self._previous)
        if self._verdict.refusals and not self._force:
            raise GateRefusedError(str(self.constant), self._verdict.refusals)

    def added(self, blob: str) -> Added:
        """Return the result, once the data are written."""
        known = self._catalogue.history
        number = len(known.versions(self.constant)) + 1
        if self._current and self._catalogue.payload(self.constant)[1].id == blob:
            default = known.default(self.constant)
            value = f"the data are those of {self.constant}@{default.name if default else 'the default'}"
            same = Refusal("new data", value, "data that differ; default set brings a version back")
            if not self._force:
                raise GateRefusedError(str(self.constant), (same,))
            self._verdict += gate.Verdict((same,))
        forced = tuple(str(refusal) for refusal in self._verdict.refusals)
        return Added(self.constant, f"v{number}", "", blob, self._changes, self._verdict.warnings, forced)

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
        ranges = self._catalogue.ranges(detector, ctype)
        try:
            return self._catalogue.choose(detector, ctype, validity.begin) if ranges else None
        except NoValidConstantError:
            closest = min(ranges, key=lambda other: other.distance(validity.begin))
            return ConstantName(detector, ctype, closest)

    def _compare(self, previous: ConstantName) -> None:
        file, entry = self._catalogue.payload(previous)
        old = payloads.load(self._catalogue.snapshot.store, file, entry.id, f"{previous}/{file}")
        new = self._new.payload
        if isinstance(old, str) or new.array is None:
            self._changes = _text_changes(str(previous), old, new) if isinstance(old, str) else None
            return
        dims = self._detector.dims(self._spec, new.shape)
        difference = array_difference.compare(old, new.array, dims=dims, kind=self._spec.array_kind)
        self._verdict += gate.check_change(new.array, old, difference, self._spec, str(previous))
        if difference.comparable:
            self._changes = Changes(
                str(previous),
                "pixels",
                difference.changed,
                difference.pixels,
                difference.largest_median,
                difference.max_abs,
            )


def _validity(catalogue: Catalogue, new: NewConstant) -> Validity:
    origin = new.origin
    if new.begin is None:
        if not origin.experiment or origin.run is None:
            allowed = "the begin of the range is needed (or --experiment and --run, whose begin is taken)"
            raise InvalidOptionError("--begin", "", allowed, "give --begin TIME; 0 for a fallback that is valid always")
        validity = catalogue.run_table(origin.experiment).validity(origin.run, origin.run_end)
        return validity if new.end is None else Validity(validity.begin, math.ceil(catalogue.seconds(new.end)))
    begin = math.floor(catalogue.seconds(new.begin))
    if new.end is None and origin.experiment and origin.run is not None and origin.run_end is not None:
        return Validity(begin, catalogue.run_table(origin.experiment).validity(origin.run, origin.run_end).end)
    return Validity(begin, None if new.end is None else math.ceil(catalogue.seconds(new.end)))


def _text_changes(previous: str, old: str, new: Payload) -> Changes | None:
    if new.array is not None:
        return None
    if new.file == layout.GEOMETRY_FILE:
        before, after = geometry_text.decode(old, previous), geometry_text.decode(new.text, "new geometry")
        difference = geometry_difference.compare(before, after)
        return Changes(previous, "panels", len(difference.panels), difference.compared)
    old_lines, new_lines = old.splitlines(), new.text.splitlines()
    same = sum(size for _, _, size in difflib.SequenceMatcher(None, old_lines, new_lines).get_matching_blocks())
    longer = max(len(old_lines), len(new_lines))
    return Changes(previous, "lines", longer - same, longer)
