"""When the runs of an experiment began, as far as anybody knows: run ranges become seconds, and keep their order.

A store that knows runs only chooses by run number; this one chooses by time. Both choose the same where a later run
has a later second. So runs whose begin is not known get a second between those of their neighbours.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.model.validity import TIME_LIMIT, Validity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calibvcs.model.runs import Run, RunTable


@dataclass(frozen=True, slots=True)
class RunClock:
    """Begins of runs of one experiment, known and guessed.

    Attributes
    ----------
    table : RunTable
        What is known.
    begins : mapping of int to int
        UNIX second of the begin of each run, in the order of the runs; the known ones are those of the table.
    """

    table: RunTable
    begins: Mapping[int, int]

    def validity(self, first: int, last: int | None) -> tuple[Validity, bool]:
        """Turn a range of runs, both ends included, into a range of seconds.

        It lasts from the begin of the first run to the begin of the next run behind the last one that there is any
        time of; where there is none, to the end of the last run; else it stays open.

        Parameters
        ----------
        first : int
            First run; it is one of `begins`.
        last : int or None
            Last run; None is open.

        Returns
        -------
        Validity
            The seconds.
        bool
            False where the end should be known, and is not: the range is open then.
        """
        begin = self.begins[first]
        if last is None:
            return Validity(begin), True
        runs = list(self.begins)
        after = bisect_left(runs, last + 1)
        if after < len(runs):
            end: int | None = self.begins[runs[after]]
        else:
            end = next((run.end for run in self.table.runs if run.run == last), None)
        return (Validity(begin, end), True) if end is not None and end > begin else (Validity(begin), False)


def run_clock(table: RunTable, hints: Mapping[int, Sequence[int]]) -> RunClock:
    """Put runs into the order of time.

    Parameters
    ----------
    table : RunTable
        The runs whose begin is known; may be empty.
    hints : mapping of int to sequence of int
        For other runs, when they may have begun (UNIX seconds), the most likely time first.

    Returns
    -------
    RunClock
        Known runs have their second. Another one has the first hint that lies behind the known run before it, and
        before the run after it. Where none does, it begins just before the run after it, a second for each run, so
        that no known run is cut short; behind the last known run it follows that one.
    """
    known = {run.run: run for run in table.runs if run.begin is not None}
    numbers = sorted(known)
    begins: dict[int, int] = {}
    later: tuple[int, int] | None = None
    for run in sorted({*known, *hints}, reverse=True):
        if run in known:
            begin = known[run].begin or 0
        else:
            before = bisect_left(numbers, run)
            earlier = known[numbers[before - 1]] if before else None
            begin = _between(run, earlier, later, hints[run])
        begins[run] = begin
        later = run, begin
    return RunClock(table, {run: begins[run] for run in sorted(begins)})


def _between(run: int, earlier: Run | None, later: tuple[int, int] | None, hints: Sequence[int]) -> int:
    """Return the begin of a run that nobody wrote down."""
    latest = TIME_LIMIT - 2 if later is None else max(0, later[1] - (later[0] - run))
    earliest = 0
    if earlier is not None and earlier.begin is not None:
        earliest = earlier.begin + 1 if earlier.end is None else earlier.end
    for hint in hints:
        if earliest <= hint <= latest:
            return hint
    if later is not None:
        return latest
    return min(earliest + run - (0 if earlier is None else earlier.run + 1), latest)
