"""A detector of the repository as a DCS file has it: what the file says, and where the data of its versions are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError, InvalidNameError, UnknownDetectorError
from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion, Notes
from calibvcs.formats.toml import ctype_toml
from calibvcs.model import layout
from calibvcs.model.constant_types import constant_type
from calibvcs.model.metadata import DEFAULT_CONVENTIONS
from calibvcs.model.names import ConstantName, DetectorName
from calibvcs.model.times import parse_time
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.dcs import records
from calibvcs.ops.dcs.ranges import overlaid, range_from, ranges_from, validity_of
from calibvcs.ops.dcs.versions import version_notes
from calibvcs.ops.loading import load
from calibvcs.ops.version_states import last_metadata
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from calibvcs.model.detector import Detector
    from calibvcs.ops.threads import Version
    from calibvcs.store.protocol import ReadableStore

FORMAT = f"{records.MARK}format"
"""The parameter of a file that tells that an export made it."""

LONGNAME, SEGMENTS = f"{records.MARK}longname", f"{records.MARK}segments.json"


@dataclass(frozen=True)
class Stored:
    """What a file of one detector says, and its data.

    Attributes
    ----------
    file : DcsFile
        What it says.
    places : mapping
        By ctype, range and number of a version: file, id and name of its data.
    detector : str
        Name of the detector in the repository.
    """

    store: ReadableStore
    file: DcsFile
    places: Mapping[tuple[str, str, int], tuple[str, str, str]]
    detector: str = ""

    @property
    def names(self) -> dict[tuple[ConstantName, int], str]:
        """``vN`` of each version, by its constant and the number that the file gives it."""
        named = ((key, place[2].partition("@")) for key, place in self.places.items())
        return {(ConstantName.parse(constant), key[2]): version for key, (constant, _, version) in named}

    def data(self, ctype: str, key: str, number: int) -> NDArray[Any] | bytes:
        """Read the data of a version. Raises as `calibvcs.ops.loading.load`."""
        value = load(self.store, *self.places[ctype, key, number])
        return value.encode() if isinstance(value, str) else value


def content(
    catalogue: Catalogue, name: DetectorName, constants: Iterable[ConstantName], *, every_version: bool, whole: bool
) -> Stored:
    """Return a detector as a file has it.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    name : DetectorName
        The detector.
    constants : iterable of ConstantName
        Which of its constants.
    every_version : bool
        Whether to take all versions, and not only the defaults.
    whole : bool
        Whether to take what is recorded of ctypes and ranges that have no constants, too.

    Returns
    -------
    Stored
        The content; no data were read.
    """
    detector = catalogue.detector(name)
    store = catalogue.snapshot.store
    by_ctype: dict[str, list[ConstantName]] = {}
    for constant in constants:
        by_ctype.setdefault(constant.ctype, []).append(constant)
    places: dict[tuple[str, str, int], tuple[str, str, str]] = {}
    taken: set[tuple[str, str]] = set()
    ctypes = []
    for ctype in sorted({*by_ctype, *(catalogue.ctypes(name) if whole else ())}):
        kept = ctype_parameters(catalogue, name, ctype)
        noted = records.mapping(records.table_of(kept), "ranges")
        ranges = [
            overlaid(_range(catalogue, constant, places, taken, every=every_version), noted)
            for constant in by_ctype.get(ctype, ())
        ]
        if whole:
            there = {one.key for one in ranges}
            ranges += [one for one in ranges_from(noted) if one.key not in there]
        written = _text(records.table_of(kept), "name") or ctype
        if ranges or (kept and not records.table_of(kept).get("deleted")):
            ctypes.append((ctype, DcsCtype(written, tuple(_by_key(ranges)), records.notes_of(kept))))
    named = {(written.name, *key[1:]): place for key, place in places.items() for c, written in ctypes if c == key[0]}
    file = replace(_file(detector), ctypes=tuple(c for _, c in sorted(ctypes, key=_by_name)))
    return Stored(store, file, named, str(name))


def read_detector(catalogue: Catalogue, given: str, now: float) -> Stored:
    """Return a detector with every version of its constants that are not withdrawn.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        Detector or alias; one that is not registered is empty.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Stored
        The content; no data were read.

    Raises
    ------
    InvalidNameError
        If nothing is called so, and it can be no name of a detector.
    """
    try:
        name = catalogue.resolve(given, now)
    except (InvalidNameError, UnknownDetectorError):  # the original writes some names in upper case
        name = DetectorName.parse(given.lower())
        if name not in catalogue.detectors:
            empty = DcsFile(name.dettype, name.detid, str(name))
            return Stored(catalogue.snapshot.store, empty, {}, str(name))
    found = [
        ConstantName(name, ctype, validity)
        for ctype in catalogue.ctypes(name)
        for validity in catalogue.ranges(name, ctype)
    ]
    stored = content(catalogue, name, found, every_version=True, whole=True)
    withdrawn = {constant for constant in found if catalogue.metadata(constant).withdrawn}
    shown = (_shown(catalogue, name, ctype, withdrawn) for ctype in stored.file.ctypes)
    own = {key: value for key, value in stored.file.notes.parameters.items() if key != FORMAT}
    notes = Notes(own, stored.file.notes.history)
    return replace(stored, file=replace(stored.file, notes=notes, ctypes=tuple(ctype for ctype in shown if ctype)))


def _shown(
    catalogue: Catalogue, name: DetectorName, ctype: DcsCtype, withdrawn: Collection[ConstantName]
) -> DcsCtype | None:
    """Return a ctype without what is withdrawn; None where nothing is left of it."""
    kept = ctype_parameters(catalogue, name, ctype.name.lower())
    table = records.table_of(kept)
    ranges = []
    for one in ctype.ranges:
        if not one.versions or ConstantName(name, ctype.name.lower(), validity_of(one)) not in withdrawn:
            ranges.append(one)
        elif "begin" in records.mapping(records.mapping(table, "ranges"), one.key):  # it waits for a version
            ranges.append(replace(one, versions=(), versdef=0))
    return replace(ctype, ranges=tuple(ranges)) if ranges or (kept and not table.get("deleted")) else None


def ctype_parameters(catalogue: Catalogue, detector: DetectorName, ctype: str) -> dict[str, Any]:
    """Return the parameters that are recorded of a ctype, none where nothing is."""
    path = layout.ctype_file(detector, ctype)
    data = catalogue.snapshot.read(path)
    return {} if data is None else ctype_toml.decode(data, path)


def detector_notes(detector: Detector) -> Notes:
    """Return what a file notes of a detector itself."""
    notes = records.notes_of(detector.parameters)
    extra = {LONGNAME: detector.longname, SEGMENTS: records.as_json(detector.segments) if detector.segments else ""}
    return Notes({**notes.parameters, **{key: text for key, text in extra.items() if text}, FORMAT: 1}, notes.history)


def _file(detector: Detector) -> DcsFile:
    table = records.table_of(detector.parameters)
    made = table.get("tscfile")
    if records.TABLE not in detector.parameters:
        try:
            made = parse_time(detector.created) if detector.created else None
        except CalibvcsError:  # somebody wrote it by hand
            made = None
    name = detector.name
    return DcsFile(
        dettype=_text(table, "dettype") or name.dettype,
        detid=_text(table, "detid") or name.detid,
        detname=_text(table, "detname") or str(name),
        tscfile=float(made) if isinstance(made, int | float) else None,
        predecessor=_neighbour(detector.predecessor, _text(table, "predecessor")),
        successor=_neighbour(detector.successor, _text(table, "successor")),
        notes=detector_notes(detector),
    )


def _neighbour(recorded: str, written: str) -> str:
    """Return a neighbour as the file had it, unless another one is recorded meanwhile."""
    return written if written and recorded in {"", written.lower()} else recorded


def _range(
    catalogue: Catalogue,
    constant: ConstantName,
    places: dict[tuple[str, str, int], tuple[str, str, str]],
    taken: set[tuple[str, str]],
    *,
    every: bool,
) -> DcsRange:
    history = catalogue.history
    default = history.default(constant)
    versions: Sequence[Version] = history.versions(constant) if every else ()
    versions = versions or ([default] if default else [])
    numbers: dict[str, int] = {}
    made: list[DcsVersion] = []
    blobs: list[tuple[str, str, str]] = []
    of_range: Mapping[str, Any] = {}
    unit, convention = constant_type(constant.ctype).unit, DEFAULT_CONVENTIONS.get(constant.ctype, "")
    states = last_metadata(catalogue, constant, versions)
    for version in versions:
        then = Catalogue(Snapshot(catalogue.snapshot.store, version.commit.id))
        metadata = states[version.name]
        table = records.table_of(metadata.parameters)
        of_range = records.mapping(table, "range") if table else of_range
        wanted, last = table.get("version"), made[-1].number if made else 0
        number = wanted if isinstance(wanted, int) and last < wanted < 10**9 else max(version.number, last + 1)
        numbers[version.name] = number
        tsprod = table.get("tsprod", None if "version" in table else float(version.commit.author.time))
        notes = version_notes(metadata, version.commit, version.name, (unit, convention))
        exact = float(tsprod) if isinstance(tsprod, int | float) else None
        dtype, shape = ("text", ()) if metadata.is_text else (metadata.dtype, metadata.shape)
        made.append(DcsVersion(number, exact, notes, dtype, shape))
        file, entry = then.payload(constant)
        blobs.append((file, entry.id, f"{constant}@{version.name}"))
    one = range_from(constant.validity, of_range)
    if (constant.ctype, one.key) in taken:  # two names of a file that mean the same
        one = replace(one, key=str(constant.validity))
    current = numbers.get(default.name, 0) if default else 0
    if replace(one, versions=tuple(made)).default != current:
        one = replace(one, versdef=0 if made and current == made[-1].number else current)
    state = catalogue.metadata(constant)
    if state.locked:
        locked = {**one.notes.parameters, f"{records.MARK}locked": state.lock_reason or "locked"}
        one = replace(one, notes=Notes(locked, one.notes.history))
    if made:
        taken.add((constant.ctype, one.key))
    places.update({(constant.ctype, one.key, v.number): blob for v, blob in zip(made, blobs, strict=True)})
    return replace(one, versions=tuple(made))


def _by_key(ranges: Iterable[DcsRange]) -> list[DcsRange]:
    """Return ranges by their keys, as they stand in a file."""
    return [found for _, found in sorted({one.key: one for one in ranges}.items())]


def _by_name(entry: tuple[str, DcsCtype]) -> str:
    return entry[1].name


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""
