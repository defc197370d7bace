"""How tags, their states and signatures look as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.cli.output import bold, coloured, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.ops.tagging.judging import AcceptedTag
    from calibvcs.ops.tagging.tag import TagList, TagRow
    from calibvcs.ops.tagging.tag_states import TagStates

_ID = 10
_COLOURS = {"good": 32, "published": 32, "bad": 31, "revoked": 31, "invalid": 31, "broken": 31}
_OTHER = 33


def tags(result: TagList) -> Iterator[str]:
    """Show tags, a line each."""
    rows = [
        (t.name, t.state, t.commit[:_ID], t.date, t.tagger, t.constants, t.message.partition("\n")[0])
        for t in result.tags
    ]
    yield from table(("tag", "state", "commit", "date", "tagger", "constants", "message"), rows, right=("constants",))


def whole_tags(result: TagList) -> Iterator[str]:
    """Show tags with all that is known of them."""
    for one in result.tags:
        yield bold(one.name)
        yield f"  commit     {one.commit}"
        yield f"  constants  {one.constants}"
        if one.tagger:
            yield f"  tagger     {one.tagger}, {one.date}"
        indented = one.message.replace("\n", f"\n{' ' * 13}")
        yield from (f"  message    {indented}".splitlines() if one.message else ())
        if one.signature is not None:
            yield f"  signature  {signature(one.signature)}"
        yield f"  state      {_state(one.state)}{f' ({one.trouble})' if one.trouble else ''}"
        yield from (f"             {line}" for line in _changes(one))


def states(result: TagStates) -> Iterator[str]:
    """Show the state of a tag, and how it came about."""
    yield f"{bold(result.tag)}: {_state(result.state)}{f' ({result.trouble})' if result.trouble else ''}"
    yield from (f"  {line}" for line in _changes(result))


def marks(tags_here: Iterable[TagStates]) -> Iterator[str]:
    """Show the tags that stand somewhere, and their states, a line each."""
    for one in tags_here:
        yield f"tag {one.tag}: {_state(one.state)}{f' ({one.trouble})' if one.trouble else ''}"
        yield from (f"    {line}" for line in _changes(one))


def accepted(result: AcceptedTag) -> Iterator[str]:
    """Show the commit, alone, so that a script can use it."""
    yield result.commit


def signature(found: SignatureCheck) -> str:
    """Return what came out when a signature was checked."""
    return coloured(str(found), _COLOURS.get(found.state, _OTHER))


def _state(state: str) -> str:
    return coloured(state, _COLOURS.get(state, _OTHER))


def _changes(known: TagStates | TagRow) -> Iterator[str]:
    for change in known.history:
        signed = ", signed" if change.signed else ""
        yield f"{change.state} since {change.date} by {change.by}{signed}: {' '.join(change.comment.split())}"
