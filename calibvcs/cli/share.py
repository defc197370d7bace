"""Verbs between clones."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import merge_view, options, output
from calibvcs.cli.merge_view import size
from calibvcs.errors import InvalidOptionError, NothingToChangeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.ops.sharing.cloning import Cloned
    from calibvcs.ops.sharing.pulling import FetchedRefs
    from calibvcs.ops.sharing.squeezing import Squeezed

_EVERY = 0.1

Ours = Annotated[bool, typer.Option("--ours", help="Where both changed the same, this clone's counts.")]
Theirs = Annotated[bool, typer.Option("--theirs", help="... that of the others counts.")]
Newest = Annotated[bool, typer.Option("--newest", help="... the newest counts.")]
Take = Annotated[
    list[str] | None, typer.Option("--take", metavar="SIDE:NAME", help="The same for one, ours:DET/CTYPE/RANGE; again.")
]


def clone(
    url: Annotated[str, typer.Argument(metavar="URL", help="Path, ssh://, user@host:path, http(s):// or git://.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Folder for the clone; it does not exist, or is empty.")],
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="E", help="Only the detectors and the time of an experiment.")
    ] = "",
    detector: Annotated[
        list[str] | None, typer.Option("--detector", metavar="DET", help="Only this one; name, alias or glob; again.")
    ] = None,
    ctype: Annotated[list[str] | None, typer.Option("--ctype", metavar="CTYPE", help="Only this one; again.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Only what is in force later.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="... and before it.")] = None,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", help="Beside the defaults, the data of the newest N versions.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Without a worktree.")] = False,
    json: options.Json = False,
) -> None:
    """Make a clone, of everything or of what a selection needs; all history comes in any case."""
    with_progress = progress()
    made = calibvcs.clone(
        url,
        path,
        experiment=experiment,
        detectors=detector or (),
        ctypes=ctype or (),
        since=since,
        until=until,
        depth=depth,
        bare=bare,
        progress=with_progress,
    )
    done()
    output.show(made, _cloned, as_json_text=json)
    for notice in made.notices:
        output.note(f"note: {notice}")


def fetch(repo: options.Repo = None, json: options.Json = False) -> None:
    """Bring what others changed, without changing the branch."""
    with calibvcs.open(repo) as repository:
        found = repository.fetch(progress=progress())
    done()
    output.show(found, _fetched, as_json_text=json)
    for notice in found.notices:
        output.note(f"note: {notice}")


def squeeze(
    detector: Annotated[
        list[str] | None, typer.Option("--add-detector", metavar="DET", help="One more; again.")
    ] = None,
    ctype: Annotated[list[str] | None, typer.Option("--add-ctype", metavar="CTYPE", help="One more; again.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Another begin.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Another end.")] = None,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", help="Beside the defaults, the newest N versions.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", metavar="DET|CTYPE", help="One less; again.")] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Let a squeezed clone hold more, or fewer, of the data."""
    with calibvcs.open(repo) as repository:
        made = repository.squeeze(
            detectors=detector or (),
            ctypes=ctype or (),
            since=since,
            until=until,
            depth=depth,
            drop=drop or (),
            progress=progress(),
        )
    done()
    output.show(made, _squeezed, as_json_text=json)


def pull(
    ours: Ours = False,
    theirs: Theirs = False,
    newest: Newest = False,
    take: Take = None,
    show: Annotated[bool, typer.Option("--show", help="Only show, in numbers, what both changed.")] = False,
    sign: options.Sign = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Bring what others changed into the branch; different constants never conflict."""
    with calibvcs.open(repo, sign=sign) as repository:
        if show:
            repository.fetch(progress=progress())
            done()
            for conflict in repository.conflicts():
                output.show(conflict, merge_view.conflict, as_json_text=json)
            return
        made = repository.pull(settle=_side(ours, theirs, newest), take=take or (), progress=progress())
    done()
    output.show(made, merge_view.pulled, as_json_text=json)


def push(
    ours: Ours = False,
    theirs: Theirs = False,
    newest: Newest = False,
    take: Take = None,
    dry_run: options.DryRun = False,
    sign: options.Sign = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Bring the branch to where this clone came from; changes of others are merged first."""
    side = _side(ours, theirs, newest)
    with calibvcs.open(repo, sign=sign) as repository:
        made = repository.push(settle=side, take=take or (), dry_run=dry_run, progress=progress())
    done()
    output.changed(made, merge_view.pushed, as_json_text=json, dry_run=dry_run)


def sync(
    ours: Ours = False,
    theirs: Theirs = False,
    newest: Newest = False,
    take: Take = None,
    sign: options.Sign = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Pull, then push what is not there yet."""
    side = _side(ours, theirs, newest)
    with calibvcs.open(repo, sign=sign) as repository:
        made = repository.pull(settle=side, take=take or (), progress=progress())
        done()
        output.show(made, merge_view.pulled, as_json_text=json)
        try:
            sent = repository.push(settle=side, take=take or (), progress=progress())
        except NothingToChangeError:
            return
    done()
    output.show(sent, merge_view.pushed, as_json_text=json)


def propose(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="What it is called.")] = "changes",
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="WHY", help="Commit what was edited by hand first.")
    ] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the proposal away.")] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Ask those who may write where this clone came from to take its commits in."""
    with calibvcs.open(repo) as repository:
        if message and not withdraw:
            repository.commit_edits((), message=message, command=("calibvcs", *sys.argv[1:]))
        made = repository.propose(name, withdraw=withdraw, progress=progress())
    done()
    output.show(made, merge_view.pushed, as_json_text=json)


def review(
    name: Annotated[str | None, typer.Argument(metavar="[USER/NAME]", help="Default: list them.")] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show what others propose, and what it would change for whom."""
    with calibvcs.open(repo) as repository:
        repository.fetch(progress=progress())
        done()
        if name is None:
            output.show(repository.proposals(), merge_view.proposals, as_json_text=json)
        else:
            output.show(repository.review(name), merge_view.review, as_json_text=json)


def merge(
    name: Annotated[str, typer.Argument(metavar="USER/NAME", help="A proposal; calibvcs review lists them.")],
    message: options.Message = "",
    ours: Ours = False,
    theirs: Theirs = False,
    newest: Newest = False,
    take: Take = None,
    sign: options.Sign = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take a proposal into the branch of this clone; push brings it to everybody."""
    with calibvcs.open(repo, sign=sign) as repository:
        made = repository.merge(name, message=message, settle=_side(ours, theirs, newest), take=take or ())
    output.show(made, merge_view.pulled, as_json_text=json)


def _side(ours: bool, theirs: bool, newest: bool) -> str:
    given = [name for name, on in (("ours", ours), ("theirs", theirs), ("newest", newest)) if on]
    if len(given) > 1:
        raise InvalidOptionError("--" + given[1], "", f"it cannot stand beside --{given[0]}")
    return given[0] if given else ""


def _squeezed(made: Squeezed) -> Iterator[str]:
    yield f"{made.constants} constants with their data; {made.objects} objects came, {size(made.bytes)}"
    if made.files_removed:
        yield f"{made.files_removed} files left the worktree"
    if made.freed:
        yield f"{size(made.freed)} freed; they come back when they are asked for"


def _fetched(found: FetchedRefs) -> Iterator[str]:
    yield from (f"{ref} moved" for ref in found.moved)
    what = f"{found.objects} objects, {size(found.bytes)}" if found.objects else "nothing new"
    yield f"{what} from {found.origin}"


def _cloned(made: Cloned) -> Iterator[str]:
    what = "squeezed clone" if made.squeezed else "clone"
    yield f"{what} of {made.origin} in {made.path}, on {made.branch} at {made.commit[:12]}"
    yield f"{made.constants} constants with their data; {made.objects} objects, {size(made.bytes)}"


def progress() -> Callable[[int], None] | None:
    """Return what shows the number of bytes so far on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        return None
    shown = 0.0

    def show(count: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= _EVERY:
            shown = now
            print(f"\r\033[K{size(count)}", end="", file=sys.stderr, flush=True)

    return show


def done() -> None:
    """Take the last word of `progress` away."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
