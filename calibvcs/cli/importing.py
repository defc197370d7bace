"""``import``: constants that other stores kept come in, each version as a commit of its own time and author."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.exchange.import_tree import ImportedTree
    from calibvcs.ops.exchange.taking_over import TakenOver

import_ = typer.Typer(help="Take over constants that another store kept.", no_args_is_help=True)

_ID = 10


@import_.command("calibdir")
def import_calibdir(
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="The folder 'calib' of an experiment of LCLS-I.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="SOURCE=DETNAME", help="Detector of a source; again.")
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", "-e", metavar="E", help="Its run table tells when the runs were.")
    ] = "",
    run_table: Annotated[
        Path | None, typer.Option("--run-table", metavar="FILE", help="CSV 'run,begin,end' or TOML, in its place.")
    ] = None,
    backups: Annotated[bool, typer.Option("--backups", help="Take backups in, as older versions.")] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Pass over files whose data cannot be read.")
    ] = False,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Of the clock of HISTORY: America/Los_Angeles.")
    ] = "UTC",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take over a legacy calib directory; for every run, get then gives what LCLS' readers took from it."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.import_calibdir(
            folder,
            mapping=mapping or (),
            experiment=experiment,
            run_table=run_table,
            backups=backups,
            skip_unreadable=skip_unreadable,
            timezone=timezone,
            dry_run=dry_run,
        )
    output.changed(result, taken_over, as_json_text=json, dry_run=dry_run)


@import_.command("tree")
def import_tree(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A tree in the layout of the repository.")],
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Commit a folder of constants, detectors and tables, as ``git archive`` writes it: all of it or nothing."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.import_tree(folder, message=message, dry_run=dry_run)
    output.changed(result, _imported_tree, as_json_text=json, dry_run=dry_run)


@import_.command("hdf5")
def import_hdf5(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file of the Detector Calibration Store.")],
    ctype: Annotated[
        list[str] | None, typer.Option("--ctype", metavar="C", help="Only this calibration type; may be repeated.")
    ] = None,
    time: options.Time = None,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="Only versions of this number in the file.")
    ] = None,
    detector: Annotated[
        str, typer.Option("--detector", metavar="DET", help="Name to take it over under. Default: that of the file.")
    ] = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take over a file in HDF5: types, ranges, versions, defaults, parameters and history; again changes nothing."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.import_hdf5(
            file, ctypes=ctype or (), when=time, version=version, detector=detector, dry_run=dry_run
        )
    output.changed(result, taken_over, as_json_text=json, dry_run=dry_run)


@import_.command("psana")
def import_psana(
    where: Annotated[
        str, typer.Argument(metavar="URL|DUMP", help="Web service of psana's database, or what cdb export wrote.")
    ],
    detector: Annotated[
        list[str] | None,
        typer.Option("--detector", metavar="SHORT", help="Only this one: jungfrau_000003; may be repeated."),
    ] = None,
    experiment: Annotated[
        list[str] | None, typer.Option("--experiment", "-e", metavar="E", help="Only this one; may be repeated.")
    ] = None,
    run_table: Annotated[
        Path | None, typer.Option("--run-table", metavar="FILE", help="CSV 'run,begin,end' or TOML: when runs were.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was deployed at or after this time.")
    ] = None,
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take over what a psana calibration database keeps; no pickle is loaded, and again adds only what is new."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.import_psana(
            where,
            detectors=detector or (),
            experiments=experiment or (),
            run_table=run_table,
            since=since,
            dry_run=dry_run,
        )
    output.changed(result, taken_over, as_json_text=json, dry_run=dry_run)
    for note in result.notes if not json else ():
        output.note(f"note: {note}")


def taken_over(result: TakenOver) -> Iterator[str]:
    """Show what came in from another store, and what did not."""
    yield from (f"registered {name}" for name in result.detectors)
    yield from (f"added {name}" for name in result.added)
    yield from (f"here already {name}" for name in result.known)
    yield from (f"default again {name}" for name in result.defaults)
    yield from (f"passed over {what}" for what in result.passed_over)
    yield f"{len(result.added)} versions came from {result.source} (commit {result.commit[:_ID]})"


def _imported_tree(result: ImportedTree) -> Iterator[str]:
    yield from (f"added {name}" for name in result.constants)
    yield from (f"passed over {what}" for what in result.passed_over)
    yield f"{result.files} files came from {result.source} (commit {result.commit[:_ID]})"
