"""The single entries of a TOML document: ``parameters.bias`` and what it is; taken apart, and put in again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from calibvcs.errors import InvalidDocumentError, InvalidOptionError
from calibvcs.formats.toml import toml_document
from calibvcs.formats.toml.toml_rewriting import plain, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Entries: TypeAlias = "dict[tuple[str, ...], Leaf]"


class Leaf:
    """One value, equal only to what is written alike: 1, 1.0 and true are three values."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and same(self.value, other.value)

    def __str__(self) -> str:
        return repr(self.value)


def read(data: bytes, path: str) -> Entries:
    """Take a document apart: every value that is no table, or an empty one, under the keys that lead to it.

    Raises
    ------
    InvalidDocumentError
        If it is no valid TOML.
    """
    entries: Entries = {}
    _flatten(plain(toml_document.read(data, path).values), (), entries)
    return entries


def check_together(path: str, *documents: Iterable[tuple[str, ...]]) -> None:
    """Refuse documents of which one has a value where another one has a table.

    Raises
    ------
    InvalidDocumentError
        If they do not go together.
    """
    keys = {key for document in documents for key in document}
    tables = {key[:depth] for key in keys for depth in range(1, len(key))}
    if clashing := keys & tables:
        raise InvalidDocumentError(path, f"{'.'.join(min(clashing))} is a value and a table")


def write(entries: Mapping[tuple[str, ...], Leaf], previous: bytes, path: str) -> bytes:
    """Return a document that says just this.

    Parameters
    ----------
    entries : mapping
        What it is to say; they go together.
    previous : bytes
        The document to start from: what does not change keeps its comments and its order.
    path : str
        Its path, for messages.

    Returns
    -------
    bytes
        The document.

    Raises
    ------
    InvalidDocumentError
        If it cannot be written around the old one.
    """
    wanted = _nested(entries)
    before: dict[str, Any] = plain(toml_document.read(previous, path).values)
    changes: dict[str, Any] = {k: {} if isinstance(v, dict) else None for k, v in before.items() if k not in wanted}
    changes |= {key: new for key, new in wanted.items() if key not in before or not same(before[key], new)}
    try:
        data = toml_document.write(changes, previous) if changes else previous
    except InvalidOptionError as error:
        raise InvalidDocumentError(path, error.problem) from None
    if not same(plain(toml_document.read(data, path).values), wanted):
        raise InvalidDocumentError(path, "what both sides say cannot be written together")
    return data


def _flatten(values: Mapping[str, Any], keys: tuple[str, ...], entries: Entries) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            _flatten(value, (*keys, key), entries)
        else:
            entries[*keys, key] = Leaf(value)


def _nested(entries: Mapping[tuple[str, ...], Leaf]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for (*above, last), leaf in entries.items():
        place = wanted
        for key in above:
            place = place.setdefault(key, {})
        place[last] = leaf.value
    return wanted
