"""Geometry text, read as psana reads it.

The stored file is checked and compared by another parser, which forgives more. This one takes what psana takes: a text
that it reads gives the same tree there.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from calibvcs.errors import InvalidDataError
from calibvcs.model.geometry import FIELDS_HINT, NUMBERS, Panel, check_tree

_LARGEST_TEXT: Final = 4 * 1024 * 1024
_FIELDS: Final = 13
_SHOWN: Final = 60
_INDEX: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
# Narrower than float(), which takes underscores, nan and the digits of any script.
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)


def parse(text: str, source: str = "geometry") -> tuple[Panel, ...]:
    """Read the lines of a geometry, and check that they are one tree.

    Parameters
    ----------
    text : str
        The whole file, at most 4 MiB. A line is empty, a comment (``#`` in its first column) or has 13 fields. Lines
        may end in CRLF.
    source : str
        What the text is called in errors.

    Returns
    -------
    tuple of Panel
        The nodes in the order of the file; lengths in um, angles in degrees.

    Raises
    ------
    InvalidDataError
        If the text is too long, a line has another form (the line and its text are named), or the nodes are not one
        tree.
    """
    if len(text) > _LARGEST_TEXT:
        reason = f"{len(text)} characters of geometry; allowed are {_LARGEST_TEXT}"
        raise InvalidDataError(source, reason, "is this the right text?")
    panels: list[Panel] = []
    numbers: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            panels.append(_panel(line, f"{source}, line {number}"))
            numbers.append(number)
    check_tree(panels, source, numbers)
    return tuple(panels)


def _panel(line: str, where: str) -> Panel:
    shown = f"{line.strip()[:_SHOWN]!r}"
    fields = line.split()
    if fields[0].startswith("#"):
        raise InvalidDataError(where, f"{shown}: blanks before a comment", "put the # into the first column")
    if len(fields) != _FIELDS:
        raise InvalidDataError(where, f"{shown}: {len(fields)} fields; expected are {_FIELDS}", FIELDS_HINT)
    for place in (1, 3):
        if not _INDEX.fullmatch(fields[place]):
            reason = f"{shown}: index {fields[place][:_SHOWN]!r} in field {place + 1}; allowed are 0, 1, 2, ..."
            raise InvalidDataError(where, reason, FIELDS_HINT)
    for name, field in zip(NUMBERS, fields[4:], strict=True):
        if not _NUMBER.fullmatch(field):
            reason = f"{shown}: {name} is {field[:_SHOWN]!r}; allowed are finite decimal numbers such as -12.5"
            raise InvalidDataError(where, reason, FIELDS_HINT)
    try:
        return Panel(fields[0], int(fields[1]), fields[2], int(fields[3]), *map(Decimal, fields[4:]))
    except InvalidDataError as error:
        raise InvalidDataError(f"{where}, {error.source}", error.reason, error.advice) from error
