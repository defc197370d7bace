"""``export --shm``: the constants of a run for psana and the DAQ, each file whole, all of one commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import UnknownDetectorError
from calibvcs.ops.daq.caches import wanted_caches
from calibvcs.ops.daq.files import ShmFiles
from calibvcs.ops.daq.plan import PlannedDetector, Refusals, plan
from calibvcs.ops.daq.selection import select
from calibvcs.ops.daq.writing import ShmWriting

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.daq.selection import ShmRequest


@dataclass(frozen=True, slots=True)
class ExportedConstant:
    """One constant of the set; `for_psana` tells whether it is in psana's files too."""

    ctype: str
    constant: str
    version: str
    commit: str
    validity: str
    blob: str
    dtype: str
    shape: tuple[int, ...]
    for_psana: bool


@dataclass(frozen=True, slots=True)
class ExportedDetector:
    """A detector of the set: its name in the run and in the repository ("" if none), its unique id, its constants."""

    name: str
    detector: str
    longname: str
    constants: tuple[ExportedConstant, ...]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file for psana: its path, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class ShmExport:
    """A set of constants that was written.

    Attributes
    ----------
    folder : str
        Where the pickles are.
    commit, repository : str
        The state that was read, and where.
    experiment : str
        Experiment, if any.
    run : int or None
        Run, if any.
    time : float
        What the constants are in force at, UNIX seconds.
    detectors : tuple of ExportedDetector
        The detectors of the run with their constants.
    files : tuple of ExportedFile
        The pickles.
    written, kept : int
        Arrays that were written, and those that were there already.
    notes : tuple of str
        What was left out, and what else is worth knowing.
    """

    schema: ClassVar[str] = "calibvcs.shm-export/1"

    folder: str
    commit: str
    repository: str
    experiment: str
    run: int | None
    time: float
    detectors: tuple[ExportedDetector, ...]
    files: tuple[ExportedFile, ...]
    written: int
    kept: int
    notes: tuple[str, ...]


def export_shm(
    catalogue: Catalogue, request: ShmRequest, output_dir: str, *, mode: int, allow_missing: bool, seconds: float
) -> ShmExport:
    """Write the constants in force for a run.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to read.
    request : ShmRequest
        Which detectors and which time.
    output_dir : str
        Where to; it is made where it does not exist.
    mode : int
        Permissions of the files.
    allow_missing : bool
        Whether to go on without detectors that are not found and constants that psana cannot use.
    seconds : float
        What time it is, UNIX seconds.

    Returns
    -------
    ShmExport
        What was written, and what was left out.

    Raises
    ------
    UnknownDetectorError, UnknownRunError, MissingFileError, InvalidOptionError
        If the request cannot be met; nothing was changed.
    InvalidDataError
        If psana needs a constant that it cannot use; nothing was changed.
    StorageError, NotWritableError, WriterBusyError
        If the files cannot be written; those that were there stay.
    BrokenRepositoryError
        If what is read is missing or damaged; the files that were there stay.
    """
    selection = select(catalogue, request)
    planned = plan(catalogue, selection)
    missing = [one.found for one in planned.detectors if one.found.detector is None and not one.found.skipped]
    if missing and not allow_missing:
        first = missing[0]
        also = f"; also missing: {', '.join(one.source.name for one in missing[1:])}" if missing[1:] else ""
        reason = f"{first.reason}{also}; --allow-missing goes on without"
        raise UnknownDetectorError(first.source.name, reason=reason)
    refusals = Refusals(allowed=allow_missing)
    refusals.notes += [f"{one.source.name} has no constants: {one.reason}" for one in missing]
    caches = wanted_caches(catalogue, planned, request.caches, refusals)
    with ShmFiles(Path(output_dir), mode) as files:
        export = ShmWriting(catalogue, selection, planned, files, refusals)
        index = export.write(caches, request, seconds)
        files.publish(index)
    return ShmExport(
        folder=str(output_dir),
        commit=index.commit,
        repository=index.repository,
        experiment=selection.experiment,
        run=selection.run,
        time=selection.time,
        detectors=tuple(_exported(one, export.for_psana) for one in planned.detectors),
        files=tuple(ExportedFile(str(files.output_dir / file.name), file.size) for file in index.files),
        written=export.written,
        kept=len(index.payloads) - export.written,
        notes=(*planned.notes, *refusals.notes),
    )


def _exported(detector: PlannedDetector, for_psana: set[str]) -> ExportedDetector:
    shared = detector.shared
    constants = tuple(
        ExportedConstant(
            one.ctype,
            one.constant,
            one.version,
            one.commit,
            one.validity,
            one.blob,
            one.dtype,
            one.shape,
            f"{shared.name}/{one.ctype}" in for_psana,
        )
        for one in shared.constants
    )
    return ExportedDetector(shared.name, shared.detector, shared.longname, constants)
