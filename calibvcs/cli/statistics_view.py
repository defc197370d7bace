"""How numbers look as text: of one version, of many, and of who changed them. Nothing is computed here."""

from __future__ import annotations

import csv
import io
import math
from itertools import groupby
from typing import TYPE_CHECKING

from calibvcs.cli import diff_view
from calibvcs.cli.output import bold, table
from calibvcs.model.times import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from calibvcs.model.array_statistics import SegmentStatistics
    from calibvcs.ops.statistics.bisect import Bisection, Step
    from calibvcs.ops.statistics.blame import Blame
    from calibvcs.ops.statistics.pixel_history import PixelHistory
    from calibvcs.ops.statistics.stats import Stats
    from calibvcs.ops.statistics.trend import Trend, TrendLine

_ID = 10
_COMMENT = 60
_COLUMNS = (
    "gain", "segment", "pixels", "min", "median", "mean", "max", "rms", "nonfinite", "zeros", "bad", "bits",
)  # fmt: skip


def stats(result: Stats) -> Iterator[str]:
    """Show one version: each gain range as a whole, then each segment."""
    form = f"{result.dtype} {'x'.join(map(str, result.shape))} {result.unit}".rstrip()
    yield bold(f"{result.constant}@{result.version}") + f"  {form}"
    yield f"commit {result.commit[:_ID]}  {result.date}  {result.author}  {_short(result.comment)}"
    head = ("gain", "segment", "pixels", "min", "median", "max", "rms", *_counted(result.kind))
    whole = [] if result.gains == result.segments else [_row(one, result.kind, whole=True) for one in result.gains]
    yield from table(head, [*whole, *(_row(one, result.kind) for one in result.segments)], right=head)
    for bit in sorted({bit for one in result.gains for bit in one.bits}):
        counts = ", ".join(f"{one.bits.get(bit, 0)}{_of_gain(one)}" for one in result.gains)
        yield f"status bit {bit}: {counts} pixels"


def _counted(kind: str) -> tuple[str, ...]:
    return ("nonfinite", "zeros") if kind == "values" else ("bad",)


def _of_gain(one: SegmentStatistics) -> str:
    return "" if one.gain is None else f" in g{one.gain}"


def _row(one: SegmentStatistics, kind: str, *, whole: bool = False) -> list[object]:
    numbers = [_number(value) for value in (one.min, one.median, one.max, one.rms)]
    counts = (one.nonfinite, one.zeros) if kind == "values" else (one.bad,)
    return [_index(one.gain), "all" if whole else _index(one.segment), one.pixels, *numbers, *counts]


def trend(result: Trend, what: str | None) -> Iterator[str]:
    """Show a line a version, the oldest first, one number a gain range."""
    for number, (what_of, group) in enumerate(groupby(result.lines, lambda line: line.constant.rpartition("/")[0])):
        if number:
            yield ""
        yield from _trend(what_of, list(group), what, validity=result.over == "validity")
    if not result.lines:
        yield "no version of an array is in these bounds"
    yield from (f"{text} is text: calibvcs log and diff show how it changed" for text in result.texts)


def _trend(of: str, lines: list[TrendLine], given: str | None, *, validity: bool) -> Iterator[str]:
    measured = [line for line in lines if line.gains] or lines
    what = given or ("median" if measured[-1].kind == "values" else "bad")
    unit = {"bad": "pixels"}.get(what, measured[-1].unit)
    if what == "bad" and measured[-1].kind == "values":
        unit = "pixels that are NaN, infinite or zero"
    yield f"{bold(of)}  {what}{f', {unit}' if unit else ''}"
    gains = [f"g{gain}" if gain is not None else what for gain in _gains(measured)]
    several = validity or len({line.constant for line in lines}) > 1
    detailed = any(line.segments for line in lines)
    head = ["", *(["range"] if several else []), "version", "date", *(["segment"] if detailed else []), *gains]
    rows = [
        ["*" if line.default else "", *([_range(line)] if several else []), line.version, line.date, *cells]
        for line in lines
        for cells in _cells(line, what, len(gains), detailed=detailed)
    ]
    yield from table([*head, "author", "comment"], rows, right=gains)


def _cells(line: TrendLine, what: str, gains: int, *, detailed: bool) -> Iterator[list[str]]:
    """Yield what stands behind the date: of the whole, then of each segment."""
    said = f"no numbers: {line.problem}" if line.problem else _short(line.comment)
    said += "  (withdrawn)" if line.withdrawn else ""
    numbers = [_what(one, what) for one in line.gains][:gains]
    yield [*(["all"] if detailed else []), *_padded(numbers, gains), line.author, said]
    order = sorted(line.segments, key=lambda one: (one.segment or 0, one.gain or 0))
    for segment, some in groupby(order, lambda one: one.segment):
        yield [_index(segment), *_padded([_what(one, what) for one in some][:gains], gains), "", ""]


def _padded(cells: list[str], length: int) -> list[str]:
    return cells + ["-"] * (length - len(cells))


def _gains(lines: Sequence[TrendLine]) -> list[int | None]:
    return [one.gain for one in max((line.gains for line in lines), key=len)] or [None]


def _what(one: SegmentStatistics, what: str) -> str:
    return str(one.suspect) if what == "bad" else _number(one.median if what == "median" else one.rms)


def _range(line: TrendLine) -> str:
    return f"{as_text(line.begin)} to {as_text(line.end) if line.end is not None else 'end'}"


def stats_csv(result: Stats) -> Iterator[str]:
    """Show one version as comma-separated values, one row a gain range and segment; ``all`` is the whole gain range."""
    yield _csv(["constant", "version", "commit", "date", "author", "unit", *_COLUMNS, "comment"])
    facts = (result.constant, result.version, result.commit, result.date, result.author, result.unit)
    yield from _rows(facts, result.gains, result.segments, result.comment)


def trend_csv(result: Trend) -> Iterator[str]:
    """Show versions as comma-separated values, one row a gain range, and with ``--segments`` a segment."""
    facts = ("constant", "version", "commit", "date", "author", "begin", "end", "default", "withdrawn", "unit")
    yield _csv([*facts, *_COLUMNS, "comment"])
    for line in result.lines:
        end = "end" if line.end is None else line.end
        state = (int(line.default), int(line.withdrawn), line.unit)
        told = (line.constant, line.version, line.commit, line.date, line.author, line.begin, end, *state)
        yield from _rows(told, line.gains, line.segments, line.comment)
        if line.problem:
            yield _csv([*told, *[""] * len(_COLUMNS), line.comment])


def _rows(
    facts: Sequence[object],
    gains: Iterable[SegmentStatistics],
    segments: Iterable[SegmentStatistics],
    comment: str,
) -> Iterator[str]:
    for whole, some in ((True, gains), (False, segments)):
        for one in some:
            place = ("" if one.gain is None else one.gain, "all" if whole else _plain(one.segment))
            numbers = [
                "" if math.isnan(value) else repr(value) for value in (one.min, one.median, one.mean, one.max, one.rms)
            ]
            bits = ";".join(f"{bit}:{count}" for bit, count in one.bits.items())
            counts = (one.nonfinite, one.zeros, _plain(one.bad), bits)
            yield _csv([*facts, *place, one.pixels, *numbers, *counts, comment])


def _csv(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def blame(result: Blame) -> Iterator[str]:
    """Show segments against gain ranges, equal lines as one; then the commits."""
    label = {commit.commit: _label(commit.version, commit.action, commit.commit) for commit in result.commits}
    yield bold(f"{result.constant}@{result.version}") + f"  who changed it last, at commit {result.at[:_ID]}"
    gains = list(dict.fromkeys(block.gain for block in result.blocks))
    by_segment: dict[int | None, list[str]] = {}
    for block in result.blocks:
        by_segment.setdefault(block.segment, []).append(label[block.commit])
    rows: list[list[str]] = []
    for cells, group in groupby(by_segment.items(), lambda pair: pair[1]):
        segments = [segment for segment, _ in group]
        last = f"-{segments[-1]}" if len(segments) > 1 else ""
        rows.append([f"{_index(segments[0])}{last}", *cells])
    head = ["segment", *("changed by" if gain is None else f"g{gain}" for gain in gains)]
    yield from table(head, rows)
    yield ""
    commits = [(label[c.commit], c.commit[:_ID], c.action, c.date, c.author, _short(c.comment)) for c in result.commits]
    yield from table(("", "commit", "action", "date", "author", "comment"), commits)


def _label(version: str, action: str, commit: str) -> str:
    """Return a short name: the version, where the commit made one."""
    return version if version and action == "add" else commit[:_ID]


def pixel_history(result: PixelHistory) -> Iterator[str]:
    """Show every value that a pixel had, the newest first."""
    pixel = result.pixel
    place = f"row {pixel.row}, column {pixel.column}"
    place = place if pixel.segment is None else f"segment {pixel.segment}, {place}"
    yield bold(f"{result.constant}@{result.version}") + f"  {place}{f', {result.unit}' if result.unit else ''}"
    gains = ["value" if gain is None else f"g{gain}" for gain in pixel.gains]
    rows = [
        [change.by.version, change.by.date, *map(_exact, change.values), change.by.commit[:_ID], change.by.action,
         change.by.author, _short(change.by.comment)]
        for change in result.changes
    ]  # fmt: skip
    yield from table(["version", "date", *gains, "commit", "action", "author", "comment"], rows, right=gains)
    if result.older:
        yield f"before: {result.older}"


def step(one: Step) -> str:
    """Show one version that was tested."""
    return (
        f"{one.version.ljust(5)} {one.verdict.ljust(4)} (exit status {one.status})  {one.date}  {_short(one.comment)}"
    )


def bisection(result: Bisection) -> Iterator[str]:
    """Show where a test turns, who did it and why, and what is different."""
    if result.found is None:
        names = ", ".join(result.candidates)
        yield f"not found: of {names} those between were skipped; one of them is the first {result.turned} one"
        return
    found = result.found
    yield (
        bold(f"{result.constant}@{found.version}") + f" is the first {result.turned} one, after {result.before.version}"
    )
    yield f"  commit   {found.commit}"
    yield f"  author   {found.author}, {found.date}"
    yield f"  comment  {found.comment}"
    yield f"  tested   {len(result.steps)} versions"
    if result.difference:
        yield from diff_view.constant(result.difference)


def _short(text: str) -> str:
    return text if len(text) <= _COMMENT else f"{text[: _COMMENT - 3]}..."


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.6g}"


def _exact(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _index(number: int | None) -> str:
    return "-" if number is None else str(number)


def _plain(number: int | None) -> str:
    return "" if number is None else str(number)
