"""What a calib directory holds: its files by source, ctype and run range, and what in it belongs to no reader."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from calibvcs.errors import CalibvcsError, InvalidDataError, MissingFileError
from calibvcs.formats.calib import calib_history
from calibvcs.formats.calib.calib_directory import CALIB_VERSION, HISTORY_FILE, SUFFIX, RunSpan, Source, is_group
from calibvcs.model.names import parse_ctype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.formats.calib.calib_history import Deployment

T = TypeVar("T")

_MOST_ENTRIES: Final = 1_000_000
_BACKUP: Final = re.compile(r"(?P<file>.+\.data)-(?P<stamp>[0-9]{4}.{4,25})")


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that a deployment replaced: its path, and the stamp in its name, which is when that was."""

    path: Path
    stamp: str


@dataclass(frozen=True, slots=True)
class CalibFile:
    """One file that readers of the directory may choose.

    Attributes
    ----------
    path : Path
        The file.
    group : str
        Its group, for example ``Jungfrau::CalibV1``.
    source : Source
        The detector.
    ctype : str
        Calibration type.
    span : RunSpan
        The runs that it is for.
    deployments : tuple of Deployment
        What HISTORY tells of it, in the order of its lines.
    backups : tuple of Backup
        What it was before, in the order of their stamps.
    """

    path: Path
    group: str
    source: Source
    ctype: str
    span: RunSpan
    deployments: tuple[Deployment, ...] = ()
    backups: tuple[Backup, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibDirectory:
    """A calib directory.

    Attributes
    ----------
    folder : Path
        Where it is.
    files : tuple of CalibFile
        Its files, sorted by group, source, ctype and range.
    passed_over : tuple of str
        What readers pass over, each path with the reason.
    """

    folder: Path
    files: tuple[CalibFile, ...]
    passed_over: tuple[str, ...]


def calib_folder(path: Path) -> Path:
    """Return the calib directory that a path means: itself, or the folder ``calib`` in it.

    Raises
    ------
    MissingFileError
        If neither is there.
    """
    if not path.is_dir():
        raise MissingFileError(str(path), "no such directory")
    inside = path / "calib"
    try:
        return path if any(is_group(entry.name) for entry in path.iterdir()) or not inside.is_dir() else inside
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None


def scan(path: Path, wanted: Callable[[Source, str], bool] = lambda *_: True) -> CalibDirectory:
    """Look at a calib directory; no data are read.

    Parameters
    ----------
    path : Path
        The directory with the folders ``<group>::CalibV1``, or one that holds it as ``calib``.
    wanted : callable, optional
        Tells of a source and a ctype whether their files are looked at. Default is all.

    Returns
    -------
    CalibDirectory
        Its files, and what is none.

    Raises
    ------
    MissingFileError
        If it, or a folder in it, cannot be read.
    InvalidDataError
        If it has more than a million entries, or no group.
    """
    folder = calib_folder(path)
    look = _Look(folder)
    try:
        files = tuple(look.files(wanted))
    except OSError as error:
        raise MissingFileError(str(error.filename or folder), error.strerror or str(error)) from None
    if not look.groups:
        advice = "give the folder 'calib' of an experiment, which holds folders such as Jungfrau::CalibV1"
        raise InvalidDataError(str(path), f"it holds no folder <name>::{CALIB_VERSION}", advice)
    return CalibDirectory(folder, files, tuple(look.passed_over))


class _Look:
    """One walk through a calib directory, at most five levels deep and a million entries long."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inside = os.path.realpath(folder)
        self._left = _MOST_ENTRIES
        self.groups = 0
        self.passed_over: list[str] = []

    def files(self, wanted: Callable[[Source, str], bool]) -> Iterator[CalibFile]:
        for group in self._folders(self._folder):
            if not is_group(group.name):
                self._pass_over(group, f"no group, which is called <name>::{CALIB_VERSION}")
                continue
            self.groups += 1
            for source_folder in self._folders(group):
                source = self._parsed(source_folder, Source.parse)
                for ctype_folder in self._folders(source_folder) if source else ():
                    ctype = self._parsed(ctype_folder, parse_ctype)
                    if source and ctype and wanted(source, ctype):
                        yield from self._of_ctype(ctype_folder, group.name, source, ctype)

    def _of_ctype(self, folder: Path, group: str, source: Source, ctype: str) -> Iterator[CalibFile]:
        found: dict[RunSpan, Path] = {}
        backups: dict[str, list[Backup]] = {}
        history: tuple[Deployment, ...] = ()
        # Where two names mean the same runs (0-end, 0-9999), the plainest one is the one.
        for path in sorted(self._entries(folder), key=lambda p: (self._is_unusual(p), p.name)):
            if not self._is_file(path):
                continue
            backup = _BACKUP.fullmatch(path.name)
            if path.name == HISTORY_FILE:
                history = calib_history.decode(self._head(path))
            elif backup:
                backups.setdefault(backup["file"], []).append(Backup(path, backup["stamp"]))
            elif not path.name.endswith(SUFFIX):
                self._pass_over(path, f"readers take files that end in {SUFFIX}")
            elif span := self._parsed(path, lambda name: RunSpan.parse(name.removesuffix(SUFFIX))):
                if other := found.get(span):
                    self._pass_over(path, f"the same runs as {other.name}")
                else:
                    found[span] = path
        for span, path in sorted(found.items()):
            deployments = tuple(line for line in history if line.file == path.name)
            older = tuple(sorted(backups.pop(path.name, ()), key=lambda backup: backup.stamp))
            yield CalibFile(path, group, source, ctype, span, deployments, older)
        for orphans in backups.values():
            for orphan in orphans:
                self._pass_over(orphan.path, "backup of a file that is not there")

    def _entries(self, folder: Path) -> list[Path]:
        entries: list[Path] = []
        with os.scandir(folder) as listing:
            for entry in listing:
                self._left -= 1
                if self._left < 0:
                    advice = "give one that holds the constants of one experiment"
                    raise InvalidDataError(str(self._folder), f"more than {_MOST_ENTRIES} entries", advice)
                entries.append(folder / entry.name)
        return sorted(entries)

    def _folders(self, folder: Path) -> Iterator[Path]:
        for path in self._entries(folder):
            if path.is_dir() and self._stays_inside(path):
                yield path
            elif not path.is_dir():
                self._pass_over(path, "no folder")

    def _is_file(self, path: Path) -> bool:
        if not self._stays_inside(path):
            return False
        try:
            regular = stat.S_ISREG(path.stat().st_mode)
        except OSError:  # a link to nowhere, or to itself
            regular = False
        if not regular:
            self._pass_over(path, "no plain file")
        return regular

    def _stays_inside(self, path: Path) -> bool:
        """Tell whether a path, its links followed, lies in the directory: a link may lead to any file of the reader."""
        if not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(self._inside):
            return True
        self._pass_over(path, "a link that leads out of the directory")
        return False

    def _head(self, path: Path) -> bytes:
        with path.open("rb") as file:
            return file.read(calib_history.LARGEST_FILE)

    def _is_unusual(self, path: Path) -> bool:
        """Tell whether a name is not the one that is written for its runs."""
        try:
            return RunSpan.parse(path.name.removesuffix(SUFFIX)).file_name != path.name
        except CalibvcsError:
            return True

    def _parsed(self, path: Path, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(path.name)
        except CalibvcsError as error:
            self._pass_over(path, error.problem)
            return None

    def _pass_over(self, path: Path, reason: str) -> None:
        name = os.fsencode(path.relative_to(self._folder)).decode(errors="replace")
        self.passed_over.append(f"{_printable(name)}: {_printable(reason)}")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
