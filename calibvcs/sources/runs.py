"""Which runs lie in a folder of XTC2 files: whether a file can be used, its experiment, run and detectors.

Importing this costs nothing; what it takes to read the files is imported when they are looked at.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from calibvcs.errors import MissingFileError
from calibvcs.sources.protocol import SourceDetector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.sources.xtc2_heads import Head

__all__ = [
    "FileState",
    "FolderLook",
    "RunFiles",
    "RunFolder",
    "RunLook",
    "SourceDetector",
    "look",
    "look_in",
    "runs_in",
]

FileState: TypeAlias = Literal["usable", "being written", "empty", "foreign", "broken"]


@dataclass(frozen=True, slots=True)
class RunLook:
    """What the head of one file says.

    Attributes
    ----------
    path : Path
        The file.
    state : str
        ``usable``: it has Configure and BeginRun; ``being written``: it ends before that; ``empty``; ``foreign``: not
        XTC2, or not a file that can be read; ``broken``: XTC2 that contradicts itself.
    reason : str
        Why it cannot be used; empty where it can.
    experiment : str or None
        From BeginRun in the data; None where this stream does not tell it.
    run : int or None
        Likewise.
    begin : float or None
        Time of the first BeginRun, UNIX seconds.
    detectors : tuple of SourceDetector
        What the first Configure names, in its order.
    stamp : int or None
        The same time as a 64-bit psana stamp.
    """

    schema: ClassVar[str] = "calibvcs.run-look/1"

    path: Path
    state: FileState
    reason: str = ""
    experiment: str | None = None
    run: int | None = None
    begin: float | None = None
    detectors: tuple[SourceDetector, ...] = ()
    stamp: int | None = None


@dataclass(frozen=True, slots=True)
class RunFiles:
    """One run: its streams, and what they say together.

    Attributes
    ----------
    experiment : str
        From the data.
    run : int
        From the data.
    begin : float
        The earliest BeginRun of its streams, UNIX seconds.
    streams : tuple of RunLook
        Its usable files, the first chunk of every stream, by path.
    detectors : tuple of SourceDetector
        Of all streams together: segments and serial numbers of one detector are joined.
    incomplete : tuple of RunLook
        Files that by their name belong to this run and cannot be used (yet): without them, detectors may be missing.
    """

    schema: ClassVar[str] = "calibvcs.run-files/1"

    experiment: str
    run: int
    begin: float
    streams: tuple[RunLook, ...]
    detectors: tuple[SourceDetector, ...]
    incomplete: tuple[RunLook, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderLook:
    """What lies in a folder: runs by their begin, and the files that were passed over, with the reasons."""

    schema: ClassVar[str] = "calibvcs.folder-look/1"

    runs: tuple[RunFiles, ...]
    passed_over: tuple[RunLook, ...]


class RunFolder:
    """A folder that is looked at again and again: what was usable once is not read a second time.

    Parameters
    ----------
    folder : path
        Where the files are; folders inside it are not looked into.
    experiment : str, optional
        Only runs of this experiment, as the data name it.
    """

    def __init__(self, folder: str | Path, experiment: str | None = None) -> None:
        self.folder = Path(folder)
        self.experiment = experiment
        self._known: dict[tuple[str, int, int], tuple[int, Head]] = {}

    def look(self) -> FolderLook:
        """Return the runs that are there now.

        Returns
        -------
        FolderLook
            Runs by begin, then by number. Later chunks and small data are no files of their own. A run of another
            experiment is passed over as foreign.

        Raises
        ------
        MissingFileError
            If the folder is not there or cannot be read. Files in it never raise.
        """
        from calibvcs.sources.xtc2_file_names import parse_file_name
        from calibvcs.sources.xtc2_heads import read_head

        try:
            with os.scandir(self.folder) as entries:
                paths = sorted(Path(entry.path) for entry in entries if entry.name.endswith(".xtc2"))
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise MissingFileError(str(self.folder), reason) from error
        names = {path: parse_file_name(path.name) for path in paths}
        first = [path for path, name in names.items() if name is None or not (name.small or name.chunk)]
        known = {}
        heads = []
        for path in first:
            if path.name.endswith(".smd.xtc2"):
                continue
            identity, size = _identity(path)
            before = self._known.get(identity) if identity else None
            head = before[1] if before and size >= before[0] else read_head(path)
            heads.append(head)
            if identity and head.look.state == "usable":
                known[identity] = size, head
        self._known = known
        return _grouped(heads, self.experiment)


def look(path: str | Path) -> RunLook:
    """Tell what the head of a file says.

    Parameters
    ----------
    path : path
        Anything.

    Returns
    -------
    RunLook
        Never an error: what cannot be used says so, and why.
    """
    from calibvcs.sources.xtc2_heads import read_head

    return read_head(Path(path)).look


def look_in(folder: str | Path, experiment: str | None = None) -> FolderLook:
    """Tell which runs lie in a folder, and which files were passed over and why.

    Parameters
    ----------
    folder : path
        Where the files are.
    experiment : str, optional
        Only runs of this experiment, as the data name it.

    Returns
    -------
    FolderLook
        As `RunFolder.look`.

    Raises
    ------
    MissingFileError
        If the folder is not there or cannot be read.
    """
    return RunFolder(folder, experiment).look()


def runs_in(folder: str | Path, experiment: str | None = None) -> list[RunFiles]:
    """Return the usable runs of a folder, by their begin.

    Parameters
    ----------
    folder : path
        Where the files are.
    experiment : str, optional
        Only runs of this experiment, as the data name it.

    Returns
    -------
    list of RunFiles
        The last one is the latest.

    Raises
    ------
    MissingFileError
        If the folder is not there or cannot be read.
    """
    return list(look_in(folder, experiment).runs)


def _identity(path: Path) -> tuple[tuple[str, int, int] | None, int]:
    """Return what tells one file from another that was put in its place, and its size."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None, 0
    return ((str(path), found.st_dev, found.st_ino), found.st_size) if stat.S_ISREG(found.st_mode) else (None, 0)


def _grouped(heads: Iterable[Head], experiment: str | None) -> FolderLook:
    from calibvcs.sources.xtc2_file_names import parse_file_name
    from calibvcs.sources.xtc2_names import detectors_of

    groups: dict[tuple[str, int], list[Head]] = {}
    nameless, passed_over = [], []
    for head in heads:
        found = head.look
        if found.state != "usable":
            passed_over.append(found)
        elif found.experiment is None or found.run is None:
            nameless.append(head)
        elif experiment is not None and found.experiment != experiment:
            reason = f"it is of experiment {found.experiment!r}, not of {experiment!r}"
            passed_over.append(replace(found, state="foreign", reason=reason))
        else:
            groups.setdefault((found.experiment, found.run), []).append(head)
    # A stream that does not tell its run belongs to the one that began with it.
    begun = {head.look.stamp: key for key, members in groups.items() for head in members}
    for head in nameless:
        key = begun.get(head.look.stamp)
        if key is None:
            passed_over.append(replace(head.look, state="foreign", reason="it does not tell experiment and run"))
        else:
            groups[key].append(head)
    runs = []
    for (name, run), members in groups.items():
        members.sort(key=lambda head: head.look.path)
        names = [parse_file_name(head.look.path.name) for head in members]
        hints = {(hint.experiment, hint.run) for hint in names if hint is not None}
        unusable = [found for found in passed_over if found.state in {"being written", "empty", "broken"}]
        named = [(found, parse_file_name(found.path.name)) for found in unusable]
        incomplete = tuple(found for found, hint in named if hint is not None and (hint.experiment, hint.run) in hints)
        runs.append(
            RunFiles(
                name,
                run,
                min(head.look.begin or 0.0 for head in members if head.look.begin is not None),
                tuple(head.look for head in members),
                detectors_of(head.configuration.names.values() for head in members if head.configuration),
                incomplete,
            )
        )
    runs.sort(key=lambda found: (found.begin, found.run))
    return FolderLook(tuple(runs), tuple(sorted(passed_over, key=lambda found: found.path)))
