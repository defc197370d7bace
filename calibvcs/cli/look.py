"""Verbs that look: ``ls``, ``show``, ``get``, ``why``, ``log``, ``diff``, ``verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import diff_view, exits, options, output, overlay_view, views
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from calibvcs import Repository
    from calibvcs.ops.diff import Diff


def ls(
    pattern: options.Pattern = None,
    at: options.At = None,
    valid_at: Annotated[
        str | None, typer.Option("--valid-at", metavar="TIME", help="Only what a reader gets for this time.")
    ] = None,
    long: Annotated[bool, typer.Option("-l", "--long", help="All columns.")] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """List constants."""
    with calibvcs.open(repo) as repository:
        listing = repository.ls(pattern, at=at, valid_at=valid_at)
    output.show(listing, views.long_listing if long else views.listing, as_json_text=json)


def show(
    constant: options.Constant,
    at: options.At = None,
    preview: Annotated[bool, typer.Option("--preview", help="A small picture too, as wide as the terminal.")] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show metadata, provenance and statistics of a constant."""
    if preview and json:
        raise InvalidOptionError("--preview", "", "it goes without --json", "calibvcs plot CONSTANT -o FILE.png")
    with calibvcs.open(repo) as repository:
        shown = repository.show(constant, at=at)
        output.show(shown, views.shown, as_json_text=json)
        if preview:
            from calibvcs.cli import preview_view  # it needs rich and numpy

            preview_view.show(repository.preview(constant, side=preview_view.width(), at=at))


def get(
    detector: options.Detector,
    ctype: options.Ctype,
    time: options.Time = None,
    run: options.Run = None,
    at: options.At = None,
    out: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the data there, byte for byte; - is stdout."),
    ] = None,
    overlay: Annotated[
        str | None,
        typer.Option("--overlay", metavar="DIR", help="Look in this calib directory first, as online tools do."),
    ] = None,
    fallback: options.Fallback = None,
    withdrawn: Annotated[
        bool, typer.Option("--allow-withdrawn", help="Do not skip what was withdrawn: as if it never had been.")
    ] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Get the constant in force at a time; without -o, say which one it is and why."""
    when = _when(time, run)
    with calibvcs.open(repo) as repository:
        over = repository.in_overlay(overlay, detector, ctype, when, at=at, output=out) if overlay else None
        other = options.fallback(fallback)
        chosen = (
            None
            if over
            else repository.choose(detector, ctype, when, at=at, output=out, fallback=other, allow_withdrawn=withdrawn)
        )
    if chosen is not None and (json or out == "-"):  # else the text says so
        for warning in views.cautions(chosen):
            output.note(f"warning: {warning}")
    if out != "-":
        output.show(over or chosen, overlay_view.overlaid if over else views.chosen, as_json_text=json)


def why(
    detector: options.Detector,
    ctype: options.Ctype,
    time: options.Time = None,
    run: options.Run = None,
    at: options.At = None,
    fallback: options.Fallback = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Explain which constant is chosen for a time, and why no other one."""
    with calibvcs.open(repo) as repository:
        answer = repository.why(detector, ctype, _when(time, run), at=at, fallback=options.fallback(fallback))
    if answer.fallback and json:  # else the text says so
        output.note(f"warning: {answer.fallback}")
    output.show(answer, views.why, as_json_text=json)


def log(
    pattern: options.Pattern = None,
    author: Annotated[str, typer.Option("--author", metavar="TEXT", help="Text in name or e-mail address.")] = "",
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Not older than this.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Not newer than this.")] = None,
    grep: Annotated[str, typer.Option("--grep", metavar="REGEX", help="Searched in the comments.")] = "",
    limit: Annotated[int | None, typer.Option("-n", "--max-count", min=0, help="Most commits to show.")] = None,
    show_signature: Annotated[bool, typer.Option("--show-signature", help="Check the signature of each.")] = False,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Show what was changed, newest first."""
    with calibvcs.open(repo) as repository:
        found = repository.log(
            pattern,
            author=author,
            since=since,
            until=until,
            grep=grep,
            limit=limit,
            at=at,
            signatures=show_signature,
        )
    output.show(found, views.log, as_json_text=json)


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="Constant, ctype, detector, revision, date or file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What it is compared with; numbers are B - A.")],
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a page: numbers, pictures, provenance of both sides."),
    ] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Compare two versions, ranges, detectors, states of the repository, or a file and a constant.

    Exit status is 0 where both are the same, 1 where they differ.
    """
    from calibvcs.formats.dcs.dcs_hdf5 import is_dcs_file  # no other verb here needs it

    if is_dcs_file(a) and is_dcs_file(b) and html is None:
        from calibvcs.api.exchange_hdf5 import diff_hdf5_files

        difference = diff_hdf5_files(a, b)
    else:
        with calibvcs.open(repo) as repository:
            difference = repository.diff(a, b) if html is None else _page(repository, a, b, html)
    output.show(difference, diff_view.diff, as_json_text=json)
    raise typer.Exit(exits.OK if difference.same else exits.DIFFERENT)


def _page(repository: Repository, a: str, b: str, html: str) -> Diff:
    difference, written = repository.diff_html(a, b, html)
    for line in (f"wrote {written.output}  {written.bytes} bytes", *written.notes):
        output.note(line)
    return difference


def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Also read every payload that was ever stored.")] = False,
    signatures: Annotated[bool, typer.Option("--signatures", help="Check those of all commits and tags.")] = False,
    require: Annotated[
        bool, typer.Option("--require", help="With --signatures: each has to be signed by a known key.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="REF|DATE", help="With --signatures: only what came later.")
    ] = None,
    at: options.At = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Check that the repository keeps the promises of its format; exit status 1 where it does not."""
    if not signatures and (require or since):
        raise InvalidOptionError("--require" if require else "--since", since or "", "it goes with --signatures")
    with calibvcs.open(repo) as repository:
        found = repository.verify(deep=deep, at=at, signatures=signatures, require=require, since=since)
    output.show(found, views.verification, as_json_text=json)
    raise typer.Exit(exits.OK if found.sound else exits.DIFFERENT)


def _when(time: str | None, run: str | None) -> str:
    if (time is None) == (run is None):
        allowed = "exactly one of --time T and --run E:R is needed"
        raise InvalidOptionError("--time", time or "", allowed, "for the constants of this moment: --time now")
    return str(time if run is None else run)
