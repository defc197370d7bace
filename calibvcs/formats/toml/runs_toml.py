"""``experiments/<experiment>.toml``: the run table of an experiment."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from calibvcs.formats.toml import toml_document
from calibvcs.model.layout import experiment_file
from calibvcs.model.runs import Run, RunKind, RunReason, RunTable
from calibvcs.model.validity import TIME_LIMIT

E = TypeVar("E", bound=StrEnum)


def decode(data: bytes, experiment: str) -> RunTable:
    """Read a run table.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, or a row breaks a rule.
    """
    document = toml_document.read(data, experiment_file(experiment))
    runs: dict[int, Run] = {}
    for table in document.tables("runs"):
        run = _row(table)
        if run.run in runs:
            raise table.wrong("run", "a run number that no other row has", run.run)
        runs[run.run] = run
    ordered = tuple(runs[number] for number in sorted(runs))
    return RunTable(experiment, document.text("instrument", ""), ordered, document.texts("detectors"))


def _row(table: toml_document.Table) -> Run:
    number = table.integer("run")
    if number is None or number < 0:
        raise table.wrong("run", "a run number", number)
    reason = table.text("reason", "")
    begin, end = _time(table, "begin"), _time(table, "end")
    if begin is not None and end is not None and end <= begin:
        raise table.wrong("end", f"a time behind the begin of the run ({begin})", end)
    return Run(
        run=number,
        kind=_member(table, "kind", RunKind, RunKind.DATA),
        begin=begin,
        end=end,
        reason=_member(table, "reason", RunReason, None) if reason else None,
        comment=table.text("comment", ""),
    )


def _time(table: toml_document.Table, key: str) -> int | None:
    time = table.integer(key)
    if time is not None and not 0 <= time < TIME_LIMIT:
        raise table.wrong(key, f"UNIX seconds from 0 to {TIME_LIMIT - 1}", time)
    return time


def _member(table: toml_document.Table, key: str, kind: type[E], default: E | None) -> E:
    value = table.text(key, default)
    if value not in {member.value for member in kind}:
        raise table.wrong(key, " or ".join(member.value for member in kind), value)
    return kind(value)


def encode(table: RunTable, previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept."""
    rows = [
        {
            "run": run.run,
            "kind": run.kind.value,
            "begin": run.begin,
            "end": run.end,
            "reason": run.reason.value if run.reason else None,
            "comment": run.comment or None,
        }
        for run in table.runs
    ]
    head = {"instrument": table.instrument, "detectors": list(table.detectors) or None}
    return toml_document.write({**head, "runs": rows}, previous)
