"""``export --calibdir``: constants as a legacy calib directory, so that LCLS' readers choose what `get` chooses."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.formats.calib.calib_directory import CALIB_VERSION, is_group
from calibvcs.ops.exchange.calib_sources import Sources
from calibvcs.ops.exchange.calib_writing import CalibdirFile, CalibdirTarget, write_constant
from calibvcs.ops.exchange.import_calibdir import GROUP_PARAMETER
from calibvcs.ops.exchange.run_ranges import RunTimes
from calibvcs.store.durable import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from calibvcs.formats.calib.calib_directory import RunSpan, Source
    from calibvcs.model.names import ConstantName, DetectorName
    from calibvcs.model.runs import RunTable
    from calibvcs.model.validity import Validity
    from calibvcs.ops.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class CalibdirExport:
    """What is to be written, and how.

    Attributes
    ----------
    detectors : tuple of DetectorName
        Whose constants; empty for all.
    mapping : mapping of Source to DetectorName
        Sources that detectors are called by, where the repository does not tell.
    table : RunTable
        The runs of the experiment that the directory is for.
    decimals : int or None
        Decimals of real numbers; None writes them exactly.
    """

    detectors: tuple[DetectorName, ...]
    mapping: Mapping[Source, DetectorName]
    table: RunTable
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class CalibdirExported:
    """What was written.

    Attributes
    ----------
    folder : str
        The calib directory.
    files : tuple of CalibdirFile
        Its files.
    left_out : tuple of str
        Constants that were not written, each with the reason.
    notes : tuple of str
        What is not exactly as it is in the repository, and files that were there and are none of ours.
    at : str
        Commit that was read.
    """

    schema: ClassVar[str] = "calibvcs.export.calibdir/1"

    folder: str
    files: tuple[CalibdirFile, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    at: str


@dataclass
class _Told:
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export_calibdir(catalogue: Catalogue, folder: Path, how: CalibdirExport) -> CalibdirExported:
    """Write constants as a calib directory.

    For every run of the run table, LCLS' readers then choose what `get` chooses. Each file appears whole or not at all;
    one that stood there with other values is kept under its name and the time, as LCLS' own programs do, and HISTORY
    gets a line.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to read.
    folder : Path
        The calib directory; it is made where it is not there.
    how : CalibdirExport
        What, and how.

    Returns
    -------
    CalibdirExported
        The files, and what could not be written.

    Raises
    ------
    InvalidOptionError
        If it is not known by which source a detector is called, or several detectors are called by one.
    InvalidDataError
        If the begins of runs do not rise.
    NotWritableError, StorageError
        If the disk refuses; the files that were written before stay.
    DamagedObjectError
        If data are missing or damaged.
    """
    times, sources, told = RunTimes(how.table), Sources(catalogue, how.mapping), _Told()
    constants = [name for name in catalogue.constants() if not how.detectors or name.detector in how.detectors]
    called = _called(sources, constants)
    spans: dict[tuple[DetectorName, str], list[tuple[ConstantName, RunSpan]]] = defaultdict(list)
    for name, span in _spans(catalogue, constants, times, told):
        spans[name.detector, name.ctype].append((name, span))
    files: list[CalibdirFile] = []
    now = datetime.now(tz=UTC).strftime("%Y-%m-%d-%H:%M:%S")
    with disk_errors(folder):
        for (detector, ctype), members in spans.items():
            target = CalibdirTarget(folder, _group(catalogue, detector, called[detector]), called[detector], ctype, now)
            for name, span in members:
                try:
                    files.append(write_constant(catalogue, target, name, span, how.decimals))
                except InvalidDataError as error:
                    told.left_out.append(f"{name}: {error.reason}")
            told.notes += target.strangers(span for _, span in members)
    at = catalogue.snapshot.commit_id or ""
    return CalibdirExported(str(folder), tuple(files), tuple(told.left_out), tuple(told.notes), at)


def _called(sources: Sources, constants: Sequence[ConstantName]) -> dict[DetectorName, Source]:
    called = {detector: sources.source(detector) for detector in dict.fromkeys(name.detector for name in constants)}
    by_source: dict[Source, DetectorName] = {}
    for detector, source in called.items():
        other = by_source.setdefault(source, detector)
        if other != detector:
            allowed = f"{other} and {detector} are both called {source}"
            raise InvalidOptionError("--detector", "", allowed, f"name one of them: --detector {detector}")
    return called


def _group(catalogue: Catalogue, detector: DetectorName, source: Source) -> str:
    """Return the group of a detector: where it came from, else that of its device, else one called like the device."""
    given = catalogue.detector(detector).parameters.get(GROUP_PARAMETER)
    if isinstance(given, str) and is_group(given):
        return given
    return source.group or f"{source.device}::{CALIB_VERSION}"


def _spans(
    catalogue: Catalogue, constants: Iterable[ConstantName], times: RunTimes, told: _Told
) -> Iterator[tuple[ConstantName, RunSpan]]:
    """Yield what is to be written, with the runs that it is for."""
    ranges: dict[tuple[DetectorName, str], dict[Validity, ConstantName]] = defaultdict(dict)
    for name in constants:
        if catalogue.metadata(name).withdrawn:
            told.left_out.append(f"{name}: it is withdrawn")
        else:
            ranges[name.detector, name.ctype][name.validity] = name
    for names in ranges.values():
        written, left_out = times.spans(names)
        told.left_out += [f"{names[validity]}: {reason}" for validity, reason in left_out.items()]
        for validity, (span, inexact) in sorted(written.items()):
            if inexact:
                told.notes.append(f"{names[validity]} is written for runs {span}: {inexact}")
            yield names[validity], span
