"""Verbs of a worktree: ``status``, ``commit``, ``restore``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import options, output, views
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.sharing.tracking import Tracking
    from calibvcs.ops.worktree.commit_edits import EditsCommitted
    from calibvcs.ops.worktree.edits import LeftFile
    from calibvcs.ops.worktree.restore_edits import Restored
    from calibvcs.ops.worktree.worktree_status import EditRow, WorktreeStatus

_PATHS_HELP = "Paths, or DET[/CTYPE[/RANGE]]; DET may be an alias."
_COLOURS = {"new": 32, "changed": 33, "removed": 31}
_STAGED = {"yes": " (staged)", "partly": " (staged in part)", "no": ""}
_MOST_LEFT = 20

Paths = Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help=_PATHS_HELP)]


def status(repo: options.Repo = None, json: options.Json = False) -> None:
    """Show what was edited in the worktree, and how far it is from its remote."""
    with calibvcs.open(repo) as repository:
        found = repository.status()
    output.show(found, _status, as_json_text=json)


def commit(
    paths: Paths = None,
    message: options.Message = "",
    force: Annotated[bool, typer.Option("--force", help="Pass the gate; needs --reason.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why refused data are right.")] = "",
    dry_run: options.DryRun = False,
    sign: options.Sign = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Commit what was edited by hand, all of it or what is named, through the gate of add."""
    if force != bool(reason.strip()):
        raise InvalidOptionError("--force", reason, "--force and --reason TEXT go together")
    with calibvcs.open(repo, sign=sign) as repository:
        made = repository.commit_edits(
            paths or (), message=message, command=("calibvcs", *sys.argv[1:]), force_reason=reason, dry_run=dry_run
        )
    output.changed(made, _committed, as_json_text=json, dry_run=dry_run)


def restore(
    paths: Paths = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was edited.")] = False,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Bring edited files back to what was committed; no other file is touched."""
    with calibvcs.open(repo) as repository:
        done = repository.restore(paths or (), everything=everything, dry_run=dry_run)
    output.changed(done, _restored, as_json_text=json, dry_run=dry_run)


def _status(found: WorktreeStatus) -> Iterator[str]:
    yield f"on branch {found.branch}" + (f" at {found.commit[:10]}" if found.commit else ", which has no commit")
    if found.remote:
        yield from _remote(found.remote)
    if found.pending:
        one = "1 change" if found.pending == 1 else f"{found.pending} changes"
        yield output.coloured(f"{one} committed, but not brought to the files: calibvcs doctor finishes that", 33)
    yield from (output.coloured(f"conflict  {path}: git merge left it; see git status", 31) for path in found.unmerged)
    for row in found.edits:
        yield from _row(row)
    yield from _left(found.left)
    if found.clean:
        yield "nothing to commit, worktree clean"
    elif found.edits:
        yield "calibvcs commit -m WHY takes this in, calibvcs restore PATH takes it back"


def _remote(remote: Tracking) -> Iterator[str]:
    if not remote.detectors:
        yield f"same as {remote.ref} when it was last fetched"
        return
    yield f"against {remote.ref} when it was last fetched, in constants changed since both parted:"
    rows = [(one.detector or "(beside constants)", one.ahead, one.behind) for one in remote.detectors]
    yield from (f"  {line}" for line in output.table(("detector", "ahead", "behind"), rows, ("ahead", "behind")))


def _row(row: EditRow) -> Iterator[str]:
    state = output.coloured(f"{row.state:<8}", _COLOURS[row.state])
    files = "" if row.files == (row.name,) else f"  {', '.join(row.files)}"
    yield f"{state}  {row.name}{files}{_STAGED[row.staged]}"
    if row.trouble:
        yield f"          cannot be committed so: {row.trouble}"


def _left(left: tuple[LeftFile, ...]) -> Iterator[str]:
    yield from (f"none of the format  {one.path}: {one.reason}" for one in left[:_MOST_LEFT])
    if len(left) > _MOST_LEFT:
        yield f"none of the format  and {len(left) - _MOST_LEFT} more: --json lists all"


def _committed(made: EditsCommitted) -> Iterator[str]:
    yield from views.added(made)
    yield from (f"changed {name}  commit {made.commit[:10]}" for name in made.edited)
    yield from (f"left alone {one.path}: {one.reason}" for one in made.left[:_MOST_LEFT])


def _restored(done: Restored) -> Iterator[str]:
    yield from (f"restored {path}" for path in done.files)
    yield from (f"kept {path}: it was never committed" for path in done.kept)
    if not done.files and not done.kept:
        yield "nothing to restore"
