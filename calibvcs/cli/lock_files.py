"""``lock-file``: the exact set of constants that an analysis used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import exits, options, output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.provenance.lock_file import LockFileWritten
    from calibvcs.ops.provenance.lock_file_check import LockFileCheck
    from calibvcs.ops.provenance.lock_file_restore import LockFileRestored

lock_file = typer.Typer(help="The exact set of constants that an analysis used.", no_args_is_help=True)

File = Annotated[str, typer.Argument(metavar="FILE", help="The lock file: .json is JSON, all else TOML.")]


@lock_file.command("write")
def _write(
    file: File,
    pattern: options.Pattern = None,
    time: options.Time = None,
    run: options.Run = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Write down which data a set of constants has: what is in force at a time, or all that is there."""
    if time is not None and run is not None:
        raise InvalidOptionError("--time", time, "it does not go with --run", "give one of them")
    with calibvcs.open(repo) as repository:
        written = repository.lock_file.write(file, pattern, when=run if time is None else time, at=at)
    output.show(written, _written, as_json_text=json)


@lock_file.command("check")
def _check(file: File, repo: options.Repo = None, json: options.Json = False) -> None:
    """Tell whether the repository still has the set, bit for bit; exit status 1 where it does not."""
    with calibvcs.open(repo) as repository:
        checked = repository.lock_file.check(file)
    output.show(checked, _checked, as_json_text=json)
    raise typer.Exit(exits.OK if checked.same else exits.DIFFERENT)


@lock_file.command("restore")
def _restore(
    file: File,
    folder: Annotated[str | None, typer.Argument(metavar="DIR", help="A new or empty folder for the files.")] = None,
    into: Annotated[
        str | None, typer.Option("--into", metavar="CLONE", help="Make the set the defaults of this clone.")
    ] = None,
    message: options.Message = "",
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Bring the set back, bit for bit: as files, or as the defaults of a clone.

    Where no repository is at hand, the one that the lock file names is asked.
    """
    if (folder is None) == (into is None):
        raise InvalidOptionError("restore", folder or "", "exactly one of DIR and --into CLONE is needed")
    if into is not None:
        with calibvcs.open(into) as repository:
            restored = repository.lock_file.restore_defaults(file, message=message, dry_run=dry_run)
        output.changed(restored, _restored, as_json_text=json, dry_run=dry_run)
        return
    if dry_run or message:
        raise InvalidOptionError("--dry-run" if dry_run else "--message", message, "it goes with --into CLONE")
    from calibvcs.api.lock_files import restore_lock_file

    output.show(restore_lock_file(file, str(folder), repo), _restored, as_json_text=json)


def _written(result: LockFileWritten) -> Iterator[str]:
    yield f"{result.path}: {result.constants} constants, {result.bytes / 1e6:.1f} MB of data"
    yield f"cite as: {result.citation}"


def _checked(result: LockFileCheck) -> Iterator[str]:
    yield from (f"{output.coloured('problem', 31)}: {text}" for text in result.problems)
    for row in result.constants:
        if row.status != "ok":
            yield f"{output.coloured(row.status, 31)}: {row.constant}@{row.version}: {row.reason}"
    for row in result.constants:
        if row.now:
            yield f"since then: {row.constant}@{row.version}: {row.now}"
    sound = sum(row.status == "ok" for row in result.constants)
    yield f"{sound} of {len(result.constants)} constants are there, bit for bit"


def _restored(result: LockFileRestored) -> Iterator[str]:
    if result.files:
        yield f"{result.target}: {len(result.constants)} constants, {result.files} files, {result.bytes / 1e6:.1f} MB"
        return
    yield from (f"default again {name}" for name in result.constants)
    yield f"{result.target}: {', '.join(f'commit {commit[:10]}' for commit in result.commits)}"
