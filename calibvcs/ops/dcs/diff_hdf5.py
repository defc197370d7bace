"""``diff`` of files of the Detector Calibration Store, with each other or with the repository."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError, InvalidDataError, InvalidOptionError, UnknownDetectorError
from calibvcs.formats import geometry_text
from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion, is_dcs_file, version_name
from calibvcs.formats.dcs.dcs_reading import DcsReader
from calibvcs.model import array_difference, geometry_difference, layout
from calibvcs.model.constant_types import constant_type
from calibvcs.model.detector import Detector
from calibvcs.model.names import DetectorName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.dcs.content import content
from calibvcs.ops.dcs.export_hdf5 import Wanted, constants
from calibvcs.ops.dcs.records import MARK
from calibvcs.ops.diff import ConstantDifference, Diff, FieldDifference
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from calibvcs.formats.dcs.dcs_hdf5 import Notes

_UNKNOWN = Detector(DetectorName("unknown", "0"))


@dataclass(frozen=True)
class _Side:
    """One side: what it is called, what it says, and its data."""

    label: str
    file: DcsFile
    data: Callable[[str, str, int], NDArray[Any] | bytes]
    detector: Detector = _UNKNOWN


def diff_hdf5(catalogue: Catalogue | None, a: str, b: str, now: float = 0.0) -> Diff:
    """Compare two files, or a file and the repository: every version, and what is noted at every level.

    Parameters a file was given by calibvcs itself (``calibvcs_...``) are not compared, nor is when it was made.

    Parameters
    ----------
    catalogue : Catalogue or None
        The commit at which names are looked up; None where both sides are files.
    a, b : str
        Two files, or a file and a detector (``DET``, ``DET@REVISION``) or a revision, whose detector is that of the
        file.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Diff
        b minus a.

    Raises
    ------
    MissingFileError, InvalidDataError
        If a file cannot be read.
    UnknownDetectorError, UnknownRevisionError
        If the repository has no such detector or state.
    """
    with ExitStack() as opened:
        readers = [opened.enter_context(DcsReader(given)) if is_dcs_file(given) else None for given in (a, b)]
        files = [reader.file for reader in readers if reader is not None]
        sides = []
        for given, reader in zip((a, b), readers, strict=True):
            if reader is not None:
                sides.append(_Side(given, reader.file, reader.data))
            elif catalogue is None or not files:
                raise InvalidOptionError("diff", f"{a} {b}", "one side at least has to be a file that ends in .h5")
            else:
                sides.append(_stored(catalogue, given, files[0], now))
        found = tuple(_differences(*sides))
    return Diff(a, b, not found, found)


def _stored(catalogue: Catalogue, given: str, other: DcsFile, now: float) -> _Side:
    """Return what the repository has of a detector, as an export would write it."""
    store = catalogue.snapshot.store
    name, _, version = given.partition("@")
    try:
        detector = catalogue.resolve(name, now)
    except UnknownDetectorError:
        if "-" in name:
            raise
        detector, version = _of(other), given
    except CalibvcsError:
        detector, version = _of(other), given
    at = Catalogue(Snapshot(store, resolve(store, version))) if version else catalogue
    wanted = Wanted(versions="all")
    stored = content(at, detector, constants(at, detector, wanted, []), every_version=True, whole=True)
    return _Side(str(detector), stored.file, stored.data, at.detector(detector))


def _of(file: DcsFile) -> DetectorName:
    try:
        return DetectorName.parse((file.detname or f"{file.dettype}-{file.detid}").lower())
    except CalibvcsError:
        advice = "name the detector: calibvcs diff FILE DETNAME"
        raise InvalidDataError(file.detname or "file", "its detector has no name that is one here", advice) from None


# --- levels ---------------------------------------------------------------------------------------------------


def _differences(a: _Side, b: _Side) -> Iterator[ConstantDifference]:
    names = ("dettype", "detid", "detname", "predecessor", "successor")
    fields = {name: (getattr(a.file, name), getattr(b.file, name)) for name in names}
    yield from _told(a.label, b.label, fields, a.file.notes, b.file.notes)
    pairs = _paired({ctype.name: ctype for ctype in a.file.ctypes}, {ctype.name: ctype for ctype in b.file.ctypes})
    for name, (in_a, in_b) in pairs:
        yield from _ctypes(a, b, name, in_a or DcsCtype(name), in_b or DcsCtype(name))


def _ctypes(a: _Side, b: _Side, name: str, in_a: DcsCtype, in_b: DcsCtype) -> Iterator[ConstantDifference]:
    yield from _told(f"{a.label}:{name}", f"{b.label}:{name}", {}, in_a.notes, in_b.notes)
    for key, (one, other) in _paired({r.key: r for r in in_a.ranges}, {r.key: r for r in in_b.ranges}):
        labels = f"{a.label}:{name}/{key}", f"{b.label}:{name}/{key}"
        if one is None or other is None:
            yield from (_alone(labels, version, added=one is None) for version in (one or other or _NONE).versions)
            if not (one or other or _NONE).versions:
                yield ConstantDifference(*_on_side(labels, added=one is None))
            continue
        fields = {field: (getattr(one, field), getattr(other, field)) for field in ("begin", "end", "default")}
        yield from _told(*labels, fields, one.notes, other.notes)
        in_one, in_other = ({v.number: v for v in side.versions} for side in (one, other))
        for _, (before, after) in _paired(in_one, in_other):
            if before is None or after is None:
                yield _alone(labels, before or after or DcsVersion(0), added=before is None)
            else:
                yield from _versions(a, b, name, key, (before, after), labels)


_NONE = DcsRange("", 0)


def _versions(
    a: _Side, b: _Side, ctype: str, key: str, pair: tuple[DcsVersion, DcsVersion], labels: tuple[str, str]
) -> Iterator[ConstantDifference]:
    before, after = pair
    metadata = tuple(_fields({"tsprod": (before.tsprod, after.tsprod)}, before.notes, after.notes))
    names = f"{labels[0]}/{version_name(before.number)}", f"{labels[1]}/{version_name(after.number)}"
    if not before.dtype or not after.dtype:
        text = "" if before.dtype == after.dtype else "one side has no data that can be read"
        found = ConstantDifference(*names, "changed", text=text, metadata=metadata)
    else:
        values = a.data(ctype, key, before.number), b.data(ctype, key, after.number)
        detector = b.detector if b.detector is not _UNKNOWN else a.detector
        found = _values(names, ctype, values, detector, metadata)
    if found.metadata or found.text or not (found.array is None or found.array.same) or found.geometry:
        yield found


def _values(
    names: tuple[str, str],
    ctype: str,
    values: tuple[NDArray[Any] | bytes, NDArray[Any] | bytes],
    detector: Detector,
    metadata: tuple[FieldDifference, ...],
) -> ConstantDifference:
    before, after = values
    if isinstance(before, bytes) and isinstance(after, bytes):
        if before == after:
            return ConstantDifference(*names, "changed", metadata=metadata)
        if ctype in layout.GEOMETRY_CTYPES:
            try:
                geometries = [
                    geometry_text.decode(text, name) for text, name in zip((before, after), names, strict=True)
                ]
            except InvalidDataError:
                pass
            else:
                compared = geometry_difference.compare(*geometries)
                if not compared.same:
                    return ConstantDifference(*names, "changed", geometry=compared, metadata=metadata)
        return ConstantDifference(*names, "changed", text="the texts differ", metadata=metadata)
    if isinstance(before, bytes) or isinstance(after, bytes):
        return ConstantDifference(*names, "changed", text="one side is text, the other an array", metadata=metadata)
    spec = constant_type(ctype)
    dims = detector.dims(spec, after.shape)
    array = array_difference.compare(before, after, dims=dims, kind=spec.array_kind)
    return ConstantDifference(*names, "changed", array=array, metadata=metadata)


# --- what is noted --------------------------------------------------------------------------------------------


def _told(
    a: str, b: str, fields: Mapping[str, tuple[object, object]], before: Notes, after: Notes
) -> Iterator[ConstantDifference]:
    found = tuple(_fields(fields, before, after))
    if found:
        yield ConstantDifference(a, b, "changed", metadata=found)


def _fields(fields: Mapping[str, tuple[object, object]], before: Notes, after: Notes) -> Iterator[FieldDifference]:
    pairs = dict(fields)
    for kind, old, new in (("", before.parameters, after.parameters), ("history.", before.history, after.history)):
        for key in sorted({*old, *new}):
            if not key.startswith(MARK):
                pairs[f"{kind or 'parameters.'}{key}"] = (old.get(key), new.get(key))
    for name, (old_value, new_value) in pairs.items():
        if type(old_value) is not type(new_value) or repr(old_value) != repr(new_value):
            yield FieldDifference(name, *("" if value is None else str(value) for value in (old_value, new_value)))


def _paired(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> Iterator[tuple[Any, tuple[Any, Any]]]:
    for key in sorted({*a, *b}):
        yield key, (a.get(key), b.get(key))


def _alone(labels: tuple[str, str], version: DcsVersion, *, added: bool) -> ConstantDifference:
    a, b, status = _on_side(labels, added=added)
    name = f"/{version_name(version.number)}"
    return ConstantDifference(f"{a}{name}" if a else "", f"{b}{name}" if b else "", status)


def _on_side(labels: tuple[str, str], *, added: bool) -> tuple[str, str, str]:
    return ("", labels[1], "added") if added else (labels[0], "", "removed")
