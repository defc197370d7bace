"""Alias tables as text, ``<alias> <source> <begin> <end>`` a line: what the Detector Calibration Store reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.model.aliases import Alias

SIZE_LIMIT = 4 << 20
_DETECTOR = "detector"
_COLUMNS = 4


class Row(NamedTuple):
    """One line of a table: its number, what it says, and the detector that a comment above it names."""

    line: int
    alias: str
    source: str
    begin: str
    end: str
    detector: str = ""


def decode(data: bytes, path: str) -> tuple[Row, ...]:
    """Read a table.

    Parameters
    ----------
    data : bytes
        Its content: columns with blanks between them; empty lines and what follows a ``#`` are passed over, but for a
        line ``# detector NAME``, which says what the lines behind it mean.
    path : str
        Its path, for messages.

    Returns
    -------
    tuple of Row
        As they stand, nothing of them looked up.

    Raises
    ------
    InvalidDataError
        If it is too large, not UTF-8, or a line has not four columns.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidDataError(path, f"it has {len(data)} bytes; at most {SIZE_LIMIT} are read", "")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidDataError(path, "it is no UTF-8 text", "") from None
    rows, detector = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        content, _, comment = line.partition("#")
        words = content.split()
        if not words:
            match comment.split():
                case [word, name] if word == _DETECTOR:
                    detector = name
            continue
        if len(words) != _COLUMNS:
            reason = f"line {number} has {len(words)} columns: {' '.join(words)[:80]!r}"
            raise InvalidDataError(path, reason, "a line is: <alias> <source> <begin> <end>")
        alias, source, begin, end = words
        rows.append(Row(number, alias, source, begin, end, detector))
    return tuple(rows)


def encode(aliases: Iterable[Alias]) -> str:
    """Return a table; equal aliases give equal text. A detector stands for a source that nobody told."""
    lines, detector = ["# <alias> <source> <begin> <end>, UNIX seconds"], ""
    ordered = sorted(aliases, key=lambda row: (str(row.detector), row.alias, row.validity.begin))
    for row in ordered:
        if str(row.detector) != detector:
            detector = str(row.detector)
            lines.append(f"# {_DETECTOR} {detector}")
        end = "end" if row.validity.end is None else str(row.validity.end)
        source = "_".join(row.source.split()) or detector
        lines.append(f"{row.alias} {source} {row.validity.begin} {end}")
    return "\n".join(lines) + "\n"
