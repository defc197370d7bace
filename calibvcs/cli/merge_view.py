"""Merges, pushes and proposals for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.cli import diff_view
from calibvcs.cli.output import bold, coloured
from calibvcs.model.times import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.array_difference import ArrayDifference
    from calibvcs.ops.merges.describing import ConflictDescription, SideOfConflict
    from calibvcs.ops.merges.preview import Preview
    from calibvcs.ops.sharing.pulling import Pulled
    from calibvcs.ops.sharing.pushing import PushedBranch
    from calibvcs.ops.sharing.reviewing import Proposal, Proposals, Review

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ID = 10
_MOST = 20


def size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:.0f} B"


def pulled(made: Pulled) -> Iterator[str]:
    """Show what came into the branch."""
    came = f" ({made.objects} objects, {size(made.bytes)})" if made.objects else ""
    if made.kind == "up-to-date":
        yield f"{made.branch} has all of {made.origin} already{came}"
        return
    yield f"{made.branch} {made.before[:_ID]} -> {made.commit[:_ID]}, {made.kind} of {made.origin}{came}"
    yield from (f"  {name}" for name in made.taken[:_MOST])
    if len(made.taken) > _MOST:
        yield f"  and {len(made.taken) - _MOST} more"
    yield from (f"  settled: {one}" for one in made.settled)


def pushed(made: PushedBranch) -> Iterator[str]:
    """Show what went to another repository."""
    if not made.commit:
        yield f"{made.branch} is taken away from {made.origin}"
        return
    merged = ", after a merge of what others changed" if made.merged else ""
    yield f"{made.branch} at {made.origin}: {made.before[:_ID] or 'new'} -> {made.commit[:_ID]}{merged}"
    yield from (f"  {line}" for line in made.said.splitlines())
    if made.preview:
        yield from preview(made.preview)


def preview(found: Preview) -> Iterator[str]:
    """Show which defaults change, and for which runs."""
    for change in found.defaults[:_MOST]:
        versions = " -> ".join(version for version in (change.before, change.after) if version)
        yield f"  {change.status:<12} {change.constant}  {versions}"
    if len(found.defaults) > _MOST:
        yield f"  and {len(found.defaults) - _MOST} more"
    for effect in found.effects[:_MOST]:
        runs = "; ".join(f"{one.experiment} {', '.join(map(str, one.runs))}" for one in effect.runs)
        until = "on" if effect.end is None else f"to {as_text(effect.end)}"
        what = f"  from {as_text(effect.begin)} {until}: {effect.detector}/{effect.ctype}"
        yield what + (f", runs {runs}" if runs else "")


def proposals(found: Proposals) -> Iterator[str]:
    """Show what others propose."""
    if not found.proposals:
        yield "no proposals"
    for proposal in found.proposals:
        yield from _proposal(proposal)


def _proposal(proposal: Proposal) -> Iterator[str]:
    yield bold(f"{proposal.name}  {proposal.commit[:_ID]}, on {proposal.base[:_ID]}")
    for commit in proposal.commits:
        yield f"  {commit.commit[:_ID]}  {commit.date}  {commit.author}  {commit.subject}"


def review(found: Review) -> Iterator[str]:
    """Show one proposal, and what it would change."""
    yield from _proposal(found.proposal)
    yield "would change:"
    yield from preview(found.preview)
    for difference in found.differences:
        yield ""
        yield from diff_view.constant(difference)


def conflict(found: ConflictDescription) -> Iterator[str]:
    """Show what both sides changed, in numbers."""
    yield bold(f"{found.kind} {found.name}")
    for name, side in (("ours", found.ours), ("theirs", found.theirs)):
        yield from _side(name, side, found.kind)
    if found.apart and found.apart.array:
        yield f"  theirs minus ours: {_numbers(found.apart.array)}"


def _side(name: str, side: SideOfConflict, kind: str) -> Iterator[str]:
    version = f" {side.version}" if side.version else ""
    who = f"{side.commit[:_ID]}  {side.date}  {side.author}  {side.subject}"
    yield f"  {coloured(name, 33)}{version}: {who}"
    if side.trouble:
        yield f"    {side.trouble}"
    elif side.difference and side.difference.array:
        yield f"    since both parted: {_numbers(side.difference.array)}"
    elif kind != "constant":
        yield f"    {side.value or 'nothing'}"


def _numbers(array: ArrayDifference) -> str:
    return f"{array.changed} of {array.pixels} pixels differ, at most by {array.max_abs:.6g}"
