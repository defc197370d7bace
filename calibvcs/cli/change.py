"""Verbs that change constants: ``add``, ``lock``, ``unlock``, ``withdraw``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import calibvcs
from calibvcs.cli import options, output, views
from calibvcs.errors import InvalidOptionError
from calibvcs.model.times import RunName


def add(
    detector: Annotated[str | None, typer.Argument(metavar="DET", help="Detector or alias.")] = None,
    ctype: Annotated[str | None, typer.Argument(metavar="CTYPE", help="Calibration type.")] = None,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help=".npy, text array or geometry text; - is standard input.")
    ] = None,
    begin: options.Begin = None,
    end: options.End = None,
    message: options.Message = "",
    manifest: Annotated[
        str | None, typer.Option("--manifest", metavar="FILE", help="TOML list of many constants for one commit.")
    ] = None,
    experiment: Annotated[str, typer.Option("--experiment", metavar="E", help="Where they were taken.")] = "",
    run: Annotated[str | None, typer.Option("--run", metavar="R|E:R", help="Run they were taken in.")] = None,
    run_end: Annotated[
        int | None, typer.Option("--run-end", metavar="R", min=0, help="Last run they are meant for.")
    ] = None,
    source: Annotated[str, typer.Option("--source", metavar="S", help="Where the data come from.")] = "",
    unit: Annotated[str, typer.Option("--unit", metavar="U", help="Unit, where it is not the usual one.")] = "",
    convention: Annotated[
        str, typer.Option("--convention", metavar="C", help="How to apply the values: divide, multiply, ...")
    ] = "",
    param: options.Params = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", metavar="FILE", help="File they were made from; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Pass the gate; needs --reason.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why refused data are right.")] = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Add a constant; it becomes the default of its range."""
    if force != bool(reason.strip()):
        raise InvalidOptionError("--force", reason, "--force and --reason TEXT go together")
    with calibvcs.open(repo, sign=sign) as repository:
        if manifest is not None:
            _nothing_beside_manifest(detector, begin, end)
            added = repository.add_manifest(
                manifest, message=message, command=_command(), force_reason=reason, dry_run=dry_run
            )
        else:
            det, kind, path = _positional(detector, ctype, file)
            experiment, number = _run(experiment, run)
            added = repository.add(
                det,
                kind,
                path,
                begin=begin,
                end=end,
                message=message,
                experiment=experiment,
                run=number,
                run_end=run_end,
                source=source,
                unit=unit,
                convention=convention,
                parameters=options.parameters(param),
                inputs=inputs or (),
                command=_command(),
                force_reason=reason,
                dry_run=dry_run,
            )
    output.changed(added, views.added, as_json_text=json, dry_run=dry_run)


def lock(
    constant: options.Constant,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Protect the default of a constant: changes are refused, with this comment."""
    with calibvcs.open(repo, sign=sign) as repository:
        state = repository.lock(constant, message=message, dry_run=dry_run)
    output.changed(state, views.default, as_json_text=json, dry_run=dry_run)


def unlock(
    constant: options.Constant,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take the protection of a default away."""
    with calibvcs.open(repo, sign=sign) as repository:
        state = repository.unlock(constant, message=message, dry_run=dry_run)
    output.changed(state, views.default, as_json_text=json, dry_run=dry_run)


def withdraw(
    constant: options.Constant,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Mark the default of a range as bad: readers skip the range until another version is made its default."""
    with calibvcs.open(repo, sign=sign) as repository:
        state = repository.withdraw(constant, message=message, dry_run=dry_run)
    output.changed(state, views.default, as_json_text=json, dry_run=dry_run)
    if not json:
        output.note(f"another version becomes the default with: calibvcs default set {state.constant}@vN -m WHY")


def _command() -> tuple[str, ...]:
    return ("calibvcs", *sys.argv[1:])


def _positional(detector: str | None, ctype: str | None, file: str | None) -> tuple[str, str, str]:
    if detector is None or ctype is None or file is None:
        allowed = "DET CTYPE FILE are needed (or --manifest FILE)"
        raise InvalidOptionError("add", " ".join(filter(None, (detector, ctype, file))), allowed)
    return detector, ctype, file


def _run(experiment: str, run: str | None) -> tuple[str, int | None]:
    """Return experiment and run number of ``--experiment E --run R``, or of ``--run E:R`` alone."""
    if run is None or run.isdecimal():
        return experiment, None if run is None else int(run)
    name = RunName.parse(run)
    if experiment not in {"", name.experiment}:
        raise InvalidOptionError("--run", run, f"it is a run of another experiment than --experiment {experiment}")
    return name.experiment, name.run


def _nothing_beside_manifest(*given: str | None) -> None:
    if any(value is not None for value in given):
        shown = " ".join(filter(None, given))
        raise InvalidOptionError("--manifest", shown, "detectors, files and times stand in the manifest, not beside it")
