"""``diff``: two versions, ranges, detectors, files, or states of the whole repository, compared by their numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import CalibvcsError, InvalidOptionError, UnknownDetectorError
from calibvcs.formats import geometry_text
from calibvcs.formats.toml import meta_toml
from calibvcs.model import array_difference, geometry_difference, layout
from calibvcs.model.constant_types import constant_type
from calibvcs.model.detector import Detector
from calibvcs.model.metadata import InputFile
from calibvcs.model.names import ConstantName, ConstantReference, DetectorName
from calibvcs.ops import payload as payloads
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.get import read
from calibvcs.ops.reference import locate, select
from calibvcs.ops.threads import constant_of
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.array_difference import ArrayDifference
    from calibvcs.model.geometry_difference import GeometryDifference
    from calibvcs.model.metadata import Metadata
    from calibvcs.ops.payload import Value
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One entry of the metadata that differs; an empty string where a side has none."""

    field: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class ConstantDifference:
    """The difference of one constant.

    Attributes
    ----------
    a, b : str
        What was compared; empty where it is on one side only.
    status : str
        same, changed, added (only in b) or removed (only in a).
    array : ArrayDifference or None
        For two arrays: numbers per gain range and segment, b minus a.
    geometry : GeometryDifference or None
        For two geometries: numbers per panel, b minus a.
    text : str
        For other text, or data of different kinds: what is different, in words.
    metadata : tuple of FieldDifference
        Entries of ``meta.toml`` that differ.
    """

    a: str
    b: str
    status: str
    array: ArrayDifference | None = None
    geometry: GeometryDifference | None = None
    text: str = ""
    metadata: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two sides.

    Attributes
    ----------
    a, b : str
        The two sides, as they were given.
    same : bool
        Whether nothing differs.
    constants : tuple of ConstantDifference
        What differs; of constants that were named one by one also what is the same.
    files : tuple of str
        Other files of the repository that differ (detector records, aliases, run tables, settings).
    """

    schema: ClassVar[str] = "calibvcs.diff/1"

    a: str
    b: str
    same: bool
    constants: tuple[ConstantDifference, ...] = ()
    files: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from calibvcs.ops.pictures import html_tables

        return html_tables.diff(self)


@dataclass(frozen=True, slots=True)
class _Side:
    """One constant or file on one side of a comparison."""

    label: str
    ctype: str
    value: Value
    detector: Detector | None = None
    metadata: Metadata | None = None
    blob: str = ""


def diff(catalogue: Catalogue, a: str, b: str, now: float) -> Diff:
    """Compare two things of one kind.

    Parameters
    ----------
    catalogue : Catalogue
        The commit at which names are looked up.
    a, b : str
        Two constants (``DET/CTYPE/RANGE[@VERSION]``), two ctypes (``DET/CTYPE``), two detectors, two revisions or
        dates of the whole repository, or a file and a constant. A path with a ``.`` or ``/`` at its begin is a file.
        Beside a constant or file, ``DET/CTYPE`` is the only range of that ctype.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Diff
        b minus a.

    Raises
    ------
    NotFoundError
        If something that is named is not there.
    InvalidOptionError
        If the two are not of one kind.
    """
    kinds = _kind(catalogue, a, now), _kind(catalogue, b, now)
    if set(kinds) == {"constant", "set"} and all("/" in side for side in (a, b)):
        kinds = "constant", "constant"  # beside a version, a ctype means its only range
    if "file" in kinds or kinds == ("constant", "constant"):
        return _single(catalogue, a, b, kinds, now)
    if kinds == ("set", "set"):
        return _sets(catalogue, a, b, now)
    if kinds == ("revision", "revision"):
        return _revisions(catalogue.snapshot.store, a, b)
    allowed = f"both sides have to be of one kind; {a!r} is a {kinds[0]}, {b!r} a {kinds[1]}"
    raise InvalidOptionError("diff", f"{a} {b}", allowed, "name two constants, two detectors, two revisions, or a file")


def _kind(catalogue: Catalogue, given: str, now: float) -> str:
    if given.startswith((".", "/", "~")) or Path(given).is_file():
        return "file"
    head, _, _ = given.partition("@")
    try:
        catalogue.resolve(head.partition("/")[0], now)
    except UnknownDetectorError:
        if "/" in given and _is_reference(given) and not _is_revision(catalogue, given):
            raise
        return "revision"
    except CalibvcsError:
        return "revision"
    reference = ConstantReference.parse(given)
    whole = reference.validity is not None or (reference.ctype is not None and reference.version is not None)
    return "constant" if whole else "set"


def _is_reference(given: str) -> bool:
    try:
        ConstantReference.parse(given)
    except CalibvcsError:
        return False
    return True


def _is_revision(catalogue: Catalogue, given: str) -> bool:
    try:
        resolve(catalogue.snapshot.store, given)
    except CalibvcsError:
        return False
    return True


# --- two constants, or a file and a constant ------------------------------------------------------------------


def _single(catalogue: Catalogue, a: str, b: str, kinds: tuple[str, str], now: float) -> Diff:
    constants = [_stored(catalogue, given, now) for given, kind in zip((a, b), kinds, strict=True) if kind != "file"]
    ctype = constants[0].ctype if constants else _guess_ctype(a)
    detector = constants[0].detector if constants else None
    found = iter(constants)
    sides = [
        next(found) if kind != "file" else _file(given, ctype, detector)
        for given, kind in zip((a, b), kinds, strict=True)
    ]
    difference = _compare(sides[0], sides[1])
    return Diff(a, b, difference.status == "same", (difference,))


def diff_files(catalogue: Catalogue, a: str, b: str, path: str) -> Diff:
    """Compare two files that are both meant to stand at one path of the repository.

    Parameters
    ----------
    catalogue : Catalogue
        The commit that knows the detector.
    a, b : str
        The files.
    path : str
        Path in the repository: it tells ctype and detector, and data from metadata.

    Returns
    -------
    Diff
        b minus a, both called by the path.

    Raises
    ------
    MissingFileError, InvalidDataError, InvalidDocumentError
        If a file cannot be read.
    """
    name, labels = constant_of(path), (f"{path} (first)", f"{path} (second)")
    if name is not None and path.endswith(f"/{layout.META_FILE}"):
        first, second = (meta_toml.decode(payloads.content(one, meta_toml.SIZE_LIMIT), path) for one in (a, b))
        told = _metadata(first, second)
        difference = ConstantDifference(*labels, "changed" if told else "same", metadata=told)
    else:
        ctype = name.ctype if name else _guess_ctype(a)
        known = name is not None and name.detector in catalogue.detectors
        detector = catalogue.detector(name.detector) if name and known else None
        sides = [replace(_file(one, ctype, detector), label=label) for one, label in zip((a, b), labels, strict=True)]
        difference = _compare(sides[0], sides[1])
    return Diff(*labels, difference.status == "same", (difference,))


def _stored(catalogue: Catalogue, given: str, now: float) -> _Side:
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    return _side(Catalogue(Snapshot(store, located.commit_id)), located.constant, located.label)


def _side(catalogue: Catalogue, name: ConstantName, label: str) -> _Side:
    constant = read(catalogue, name)
    detector = catalogue.detector(name.detector)
    return _Side(label, name.ctype, constant.data, detector, constant.meta, constant.blob)


def _file(path: str, ctype: str, detector: Detector | None) -> _Side:
    payload = payloads.from_file(path, ctype)
    return _Side(path, ctype, payload.text if payload.array is None else payload.array, detector)


def _guess_ctype(path: str) -> str:
    text = payloads.peek(path)
    return layout.GEOMETRY_CTYPES[0] if geometry_text.looks_like_geometry(text) else "data"


def _compare(a: _Side, b: _Side) -> ConstantDifference:
    metadata = _metadata(a.metadata, b.metadata) if a.metadata and b.metadata else ()
    text, array, geometry, same = "", None, None, a.blob == b.blob != ""
    if isinstance(a.value, str) and isinstance(b.value, str):
        if a.ctype in layout.GEOMETRY_CTYPES and b.ctype in layout.GEOMETRY_CTYPES:
            before, after = geometry_text.decode(a.value, a.label), geometry_text.decode(b.value, b.label)
            geometry = geometry_difference.compare(before, after)
            same = geometry.same
        else:
            same = a.value == b.value
            text = "" if same else "the texts differ"
    elif isinstance(a.value, str) or isinstance(b.value, str):
        text = "one side is text, the other an array"
    else:
        spec = constant_type(b.ctype)
        detector = b.detector or a.detector or Detector(DetectorName("unknown", "0"))
        dims = detector.dims(spec, b.value.shape)
        array = array_difference.compare(a.value, b.value, dims=dims, kind=spec.array_kind)
        same = array.same
    told = all(entry.field.startswith(_ONLY_TOLD) for entry in metadata)
    status = "same" if same and told else "changed"
    return ConstantDifference(a.label, b.label, status, array, geometry, text, metadata)


# How the data came about differs from version to version; it is told, but does not make equal data differ.
_ONLY_TOLD = "provenance."


def _metadata(a: Metadata, b: Metadata) -> tuple[FieldDifference, ...]:
    before, after = _flat(a), _flat(b)
    return tuple(FieldDifference(name, before[name], after[name]) for name in before if before[name] != after[name])


def _flat(metadata: Metadata) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in fields(metadata):
        value = getattr(metadata, field.name)
        inner = {f"{field.name}.{f.name}": getattr(value, f.name) for f in fields(value)} if is_dataclass(value) else {}
        values.update({name: _shown(one) for name, one in (inner or {field.name: value}).items()})
    return values


def _shown(value: object) -> str:
    if isinstance(value, InputFile):
        return f"{value.path} ({value.sha256[:12]})"
    if isinstance(value, tuple):
        return " ".join(map(str, value)) if all(isinstance(v, str) for v in value) else ", ".join(map(_shown, value))
    return "" if value in (None, "", {}) else str(value)


# --- sets of constants ----------------------------------------------------------------------------------------


def _sets(catalogue: Catalogue, a: str, b: str, now: float) -> Diff:
    store = catalogue.snapshot.store
    sides = []
    for given in (a, b):
        path, _, version = given.partition("@")
        at = Catalogue(Snapshot(store, resolve(store, version))) if version else catalogue
        found = {(c.ctype, str(c.validity)): c for c in select(at, path, now)}
        sides.append((at, found))
    (at_a, in_a), (at_b, in_b) = sides
    pairs = [(in_a.get(key), in_b.get(key)) for key in sorted({*in_a, *in_b})]
    differences = tuple(_pair(at_a, at_b, x, y) for x, y in pairs)
    return Diff(a, b, all(d.status == "same" for d in differences), differences)


def _pair(at_a: Catalogue, at_b: Catalogue, a: ConstantName | None, b: ConstantName | None) -> ConstantDifference:
    if a is None or b is None:
        return ConstantDifference(str(a or ""), str(b or ""), "added" if a is None else "removed")
    return _compare(_side(at_a, a, _versioned(at_a, a)), _side(at_b, b, _versioned(at_b, b)))


def _versioned(catalogue: Catalogue, name: ConstantName) -> str:
    version = catalogue.history.default(name)
    return f"{name}@{version.name}" if version else str(name)


def _revisions(store: ReadableStore, a: str, b: str) -> Diff:
    at_a, at_b = (Catalogue(Snapshot(store, resolve(store, given))) for given in (a, b))
    files_a, files_b = (dict(at.snapshot.files()) for at in (at_a, at_b))
    changed = sorted(path for path in {*files_a, *files_b} if files_a.get(path) != files_b.get(path))
    names = [(path, constant_of(path)) for path in changed]
    touched = sorted({name for _, name in names if name is not None})
    differences = []
    for name in touched:
        present = [bool(at.snapshot.names(layout.constant_folder(name))) for at in (at_a, at_b)]
        differences.append(_pair(at_a, at_b, name if present[0] else None, name if present[1] else None))
    others = tuple(path for path, name in names if name is None)
    return Diff(a, b, not changed, tuple(differences), others)
