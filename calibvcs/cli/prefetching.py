"""``prefetch``: the companion of the DAQ. Here its options are parsed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calibvcs.cli import exits, options
from calibvcs.cli.several_values import names


def prefetch(
    expcode: Annotated[
        str, typer.Option("--expcode", "-e", metavar="E", help="Only runs of this experiment. Default: any.")
    ] = "",
    xtc_dir: Annotated[
        Path | None, typer.Option("--xtc-dir", metavar="DIR", help="Where the DAQ writes its XTC2 files.")
    ] = None,
    output_dir: Annotated[
        Path, typer.Option("--output-dir", metavar="DIR", help="Where psana looks for the files.")
    ] = Path("/dev/shm"),  # noqa: S108
    interval: Annotated[
        float, typer.Option("--interval", metavar="MIN", help="Minutes between two rounds; 0.5 is half a minute.")
    ] = 5.0,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR.")
    ] = "INFO",
    log_file: Annotated[
        Path | None, typer.Option("--log-file", metavar="FILE", help="Append the log there too; it may be rotated.")
    ] = None,
    timestamp: Annotated[bool, typer.Option("--timestamp", help="Begin each line of the log with the time.")] = False,
    detectors: Annotated[
        list[str] | None,
        typer.Option("--detectors", metavar="NAME...", help="Also write NAME_calibc_cache.pkl for these."),
    ] = None,
    check_before_update: Annotated[
        bool, typer.Option("--check-before-update", help="After a start, leave files alone that are right already.")
    ] = False,
    shmem: Annotated[
        str | None, typer.Option("--shmem", metavar="ID", help="Follow this live psana server, not files.")
    ] = None,
    skip_calib_load: Annotated[
        list[str] | None,
        typer.Option("--skip-calib-load", metavar="NAME...", help="No constants for these; all: for none."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="One round; exit status 1 if the files are not current after it.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="React to new files and commits at once.")] = False,
    pull: Annotated[bool, typer.Option("--pull", help="Bring new commits into this clone in each round.")] = False,
    metrics_file: Annotated[
        Path | None, typer.Option("--metrics-file", metavar="FILE", help="Metrics for Prometheus: NAME.prom.")
    ] = None,
    at: options.At = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="STATE", help="--at is published, signed; again.")
    ] = None,
    mode: Annotated[str, typer.Option("--mode", metavar="MODE", help="Permissions of the files, octal.")] = "0644",
    repo: options.Repo = None,
) -> None:
    """Keep the files for psana current, for the latest run; ends within a second of SIGTERM."""
    from calibvcs.prefetch.log_lines import level_named, logging_to_stderr
    from calibvcs.prefetch.loop import prefetch as keep_current
    from calibvcs.prefetch.recipe import Recipe

    recipe = Recipe(
        repo=repo,
        experiment=expcode,
        xtc_dir=xtc_dir,
        shmem=shmem,
        output_dir=output_dir,
        minutes=interval,
        caches=names(detectors),
        skip=names(skip_calib_load),
        check_first=check_before_update,
        watch=watch,
        pull=pull,
        at=at,
        accept=names(accept),
        mode=options.file_mode(mode),
        metrics_file=metrics_file,
    )
    with logging_to_stderr(level_named(log_level), file=log_file, dated=timestamp):
        current = keep_current(recipe, once=once)
    raise typer.Exit(exits.OK if current else exits.DIFFERENT)
