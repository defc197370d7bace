"""Ranges of runs, both ends included, as ranges of seconds and back, by the run table of an experiment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats.calib.calib_directory import LAST_RUN, RunSpan
from calibvcs.model.validity import Validity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from calibvcs.model.runs import RunTable

_SHOWN = 20


class Written(NamedTuple):
    """The runs that a range is written for, and in words where it begins or ends between two runs."""

    span: RunSpan
    inexact: str


class RunTimes:
    """When the runs of one experiment began.

    Parameters
    ----------
    table : RunTable
        Its runs; what has no begin is not looked at.

    Attributes
    ----------
    experiment : str
        Name of the experiment; may be empty.
    missing : set of int
        Runs whose begin was asked for and is not known.

    Raises
    ------
    InvalidDataError
        If a later run does not begin later: no range of seconds would mean the same as a range of runs.
    """

    def __init__(self, table: RunTable) -> None:
        self.experiment = table.experiment
        self.missing: set[int] = set()
        self._begins = {run.run: run.begin for run in table.runs if run.begin is not None}
        self._ends = {run.run: run.end for run in table.runs if run.end is not None}
        self._numbers = sorted(self._begins)
        self._times = [self._begins[number] for number in self._numbers]
        for earlier, later in pairwise(self._numbers):
            if self._begins[later] <= self._begins[earlier]:
                reason = f"run {later} begins at {self._begins[later]}, run {earlier} at {self._begins[earlier]}"
                advice = "correct the begins; a later run has to begin in a later second"
                raise InvalidDataError(f"run table of {self.experiment or 'the experiment'}", reason, advice)

    def validity(self, span: RunSpan) -> Validity | None:
        """Return the seconds from the begin of the first run to the begin of the run after the last one.

        Run 0 stands for the begin of all times. Where no run after the last one is known, the range ends with it.

        Parameters
        ----------
        span : RunSpan
            The runs.

        Returns
        -------
        Validity or None
            The range; None where a begin is not known, which `missing` then tells.
        """
        begin = self._begins.get(span.first) if span.first else 0
        if begin is None:
            self.missing.add(span.first)
        if span.last is None:
            return None if begin is None else Validity(begin)
        end = self._begin_after(span.last)
        if end is None:
            self.missing.add(span.last + 1)
        return None if begin is None or end is None else Validity(begin, end)

    def check(self) -> None:
        """Refuse where something was missing.

        Raises
        ------
        InvalidDataError
            If a begin was asked for that is not known; the runs are listed.
        """
        if not self.missing:
            return
        runs = [str(run) for run in sorted(self.missing)]
        listed = ", ".join(runs[:_SHOWN]) + (f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else "")
        reason = f"it lacks the begin of run{'s' if len(runs) > 1 else ''} {listed}"
        if not self.experiment:
            advice = "name the experiment whose run table tells it (--experiment E), or give --run-table FILE"
            raise InvalidDataError("run table", reason, advice)
        advice = f"calibvcs run mark {self.experiment}:{runs[0]} --kind data --begin T -m WHY, or give --run-table FILE"
        raise InvalidDataError(f"run table of {self.experiment}", reason, advice)

    def span(self, validity: Validity) -> tuple[RunSpan | None, str]:
        """Return the known runs that begin in a range.

        A range that begins before the first known run is for all runs from 0 on.

        Parameters
        ----------
        validity : Validity
            Seconds.

        Returns
        -------
        tuple of RunSpan or None, and str
            The runs, None where there is none; and in words where the range begins or ends between two runs.
        """
        first = bisect_left(self._times, validity.begin)
        behind = len(self._times) if validity.end is None else bisect_left(self._times, validity.end)
        whole = validity.begin == 0 and validity.end is None
        if not whole and (first >= behind or self._numbers[first] > LAST_RUN):
            return None, "no run of the table begins in it"
        said = []
        number = 0 if not self._times or validity.begin < self._times[0] else self._numbers[first]
        if number and self._times[first] != validity.begin:
            said.append(f"it begins before run {self._numbers[first]}")
        last = None if validity.end is None else self._numbers[behind - 1]
        if last is not None and not self._ends_with(last, behind, validity.end):
            said.append(f"it ends in or after run {last}")
        if last is not None and last >= LAST_RUN:
            said.append(f"readers take every run above {LAST_RUN} for {LAST_RUN}")
            last = None
        return RunSpan(number, last), "; ".join(said)

    def spans(self, ranges: Iterable[Validity]) -> tuple[dict[Validity, Written], dict[Validity, str]]:
        """Return the runs for which the ranges of one ctype are to be written.

        For every known run, LCLS' rule chooses among these spans the range that is in force at the begin of the run.

        Parameters
        ----------
        ranges : iterable of Validity
            Ranges of one detector and ctype, none of them withdrawn.

        Returns
        -------
        tuple of dict
            What is to be written; and what is not, with the reason.
        """
        written: dict[Validity, Written] = {}
        left_out: dict[Validity, str] = {}
        reach: dict[int, float] = {}
        for validity in sorted(ranges, reverse=True):
            span, said = self.span(validity)
            if span is None:
                left_out[validity] = said
                continue
            # In time, the later begin wins. Where both begin with the same run the smaller end does, so that a weaker
            # range may be written only if it is the longer one; if it is not, it is never in force.
            last = inf if span.last is None else span.last
            if last <= reach.get(span.first, -1):
                left_out[validity] = "for no run of the table it is in force"
            else:
                reach[span.first] = last
                written[validity] = Written(span, said)
        return written, left_out

    def run_at(self, time: float) -> int | None:
        """Return the run that was going on at a time; None where that is not known."""
        place = bisect_right(self._times, time) - 1
        if place < 0:
            return None
        number = self._numbers[place]
        end = self._ends.get(number)
        is_last = place == len(self._times) - 1
        return None if (end is None and is_last) or (end is not None and time >= end) else number

    @property
    def runs(self) -> tuple[int, ...]:
        """The runs whose begin is known, in order."""
        return tuple(self._numbers)

    def _begin_after(self, last: int) -> int | None:
        if last + 1 in self._begins:
            return self._begins[last + 1]
        if last not in self._begins and last not in self._ends:
            return None
        later = bisect_left(self._numbers, last + 1)
        return self._times[later] if later < len(self._times) else self._ends.get(last)

    def _ends_with(self, last: int, behind: int, end: int | None) -> bool:
        return end == self._ends.get(last) or (behind < len(self._times) and self._times[behind] == end)


def read_run_table(path: Path, experiment: str) -> RunTable:
    """Read a run table from a file.

    Parameters
    ----------
    path : Path
        CSV or TOML, as `calibvcs.formats.calib.run_table_file` reads it.
    experiment : str
        Experiment of the runs; may be empty.

    Returns
    -------
    RunTable
        The runs.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    InvalidDataError
        If it is no run table.
    """
    from calibvcs.formats.calib import run_table_file

    try:
        with path.open("rb") as file:
            data = file.read(run_table_file.LARGEST_FILE + 1)
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None
    return run_table_file.decode(data, str(path), experiment)
