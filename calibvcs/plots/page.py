"""A difference as a page for a browser: numbers, pictures, where both sides come from; all in one file."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Final

from calibvcs.errors import CalibvcsError, MissingProgramError
from calibvcs.ops.pictures import html_tables
from calibvcs.ops.pictures.difference import difference_picture, open_pair
from calibvcs.plots import canvas
from calibvcs.plots import difference as drawing

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.diff import ConstantDifference, Diff

_PICTURES: Final = 12
"""Pictures on one page at most; one takes a second, and half a megabyte."""

_SIDE: Final = 480
_HEAD: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 14px/1.45 sans-serif; margin: 2em auto; max-width: 1500px; padding: 0 1em; color: #222 }}
h1 {{ font-size: 1.4em; overflow-wrap: anywhere }} h2 {{ font-size: 1.15em; margin-top: 2em; overflow-wrap: anywhere }}
table {{ border-collapse: collapse; margin: .6em 0 }}
th, td {{ border: 1px solid #ccc; padding: .15em .6em; vertical-align: top }}
th, td {{ overflow-wrap: anywhere; white-space: pre-wrap }}
th {{ background: #f3f3f3 }}
.sides {{ display: flex; flex-wrap: wrap; gap: 1.5em }} .sides > div {{ flex: 1 1 420px; min-width: 0 }}
img {{ max-width: 100%; height: auto; border: 1px solid #ddd }}
.note {{ color: #666 }}
</style></head><body>
"""


def page(catalogue: Catalogue, difference: Diff, now: float) -> tuple[bytes, tuple[str, ...]]:
    """Return a page that shows a difference.

    Parameters
    ----------
    catalogue : Catalogue
        The commit at which names are looked up.
    difference : Diff
        What differs.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    tuple of bytes and tuple of str
        HTML in UTF-8 that loads nothing; and what is not shown, and why.
    """
    title = f"{difference.a} \N{RIGHTWARDS ARROW} {difference.b}"
    parts = [_HEAD.format(title=escape(title)), f"<h1>{escape(title)}</h1>"]
    changed = [one for one in difference.constants if one.status != "same"]
    same = len(difference.constants) - len(changed)
    told = "There is no difference." if difference.same else f"{len(changed)} constants differ, {same} are the same."
    parts.append(f"<p>{told} Numbers and pictures show second minus first (B - A).</p>")
    pictures = _Pictures(catalogue, now)
    for one in changed or difference.constants:
        names = {"added": one.b, "removed": one.a}
        heading = names.get(one.status) or f"{one.a} \N{RIGHTWARDS ARROW} {one.b}"
        parts.append(f"<h2>{escape(heading)}: {escape(one.status)}</h2>")
        parts.append(_sides(catalogue, one, now))
        parts.append(html_tables.difference(one))
        parts.append(pictures.of(one))
    if difference.files:
        parts.append(html_tables.table(("other files that differ",), [(path,) for path in difference.files]))
    where = f"{catalogue.snapshot.store.location}, commit {catalogue.snapshot.commit_id}"
    parts.append(f'<p class="note">calibvcs diff --html, repository {escape(where)}</p></body></html>\n')
    return "\n".join(parts).encode(errors="replace"), tuple(pictures.notes)


def _sides(catalogue: Catalogue, one: ConstantDifference, now: float) -> str:
    sides = []
    for letter, label in (("A", one.a), ("B", one.b)):
        rows = html_tables.provenance_rows(catalogue, label, now) if label else (("", "it is not there"),)
        sides.append(f"<div><b>{letter}</b>{html_tables.table((), rows)}</div>")
    return f'<div class="sides">{"".join(sides)}</div>'


class _Pictures:
    """Pictures, as long as there may be more, and as matplotlib is there."""

    def __init__(self, catalogue: Catalogue, now: float) -> None:
        self.notes: list[str] = []
        self._catalogue, self._now, self._left = catalogue, now, _PICTURES

    def of(self, one: ConstantDifference) -> str:
        """Return the picture of a difference, or why there is none; nothing where none is to be expected."""
        if one.status != "changed" or one.array is None or not one.array.comparable or not one.array.changed:
            return ""
        if not self._left:
            return self._without(one, f"no more than {_PICTURES} are drawn; calibvcs plot --diff draws any")
        try:
            canvas.require_matplotlib()
            pair = open_pair(self._catalogue, one.a, one.b, self._now)
            picture = difference_picture(self._catalogue, *pair, side=_SIDE)
            content = canvas.encoded(drawing.draw(picture), "png", f"{one.b} minus {one.a}")
        except MissingProgramError as error:
            return self._without(one, f"{error.problem}; {error.hint}")
        except CalibvcsError as error:  # the numbers are there, and say what can be said
            return self._without(one, error.problem)
        self._left -= 1
        data = base64.b64encode(content).decode()
        alternative = escape(f"A, B, B - A and histogram of {one.a} and {one.b}", quote=True)
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in picture.notes)
        return f'<img alt="{alternative}" src="data:image/png;base64,{data}">{notes}'

    def _without(self, one: ConstantDifference, why: str) -> str:
        note = f"no picture of {one.b}: {why}"
        self.notes.append(note)
        return f'<p class="note">{escape(note)}</p>'
