"""The verb that draws: ``plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import options, output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.plots.canvas import Plotted

_SIDES = 2


def plot(
    what_of: Annotated[
        list[str],
        typer.Argument(metavar="CONSTANT", help="DET/CTYPE[/RANGE][@VERSION]; with --diff A B; with --trend PATTERN."),
    ],
    out: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Picture to write: .png or .svg.")],
    diff: Annotated[bool, typer.Option("--diff", help="Draw A, B, B - A, and the histogram of B - A.")] = False,
    trend: Annotated[
        bool, typer.Option("--trend", help="Draw a number of each gain range, version by version.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option("--time", "-t", metavar="TIME", help="When status, mask, geometry are in force. Default: begin."),
    ] = None,
    no_marks: Annotated[bool, typer.Option("--no-marks", help="Do not look for bad pixels.")] = False,
    what: Annotated[
        str | None, typer.Option("--what", metavar="NUMBER", help="With --trend: median, rms or bad.")
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="With --trend: only the default of each range, by begin of validity.")
    ] = False,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="With --trend: not older.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="With --trend: not newer.")] = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Draw a constant, the difference of two, or how constants changed."""
    _check(what_of, diff=diff, trend=trend, only_trend=bool(what or defaults or since or until))
    with calibvcs.open(repo) as repository:
        if diff:
            done = repository.plot_diff(what_of[0], what_of[1], out, time=time, mark=not no_marks, at=at)
        elif trend:
            done = repository.plot_trend(
                what_of[0],
                out,
                what=what,  # type: ignore[arg-type]
                since=since,
                until=until,
                defaults=defaults,
                at=at,
                progress=output.version_progress(),
            )
        else:
            done = repository.plot(what_of[0], out, time=time, mark=not no_marks, at=at)
    output.show(done, plotted, as_json_text=json)


def _check(given: list[str], *, diff: bool, trend: bool, only_trend: bool) -> None:
    names = " ".join(given)
    if diff and trend:
        raise InvalidOptionError("--diff", names, "one of --diff and --trend is allowed")
    if len(given) != (_SIDES if diff else 1):
        needed = "--diff needs two: A B" if diff else "one is allowed; two go with --diff"
        raise InvalidOptionError("CONSTANT", names, needed, "calibvcs plot --diff A B -o FILE.png")
    if only_trend and not trend:
        allowed = "--what, --defaults, --since and --until go with --trend"
        raise InvalidOptionError("CONSTANT", names, allowed, "calibvcs plot --trend PATTERN -o FILE.png")


def plotted(result: Plotted) -> Iterator[str]:
    """Say what was drawn."""
    yield f"wrote {result.output}  {result.bytes} bytes"
    yield from (f"  {note}" for note in result.notes)
