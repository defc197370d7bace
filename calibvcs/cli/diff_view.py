"""How a difference looks as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.cli.output import bold, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.array_difference import ArrayDifference, SegmentDifference
    from calibvcs.model.geometry_difference import GeometryDifference, PanelDifference
    from calibvcs.ops.diff import ConstantDifference, Diff

_MOVES = (("dx", "um"), ("dy", "um"), ("dz", "um"))
_TURNS = tuple((f"d{kind}_{axis}", "deg") for kind in ("rot", "tilt") for axis in "zyx")


def diff(result: Diff) -> Iterator[str]:
    """Show what differs; numbers are second minus first."""
    if result.same:
        yield f"no difference between {result.a} and {result.b}"
        return
    for difference in result.constants:
        if difference.status != "same":
            yield from constant(difference)
    yield from (f"{bold('changed')} {path}" for path in result.files)


def constant(difference: ConstantDifference) -> Iterator[str]:
    """Show what differs between two versions of a constant."""
    names = {"added": difference.b, "removed": difference.a}
    yield f"{bold(difference.status)} {names.get(difference.status, f'{difference.a} -> {difference.b}')}"
    if difference.array:
        yield from (f"  {line}" for line in _array(difference.array))
    if difference.geometry:
        yield from (f"  {line}" for line in _geometry(difference.geometry))
    if difference.text:
        yield f"  {difference.text}"
    told = [entry for entry in difference.metadata if not entry.field.startswith("provenance.")]
    yield from (f"  {entry.field}: {entry.a or '-'} -> {entry.b or '-'}" for entry in told)
    if len(told) < len(difference.metadata):
        yield "  provenance differs: see calibvcs show of both, or --json"


def _array(difference: ArrayDifference) -> Iterator[str]:
    if not difference.comparable:
        a, b = ("x".join(map(str, shape)) for shape in (difference.shape_a, difference.shape_b))
        yield f"the shapes {a} and {b} cannot be compared"
        return
    if difference.dtype_a != difference.dtype_b:
        yield f"dtype {difference.dtype_a} -> {difference.dtype_b}"
    if not difference.changed:
        yield "all values are equal"
        return
    yield f"{difference.changed} of {difference.pixels} values differ, largest |d| {difference.max_abs:.6g}"
    judged = any(segment.new_bad is not None for segment in difference.segments)
    head = ("gain", "segment", "changed", "max |d|", "median d", "rms d", *(("new bad", "cleared") if judged else ()))
    yield from table(head, [_segment(s, judged=judged) for s in difference.segments if s.changed], right=head)
    yield from _bits(difference)


def _segment(segment: SegmentDifference, *, judged: bool) -> list[object]:
    place = ["-" if number is None else number for number in (segment.gain, segment.segment)]
    numbers = [f"{value:.6g}" for value in (segment.max_abs, segment.median, segment.rms)]
    return [*place, segment.changed, *numbers, *((segment.new_bad, segment.cleared_bad) if judged else ())]


def _bits(difference: ArrayDifference) -> Iterator[str]:
    bits = sorted({bit for segment in difference.segments for bit in segment.bits})
    for bit in bits:
        counts = [segment.bits.get(bit, (0, 0)) for segment in difference.segments]
        yield f"status bit {bit}: set in {sum(c[0] for c in counts)}, cleared in {sum(c[1] for c in counts)} pixels"


def _geometry(difference: GeometryDifference) -> Iterator[str]:
    for panel in difference.panels:
        yield f"{panel.panel}: {panel.status}{_moved(panel) if panel.status == 'changed' else ''}"
    yield f"{len(difference.panels)} of {difference.compared} panels differ"


def _moved(panel: PanelDifference) -> str:
    parts = [f"{name} {getattr(panel, name):+} {unit}" for name, unit in (*_MOVES, *_TURNS) if getattr(panel, name)]
    return f" {', '.join(parts)}"
