"""LCLS geometry text: one line of 13 fields a panel, ``#`` comments, blank lines.

Geometry files are kept byte for byte, comments included; reading them here serves to check and to compare.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from calibvcs.errors import InvalidDataError
from calibvcs.model.geometry import FIELDS_HINT, NUMBERS, Geometry, Panel, check_tree

_LARGEST_FILE: Final = 4 * 1024 * 1024
_FIELDS: Final = 13
_INDEX: Final = re.compile(r"[0-9]{1,9}")
# Narrower than Decimal(), which takes underscores and the digits of any script.
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def decode(text: str | bytes, source: str) -> Geometry:
    """Read a geometry and check it.

    Parameters
    ----------
    text : str or bytes
        The whole file, UTF-8, at most 4 MiB; lines may end in CRLF, comments may be indented.
    source : str
        What the text is called in errors, usually the path.

    Returns
    -------
    Geometry
        The panels in the order of the file, numbers exactly as written (um, degrees).

    Raises
    ------
    InvalidDataError
        If the text is too long or not UTF-8, a line has not 13 fields, an index is not a whole number, a number is
        not finite, or the panels are not one tree.
    """
    panels: list[Panel] = []
    lines: list[int] = []
    for number, fields in _rows(_checked_text(text, source)):
        panels.append(_panel(fields, f"{source}, line {number}"))
        lines.append(number)
    check_tree(panels, source, lines)
    return Geometry(tuple(panels))


def encode(geometry: Geometry) -> str:
    """Return plain geometry text, without comments, that reads back as an equal geometry.

    Parameters
    ----------
    geometry : Geometry
        Panels in the order that they are to be written in.

    Returns
    -------
    str
        One line of 13 fields a panel, columns one blank or more apart.
    """
    lines = []
    for panel in geometry.panels:
        names = f"{panel.parent:<16} {panel.parent_index:>3} {panel.name:<16} {panel.index:>3}"
        lines.append(" ".join([names, *(f"{number!s:>10}" for number in panel.numbers)]) + "\n")
    return "".join(lines)


def looks_like_geometry(text: str) -> bool:
    """Tell geometry from other text by its first line that is neither blank nor a comment.

    Parameters
    ----------
    text : str
        Start of a text file or all of it; nothing but that line is looked at.

    Returns
    -------
    bool
        Whether the line has 13 fields: a name and an index, twice, and nine numbers.
    """
    fields = next((fields for _, fields in _rows(text)), [])
    return (
        len(fields) == _FIELDS
        # A row of a text array may have 13 columns too, but no names.
        and not any(_NUMBER.fullmatch(fields[place]) for place in (0, 2))
        and all(_INDEX.fullmatch(fields[place]) for place in (1, 3))
        and all(_NUMBER.fullmatch(field) for field in fields[4:])
    )


def _checked_text(text: str | bytes, source: str) -> str:
    try:
        size = len(text) if len(text) > _LARGEST_FILE or isinstance(text, bytes) else len(text.encode())
        if size > _LARGEST_FILE:
            reason = f"{size} bytes of geometry; allowed are {_LARGEST_FILE}"
            raise InvalidDataError(source, reason, "is this the right file? an array is stored as .npy")
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeError as error:
        advice = "write it again as UTF-8: iconv -f LATIN1 -t UTF-8"
        raise InvalidDataError(source, "the text is not UTF-8", advice) from error
    if decoded.startswith("\ufeff"):
        raise InvalidDataError(source, "the text begins with a byte order mark", "save it as UTF-8 without one")
    return decoded


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return number (from 1) and fields of the lines that are neither blank nor comments."""
    split = ((number, line.split()) for number, line in enumerate(text.split("\n"), start=1))
    return [(number, fields) for number, fields in split if fields and not fields[0].startswith("#")]


def _panel(fields: list[str], where: str) -> Panel:
    if len(fields) != _FIELDS:
        raise InvalidDataError(where, f"{len(fields)} fields; expected are {_FIELDS}", FIELDS_HINT)
    for place in (1, 3):
        if not _INDEX.fullmatch(fields[place]):
            reason = f"index {fields[place][:60]!r} in field {place + 1}; allowed are 0, 1, 2, ..."
            raise InvalidDataError(where, reason, FIELDS_HINT)
    for name, field in zip(NUMBERS, fields[4:], strict=True):
        if not _NUMBER.fullmatch(field):
            reason = f"{name} is {field[:60]!r}; allowed are finite decimal numbers such as -12.5"
            raise InvalidDataError(where, reason, FIELDS_HINT)
    try:
        parent, parent_index, name, index = fields[0], int(fields[1]), fields[2], int(fields[3])
        return Panel(parent, parent_index, name, index, *map(Decimal, fields[4:]))
    except InvalidDataError as error:
        raise InvalidDataError(f"{where}, {error.source}", error.reason, error.advice) from error
