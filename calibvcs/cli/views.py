"""How results look as text: one function a result, from its fields to lines. Nothing is decided or computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.cli import tag_view
from calibvcs.cli.output import bold, coloured, table
from calibvcs.model.times import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.validity import Validity
    from calibvcs.ops.add import AddResult
    from calibvcs.ops.alias import AliasList
    from calibvcs.ops.candidate import Changes
    from calibvcs.ops.choosing import Chosen
    from calibvcs.ops.default import Default
    from calibvcs.ops.detector import DetectorList, DetectorResult
    from calibvcs.ops.doctor import Diagnosis
    from calibvcs.ops.init import InitResult
    from calibvcs.ops.log import Log
    from calibvcs.ops.ls import Listing, Row
    from calibvcs.ops.run import RunList
    from calibvcs.ops.show import Shown
    from calibvcs.ops.verify import Verification
    from calibvcs.ops.why import Why
    from calibvcs.ops.worktree.commit_edits import EditsCommitted

_ID = 10
_COLOURS = {"ok": 32, "warning": 33, "error": 31}


def _end(end: int | None) -> str:
    return "end" if end is None else as_text(end)


def _when(time: int | None) -> str:
    return "" if time is None else as_text(time)


def _span(validity: Validity) -> str:
    return f"{as_text(validity.begin)} to {as_text(validity.end) if validity.end is not None else 'open end'}"


def _mark(is_so: bool) -> str:
    return "*" if is_so else ""


def _range(constant: str) -> str:
    return constant.rpartition("/")[2]


def _form(dtype: str, shape: tuple[int, ...]) -> str:
    return dtype if not shape else f"{dtype} {'x'.join(map(str, shape))}"


def _state(row: Row) -> str:
    return ",".join(name for name, is_so in (("locked", row.locked), ("withdrawn", row.withdrawn)) if is_so)


def init(result: InitResult) -> Iterator[str]:
    """Show a new repository."""
    kind = "bare repository" if result.bare else "repository"
    yield f"made {kind} {result.name} in {result.path} (commit {result.commit[:_ID]})"


def diagnosis(result: Diagnosis) -> Iterator[str]:
    """Show what `doctor` found."""
    width = max(len(check.name) for check in result.checks)
    for check in result.checks:
        yield f"{coloured(check.level.ljust(7), _COLOURS[check.level])}  {check.name.ljust(width)}  {check.value}"
        if check.advice:
            yield f"{' ' * (width + 11)}-> {check.advice}"


def listing(result: Listing) -> Iterator[str]:
    """Show constants, the columns that matter most."""
    rows = [
        (row.constant, row.version, row.date, row.author, _form(row.dtype, row.shape), _state(row), row.comment)
        for row in result.constants
    ]
    yield from table(("constant", "version", "date", "author", "data", "state", "comment"), rows)
    yield from tag_view.marks(result.tags)


def long_listing(result: Listing) -> Iterator[str]:
    """Show constants, all columns."""
    head = ("constant", "version", "commit", "begin", "end", "date", "author", "data", "bytes", "state", "comment")
    rows = [
        (
            row.constant, row.version, row.commit[:_ID], as_text(row.begin), _end(row.end),
            row.date, row.author, _form(row.dtype, row.shape), "missing" if row.bytes is None else row.bytes,
            _state(row), row.comment,
        )
        for row in result.constants
    ]  # fmt: skip
    yield from table(head, rows, right=("bytes",))
    yield from tag_view.marks(result.tags)


def chosen(result: Chosen) -> Iterator[str]:
    """Show what `get` chose and why, in two lines."""
    form = _form(result.dtype, result.shape)
    where = f", written to {result.output}" if result.output else ""
    yield (
        f"{result.constant}@{result.version}  {form} {result.unit}".rstrip() + f"  commit {result.commit[:_ID]}{where}"
    )
    yield from (f"NOTE: {caution}" for caution in cautions(result))
    ranges = "1 range" if result.considered == 1 else f"{result.considered} ranges"
    yield f"because: {result.reason} ({ranges} looked at for {as_text(result.time)})"


def cautions(result: Chosen) -> Iterator[str]:
    """Tell what a user of the chosen constant must not overlook."""
    if result.fallback:
        yield result.fallback
    if result.withdrawn:
        yield f"{result.constant} is withdrawn, readers skip it; see calibvcs log {result.constant}"


def why(result: Why) -> Iterator[str]:
    """Show the candidates for a time."""
    yield f"{result.detector} {result.ctype} at {result.time:.16g} ({as_text(result.time)}), commit {result.at[:_ID]}"
    if result.fallback:
        yield f"NOTE: {result.fallback}"
    rows = [
        (
            _mark(c.outcome == "chosen"),
            c.constant.rpartition("/")[2],
            c.version,
            c.date,
            c.author,
            f"{c.outcome}: {c.reason}",
        )
        for c in result.candidates
    ]
    yield from table(("", "range", "version", "date", "author", "outcome"), rows)
    if result.chosen:
        yield f"chosen: {result.chosen}, commit {result.commit}"
    else:
        yield "chosen: nothing, no range is valid at this time"


def log(result: Log) -> Iterator[str]:
    """Show commits, newest first, as ``git log`` does."""
    for number, entry in enumerate(result.commits):
        if number:
            yield ""
        yield f"{coloured(f'commit {entry.commit}', 33)}  {entry.action}"
        yield f"Author: {entry.author} <{entry.email}>"
        yield f"Date:   {entry.date}"
        if entry.signature is not None:
            yield f"Signed: {tag_view.signature(entry.signature)}"
        yield from tag_view.marks(entry.tags)
        for touched in entry.constants:
            yield f"        {touched.constant}{f' -> {touched.version}' if touched.version else ''}"
        yield ""
        yield f"    {entry.subject}"
        yield from (f"    {line}".rstrip() for line in (f"\n{entry.body}".split("\n") if entry.body else ()))
        if entry.forced:
            yield f"    (forced: {entry.forced})"


def added(result: AddResult | EditsCommitted) -> Iterator[str]:
    """Show what `add` did, or `commit` with new data."""
    for one in result.constants:
        yield f"added {bold(f'{one.constant}@{one.version}')}  commit {result.commit[:_ID]}  blob {one.blob[:_ID]}"
        yield f"  {_changes(one.changes)}"
        yield from (f"  warning: {text}" for text in one.warnings)
        yield from (f"  forced: {text}" for text in one.forced)


def _changes(changes: Changes | None) -> str:
    if changes is None:
        return "nothing like it was there before"
    what = f"{changes.changed} of {changes.compared} {changes.of} differ"
    if changes.median is not None:
        share = 100 * changes.changed / changes.compared
        largest = f"largest median difference {changes.median:+.6g}, largest difference {changes.max_abs:.6g}"
        what = f"{what} ({share:.1f} %), {largest}"
    return f"against {changes.against}: {what}"


def shown(result: Shown) -> Iterator[str]:
    """Show everything about a constant."""
    meta = result.meta
    yield bold(f"{result.constant}@{result.version}")
    facts = {
        "commit": result.commit,
        "author": f"{result.author}, {result.date}",
        "comment": result.comment.replace("\n", "\n           "),
        "blob": result.blob,
        "data": f"{_form(meta.dtype, meta.shape)} {meta.unit}".rstrip(),
        "axes": ", ".join(meta.dims),
        "use": meta.convention,
        "locked": meta.lock_reason or ("yes" if meta.locked else ""),
        "withdrawn": meta.withdrawn_reason or ("yes" if meta.withdrawn else ""),
        "experiment": meta.origin.experiment,
        "run": "" if meta.origin.run is None else str(meta.origin.run),
        "run end": "" if meta.origin.run_end is None else str(meta.origin.run_end),
        "source": meta.origin.source,
        "software": meta.provenance.software,
        "made by": "@".join(filter(None, (meta.provenance.user, meta.provenance.host))),
        "command": " ".join(meta.provenance.command),
        **{f"input {n}": f"{f.path} ({f.size} bytes, sha256 {f.sha256})" for n, f in enumerate(meta.provenance.inputs)},
        **{f"param {key}": str(value) for key, value in meta.parameters.items()},
    }
    yield from (f"  {name.ljust(10)} {value}" for name, value in facts.items() if value)
    if result.panels:
        more = ", ..." if len(result.panels) > 8 else ""
        yield f"  panels     {len(result.panels)}: {', '.join(result.panels[:8])}{more}"
    yield from (f"  {line}" for line in tag_view.marks(result.tags))
    yield from _statistics(result)
    yield from result.text.splitlines()


def _statistics(result: Shown) -> Iterator[str]:
    if not result.segments:
        return
    head = ("gain", "segment", "pixels", "min", "median", "mean", "max", "rms", "zeros", "bad")
    rows = []
    for s in result.segments:
        numbers = [f"{value:.6g}" for value in (s.min, s.median, s.mean, s.max, s.rms)]
        rows.append((_index(s.gain), _index(s.segment), s.pixels, *numbers, s.zeros, _index(s.bad)))
    yield from (f"  {line}" for line in table(head, rows, right=head))


def _index(number: int | None) -> str:
    return "-" if number is None else str(number)


def default(result: Default) -> Iterator[str]:
    """Show the versions of a constant and its state."""
    states = [("locked", result.locked, result.lock_reason), ("withdrawn", result.withdrawn, result.withdrawn_reason)]
    said = "".join(f", {name}: {reason}" for name, is_so, reason in states if is_so)
    commit = f" (commit {result.commit[:_ID]})" if result.commit else ""
    yield f"{bold(result.constant)}: default is {result.version or 'not known'}{said}{commit}"
    rows = [(_mark(v.default), v.version, v.commit[:_ID], v.date, v.author, v.comment) for v in result.versions]
    yield from table(("", "version", "commit", "date", "author", "comment"), rows)


def detector(result: DetectorResult) -> Iterator[str]:
    """Show the record of a detector."""
    record = result.detector
    yield bold(str(record.name)) + (f" (commit {result.commit[:_ID]})" if result.commit else "")
    facts = {
        "longname": record.longname,
        "segments": f"{len(record.segments)}: {', '.join(record.segments)}" if record.segments else "",
        "predecessor": _dated(record.predecessor, "until", record.predecessor_until),
        "successor": _dated(record.successor, "since", record.successor_since),
        "created": record.created,
        "ctypes": ", ".join(result.ctypes),
        "aliases": ", ".join(result.aliases),
        **{f"param {key}": str(value) for key, value in record.parameters.items()},
    }
    yield from (f"  {name.ljust(11)} {value}" for name, value in facts.items() if value)


def _dated(name: str, word: str, date: str) -> str:
    return f"{name}, {word} {date}" if date else name


def detectors(result: DetectorList) -> Iterator[str]:
    """Show all detectors."""
    rows = [(d.name, len(d.segments) or "", d.predecessor, d.successor, d.longname) for d in result.detectors]
    yield from table(("detector", "segments", "predecessor", "successor", "longname"), rows)


def aliases(result: AliasList) -> Iterator[str]:
    """Show alias rows."""
    rows = [(row.alias, row.detector, _span(row.validity), row.source) for row in result.aliases]
    yield from table(("alias", "detector", "meant", "source"), rows)


def resolved(result: AliasList) -> Iterator[str]:
    """Show what an alias means, the detector alone, so that a script can use it."""
    yield from (str(row.detector) for row in result.aliases)


def runs(result: RunList) -> Iterator[str]:
    """Show runs."""
    rows = [(f"{r.experiment}:{r.run}", r.kind, _when(r.begin), _when(r.end), r.reason, r.comment) for r in result.runs]
    yield from table(("run", "kind", "begin", "end", "reason", "comment"), rows)


def verification(result: Verification) -> Iterator[str]:
    """Show what `verify` found."""
    for finding in result.findings:
        yield f"{coloured(finding.level, _COLOURS[finding.level])}: {finding.path}: {finding.text}"
    deep = f", {result.objects} payloads read" if result.objects else ""
    errors = sum(finding.level == "error" for finding in result.findings)
    warnings = len(result.findings) - errors
    if result.signatures:
        s = result.signatures
        yield f"signatures: {s.good} good, {s.bad} bad, {s.unknown} not known, {s.missing} missing"
    yield f"{result.constants} constants at {result.at[:_ID]}{deep}: {errors} errors, {warnings} warnings"
