"""Ranges of runs of a psana calibration database as ranges of seconds, so that a run gets what psana chose for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.model.choose import choose
from calibvcs.model.names import ConstantName
from calibvcs.model.run_clock import RunClock, run_clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from calibvcs.formats.psana.psana_import import PsanaDocument
    from calibvcs.model.names import DetectorName
    from calibvcs.model.runs import RunTable

_MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Placed:
    """A document, and the constant that it becomes a version of; `default` tells whether readers are to get it."""

    document: PsanaDocument
    constant: ConstantName
    default: bool


def place(
    documents: Sequence[PsanaDocument], tables: Mapping[str, RunTable], here: Mapping[str, ConstantName] | None = None
) -> tuple[list[Placed], list[str]]:
    """Find the range of each document.

    Parameters
    ----------
    documents : sequence of PsanaDocument
        All of a selection, in the order of the database.
    tables : mapping of str to RunTable
        What is known of the runs of each experiment of the documents.
    here : mapping of str to ConstantName, optional
        Names of documents that are here already, with their constants; they keep them.

    Returns
    -------
    list of Placed
        In the order in which they were made. Where several become versions of one constant, the default is the one
        that psana prefers: latest first run, then fewest runs, then newest.
    list of str
        Where the end of a range is not known, and runs that get something else than psana chose.
    """
    hints = _hints(documents)
    clocks = {experiment: run_clock(table, hints.get(experiment, {})) for experiment, table in tables.items()}
    notes: list[str] = []
    constants: dict[str, ConstantName] = {}
    preferred: dict[ConstantName, PsanaDocument] = {}
    for document in documents:
        validity, exact = clocks[document.experiment].validity(document.run, document.run_end)
        name = (here or {}).get(document.name) or ConstantName(document.detector, document.ctype, validity)
        constants[document.name] = name
        if not exact and name.validity.end is None:
            what = f"{document.experiment or document.database} run {document.run_end}"
            notes.append(f"{name} stays open: nothing tells when {what} ended; give a run table")
        if name not in preferred or document.precedence >= preferred[name].precedence:
            preferred[name] = document
    made = sorted(documents, key=lambda document: document.made)
    placed = [
        Placed(document, constants[document.name], preferred[constants[document.name]] is document) for document in made
    ]
    notes += _differences(placed, clocks)
    return placed, notes


def chosen_by_psana(documents: Iterable[PsanaDocument], run: int) -> PsanaDocument | None:
    """Return what psana chooses for a run among the documents of one experiment, detector and ctype.

    Parameters
    ----------
    documents : iterable of PsanaDocument
        The documents, in the order of the database: the last one wins where all else is the same.
    run : int
        The run.

    Returns
    -------
    PsanaDocument or None
        None where none is meant for the run.
    """
    found: PsanaDocument | None = None
    for document in documents:
        if document.holds_for(run) and (found is None or document.precedence >= found.precedence):
            found = document
    return found


def _hints(documents: Iterable[PsanaDocument]) -> dict[str, dict[int, list[int]]]:
    """Return when the runs of each experiment may have begun: when data were taken, else when they were deployed."""
    times: dict[str, dict[int, int]] = {}
    deployed: dict[str, dict[int, int]] = {}
    for document in documents:
        for found, time in ((times, document.time), (deployed, document.made)):
            runs = found.setdefault(document.experiment, {})
            if time is not None:
                runs[document.run] = min(time, runs.get(document.run, time))
    return {
        experiment: {run: [*_one(times[experiment], run), made] for run, made in runs.items()}
        for experiment, runs in deployed.items()
    }


def _one(times: Mapping[int, int], run: int) -> list[int]:
    return [times[run]] if run in times else []


def _differences(placed: Sequence[Placed], clocks: Mapping[str, RunClock]) -> list[str]:
    """Name the runs with a known begin that do not get what psana chooses for them."""
    groups: dict[tuple[DetectorName, str], list[Placed]] = {}
    for one in placed:
        groups.setdefault((one.document.detector, one.document.ctype), []).append(one)
    notes: list[str] = []
    for (detector, ctype), group in groups.items():
        defaults = {one.constant.validity: one.document for one in group if one.default}
        for experiment in dict.fromkeys(one.document.experiment for one in group):
            own = [one.document for one in group if one.document.experiment == experiment]
            for run in clocks[experiment].table.runs:
                wanted = chosen_by_psana(own, run.run) if run.begin is not None else None
                if wanted is None or run.begin is None:
                    continue
                validity = choose(defaults, run.begin)
                got = defaults[validity] if validity else None
                if got is not wanted:
                    what = f"{got.name} ({validity})" if got else "nothing"
                    notes.append(
                        f"{experiment} run {run.run}, {detector}/{ctype}: psana takes {wanted.name}, here {what}"
                    )
    return [*notes[:_MOST_NOTES], f"and {len(notes) - _MOST_NOTES} more runs"] if len(notes) > _MOST_NOTES else notes
