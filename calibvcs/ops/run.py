"""``run``: the run table of an experiment; which runs were dark runs, and why they were taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidOptionError, InvalidRangeError
from calibvcs.formats.toml import runs_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.runs import Run, RunKind, RunReason, RunTable
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.times import RunName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of an experiment; times in UNIX seconds, where known."""

    experiment: str
    run: int
    kind: str
    begin: int | None
    end: int | None
    reason: str
    comment: str


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, and the commit that changed them (empty for a mere look)."""

    schema: ClassVar[str] = "calibvcs.run/1"

    runs: tuple[RunRow, ...]
    commit: str = ""


def mark(
    store: Store,
    author: Person,
    name: RunName,
    *,
    kind: RunKind,
    reason: RunReason | None,
    message: str,
    begin: float | None = None,
    end: float | None = None,
    instrument: str = "",
) -> RunList:
    """Write down a run, or more about one that is known.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    name : RunName
        The run.
    kind : RunKind
        What it was taken for.
    reason : RunReason or None
        Why it was taken; a dark run needs one.
    message : str
        Comment; becomes the comment of the run and of the commit.
    begin, end : float, optional
        UNIX seconds; what is not given stays as it was.
    instrument : str, optional
        Instrument of the experiment; empty leaves it as it was.

    Returns
    -------
    RunList
        The run and the commit.

    Raises
    ------
    InvalidOptionError
        If a dark run comes without a reason.
    InvalidRangeError
        If it would end before it begins.
    """
    if kind is RunKind.DARK and reason is None:
        allowed = f"a dark run needs one of {', '.join(RunReason)}"
        raise InvalidOptionError("--reason", "", allowed, "say why the dark run was taken: --reason opportunistic")

    def plan(catalogue: Catalogue) -> transaction.Plan[Run]:
        table = catalogue.run_table(name.experiment)
        old = next((run for run in table.runs if run.run == name.run), Run(name.run, kind))
        run = replace(
            old,
            kind=kind,
            reason=reason,
            begin=old.begin if begin is None else math.floor(begin),
            end=old.end if end is None else math.ceil(end),
            comment=message.strip(),
        )
        if run.begin is not None and run.end is not None and run.end <= run.begin:
            raise InvalidRangeError(run.begin, run.end)
        marked = table.marked(run)
        return _plan(catalogue, replace(marked, instrument=instrument or table.instrument), message, run)

    commit, run = transaction.commit(store, author, plan)
    return RunList((_row(name.experiment, run),), commit)


def unmark(store: Store, author: Person, name: RunName, message: str) -> RunList:
    """Take a run out of the table; history keeps it.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    name : RunName
        The run.
    message : str
        Why; empty for "Unmark run ...".

    Returns
    -------
    RunList
        The run as it was, and the commit.

    Raises
    ------
    UnknownRunError
        If it is not in the table.
    """

    def plan(catalogue: Catalogue) -> transaction.Plan[Run]:
        table = catalogue.run_table(name.experiment)
        remaining = table.unmarked(name.run)
        (gone,) = (run for run in table.runs if run.run == name.run)
        return _plan(catalogue, remaining, message or f"Unmark run {name}", gone)

    commit, run = transaction.commit(store, author, plan)
    return RunList((_row(name.experiment, run),), commit)


def ls(catalogue: Catalogue, experiment: str | None, kind: RunKind | None = None) -> RunList:
    """Return the runs of one experiment, or of all, sorted; of one kind, where that is asked for."""
    experiments = [experiment] if experiment else list(catalogue.experiments())
    tables = [catalogue.run_table(name) for name in experiments]
    rows = (_row(table.experiment, run) for table in tables for run in table.runs if kind in {None, run.kind})
    return RunList(tuple(rows))


def _plan(catalogue: Catalogue, table: RunTable, message: str, run: Run) -> transaction.Plan[Run]:
    path = layout.experiment_file(table.experiment)
    content = runs_toml.encode(table, catalogue.snapshot.read(path))
    return transaction.Plan({path: content}, Message(message, Action.RUN), run)


def _row(experiment: str, run: Run) -> RunRow:
    return RunRow(
        experiment, run.run, run.kind.value, run.begin, run.end, run.reason.value if run.reason else "", run.comment
    )
