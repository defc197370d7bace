"""Results as tables for a browser or a notebook. Everything that comes from a repository is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.model.layout import ARRAY_FILE
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import commit_of, locate
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from calibvcs.model.array_difference import ArrayDifference
    from calibvcs.model.geometry_difference import GeometryDifference
    from calibvcs.model.metadata import Metadata
    from calibvcs.ops.diff import ConstantDifference, Diff
    from calibvcs.ops.get import Constant
    from calibvcs.ops.log import Log

_ROWS = 50
"""Rows that a notebook shows of a list."""

_GEOMETRY = ("dx", "dy", "dz", "drot_z", "drot_y", "drot_x", "dtilt_z", "dtilt_y", "dtilt_x")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table.

    Parameters
    ----------
    head : sequence of str
        Names of the columns; none where the first column names the rows.
    rows : iterable of sequence
        What stands in the cells; it is escaped.

    Returns
    -------
    str
        HTML.
    """
    named = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>" if head else ""
    kind = "td" if head else "th"
    lines = (
        f"<tr>{''.join(_cell(cell, kind if place == 0 else 'td') for place, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return f"<table>{named}{''.join(lines)}</table>"


def _cell(value: object, kind: str) -> str:
    style = ' style="text-align:right"' if isinstance(value, int | float) else ' style="text-align:left"'
    text = f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(value)
    return f"<{kind}{style}>{escape(text)}</{kind}>"


def metadata_rows(meta: Metadata) -> Iterator[tuple[str, str]]:
    """Yield what stands beside the data of a constant, entry by entry, those that say something.

    Yields
    ------
    tuple of str
        Name and value, not escaped.
    """
    form = "text" if meta.is_text else f"{meta.dtype} {'x'.join(map(str, meta.shape))} {meta.unit}".rstrip()
    made = meta.provenance
    values = {
        "data": form,
        "axes": ", ".join(meta.dims),
        "use": meta.convention,
        "locked": meta.lock_reason or ("yes" if meta.locked else ""),
        "withdrawn": meta.withdrawn_reason or ("yes" if meta.withdrawn else ""),
        "experiment": meta.origin.experiment,
        "run": "" if meta.origin.run is None else str(meta.origin.run),
        "run end": "" if meta.origin.run_end is None else str(meta.origin.run_end),
        "source": meta.origin.source,
        "software": made.software,
        "made by": "@".join(filter(None, (made.user, made.host))),
        "command": " ".join(made.command),
    }
    yield from ((name, value) for name, value in values.items() if value)
    for number, file in enumerate(made.inputs):
        yield f"input {number}", f"{file.path} ({file.size} bytes, sha256 {file.sha256})"
    yield from ((f"param {name}", str(value)) for name, value in meta.parameters.items())


def provenance_rows(catalogue: Catalogue, label: str, now: float) -> tuple[tuple[str, str], ...]:
    """Return who made a constant, when, how and why.

    Parameters
    ----------
    catalogue : Catalogue
        The commit at which names are looked up.
    label : str
        ``DET/CTYPE/RANGE@VERSION``, or anything else, such as the path of a file.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    tuple of (str, str)
        Names and values, not escaped; of what is no constant only what it is called.
    """
    try:
        located = locate(catalogue.snapshot.store, catalogue, label, now)
    except CalibvcsError:
        return (("file", label),)
    store, name = catalogue.snapshot.store, located.constant
    then = Catalogue(Snapshot(store, located.commit_id))
    commit = commit_of(catalogue, located)
    who = f"{commit.author.name} <{commit.author.email}>"
    return (
        ("constant", located.label),
        ("commit", commit.id),
        ("author", who),
        ("date", as_text(commit.author.time)),
        ("comment", commit.message.comment),
        ("blob", then.payload(name)[1].id),
        *metadata_rows(then.metadata(name)),
    )


def constant(of: Constant) -> str:
    """Return what a notebook shows of a constant: what it is, and its numbers per gain range and segment."""
    from calibvcs.ops.statistics.array_summaries import summary_of

    facts = [("valid", str(of.validity)), ("version", of.version), ("commit", of.commit), ("blob", of.blob)]
    parts = [f"<b>{escape(str(of.name))}</b>", table((), [*facts, *metadata_rows(of.meta)])]
    if of.catalogue.payload(of.name)[0] == ARRAY_FILE:
        try:
            found = summary_of(of.catalogue, of.name)
        except CalibvcsError as error:
            return "".join([*parts, f"<p>{escape(error.problem)}</p>"])
        head = ("gain", "segment", "pixels", "min", "median", "max", "rms", "not finite", "zeros", "bad")
        rows = [
            (s.gain, s.segment, s.pixels, s.min, s.median, s.max, s.rms, s.nonfinite, s.zeros, s.bad)
            for s in found.summary.segments
        ]
        parts += [table(head, rows[:_ROWS]), _more(rows)]
    else:
        lines = str(of.data).splitlines()
        parts += [f"<pre>{escape(chr(10).join(line[:200] for line in lines[:_ROWS]))}</pre>", _more(lines)]
    return "".join(parts)


def diff(of: Diff) -> str:
    """Return what a notebook shows of a difference."""
    head = f"<b>{escape(of.a)} &#8594; {escape(of.b)}</b>"
    if of.same:
        return f"{head}<p>no difference</p>"
    changed = [one for one in of.constants if one.status != "same"]
    parts = [head, *(difference(one) for one in changed[:_ROWS]), _more(changed)]
    parts += [table(("other files that differ",), [(path,) for path in of.files[:_ROWS]])] if of.files else []
    return "".join(parts)


def difference(of: ConstantDifference) -> str:
    """Return the numbers of the difference of one constant, second minus first, as HTML."""
    names = {"added": of.b, "removed": of.a}
    parts = [f"<p><b>{escape(of.status)}</b> {escape(names.get(of.status, f'{of.a} -> {of.b}'))}</p>"]
    if of.array:
        parts.append(_array(of.array))
    if of.geometry:
        parts.append(_geometry(of.geometry))
    if of.text:
        parts.append(f"<p>{escape(of.text)}</p>")
    if of.metadata:
        rows = [(entry.field, entry.a or "-", entry.b or "-") for entry in of.metadata]
        parts.append(table(("metadata", "A", "B"), rows))
    return "".join(parts)


def _array(of: ArrayDifference) -> str:
    if not of.comparable:
        a, b = ("x".join(map(str, shape)) for shape in (of.shape_a, of.shape_b))
        return f"<p>the shapes {a} and {b} cannot be compared</p>"
    if not of.changed:
        return "<p>all values are equal</p>"
    judged = any(segment.new_bad is not None for segment in of.segments)
    head = ("gain", "segment", "pixels", "changed", "max |d|", "median d", "rms d")
    more = ("new bad", "cleared") if judged else ()
    rows = [
        (s.gain, s.segment, s.pixels, s.changed, s.max_abs, s.median, s.rms)
        + ((s.new_bad, s.cleared_bad) if judged else ())
        for s in of.segments
        if s.changed
    ]
    parts = [f"<p>{of.changed} of {of.pixels} values differ, largest |d| {of.max_abs:.6g}</p>"]
    parts.append(table((*head, *more), rows))
    bits = sorted({bit for segment in of.segments for bit in segment.bits})
    turned = [[s.bits.get(bit, (0, 0)) for s in of.segments] for bit in bits]
    if bits:
        counts = [
            (bit, sum(n for n, _ in of_bit), sum(n for _, n in of_bit))
            for bit, of_bit in zip(bits, turned, strict=True)
        ]
        parts.append(table(("status bit", "set in pixels", "cleared in pixels"), counts))
    return "".join(parts)


def _geometry(of: GeometryDifference) -> str:
    units = [f"{name} [um]" if place < 3 else f"{name} [deg]" for place, name in enumerate(_GEOMETRY)]
    rows = [(one.panel, one.status, *(str(getattr(one, name)) for name in _GEOMETRY)) for one in of.panels]
    return f"<p>{len(of.panels)} of {of.compared} panels differ</p>{table(('panel', 'status', *units), rows)}"


def log(of: Log) -> str:
    """Return what a notebook shows of a history."""
    head = ("commit", "date", "author", "action", "comment", "constants")
    rows = [
        (
            entry.commit[:10],
            entry.date,
            entry.author,
            entry.action,
            entry.subject,
            ", ".join(f"{one.constant} {one.version}".rstrip() for one in entry.constants[:5])
            + (f" and {len(entry.constants) - 5} more" if len(entry.constants) > 5 else ""),
        )
        for entry in of.commits[:_ROWS]
    ]
    return f"{table(head, rows)}{_more(of.commits)}"


def _more(rows: Sequence[object]) -> str:
    return f"<p>and {len(rows) - _ROWS} more</p>" if len(rows) > _ROWS else ""
