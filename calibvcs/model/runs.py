"""The run table of an experiment: when its runs were, and what they were for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from calibvcs.errors import UnknownRunError
from calibvcs.model.validity import Validity


class RunKind(StrEnum):
    """What a run was taken for."""

    DATA = "data"
    DARK = "dark"
    FLAT = "flat"
    CHARGE_INJECTION = "charge-injection"


class RunReason(StrEnum):
    """Why a calibration run was taken."""

    POWER_CYCLED = "power-cycled"
    TEMPERATURE = "temperature"
    OPPORTUNISTIC = "opportunistic"
    LOOKS_WRONG = "looks-wrong"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes
    ----------
    run : int
        Run number.
    kind : RunKind
        What it was taken for.
    begin, end : int or None
        UNIX seconds, where known.
    reason : RunReason or None
        Why it was taken; a dark run always has one.
    comment : str
        Free text.
    """

    run: int
    kind: RunKind
    begin: int | None = None
    end: int | None = None
    reason: RunReason | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class RunTable:
    """The runs of one experiment, ordered by run number.

    Attributes
    ----------
    experiment, instrument : str
        Their names.
    runs : tuple of Run
        The runs.
    detectors : tuple of str
        Names or aliases of the detectors that it uses; empty where nobody said.
    """

    experiment: str
    instrument: str = ""
    runs: tuple[Run, ...] = ()
    detectors: tuple[str, ...] = ()

    @property
    def window(self) -> tuple[int, int | None]:
        """From when to when it takes data: UNIX seconds, half-open, None is open; all times where no run has one."""
        begins = [run.begin for run in self.runs if run.begin is not None]
        ends = [run.end for run in self.runs if run.begin is not None]
        last = [end for end in ends if end is not None]
        return min(begins, default=0), max(last) if ends and len(last) == len(ends) else None

    def marked(self, run: Run) -> RunTable:
        """Return the table with this run in place of the one with its number."""
        others = [other for other in self.runs if other.run != run.run]
        return replace(self, runs=tuple(sorted([*others, run], key=lambda r: r.run)))

    def unmarked(self, number: int) -> RunTable:
        """Return the table without a run.

        Raises
        ------
        UnknownRunError
            If it is not there.
        """
        self._find(number)
        return replace(self, runs=tuple(run for run in self.runs if run.run != number))

    def begin_of(self, number: int) -> int:
        """Return the time at which a run began, UNIX seconds.

        Raises
        ------
        UnknownRunError
            If the run is not there, or its begin is not known.
        """
        begin = self._find(number).begin
        if begin is None:
            raise self._unknown(number)
        return begin

    def validity(self, first: int, last: int | None = None) -> Validity:
        """Turn a run range, both ends included, into a validity range.

        It lasts from the begin of the first run to the begin of the run after the last one; where no later run is
        known, it ends with the last run; without a last run, or where nothing ends it, it stays open.

        Raises
        ------
        UnknownRunError
            If a run is not there, or its begin is not known.
        """
        begin = self.begin_of(first)
        if last is None:
            return Validity(begin)
        final = self._find(last)
        later = [run.begin for run in self.runs if run.run > last and run.begin is not None]
        return Validity(begin, later[0] if later else final.end)

    def _find(self, number: int) -> Run:
        for run in self.runs:
            if run.run == number:
                return run
        raise self._unknown(number)

    def _unknown(self, number: int) -> UnknownRunError:
        known = tuple(f"{run.run}" for run in self.runs if run.begin is not None)
        return UnknownRunError(self.experiment, number, known)
