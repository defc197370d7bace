"""``provenance`` and ``rerun``: what a constant was made from, and whether it comes out again."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import diff_view, exits, options, output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.provenance.provenance import ProvenanceChain, Source
    from calibvcs.ops.provenance.recorded import Recording
    from calibvcs.ops.provenance.rerun import Rerun

_ID, _DIGITS = 10, 12
_COLOURS = {"same": 32, "different": 33, "failed": 31, "timed out": 31}


def provenance(
    constant: options.Constant, at: options.At = None, repo: options.Repo = None, json: options.Json = False
) -> None:
    """Show what a constant was made from, and what that was made from."""
    with calibvcs.open(repo) as repository:
        found = repository.provenance(constant, at=at)
    output.show(found, _chain, as_json_text=json)


def rerun(
    commit: Annotated[str, typer.Argument(metavar="COMMIT", help="The commit whose command is repeated.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Run what was recorded without asking.")] = False,
    folder: Annotated[
        str | None, typer.Option("--folder", metavar="DIR", help="Where to run it. Default: the current folder.")
    ] = None,
    limit: Annotated[float, typer.Option("--time-limit", metavar="S", help="Seconds that it may take.")] = 3600.0,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Repeat the command that was recorded with a commit, in a scratch repository, and compare what comes out.

    The repository itself is not touched. Exit status is 0 where the same data came out, 1 where they did not.
    """
    with calibvcs.open(repo) as repository:
        found = repository.rerun(
            commit, confirm=lambda recording: _agreed(recording, yes=yes), folder=folder, time_limit=limit
        )
    if found is None:
        output.note("nothing was run")
        raise typer.Exit(exits.DIFFERENT)
    output.show(found, _result, as_json_text=json)
    raise typer.Exit(exits.OK if found.verdict == "same" else exits.DIFFERENT)


def _agreed(recording: Recording, *, yes: bool) -> bool:
    """Show what would be run, and ask: it came from a repository, where others may have written it."""
    if not recording.commands:
        return True  # there is nothing to be run: the verb says so
    output.note(f"recorded with commit {recording.commit[:_ID]} by {_visible(recording.author)}, {recording.date}")
    for one in recording.commands:
        output.note(f"  {_visible(shlex.join(one.command))}")
        for file in one.inputs:
            output.note(f"    input {_visible(file.path)}: {file.state}")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise InvalidOptionError("--yes", "", "nobody can be asked here whether this is to be run", "repeat with --yes")
    return typer.confirm("Run this here, in a scratch repository?", err=True)


def _visible(text: str) -> str:
    """Return a text in which nothing is hidden: a terminal would obey control characters, not show them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def _chain(result: ProvenanceChain) -> Iterator[str]:
    yield from _source(result.chain, "", "")
    if result.unread:
        yield f"{result.unread} data of the history are not in this clone, and could not be compared with the inputs"


def _source(source: Source, head: str, indent: str) -> Iterator[str]:
    if source.kind == "file":
        facts = f"({source.size} bytes, sha256 {source.sha256[:_DIGITS]})"
        yield f"{head}{_visible(source.name)}  {facts}, not of this repository"
        return
    was = f"  (as {_visible(source.path)})" if source.path else ""
    yield f"{head}{output.bold(source.name)}{was}"
    last = indent + ("│  " if source.inputs else "   ")
    why = f"{_visible(source.author)}, {source.date}: {_visible(source.comment)}"
    yield f"{last}commit {source.commit[:_ID]}  {why}"
    who = "@".join(filter(None, (source.user, source.host)))
    how = {"from": source.origin, "by": " ".join(filter(None, (who, source.software and f"({source.software})")))}
    yield from (f"{last}{name} {_visible(text)}" for name, text in how.items() if text)
    if source.command:
        yield f"{last}$ {_visible(shlex.join(source.command))}"
    if source.shown_above:
        yield f"{last}its inputs are shown above"
    for number, one in enumerate(source.inputs):
        final = number == len(source.inputs) - 1
        yield from _source(one, f"{indent}{'└─ ' if final else '├─ '}", indent + ("   " if final else "│  "))


def _result(result: Rerun) -> Iterator[str]:
    yield f"{output.coloured(result.verdict, _COLOURS[result.verdict])}: commit {result.commit[:_ID]}, {result.comment}"
    for one in result.ran:
        status = "took too long, and was ended" if one.status is None else f"exit status {one.status}"
        yield f"  $ {_visible(shlex.join(one.command))}"
        yield f"    {status}, {one.seconds:.1f} s"
    for difference in result.constants:
        names = {"added": "it was not recorded", "removed": "it did not come out again", "same": "the same data"}
        if difference.status in names:
            yield f"  {difference.a or difference.b}: {names[difference.status]}"
        else:
            yield from (f"  {line}" for line in diff_view.constant(difference))
    if result.moved:
        yield f"  while it ran, these moved in the repository itself: {', '.join(result.moved)}"
