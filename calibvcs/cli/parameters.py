"""``param``: free parameters of a detector, a ctype or a range."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.parameters import ParameterList

param = typer.Typer(help="Free parameters of a detector, a ctype or a range.", no_args_is_help=True)

_Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="DET, DET/CTYPE or DET/CTYPE/RANGE; DET may be an alias.")
]
_Values = Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="VALUE as in TOML, or plain text.")]
_Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="Names of parameters.")]
_SomeKeys = Annotated[list[str] | None, typer.Argument(metavar="[KEY...]", help="Names of parameters; default: all.")]


@param.command("set")
def param_set(
    target: _Target,
    values: _Values,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Set parameters; others stay. Those of a range belong to its default version."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.param.set(target, options.parameters(values), message=message, dry_run=dry_run)
    output.changed(result, lines, as_json_text=json, dry_run=dry_run)


@param.command("get")
def param_get(
    target: _Target,
    keys: _SomeKeys = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show parameters, one a line, as KEY = VALUE."""
    with calibvcs.open(repo) as repository:
        result = repository.param.get(target, keys or (), at=at)
    output.show(result, lines, as_json_text=json)


@param.command("unset")
def param_unset(
    target: _Target,
    keys: _Keys,
    message: options.Message = "",
    sign: options.Sign = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take parameters away; history keeps them."""
    with calibvcs.open(repo, sign=sign) as repository:
        result = repository.param.unset(target, keys, message=message, dry_run=dry_run)
    output.changed(result, lines, as_json_text=json, dry_run=dry_run)


def lines(result: ParameterList) -> Iterator[str]:
    """Show parameters, values as TOML and JSON write them."""
    if result.commit:
        yield f"{output.bold(result.target)} (commit {result.commit[:10]})"
    indent = "  " if result.commit else ""
    for key, value in result.parameters.items():
        yield f"{indent}{key} = {json_text.dumps(value, ensure_ascii=False)}"
