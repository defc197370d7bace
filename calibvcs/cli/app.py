"""The root of the command line, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from typing import Annotated

import typer

from calibvcs.cli import exits, output
from calibvcs.cli.several_values import spread
from calibvcs.errors import CalibvcsError, StorageError, UsageError
from calibvcs.version import __version__

# Verb -> module of this package that has a function of its name. Only what is called gets its options.
_VERBS = {
    "quickstart": "start", "init": "start", "clone": "share", "doctor": "start",
    "add": "change", "lock": "change", "unlock": "change", "withdraw": "change",
    "fetch": "share", "pull": "share", "push": "share", "sync": "share", "squeeze": "share",
    "propose": "share", "review": "share", "merge": "share",
    "status": "worktree", "commit": "worktree", "restore": "worktree",
    "gc": "keeping", "repair": "keeping",
    "export": "exporting", "prefetch": "prefetching",
    "ls": "look", "show": "look", "get": "look", "why": "look", "log": "look", "diff": "look", "verify": "look",
    "provenance": "provenance", "rerun": "provenance", "install-git-drivers": "git_drivers",
    "stats": "statistics", "trend": "statistics", "blame": "statistics", "bisect": "statistics",
    "plot": "plotting",
    "git-textconv": "for_git", "git-difftool": "for_git", "git-merge": "for_git",
}  # fmt: skip
_HIDDEN = "for_git"
_OBJECTS = 20_000  # new ones before garbage is collected: to start makes many, and none of them is garbage
_NOUNS = {
    "detector": "nouns", "alias": "nouns", "run": "nouns", "tag": "nouns", "default": "nouns",
    "access": "hosting", "hook": "hosting", "bundle": "keeping", "import": "importing",
    "lock-file": "lock_files",
    "param": "parameters",
}  # fmt: skip


def build(arguments: list[str]) -> typer.Typer:
    """Return the root command with the verb that is called, or with all of them where none is named."""
    app = typer.Typer(
        name="calibvcs",
        help="Git for detector calibration constants.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,  # importing rich costs as much as a whole verb
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    called = next((word for word in arguments if not word.startswith("-")), "")
    known = called in {*_VERBS, *_NOUNS}
    for verb, module in _VERBS.items():
        if called == verb or not (known or module == _HIDDEN):
            function = getattr(import_module(f"calibvcs.cli.{module}"), verb.replace("-", "_"))
            app.command(verb, help=function.__doc__, rich_help_panel=module)(function if known else _without_options)
    for noun, module in _NOUNS.items():
        if called == noun or not known:
            name = "import_" if noun == "import" else noun.replace("-", "_")
            group = getattr(import_module(f"calibvcs.cli.{module}"), name)
            app.add_typer(group if known else typer.Typer(help=group.info.help), name=noun)
    return app


def _without_options() -> None:
    """Stand in for a verb where all of them are listed: to read their options takes as long as a verb."""


def _version(asked: bool) -> None:
    if asked:
        print(f"calibvcs {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Git for detector calibration constants."""


def call(arguments: list[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong has been reported by then."""
    try:
        arguments = spread(arguments)
        result = build(arguments)(arguments, standalone_mode=False)
        sys.stdout.flush()
    except CalibvcsError as error:
        output.report(error, as_json_text="--json" in arguments)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        output.note("interrupted")
        return exits.INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:  # what a verb touches has its own errors: this is the output
        output.note(f"error: cannot write the output: {error.strerror or error}")
        return StorageError.exit_code
    except typer.TyperException as error:  # a verb or option that does not exist, or lacks its value
        output.note(_usage(error.format_message(), arguments))
        return UsageError.exit_code
    except Exception as error:
        if "CALIBVCS_DEBUG" in os.environ:
            raise
        output.note(f"internal error: {type(error).__name__}: {error}")
        output.note("hint: this is a fault of calibvcs; CALIBVCS_DEBUG=1 shows where it happened, for a report")
        return exits.INTERNAL
    return result if isinstance(result, int) else exits.OK


def _usage(message: str, arguments: list[str]) -> str:
    if message.lstrip().startswith("Usage:"):  # a noun was named without a verb: its help is the message
        return message
    verb = f" {arguments[0]}" if arguments and arguments[0] in {*_VERBS, *_NOUNS} else ""
    return f"error: {message}\nhint: calibvcs{verb} --help"


def main() -> None:
    """Run the command line of this process."""
    gc.set_threshold(_OBJECTS)
    code = call(sys.argv[1:])
    gc.freeze()  # Python would look for cycles in all that the process leaves behind: a tenth of a short verb's time
    sys.exit(code)
