"""Verbs that compute: ``stats``, ``trend``, ``blame``, ``bisect``."""

from __future__ import annotations

from typing import Annotated

import typer

import calibvcs
from calibvcs.cli import exits, options, output
from calibvcs.cli import statistics_view as views
from calibvcs.errors import InvalidOptionError

_WHAT = ("median", "rms", "bad")

Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values, one row a gain range or segment.")]
Gain = Annotated[int | None, typer.Option("--gain", min=0, metavar="G", help="Only this gain range, from 0.")]
Segment = Annotated[int | None, typer.Option("--segment", min=0, metavar="S", help="Only this segment, from 0.")]


def stats(
    constant: options.Constant,
    at: options.At = None,
    csv: Csv = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show median, rms, smallest, largest and bad pixels of a constant, per gain range and segment."""
    _one_form(csv=csv, json=json)
    with calibvcs.open(repo) as repository:
        found = repository.stats(constant, at=at)
    output.show(found, views.stats_csv if csv else views.stats, as_json_text=json)


def trend(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="Glob over DET/CTYPE/RANGE; DET may be an alias.")],
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Not older than this.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Not newer than this.")] = None,
    what: Annotated[
        str | None,
        typer.Option("--what", metavar="NUMBER", help="median, rms or bad. Default: median; of masks and status bad."),
    ] = None,
    defaults: Annotated[
        bool,
        typer.Option("--defaults", help="Only the default of each range, by begin of validity, which --since bounds."),
    ] = False,
    segments: Annotated[bool, typer.Option("--segments", help="Each segment too.")] = False,
    at: options.At = None,
    csv: Csv = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show one number per gain range for every version in history, or for the default of each range."""
    _one_form(csv=csv, json=json)
    if what is not None and what not in _WHAT:
        raise InvalidOptionError("--what", what, f"allowed are {', '.join(_WHAT)}", "--json and --csv have all of them")
    with calibvcs.open(repo) as repository:
        found = repository.trend(
            pattern,
            since=since,
            until=until,
            defaults=defaults,
            segments=segments,
            at=at,
            progress=output.version_progress(),
        )
    output.show(found, views.trend_csv if csv else lambda result: views.trend(result, what), as_json_text=json)


def blame(
    constant: options.Constant,
    gain: Gain = None,
    segment: Segment = None,
    pixel: Annotated[
        str | None, typer.Option("--pixel", metavar="ROW,COLUMN", help="Every value that this pixel had.")
    ] = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show which commit last changed each segment and gain range of a constant."""
    with calibvcs.open(repo) as repository:
        if pixel is None:
            found = repository.blame(constant, gain=gain, segment=segment, at=at)
            output.show(found, views.blame, as_json_text=json)
        else:
            row, column = _place(pixel)
            history = repository.pixel_history(constant, row, column, gain=gain, segment=segment, at=at)
            output.show(history, views.pixel_history, as_json_text=json)


def bisect(
    constant: options.Constant,
    run: Annotated[
        str,
        typer.Option("--run", metavar="CMD", help="The test: gets the path of the data, or has {} in its place."),
    ],
    good: Annotated[str | None, typer.Option("--good", metavar="V", help="A good version; default: the first.")] = None,
    bad: Annotated[str | None, typer.Option("--bad", metavar="V", help="A bad version; default: the last.")] = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Find the version with which a test of yours turns.

    The test ends with 0 where the data are good, with 125 to skip them, and with any other status up to 127 where they
    are bad. Exit status of bisect is 0 where the version was found, 1 where skipped ones are in the way.
    """
    with calibvcs.open(repo) as repository:
        found = repository.bisect(
            constant, run, good=good, bad=bad, at=at, report=lambda step: output.note(views.step(step))
        )
    output.show(found, views.bisection, as_json_text=json)
    raise typer.Exit(exits.OK if found.found else exits.DIFFERENT)


def _one_form(*, csv: bool, json: bool) -> None:
    if csv and json:
        raise InvalidOptionError("--csv", "", "it does not go with --json", "choose one of them")


def _place(given: str) -> tuple[int, int]:
    parts = [part.strip() for part in given.split(",")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InvalidOptionError(
            "--pixel", given, "row and column are needed, counted from 0", "for example --pixel 12,40"
        )
    return int(parts[0]), int(parts[1])
