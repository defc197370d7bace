"""``export --hdf5``: one file a detector, in the schema of the Detector Calibration Store."""

from __future__ import annotations

import fcntl
import fnmatch
import glob
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import AlreadyExistsError, InvalidDataError, InvalidOptionError, UnknownDetectorError
from calibvcs.formats.dcs.dcs_hdf5 import is_dcs_file
from calibvcs.model.names import ConstantName
from calibvcs.ops.dcs.content import FORMAT, content
from calibvcs.store.durable import TEMPORARY, disk_errors, make_folders, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.formats.dcs.dcs_hdf5 import DcsFile
    from calibvcs.formats.dcs.dcs_writing import Compression, Load
    from calibvcs.model.names import DetectorName
    from calibvcs.ops.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written.

    Attributes
    ----------
    detectors : tuple of str
        Names, aliases or globs; empty for all that have constants.
    ctypes : tuple of str
        Names or globs; empty for all.
    since, until : float or None
        UNIX seconds, half-open: ranges that are valid at some time in it; None for no bound.
    versions : {"default", "all"}
        The defaults, or every version there ever was.
    """

    detectors: tuple[str, ...] = ()
    ctypes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    versions: Literal["default", "all"] = "default"

    @property
    def whole(self) -> bool:
        """Whether nothing of a detector is left out."""
        return self.versions == "all" and not self.ctypes and self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written: its path, its detector, what is in it, and its size in bytes."""

    path: str
    detector: str
    ctypes: int
    ranges: int
    versions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Hdf5Export:
    """What was written.

    Attributes
    ----------
    commit : str
        The state of the repository that it is from.
    files : tuple of WrittenFile
        One for each detector.
    left_out : tuple of str
        What is not in them, each with the reason.
    """

    schema: ClassVar[str] = "calibvcs.export-hdf5/1"

    commit: str
    files: tuple[WrittenFile, ...]
    left_out: tuple[str, ...]


def export_hdf5(catalogue: Catalogue, target: Path, wanted: Wanted, compression: Compression, now: float) -> Hdf5Export:
    """Write detectors into files; one payload at a time is in memory.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    target : Path
        A folder, which gets a file ``<dettype>-<detid>.h5`` a detector; or one file, where its name ends in ``.h5``.
    wanted : Wanted
        What is to be written.
    compression : {"none", "gzip", "lzf"}
        How arrays are compressed.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Hdf5Export
        The files, and what was left out.

    Raises
    ------
    UnknownDetectorError
        If a detector is not registered, or a glob matches none.
    InvalidOptionError
        If one file is given for several detectors, or there is nothing to be written.
    AlreadyExistsError
        If there is a file that no export wrote.
    NotWritableError, StorageError
        If the disk is full, fails or is read-only; a file appears whole or not at all.
    """
    single = is_dcs_file(str(target))
    detectors = _detectors(catalogue, wanted, now)
    left_out: list[str] = []
    chosen: list[tuple[DetectorName, list[ConstantName]]] = []
    for name in detectors:
        found = list(constants(catalogue, name, wanted, left_out))
        if found or wanted.detectors:
            chosen.append((name, found))
    if not chosen or (wanted.ctypes and not any(found for _, found in chosen)):
        allowed = "no detector has a constant that was asked for"
        raise InvalidOptionError("export --hdf5", str(target), allowed, "calibvcs ls shows what there is")
    if single and len(chosen) > 1:
        allowed = f"a file holds one detector, and {len(chosen)} are asked for"
        raise InvalidOptionError("export --hdf5", str(target), allowed, "give a folder, or name one --detector")
    paths = [target if single else target / f"{name}.h5" for name, _ in chosen]
    for path in paths:
        check_replaceable(path)
    written = []
    for path, (name, found) in zip(paths, chosen, strict=True):
        everything = wanted.versions == "all"
        stored = content(catalogue, name, found, every_version=everything, whole=wanted.whole)
        written.append(write_whole(path, str(name), stored.file, stored.data, compression))
    return Hdf5Export(catalogue.snapshot.commit_id or "", tuple(written), tuple(left_out))


def check_replaceable(path: Path) -> None:
    """Refuse to write over a file that no export made: it may hold what is nowhere else.

    Raises
    ------
    AlreadyExistsError
        If there is such a file.
    """
    if not path.exists():
        return
    from calibvcs.formats.dcs.dcs_reading import DcsReader

    with suppress(InvalidDataError), DcsReader(str(path)) as reader:
        if FORMAT in reader.file.notes.parameters:
            return
    advice = "give another place, or move it away; calibvcs import hdf5 takes it over"
    raise AlreadyExistsError("a file that no export wrote", str(path), advice)


def _detectors(catalogue: Catalogue, wanted: Wanted, now: float) -> list[DetectorName]:
    found: dict[DetectorName, None] = {}
    moment = wanted.since if wanted.since is not None else now
    for given in wanted.detectors or ("*",):
        if set(given) & set("*?["):
            matching = [name for name in catalogue.detectors if fnmatch.fnmatchcase(str(name), given)]
            if not matching and wanted.detectors:
                raise UnknownDetectorError(given, known=len(catalogue.detectors), reason="it matches no detector")
            found.update(dict.fromkeys(matching))
        else:
            found[catalogue.resolve(given, moment)] = None
    return sorted(found)


def constants(
    catalogue: Catalogue, detector: DetectorName, wanted: Wanted, left_out: list[str]
) -> Iterator[ConstantName]:
    """Yield the constants of a detector that are wanted; what is withdrawn is added to what is left out."""
    for ctype in catalogue.ctypes(detector):
        if wanted.ctypes and not any(fnmatch.fnmatchcase(ctype, glob) for glob in wanted.ctypes):
            continue
        for validity in catalogue.ranges(detector, ctype):
            late = wanted.until is not None and validity.begin >= wanted.until
            early = wanted.since is not None and validity.end is not None and validity.end <= wanted.since
            name = ConstantName(detector, ctype, validity)
            if late or early:
                continue
            state = catalogue.metadata(name)
            if state.withdrawn:
                left_out.append(f"{name}: withdrawn ({state.withdrawn_reason})")
            else:
                yield name


def write_whole(path: Path, detector: str, file: DcsFile, load: Load, compression: Compression) -> WrittenFile:
    """Write one file, which appears whole or not at all.

    Parameters
    ----------
    path : Path
        The file; what was there is replaced.
    detector : str
        Its detector, for the result.
    file : DcsFile
        What it says.
    load : callable
        Returns the data of a version, by ctype, range and number.
    compression : {"none", "gzip", "lzf"}
        How arrays are compressed.

    Returns
    -------
    WrittenFile
        What was written.

    Raises
    ------
    NotWritableError, StorageError
        If the disk is full, fails or is read-only.
    """
    from calibvcs.formats.dcs.dcs_writing import write

    with disk_errors(path):
        make_folders(path.absolute().parent)
        _clear_away(path)
    temporary = path.parent / f".{path.name}{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}"
    with disk_errors(path):
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with disk_errors(path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            write(str(temporary), file, load, compression)
            os.fsync(descriptor)
            size = os.fstat(descriptor).st_size
            temporary.replace(path)
            sync_folder(path.absolute().parent)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    finally:
        os.close(descriptor)
    ranges = [one for ctype in file.ctypes for one in ctype.ranges]
    versions = sum(len(one.versions) for one in ranges)
    return WrittenFile(str(path), detector, len(file.ctypes), len(ranges), versions, size)


def _clear_away(path: Path) -> None:
    """Remove what writers of this file left that were killed: nobody holds the lock of their files any more."""
    for left in path.parent.glob(f".{glob.escape(path.name)}{TEMPORARY}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(descriptor)
