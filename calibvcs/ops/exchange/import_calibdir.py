"""``import calibdir``: the files of a legacy calib directory, with what its HISTORY tells, become versions here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from calibvcs.errors import CalibvcsError, InvalidDataError, InvalidOptionError
from calibvcs.formats.calib import calib_history
from calibvcs.formats.calib.calib_scan import scan
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.names import ConstantName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.detector import DetectorChange
from calibvcs.ops.exchange import calib_values
from calibvcs.ops.exchange.calib_sources import Sources
from calibvcs.ops.exchange.run_ranges import RunTimes
from calibvcs.ops.exchange.taking_over import Kept, TakenOver, take_over
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

    from calibvcs.formats.calib.calib_directory import Source
    from calibvcs.formats.calib.calib_history import Deployment
    from calibvcs.formats.calib.calib_scan import CalibDirectory, CalibFile
    from calibvcs.model.commits import Person
    from calibvcs.model.detector import Parameters
    from calibvcs.model.names import DetectorName
    from calibvcs.model.runs import RunTable
    from calibvcs.store.protocol import Store

PARAMETER: Final = "calibdir"
"""Parameter of a constant that holds the line of HISTORY that it came with."""

GROUP_PARAMETER: Final = "calib_group"
"""Parameter of a detector that stood in another group than its device tells."""

_SHOWN: Final = 3
_STAMP_SLACK: Final = 5  # seconds between the stamp of a backup and the line about what replaced it
_PERSON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# For other detectors, LCLS-I multiplies by the gain.
_DIVIDED: Final = ("jungfrau", "epix10ka")


@dataclass(frozen=True, slots=True)
class CalibdirImport:
    """How a calib directory is to be understood.

    Attributes
    ----------
    mapping : mapping of Source to DetectorName
        Detectors of sources, where the usual way would find others.
    table : RunTable
        The runs of its experiment.
    zone : tzinfo
        Zone of the clock that wrote HISTORY and the stamps of backups.
    backups : bool
        Whether backups are taken in as older versions.
    skip_unreadable : bool
        Whether files whose data cannot be read are passed over, and not refused.
    """

    mapping: Mapping[Source, DetectorName]
    table: RunTable
    zone: tzinfo
    backups: bool = False
    skip_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class _Version:
    """One file, and what is known of how it came about."""

    path: Path
    time: int | None
    line: Deployment | None


@dataclass
class _Reading:
    """What comes out of a directory."""

    kept: list[Kept] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def import_calibdir(store: Store, author: Person, folder: Path, how: CalibdirImport) -> TakenOver:
    """Take over the files of a calib directory.

    For every run of the run table, `get` then gives what LCLS' readers took from the directory.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it: the committer, and the author of what nobody is known to have made.
    folder : Path
        The directory with the folders ``<group>::CalibV1``, or one that holds it as ``calib``.
    how : CalibdirImport
        How it is to be understood.

    Returns
    -------
    TakenOver
        What came in, and what was passed over.

    Raises
    ------
    MissingFileError
        If the directory or a file cannot be read.
    InvalidDataError
        If runs are missing in the run table, or data cannot be read; nothing was changed.
    InvalidOptionError
        If a source may mean several detectors, two sources mean the same constant, or `mapping` names a source that
        is not there.
    LockedError
        If a default here is protected; nothing was changed for its constant, and nothing after it.
    """
    directory = scan(folder)
    sources = Sources(Catalogue(Snapshot(store, store.tip())), how.mapping)
    present = sorted({file.source for file in directory.files})
    for source in how.mapping:
        if source not in present:
            raise InvalidOptionError("--map", str(source), f"the sources there are {', '.join(map(str, present))}")
    detectors = {source: sources.detector(source) for source in present}
    names = _names(directory, detectors, RunTimes(how.table))
    reading = _Reading(passed_over=list(directory.passed_over))
    for file, name in names:
        _read(directory, file, name, how, reading)
    if reading.unreadable and not how.skip_unreadable:
        shown = "; ".join(reading.unreadable[:_SHOWN])
        more = f"; and {len(reading.unreadable) - _SHOWN} more" if len(reading.unreadable) > _SHOWN else ""
        advice = "correct the files, or go on without them: --skip-unreadable"
        raise InvalidDataError(str(folder), f"data that cannot be read: {shown}{more}", advice)
    reading.passed_over += reading.unreadable
    changes = {detectors[file.source]: _change(file) for file, _ in reversed(names)}
    return take_over(store, author, str(folder), reading.kept, changes, reading.passed_over)


def _names(
    directory: CalibDirectory, detectors: Mapping[Source, DetectorName], times: RunTimes
) -> list[tuple[CalibFile, ConstantName]]:
    """Return the files with the constants that they become."""
    names: list[tuple[CalibFile, ConstantName]] = []
    taken: dict[ConstantName, CalibFile] = {}
    for file in directory.files:
        validity = times.validity(file.span)
        if validity is not None:
            name = ConstantName(detectors[file.source], file.ctype, validity)
            other = taken.setdefault(name, file)
            if other is not file:
                allowed = f"{_relative(directory, other.path)} means the same constant {name}"
                advice = "tell the detectors apart: --map SOURCE=DETNAME"
                raise InvalidOptionError("source", _relative(directory, file.path), allowed, advice)
            names.append((file, name))
    times.check()
    return names


def _read(
    directory: CalibDirectory, file: CalibFile, name: ConstantName, how: CalibdirImport, reading: _Reading
) -> None:
    """Add the versions of one file; every one is read once here, so that what is broken is told before all else."""
    *older, newest = _versions(file, how.zone)
    timeless = {backup.path for backup in file.backups} - {version.path for version in older}
    for backup in file.backups:
        if not how.backups or backup.path in timeless:
            reason = "its name tells no time" if backup.path in timeless else "a backup; --backups takes it in"
            reading.passed_over.append(f"{_relative(directory, backup.path)}: {reason}")
    for version in [*older, newest] if how.backups else [newest]:
        relative = _relative(directory, version.path)
        try:
            calib_values.read(version.path, file.ctype)
            reading.kept.append(_kept(file, name, version, relative, how))
        except CalibvcsError as error:
            reading.unreadable.append(f"{relative}: {getattr(error, 'reason', error.problem)}")


def _kept(file: CalibFile, name: ConstantName, version: _Version, relative: str, how: CalibdirImport) -> Kept:
    line = version.line
    fields = line.fields if line else {}
    user, host = fields.get("user", ""), fields.get("host", "")
    parameters: Parameters = {PARAMETER: {**fields, "comment": line.comment}} if line else {}
    multiplied = file.ctype == "pixel_gain" and not file.source.device.lower().startswith(_DIVIDED)
    return Kept(
        constant=name,
        load=lambda: calib_values.read(version.path, file.ctype),
        comment=_comment(line, relative),
        time=version.time,
        author=(user, f"{user}@{host if _PERSON.fullmatch(host) else 'unknown'}") if _PERSON.fullmatch(user) else None,
        origin=Origin(how.table.experiment or fields.get("exp", ""), file.span.first, file.span.last, str(file.source)),
        unit="1" if multiplied else "",
        convention="multiply" if multiplied else "",
        parameters=parameters,
        provenance=Provenance(user=user, host=host, inputs=(calib_values.input_file(version.path, relative),)),
    )


def _comment(line: Deployment | None, relative: str) -> str:
    if line is None or not line.comment:
        return f"Take over {relative}"
    return f"{line.comment}\n\nTaken over from {relative}"


def _versions(file: CalibFile, zone: tzinfo) -> Iterator[_Version]:
    """Yield the backups whose names tell when they were replaced, and the file itself, oldest first.

    What replaced a backup at a time is what HISTORY tells of this time; of the oldest one it tells what was before.
    Where it tells nothing, a version was made when the one before it was replaced; of the first one it is only known
    that it was there the second before.
    """
    stamped = [(calib_history.parse_stamp(backup.stamp, zone), backup.path) for backup in file.backups]
    backups = sorted((until, path) for until, path in stamped if until is not None)
    lines = [(line.time(zone), line) for line in file.deployments]
    since: int | None = None
    for until, path in backups:
        line = _line(lines, since, until)
        told = line.time(zone) if line else None
        time = told if told is not None else since if since is not None else max(until - 1, 0)
        yield _Version(path, max(time, since or 0), line)
        since = until
    line = _line(lines, since, None) if backups else (file.deployments or (None,))[-1]
    told = line.time(zone) if line else None
    yield _Version(file.path, told if since is None else max(told or 0, since), line)


def _line(lines: list[tuple[int | None, Deployment]], since: int | None, until: int | None) -> Deployment | None:
    """Return the last line of what was deployed between two backups."""
    found = None
    for time, line in lines:
        begun = time is not None and (since is None or time >= since - _STAMP_SLACK)
        if begun and (until is None or (time or 0) < until - _STAMP_SLACK):
            found = line
    return found


def _change(file: CalibFile) -> DetectorChange:
    """Return what is recorded of a detector that is not here yet."""
    parameters = {} if file.group == file.source.group else {GROUP_PARAMETER: file.group}
    return DetectorChange(longname=str(file.source), parameters=parameters or None)


def _relative(directory: CalibDirectory, path: Path) -> str:
    return path.relative_to(directory.folder).as_posix()
