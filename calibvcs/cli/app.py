"""The root of the command line, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from calibvcs.cli import change, exits, look, nouns, output, start
from calibvcs.errors import CalibvcsError, UsageError
from calibvcs.version import __version__

app = typer.Typer(
    name="calibvcs",
    help="Git for detector calibration constants.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,  # importing rich costs as much as a whole verb
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_VERBS: dict[str, tuple[Callable[..., None], ...]] = {
    "start": (start.init, start.doctor, start.quickstart),
    "change": (change.add, change.lock, change.unlock, change.withdraw),
    "look": (look.ls, look.show, look.get, look.why, look.log, look.diff, look.verify),
}
for panel, verbs in _VERBS.items():
    for verb in verbs:
        app.command(verb.__name__, rich_help_panel=panel)(verb)
for name, group in (
    ("default", nouns.default),
    ("tag", nouns.tag),
    ("detector", nouns.detector),
    ("alias", nouns.alias),
    ("run", nouns.run),
):
    app.add_typer(group, name=name)


def _version(asked: bool) -> None:
    if asked:
        print(f"calibvcs {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Git for detector calibration constants."""


def call(arguments: list[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong has been reported by then."""
    try:
        result: Any = app(arguments, standalone_mode=False)
    except CalibvcsError as error:
        output.report(error)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        output.note("interrupted")
        return exits.INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except typer.TyperException as error:  # a verb or option that does not exist, or lacks its value
        output.note(_usage(error.format_message()))
        return UsageError.exit_code
    return result if isinstance(result, int) else exits.OK


def _usage(message: str) -> str:
    known = message.startswith("Usage:")  # a group was named without a verb: its help is the message
    return (
        message
        if known
        else f"error: {message}\nhint: calibvcs --help lists the verbs, calibvcs VERB --help their options"
    )


def main() -> None:
    """Run the command line of this process."""
    sys.exit(call(sys.argv[1:]))
