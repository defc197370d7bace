"""What a squeezed clone holds: the constants of some detectors and ctypes that are in force in some time."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import UnknownRunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.names import ConstantName, DetectorName
    from calibvcs.ops.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted.

    Attributes
    ----------
    experiment : str
        Experiment whose detectors and time are meant, where they are not given; empty for none.
    detectors : tuple of str
        Names, aliases or globs; empty for all, or for those of the experiment.
    ctypes : tuple of str
        Names or globs; empty for all.
    since, until : float or None
        UNIX seconds, half-open; None for the bounds of the experiment, or for no bound.
    depth : int or None
        How many of the newest versions of each constant are wanted, beside its default; None for none.
    """

    experiment: str = ""
    detectors: tuple[str, ...] = ()
    ctypes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    depth: int | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is wanted."""
        return self == Selection()


def selected(catalogue: Catalogue, wanted: Selection) -> list[ConstantName]:
    """Return the constants that a selection means: those that a reader gets at some time in it.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    wanted : Selection
        What is wanted.

    Returns
    -------
    list of ConstantName
        Sorted by detector, ctype and range.

    Raises
    ------
    UnknownRunError
        If the experiment has no run table.
    UnknownDetectorError
        If a name without wildcards is no detector.
    """
    since, until = _window(catalogue, wanted)
    found: set[ConstantName] = set()
    for detector in _detectors(catalogue, wanted, since, until):
        for ctype in catalogue.ctypes(detector):
            if not wanted.ctypes or any(fnmatch.fnmatchcase(ctype, glob) for glob in wanted.ctypes):
                found.update(_in_force(catalogue, detector, ctype, since, until))
    return sorted(found)


def payloads(catalogue: Catalogue, wanted: Selection) -> list[str]:
    """Return the ids of the data that a selection means: the defaults, and as many versions as it asks for.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    wanted : Selection
        What is wanted.

    Returns
    -------
    list of str
        Ids of blobs, each once.

    Raises
    ------
    UnknownRunError, UnknownDetectorError
        As for `selected`.
    """
    constants = selected(catalogue, wanted)
    found = dict.fromkeys(catalogue.payload(constant)[1].id for constant in constants)
    for constant in constants if wanted.depth else ():
        newest = catalogue.history.versions(constant)[-(wanted.depth or 0) :]
        found.update(dict.fromkeys(blob for version in newest if (blob := catalogue.history.blob(version))))
    return list(found)


def _window(catalogue: Catalogue, wanted: Selection) -> tuple[float, float | None]:
    begin, end = 0.0, None
    if wanted.experiment:
        table = catalogue.run_table(wanted.experiment)
        if not table.runs:
            known = tuple(f"experiment {name}" for name in catalogue.experiments())
            raise UnknownRunError(wanted.experiment, 0, known)
        begin, end = table.window
    since = begin if wanted.since is None else wanted.since
    return since, end if wanted.until is None else wanted.until


def _detectors(catalogue: Catalogue, wanted: Selection, since: float, until: float | None) -> Iterable[DetectorName]:
    given = wanted.detectors or (catalogue.run_table(wanted.experiment).detectors if wanted.experiment else ())
    found: set[DetectorName] = set()
    for name in given or ("*",):
        if set(name) & set("*?["):
            found.update(detector for detector in catalogue.detectors if fnmatch.fnmatchcase(str(detector), name))
            continue
        # An alias may have meant one detector at the begin of the time and another one later.
        meanings = [
            row.detector
            for row in catalogue.aliases
            if row.alias == name and row.validity.begin < (until or float("inf"))
            and (row.validity.end is None or row.validity.end > since)
        ]  # fmt: skip
        found.update(meanings or [catalogue.resolve(name, since)])
    return sorted(found)


def _in_force(
    catalogue: Catalogue, detector: DetectorName, ctype: str, since: float, until: float | None
) -> Iterator[ConstantName]:
    """Yield what is chosen at some time: it changes only where some range begins or ends."""
    times = {since}
    for validity in catalogue.ranges(detector, ctype):
        times.update(time for time in (validity.begin, validity.end) if time is not None)
    for time in sorted(times):
        if since <= time and (until is None or time < until):
            found = catalogue.in_force(detector, ctype, time)
            if found is not None:
                yield found
