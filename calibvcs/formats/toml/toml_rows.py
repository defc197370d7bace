"""A TOML document with a table of rows, cut into its head and its rows, each with the comments that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import toml_document
from calibvcs.formats.toml.toml_rewriting import cut_rows, plain, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row: what it says, and how that is written, with the comment above it. Rows that say the same are equal."""

    values: Mapping[str, Any]
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and same(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value!r}" for key, value in self.values.items())


def read(data: bytes, path: str, name: str) -> tuple[bytes, tuple[Row, ...]]:
    """Cut a document.

    Parameters
    ----------
    data : bytes
        Its content.
    path : str
        Its path, for messages.
    name : str
        Key of the rows, such as ``runs``.

    Returns
    -------
    head : bytes
        What stands before the rows, a document of its own.
    rows : tuple of Row
        In the order in which they stand.

    Raises
    ------
    InvalidDocumentError
        If it is no valid TOML, or written so that it cannot be cut.
    """
    values: dict[str, Any] = plain(toml_document.read(data, path).values)
    rows = values.pop(name, [])
    head, blocks = cut_rows(data.decode(), name)
    texts = [block.strip("\r\n") for block in blocks]
    said = [_said(text, path) for text in (head, *texts)]
    if not same(said, [values, *({name: [row]} for row in rows)]):
        raise InvalidDocumentError(path, f"{name} is not written as [[{name}]] rows at the end")
    return head.strip("\r\n").encode(), tuple(Row(row, text) for row, text in zip(rows, texts, strict=True))


def write(head: bytes, rows: Iterable[Row]) -> bytes:
    """Return the document; what was cut is put together as it was, but for blank lines."""
    texts = [text for text in (head.decode(), *(row.text for row in rows)) if text.strip()]
    return "\n\n".join(texts).encode() + b"\n" if texts else b""


def _said(text: str, path: str) -> dict[str, Any]:
    said: dict[str, Any] = plain(toml_document.read(text.encode(), path).values)
    return said
