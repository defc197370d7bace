"""For which times a reader gets another constant of one detector and ctype, and which runs begin in such times."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from calibvcs.model.names import ConstantName, DetectorName
    from calibvcs.model.validity import Validity
    from calibvcs.ops.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class ReadingChange:
    """A time in which a reader gets something else.

    Attributes
    ----------
    detector, ctype : DetectorName, str
        What is read.
    begin, end : int or None
        The time, UNIX seconds, half-open; None is open.
    before, after : ConstantName or None
        The constants in force; None where there is none.
    """

    detector: DetectorName
    ctype: str
    begin: int
    end: int | None
    before: ConstantName | None
    after: ConstantName | None


def reading_changes(
    before: Catalogue, after: Catalogue, detector: DetectorName, ctype: str, changed: Collection[ConstantName]
) -> list[ReadingChange]:
    """Find the times for which a reader gets something else.

    Parameters
    ----------
    before, after : Catalogue
        The two states.
    detector, ctype : DetectorName, str
        What is read.
    changed : collection of ConstantName
        The constants of it that are not the same in both, fast to look up; all others are.

    Returns
    -------
    list of ReadingChange
        In the order of time, each as long as it can be.

    Raises
    ------
    UnknownConstantError, InvalidDocumentError
        If a constant that may be chosen has no data, or no readable ``meta.toml``.
    """
    found: list[ReadingChange] = []
    for begin, end in _spans({*before.ranges(detector, ctype), *after.ranges(detector, ctype)}, changed):
        old, new = (catalogue.in_force(detector, ctype, begin) for catalogue in (before, after))
        if old == new and old not in changed:
            continue
        continued = found and (found[-1].end, found[-1].before, found[-1].after) == (begin, old, new)
        first = found.pop().begin if continued else begin
        found.append(ReadingChange(detector, ctype, first, end, old, new))
    return found


def _spans(ranges: Iterable[Validity], changed: Collection[ConstantName]) -> Iterator[tuple[int, int | None]]:
    """Yield the times of changed constants, cut wherever a range begins or ends: one is in force in each."""
    bounds = sorted({time for one in ranges for time in (one.begin, one.end) if time is not None})
    begins: set[int] = set()
    for validity in (name.validity for name in changed):
        last = len(bounds) if validity.end is None else bisect_left(bounds, validity.end)
        begins.update(bounds[bisect_left(bounds, validity.begin) : last])
    for begin in sorted(begins):
        following = bisect_left(bounds, begin) + 1
        yield begin, bounds[following] if following < len(bounds) else None


class RunBegins:
    """The begins of the runs of some experiments, in the order of time.

    Parameters
    ----------
    catalogue : Catalogue
        Where the run tables are.
    experiments : collection of str
        Which ones.
    """

    def __init__(self, catalogue: Catalogue, experiments: Collection[str]) -> None:
        self._runs: dict[str, list[tuple[int, int]]] = {}
        for experiment in sorted(experiments):
            runs = catalogue.run_table(experiment).runs
            self._runs[experiment] = sorted((run.begin, run.run) for run in runs if run.begin is not None)

    def between(self, begin: int, end: int | None) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the experiments of which runs begin in a time, with the numbers of these runs."""
        for experiment, runs in self._runs.items():
            first = bisect_left(runs, (begin, 0))
            last = len(runs) if end is None else bisect_left(runs, (end, 0))
            if first < last:
                yield experiment, tuple(sorted(number for _, number in runs[first:last]))
