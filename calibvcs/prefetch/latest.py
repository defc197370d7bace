"""The latest usable run of an XTC directory."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from calibvcs.sources.protocol import SourceDetector
    from calibvcs.sources.runs import RunFiles, RunFolder, RunLook

_FINAL: Final = frozenset({"foreign", "broken"})
_OF_LATE: Final = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class LatestRun:
    """A run whose constants are wanted.

    Attributes
    ----------
    experiment : str
        From the data.
    run : int
        From the data.
    begin : float or None
        UNIX seconds; None where only a run table can tell.
    detectors : tuple of SourceDetector
        What the data name.
    complete : bool
        Whether all streams of the run that are there have been read; if not, detectors may be missing.
    """

    schema: ClassVar[str] = "calibvcs.latest-run/1"

    experiment: str
    run: int
    begin: float | None
    detectors: tuple[SourceDetector, ...]
    complete: bool = True

    @property
    def unique_ids(self) -> dict[str, str]:
        """Names of the detectors that take data, and their unique ids."""
        return {one.name: one.longname for one in self.detectors if one.normal}

    def __str__(self) -> str:
        return f"{self.experiment}:{self.run}"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found where runs are looked for.

    Attributes
    ----------
    run : LatestRun or None
        The latest usable run; None where there is none.
    passed_over : tuple of RunLook
        Files that cannot be used, each with its state and the reason.
    known : frozenset of str
        Names of files that have told all they can, however they grow.
    beginning : bool
        Whether a file is being written that has not told its run yet.
    trouble : str
        Why nothing can be told at the moment, empty if nothing is known to be wrong.
    """

    run: LatestRun | None
    passed_over: tuple[RunLook, ...] = ()
    known: frozenset[str] = frozenset()
    beginning: bool = False
    trouble: str = ""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many files were passed over, by their state."""
        return Counter(one.state for one in self.passed_over)


def look_for_latest(folder: RunFolder, run: int | None = None) -> Found:
    """Return the latest usable run of a folder: the one that began last.

    A file is usable when it is complete enough to have Configure and BeginRun; experiment and run are taken from
    there, not from its name.

    Parameters
    ----------
    folder : RunFolder
        XTC directory, and of which experiment runs are wanted.
    run : int, optional
        Only runs of this number; default is any.

    Returns
    -------
    Found
        The run, and the files that were passed over, which are no error.

    Raises
    ------
    MissingFileError
        If the folder is not there, or cannot be read.
    """
    seen = folder.look()
    wanted = [one for one in seen.runs if run in {None, one.run}]
    latest = max(wanted, key=lambda one: (one.begin, one.run), default=None)
    known = frozenset(stream.path.name for one in seen.runs for stream in one.streams)
    known |= frozenset(one.path.name for one in seen.passed_over if one.state in _FINAL)
    beginning = any(one.state in {"being written", "empty"} and _is_new(one.path) for one in seen.passed_over)
    return Found(None if latest is None else _of_files(latest), seen.passed_over, known, beginning)


def _is_new(path: Path) -> bool:
    """Tell whether a file was written to of late; one that a broken run left behind was not."""
    try:
        return path.stat().st_mtime > time.time() - _OF_LATE
    except OSError:
        return False


def _of_files(files: RunFiles) -> LatestRun:
    return LatestRun(files.experiment, files.run, files.begin, files.detectors, not files.incomplete)
