"""Results on standard output, as text or JSON; errors and progress on standard error."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from calibvcs.errors import CalibvcsError

_GAP = "  "
# All that a terminal obeys instead of showing it, but for tabs, line feeds and the colours that are put in here.
_OBEYED = re.compile(r"(?!\033\[[0-9]{1,2}m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(result: Any, view: Callable[[Any], Iterable[str]], *, as_json_text: bool) -> None:
    """Print a result in the form that was asked for."""
    if as_json_text:
        print(_as_json(result))
    else:
        for line in view(result):
            print(harmless(line))


def _as_json(result: Any, **more: Any) -> str:
    import json  # takes as long to import as a view to print

    from calibvcs.api.wire import as_json

    return json.dumps({**as_json(result), **more}, indent=2, ensure_ascii=False, allow_nan=False)


def changed(result: Any, view: Callable[[Any], Iterable[str]], *, as_json_text: bool, dry_run: bool) -> None:
    """Print the result of a change, and say so where it was only tried."""
    if dry_run and as_json_text:
        print(_as_json(result, dry_run=True))
        return
    if dry_run:
        print("dry run, nothing is changed; without --dry-run:")
    show(result, view, as_json_text=as_json_text)


def note(text: str) -> None:
    """Print something that is no result; where both go to one place, it stands behind what was printed before."""
    with suppress(OSError):  # what cannot be printed is told where the program ends
        sys.stdout.flush()
    print(harmless(text), file=sys.stderr)


def harmless(text: str) -> str:
    """Return text in which control characters are written out: what people and programs recorded may hold any."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def report(error: CalibvcsError, *, as_json_text: bool = False) -> None:
    """Print an error: what was given and allowed, then what to do next; as JSON also where a result would stand."""
    if as_json_text:
        import json

        from calibvcs.api.wire import error_as_json

        print(json.dumps(error_as_json(error), indent=2, ensure_ascii=False, allow_nan=False, default=str))
    note(f"error: {error.problem}")
    if error.hint:
        note(f"hint: {error.hint}")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> Iterable[str]:
    """Return the lines of a table; columns named in `right` are aligned to the right.

    On a terminal the head is bold; elsewhere it is plain text, so that ``cut`` and ``awk`` do.
    """
    cells = [list(map(str, row)) for row in rows]
    columns = zip(head, *cells, strict=True)
    line = _GAP.join(f"{{:{'>' if column[0] in right else '<'}{max(map(len, column))}}}" for column in columns)
    yield bold(line.format(*head).rstrip())
    yield from (line.format(*row).rstrip() for row in cells)


def version_progress() -> Callable[[int, int], None] | None:
    """Return what shows on a terminal how many versions were looked at; None elsewhere."""

    def show(done: int, of: int) -> None:
        print(f"\r{done} of {of} versions", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return show if sys.stderr.isatty() else None


def bold(text: str) -> str:
    """Return text that a terminal shows bold."""
    return f"\033[1m{text}\033[0m" if _coloured() else text


def coloured(text: str, colour: int) -> str:
    """Return text that a terminal shows in one of its colours (31 red, 32 green, 33 yellow)."""
    return f"\033[{colour}m{text}\033[0m" if _coloured() else text


def _coloured() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
