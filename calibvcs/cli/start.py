"""Verbs to begin with: ``init``, ``doctor``, ``quickstart``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import calibvcs
from calibvcs.cli import exits, options, output, views


def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of the new repository.")],
    bare: Annotated[bool, typer.Option("--bare", help="Without a worktree, as a central repository.")] = False,
    name: Annotated[str, typer.Option("--name", metavar="N", help="Its name; default: that of the folder.")] = "",
    json: options.Json = False,
) -> None:
    """Make a repository of constants."""
    output.show(calibvcs.init(path, bare=bare, name=name), views.init, as_json_text=json)


def doctor(repo: options.Repo = None, json: options.Json = False) -> None:
    """Tell what is wrong with identity, repository, disk or installation, and how to mend it."""
    diagnosis = calibvcs.doctor(repo)
    output.show(diagnosis, views.diagnosis, as_json_text=json)
    raise typer.Exit(exits.OK if diagnosis.sound else exits.DIFFERENT)


def quickstart(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="Folder to make; default: calibvcs-quickstart, or a number more."),
    ] = None,
) -> None:
    """Show the main job on a small example: a repository, a second dark, and every question one asks of it."""
    from calibvcs.cli.quickstart import run

    run(path)
