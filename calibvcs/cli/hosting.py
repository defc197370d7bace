"""Verbs of a repository that others push to: ``access check``, ``access test``, ``hook install``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import exits, options, output
from calibvcs.errors import AccessError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.ops.access import AccessCheck, AccessTest
    from calibvcs.store.hooks import HookInstalled

access = typer.Typer(help="Who may change what, and by which rule.", no_args_is_help=True)
hook = typer.Typer(help="The hook that holds pushes to the rules.", no_args_is_help=True)

_SIZE_LIMIT = 4 << 20


@access.command("check")
def access_check(
    user: Annotated[str, typer.Argument(metavar="USER", help="Name by which the server knows somebody.")],
    verb: Annotated[str, typer.Argument(metavar="VERB", help="read, propose, write, tag or admin.")],
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Where; nothing is the whole repository.")] = "",
    branch: Annotated[str, typer.Option("--branch", metavar="B", help="On which branch.")] = "main",
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Tell whether somebody may do something, and which rule says so; exit status 1 where not."""
    with calibvcs.open(repo) as repository:
        result = repository.access.check(user, verb, path, branch=branch, at=at)
    output.show(result, _checked, as_json_text=json)
    raise typer.Exit(exits.OK if result.allowed else exits.DIFFERENT)


@access.command("test")
def access_test(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines: USER VERB PATH BRANCH allow|deny.")],
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Hold the rules against a table of what is expected of them; exit status 1 where they differ."""
    try:
        with file.open("rb") as opened:
            table = opened.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise MissingFileError(str(file), error.strerror or str(error)) from None
    with calibvcs.open(repo) as repository:
        result = repository.access.test(table, str(file), at=at)
    output.show(result, _tested, as_json_text=json)
    raise typer.Exit(exits.OK if result.passed else exits.DIFFERENT)


@hook.command("install")
def hook_install(
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="The repository, usually a bare one.")] = Path(),
    admin: Annotated[
        list[str] | None,
        typer.Option("--admin", metavar="USER", help="Who may write until access.toml names anybody. Default: you."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep another hook, and ask it first.")] = False,
    json: options.Json = False,
) -> None:
    """Let Git ask calibvcs before it takes a push in: the rules of access and the format."""
    from calibvcs.api.hosting import install_hook, os_user

    result = install_hook(path, admin or [os_user()], keep=keep)
    output.show(result, _installed, as_json_text=json)


@hook.command("pre-receive", hidden=True)
def hook_pre_receive() -> None:
    """Check the push whose refs Git writes to standard input; what is printed is shown to whoever pushes."""
    from calibvcs import settings

    raise typer.Exit(pre_receive(settings.environment()))


def pre_receive(environment: Mapping[str, str]) -> int:
    """Check a push.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the hook.

    Returns
    -------
    int
        Exit status: 0 takes the push in.
    """
    from calibvcs.api.hosting import check_push, os_user

    lines = sys.stdin.buffer.read().decode(errors="surrogateescape").splitlines()
    result = check_push(Path(), lines, environment, os_user(), time.time())
    for refusal in result.refusals:
        output.note(f"calibvcs refuses the push: {refusal}")
    return exits.OK if result.accepted else AccessError.exit_code


def _checked(result: AccessCheck) -> Iterator[str]:
    yield result.reason


def _tested(result: AccessTest) -> Iterator[str]:
    yield from result.failures
    yield f"{result.expectations - len(result.failures)} of {result.expectations} expectations hold"


def _installed(result: HookInstalled) -> Iterator[str]:
    yield f"hook {result.path}"
    if result.kept:
        yield f"asked before it: {result.kept}"
    if result.makers:
        yield f"may write until .calibvcs/access.toml names anybody: {', '.join(result.makers)}"
