"""Verbs that begin with a noun: ``detector``, ``alias``, ``run``, ``tag``, ``default``."""

from __future__ import annotations

from typing import Annotated

import typer

import calibvcs
from calibvcs.cli import alias_view, options, output, views
from calibvcs.cli.tagging import tag

detector = typer.Typer(help="Register detectors, and what is known of them.", no_args_is_help=True)
alias = typer.Typer(help="Dated names for detectors.", no_args_is_help=True)
run = typer.Typer(help="The run table of an experiment: dark runs and their reasons.", no_args_is_help=True)
default = typer.Typer(help="Which version of a constant readers get.", no_args_is_help=True)

__all__ = ["alias", "default", "detector", "run", "tag"]

_Name = Annotated[str, typer.Argument(metavar="DETNAME", help="<dettype>-<detid>, for example jungfrau-000003.")]
_Longname = Annotated[str | None, typer.Option("--longname", metavar="L", help="The DAQ's unique id.")]
_Segments = Annotated[
    list[str] | None, typer.Option("--segment", metavar="ID", help="Id of a panel, in order; may be repeated.")
]
_Predecessor = Annotated[str | None, typer.Option("--predecessor", metavar="D", help="Detector that it replaced.")]
_Successor = Annotated[str | None, typer.Option("--successor", metavar="D", help="Detector that replaced it.")]
_Until = Annotated[
    str | None, typer.Option("--predecessor-until", metavar="TIME", help="Until when the predecessor was in use.")
]
_Since = Annotated[str | None, typer.Option("--successor-since", metavar="TIME", help="Since when the successor is.")]
_RunName = Annotated[str, typer.Argument(metavar="E:R", help="EXPERIMENT:RUN, for example mfx101332224:7.")]


@detector.command("add")
def detector_add(
    name: _Name,
    longname: _Longname = None,
    segment: _Segments = None,
    predecessor: _Predecessor = None,
    successor: _Successor = None,
    predecessor_until: _Until = None,
    successor_since: _Since = None,
    param: options.Params = None,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Register a detector."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.detector.add(
            name,
            longname=longname,
            segments=segment,
            predecessor=predecessor,
            successor=successor,
            predecessor_until=predecessor_until,
            successor_since=successor_since,
            parameters=options.parameters(param),
            message=message,
            dry_run=dry_run,
        )
    output.changed(result, views.detector, as_json_text=json, dry_run=dry_run)


@detector.command("set")
def detector_set(
    name: _Name,
    longname: _Longname = None,
    segment: _Segments = None,
    predecessor: _Predecessor = None,
    successor: _Successor = None,
    predecessor_until: _Until = None,
    successor_since: _Since = None,
    param: options.Params = None,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Change the record of a detector; what is not named stays."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.detector.set(
            name,
            longname=longname,
            segments=segment or None,
            predecessor=predecessor,
            successor=successor,
            predecessor_until=predecessor_until,
            successor_since=successor_since,
            parameters=options.parameters(param),
            message=message,
            dry_run=dry_run,
        )
    output.changed(result, views.detector, as_json_text=json, dry_run=dry_run)


@detector.command("show")
def detector_show(
    name: options.Detector,
    time: options.Time = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show what is recorded of a detector."""
    with calibvcs.open(repo) as repository:
        result = repository.detector.show(name, at=at, when=time)
    output.show(result, views.detector, as_json_text=json)


@detector.command("ls")
def detector_ls(at: options.At = None, repo: options.Repo = None, json: options.Json = False) -> None:
    """List the registered detectors."""
    with calibvcs.open(repo) as repository:
        result = repository.detector.ls(at=at)
    output.show(result, views.detectors, as_json_text=json)


@alias.command("add")
def alias_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The alias.")],
    detector: options.Detector,
    source: Annotated[str, typer.Option("--source", metavar="S", help="Name of the source in the DAQ.")] = "",
    begin: options.Begin = None,
    end: options.End = None,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Let a name mean a detector from one time to another."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.alias.add(
            name, detector, begin=begin or "0", end=end, source=source, message=message, dry_run=dry_run
        )
    output.changed(result, views.aliases, as_json_text=json, dry_run=dry_run)


@alias.command("ls")
def alias_ls(at: options.At = None, repo: options.Repo = None, json: options.Json = False) -> None:
    """List the aliases."""
    with calibvcs.open(repo) as repository:
        result = repository.alias.ls(at=at)
    output.show(result, views.aliases, as_json_text=json)


@alias.command("resolve")
def alias_resolve(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The alias.")],
    time: options.Time = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show the detector that a name means at a time (default: now)."""
    with calibvcs.open(repo) as repository:
        result = repository.alias.resolve(name, time, at=at)
    output.show(result, views.resolved, as_json_text=json)


@alias.command("import")
def alias_import(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Table: <alias> <source> <begin> <end> a line.")],
    detector: Annotated[
        str, typer.Option("--detector", metavar="DET", help="What all rows mean. Default: what the sources name.")
    ] = "",
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take over an alias table (.als); what is here already stays."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.alias.import_als(file, detector=detector, message=message, dry_run=dry_run)
    output.changed(result, alias_view.taken, as_json_text=json, dry_run=dry_run)


@alias.command("export")
def alias_export(
    dettype: Annotated[str, typer.Argument(metavar="DETTYPE", help="Detector type, for example jungfrau.")],
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Print the aliases of a detector type as a table (.als)."""
    with calibvcs.open(repo) as repository:
        result = repository.alias.export_als(dettype, at=at)
    output.show(result, alias_view.table, as_json_text=json)


@run.command("mark")
def run_mark(
    name: _RunName,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="data, dark, flat or charge-injection.")],
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", help="power-cycled, temperature, opportunistic, looks-wrong or other; a dark needs it."
        ),
    ] = None,
    message: options.Message = "",
    begin: options.Begin = None,
    end: options.End = None,
    instrument: Annotated[str, typer.Option("--instrument", metavar="I", help="Instrument of the experiment.")] = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Write down a run: what it was for, when, and why it was taken."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.run.mark(
            name,
            kind=kind,
            reason=reason,
            message=message,
            begin=begin,
            end=end,
            instrument=instrument,
            dry_run=dry_run,
        )
    output.changed(result, views.runs, as_json_text=json, dry_run=dry_run)


@run.command("unmark")
def run_unmark(
    name: _RunName,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take a run out of the table; history keeps it."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.run.unmark(name, message=message, dry_run=dry_run)
    output.changed(result, views.runs, as_json_text=json, dry_run=dry_run)


@run.command("ls")
def run_ls(
    experiment: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help="Only this one.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Only runs of this kind.")] = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """List the runs that are known."""
    with calibvcs.open(repo) as repository:
        result = repository.run.ls(experiment, kind=kind, at=at)
    output.show(result, views.runs, as_json_text=json)


@default.command("show")
def default_show(
    constant: options.Constant, at: options.At = None, repo: options.Repo = None, json: options.Json = False
) -> None:
    """Show the versions of a constant, and which one is the default."""
    with calibvcs.open(repo) as repository:
        result = repository.default.show(constant, at=at)
    output.show(result, views.default, as_json_text=json)


@default.command("set")
def default_set(
    constant: Annotated[str, typer.Argument(metavar="CONSTANT@vN", help="The version that readers shall get.")],
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Make a version the default again; no version is lost."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.default.set(constant, message=message, dry_run=dry_run)
    output.changed(result, views.default, as_json_text=json, dry_run=dry_run)
