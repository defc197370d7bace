"""Plain TOML, written fast: what almost every document holds, in the very bytes that tomlkit would write.

A manifest of a thousand constants is a thousand documents, and tomlkit takes a millisecond for each.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Without quotes, backslashes and control characters there is nothing to be escaped.
_TEXT = re.compile(r"[ !#-\[\]-~\u00a0-\u02ff]*")


class _NotPlainError(Exception):
    """There is something that is left to tomlkit."""


def dumps(values: Mapping[str, Any]) -> str | None:
    """Return a document, or None where it takes tomlkit to write it.

    Parameters
    ----------
    values : mapping
        Numbers, text, true and false, lists of these, and tables of all that; rows of tables at the end of a table.

    Returns
    -------
    str or None
        The document; None for tables within tables, and for text and keys that need to be escaped.
    """
    try:
        return "".join(_lines(values, ""))
    except _NotPlainError:
        return None


def _lines(values: Mapping[str, Any], name: str) -> list[str]:
    lines: list[str] = []
    below: list[list[str]] = []
    for key, value in values.items():
        if not _KEY.fullmatch(key):
            raise _NotPlainError
        if isinstance(value, dict) and not name:
            below.append(_table(value, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict) and name:
            below += [[f"[[{name}.{key}]]\n", *_row(row)] for row in value]
        elif below and name:
            raise _NotPlainError  # tomlkit puts it before the rows
        else:
            lines.append(f"{key} = {_value(value)}\n")
    if name and lines:
        lines.insert(0, f"[{name}]\n")  # a table of rows only has no line of its own
    for part in below:
        lines += ["\n", *part] if lines else part
    return lines


def _table(values: Mapping[str, Any], name: str) -> list[str]:
    lines = _lines(values, name)
    if not lines:
        raise _NotPlainError
    return lines


def _row(values: Any) -> list[str]:
    if not isinstance(values, dict) or not values or not all(map(_KEY.fullmatch, values)):
        raise _NotPlainError
    return [f"{key} = {_value(value)}\n" for key, value in values.items()]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and _TEXT.fullmatch(value):
        return f'"{value}"'
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    raise _NotPlainError
