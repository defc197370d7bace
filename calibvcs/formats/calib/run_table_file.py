"""A run table that stands in a file of its own: CSV with ``run,begin,end``, or TOML as ``experiments/*.toml``."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Final

from calibvcs.errors import CalibvcsError, InvalidDataError
from calibvcs.formats.toml import runs_toml
from calibvcs.model.runs import Run, RunKind, RunTable
from calibvcs.model.times import RunName, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_FILE: Final = 16 * 1024 * 1024
_MOST_RUNS: Final = 100_000
_ADVICE: Final = "begin it with the line 'run,begin,end', then one line a run; times in UNIX seconds or ISO 8601"


def decode(data: bytes, source: str, experiment: str) -> RunTable:
    """Read a run table.

    Parameters
    ----------
    data : bytes
        The file, UTF-8, at most 16 MiB. CSV begins with a line that names its columns: ``run``, ``begin`` and, if
        there is one, ``end``; others are passed over. Times are UNIX seconds or ISO 8601 (without a zone it is UTC).
        What does not begin so is TOML.
    source : str
        What it is called in errors, usually the path.
    experiment : str
        Experiment of the runs; may be empty.

    Returns
    -------
    RunTable
        The runs, ordered; begins are whole seconds, rounded down, ends rounded up.

    Raises
    ------
    InvalidDataError
        If it is neither, names a run twice, or a value cannot be read.
    """
    if len(data) > LARGEST_FILE:
        raise InvalidDataError(source, f"{len(data)} bytes; allowed are {LARGEST_FILE}", "is this the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidDataError(source, "the text is not UTF-8", _ADVICE) from None
    head = [name.strip() for name in text.partition("\n")[0].split(",")]
    if {"run", "begin"} <= set(head):
        return RunTable(experiment, runs=_csv_rows(text, source))
    try:
        return runs_toml.decode(data, experiment)
    except CalibvcsError as error:
        raise InvalidDataError(source, f"neither CSV nor TOML with runs: {error.problem}", _ADVICE) from error


def _csv_rows(text: str, source: str) -> tuple[Run, ...]:
    runs: dict[int, Run] = {}
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    try:
        for row in reader:
            where = f"{source}, line {reader.line_num}"
            run = _run(row, where)
            if run.run in runs:
                raise InvalidDataError(where, f"run {run.run} for the second time", "name every run once")
            runs[run.run] = run
            if len(runs) > _MOST_RUNS:
                raise InvalidDataError(source, f"more than {_MOST_RUNS} runs", "is this the right file?")
    except csv.Error as error:
        raise InvalidDataError(f"{source}, line {reader.line_num}", str(error), _ADVICE) from None
    return tuple(runs[number] for number in sorted(runs))


def _run(row: Mapping[str, str | None], where: str) -> Run:
    number = (row["run"] or "").strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise InvalidDataError(where, f"run {number[:60]!r}; allowed are whole numbers", _ADVICE)
    begin, end = _time(row, "begin", where), _time(row, "end", where)
    run = Run(
        int(number),
        RunKind.DATA,
        begin=None if begin is None else math.floor(begin),
        end=None if end is None else math.ceil(end),
    )
    if run.begin is not None and run.end is not None and run.end <= run.begin:
        raise InvalidDataError(where, f"run {number} ends at {run.end}, its begin is {run.begin}", _ADVICE)
    return run


def _time(row: Mapping[str, str | None], key: str, where: str) -> float | None:
    given = (row.get(key) or "").strip()
    if not given:
        return None
    try:
        time = parse_time(given)
    except CalibvcsError as error:
        raise InvalidDataError(where, error.problem, _ADVICE) from None
    if isinstance(time, RunName) or given == "now":
        raise InvalidDataError(where, f"{key} {given[:60]!r} is no time", _ADVICE)
    return time
