"""A TOML document written anew in such a way that the comments of whoever edited it by hand survive."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Values: TypeAlias = dict[str, Any]


def same(a: object, b: object) -> bool:
    """Tell whether two values are written alike: 1, 1.0 and true are three values, NaN is one."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


def plain(value: object) -> Any:
    """Return a value with its dates as text."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def is_rows(value: object) -> bool:
    """Tell whether a value is a list of tables, such as the runs of an experiment."""
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def without_none(row: Mapping[str, Any]) -> Values:
    """Return a row with what it says."""
    return {key: value for key, value in row.items() if value is not None}


def rewrite(previous: str, given: Values, wanted: Values) -> tuple[str, Values]:
    """Put into a document what changed, and leave everything else as it stands.

    Parameters
    ----------
    previous : str
        The document as it was.
    given : dict
        The new values; None, or what is empty, is taken out. Other keys of the document, and of its rows, stay.
    wanted : dict
        The same without what is to be taken out.

    Returns
    -------
    str
        The new document; empty where it cannot be written around the old one. The caller has to check what it says.
    dict
        What it has to say.
    """
    from tomlkit.exceptions import TOMLKitError

    old: Values = plain(tomllib.loads(previous))
    new = {key: value for key, value in old.items() if key not in given} | wanted
    rows = next((key for key, value in given.items() if is_rows(value) and old.get(key) and is_rows(old[key])), None)
    links = _links(old[rows], given[rows]) if rows else []
    if rows and given[rows]:
        new[rows] = [_continued(old[rows], link, row) for link, row in zip(links, given[rows], strict=True)]
    try:
        text = _with_rows(previous, old, new, rows, links) if rows else _edited(previous, old, new)
    except (TOMLKitError, ValueError, LookupError, AttributeError):  # a rare way to write it: better no comments
        text = ""
    return text, new


# --- rows -----------------------------------------------------------------------------------------------------


def _links(old: list[Values], new: list[Values]) -> list[int | None]:
    """Return which old row each new one continues: one that says the same, else one with the same first value."""
    key = next(iter(new[0]), "") if new else ""
    free: dict[str, list[int]] = {}
    for i, row in enumerate(old):
        free.setdefault(repr(row.get(key)), []).append(i)
    links: list[int | None] = [None] * len(new)
    for unchanged in (True, False):
        for number, row in enumerate(new):
            candidates = free.get(repr(row.get(key)), []) if links[number] is None else []
            found = (i for i in candidates if not unchanged or same(_continued(old, i, row), old[i]))
            link = next(found, None)
            if link is not None:
                candidates.remove(link)
                links[number] = link
    return links


def _continued(old: list[Values], link: int | None, row: Values) -> Values:
    """Return a new row with those keys of the old one that it does not know."""
    unknown = {} if link is None else {key: value for key, value in old[link].items() if key not in row}
    return unknown | without_none(row)


def _with_rows(previous: str, old: Values, new: Values, rows: str, links: list[int | None]) -> str:
    import tomlkit

    head, blocks = cut_rows(previous, rows)
    if not same([plain(tomllib.loads(block)) for block in blocks], [{rows: [row]} for row in old[rows]]):
        return ""
    text = _edited(head, *({key: value for key, value in values.items() if key != rows} for values in (old, new)))
    for link, row in zip(links, new.get(rows, []), strict=True):
        table = {rows: [row]}
        block = tomlkit.dumps(table) if link is None else _edited(blocks[link], {rows: [old[rows][link]]}, table)
        if text and not text.endswith("\n"):
            text += "\n"
        if text and link is None and not text.endswith(("\n\n", "\n\r\n")):
            text += "\n"
        text += block
    return text.rstrip() + "\n"


def cut_rows(text: str, rows: str) -> tuple[str, list[str]]:
    """Cut a document in front of each of its rows, and of the comment that stands directly above it.

    Parameters
    ----------
    text : str
        The document.
    rows : str
        Key of the rows, such as ``runs``.

    Returns
    -------
    tuple of str and list of str
        What stands before the rows, and the rows; all together are the document.
    """
    lines = text.splitlines(keepends=True)
    header = re.compile(rf"\s*\[\[\s*{re.escape(rows)}\s*\]\][ \t]*(#.*)?\s*")
    cuts = [0]
    for number, line in enumerate(lines):
        if header.fullmatch(line):
            cut = number
            while cut > cuts[-1] and lines[cut - 1].lstrip().startswith("#"):
                cut -= 1
            cuts.append(cut)
    head, *blocks = ("".join(lines[i:j]) for i, j in zip(cuts, [*cuts[1:], len(lines)], strict=True))
    return head, blocks


# --- keys and values --------------------------------------------------------------------------------------------


def _edited(text: str, old: Values, new: Values) -> str:
    if same(old, new):
        return text
    import tomlkit

    document = tomlkit.parse(text)
    _update(document, old, new)
    return tomlkit.dumps(document)


def _update(place: Any, old: Values, new: Values) -> None:
    for key in [key for key in old if key not in new]:
        del place[key]
    for key, value in new.items():
        before = old.get(key)
        if key in old and same(before, value):
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            _update(place[key], before, value)
        elif is_rows(before) and is_rows(value) and before and len(before) == len(value):
            for i, row in enumerate(value):
                _update(place[key][i], before[i], row)
        else:
            place[key] = value
