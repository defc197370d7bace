"""Options that many verbs share, each written once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from calibvcs.model.detector import Parameters

_REPO_HELP = "Repository: worktree or bare. Default: $CALIBVCS_REPO, else the one around the current folder."

Repo = Annotated[str | None, typer.Option("--repo", metavar="PATH", help=_REPO_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON with a 'schema' key.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="REF|DATE", help="Branch, tag, commit or date: the state to look at.")
]
Time = Annotated[
    str | None, typer.Option("--time", "-t", metavar="TIME", help="UNIX seconds, ISO 8601, psana stamp, or E:R.")
]
Run = Annotated[
    str | None, typer.Option("--run", "-r", metavar="E:R", help="Run of an experiment: its begin is taken.")
]
Message = Annotated[str, typer.Option("--message", "-m", metavar="WHY", help="Why; it becomes the commit's comment.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show everything, change nothing.")]
Sign = Annotated[
    bool | None,
    typer.Option("--sign/--no-sign", "-S", help="Sign with user.signingkey. Default: commit.gpgsign and tag.gpgsign."),
]
Begin = Annotated[str | None, typer.Option("--begin", metavar="TIME", help="First second of validity.")]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="First second behind it; default: open.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", metavar="K=V", help="Free parameter, V as in TOML; may be repeated.")
]
Fallback = Annotated[
    str | None,
    typer.Option("--fallback", metavar="predecessor", help="Where no range is valid, take the predecessor's."),
]
Pattern = Annotated[
    str | None, typer.Argument(metavar="[PATTERN]", help="Glob over DET/CTYPE/RANGE; DET may be an alias.")
]
Constant = Annotated[str, typer.Argument(metavar="CONSTANT", help="DET/CTYPE/RANGE[@VERSION]; DET may be an alias.")]
Detector = Annotated[str, typer.Argument(metavar="DET", help="Detector <dettype>-<detid>, or an alias.")]
Ctype = Annotated[str, typer.Argument(metavar="CTYPE", help="Calibration type: pedestals, pixel_gain, geometry, ...")]


def fallback(given: str | None) -> Literal["predecessor"] | None:
    """Return what was given with ``--fallback``; raises InvalidOptionError where it is nothing that there is."""
    if given not in {None, "predecessor"}:
        raise InvalidOptionError("--fallback", given or "", "'predecessor' is the only one there is")
    return "predecessor" if given else None


def parameters(given: list[str] | None) -> Parameters:
    """Return what was given with ``--param``."""
    from calibvcs.formats.toml.toml_document import parse_assignments

    return parse_assignments(given or ())


def file_mode(text: str) -> int:
    """Return the mode of a file that is written for others, as it was given with ``--mode``."""
    if not re.fullmatch(r"0?[0-7]{3}", text) or not int(text, 8) & 0o400:
        allowed = "three octal digits, readable by the owner, are allowed"
        raise InvalidOptionError("--mode", text, allowed, "--mode 0644")
    return int(text, 8)
