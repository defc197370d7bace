"""``tag``: names for the whole set of defaults at a commit, and what these sets are good for."""

from __future__ import annotations

from typing import Annotated

import typer

import calibvcs
from calibvcs.cli import options, output, tag_view

tag = typer.Typer(
    help="Names for the whole set of defaults at a commit, and what each is good for.", no_args_is_help=True
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the tag.")]


@tag.command("create")
def tag_create(
    name: _Name,
    message: options.Message = "",
    at: options.At = None,
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Name the whole set of defaults; a tag never moves."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.tag.create(name, message=message, at=at, dry_run=dry_run)
    output.changed(result, tag_view.tags, as_json_text=json, dry_run=dry_run)


@tag.command("list")
def tag_list(repo: options.Repo = None, json: options.Json = False) -> None:
    """List the tags."""
    with calibvcs.open(repo) as repository:
        result = repository.tag.list()
    output.show(result, tag_view.tags, as_json_text=json)


@tag.command("show")
def tag_show(name: _Name, repo: options.Repo = None, json: options.Json = False) -> None:
    """Show one tag: message, signature, state, and who made it so."""
    with calibvcs.open(repo) as repository:
        result = repository.tag.show(name)
    output.show(result, tag_view.whole_tags, as_json_text=json)


@tag.command("state")
def tag_state(
    name: _Name,
    state: Annotated[
        str | None, typer.Argument(metavar="[STATE]", help="testing, validated, published or invalid.")
    ] = None,
    comment: Annotated[
        str, typer.Option("--comment", "--message", "-m", metavar="WHY", help="Why; needed to take something back.")
    ] = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Say what a set is good for, or without STATE show it. What is published can only become invalid."""
    with calibvcs.open(repo, sign=sign) as repository:
        if state is None:
            output.show(repository.tag.state(name), tag_view.states, as_json_text=json)
            return
        result = repository.tag.set_state(name, state, comment=comment, dry_run=dry_run)
    output.changed(result, tag_view.states, as_json_text=json, dry_run=dry_run)


@tag.command("check")
def tag_check(
    name: _Name,
    published: Annotated[bool, typer.Option("--published", help="Demand that it is published.")] = False,
    signed: Annotated[bool, typer.Option("--signed", help="Demand signatures of known keys.")] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Print the commit of a tag that is what is demanded; exit status 4 where it is not."""
    with calibvcs.open(repo) as repository:
        result = repository.tag.accept(name, published=published, signed=signed)
    output.show(result, tag_view.accepted, as_json_text=json)
