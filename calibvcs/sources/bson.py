"""BSON, the form of MongoDB's documents, read as plain values.

Every length is held against what is there before it is used; nothing but plain values comes out: numbers, text, bytes,
lists and mappings, ids as hex digits. See https://bsonspec.org (version 1.1).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_DOCUMENT: Final = 17 << 20
"""MongoDB allows 16 MiB, and some room for its own commands."""
SMALLEST_DOCUMENT: Final = 5
_DEEPEST: Final = 32
_ID_SIZE: Final = 12
_WORD: Final = struct.Struct("<i")
# Type of an element -> how its bytes are read, where they are as many always.
_NUMBERS: Final = {0x01: struct.Struct("<d"), 0x10: _WORD, 0x12: struct.Struct("<q"), 0x09: struct.Struct("<q")}
_SKIPPED: Final = {0x11: 8, 0x13: 16, 0xFF: 0, 0x7F: 0}  # stamps of the server, decimals, smallest and largest key


def documents(data: memoryview, source: str, offset: int = 0) -> Iterator[tuple[int, memoryview]]:
    """Return offset and bytes of each document of a sequence, up to its end or a length of -1.

    Parameters
    ----------
    data : memoryview
        What holds the documents.
    source : str
        What it is called in errors.
    offset : int, optional
        Where the first one begins.

    Yields
    ------
    tuple of int and memoryview
        Offset, and the document; the offset behind the last one is that of the -1, or the end of the data.

    Raises
    ------
    InvalidDataError
        If a length leads out of the data, or is none that a document can have.
    """
    while offset < len(data):
        if offset + 4 > len(data):
            raise InvalidDataError(source, f"cut off at byte {offset}", "copy the file again")
        (size,) = _WORD.unpack_from(data, offset)
        if size == -1:
            return
        if not SMALLEST_DOCUMENT <= size <= LARGEST_DOCUMENT or offset + size > len(data):
            raise InvalidDataError(source, f"a document of {size} bytes at byte {offset}", "copy the file again")
        yield offset, data[offset : offset + size]
        offset += size


def decode(document: memoryview, source: str) -> dict[str, object]:
    """Return a document as plain values.

    Parameters
    ----------
    document : memoryview
        The bytes of the document, and no others.
    source : str
        What it is called in errors.

    Returns
    -------
    dict
        float, int, str, bool, None, lists and dicts of these; an id as 24 hex digits, a date as milliseconds since
        1970, binary data as a view. What psana never writes (regular expressions, code, decimals) is None.

    Raises
    ------
    InvalidDataError
        If it is damaged.
    """
    try:
        return _decode(document, 0)
    except (struct.error, UnicodeDecodeError, ValueError, IndexError) as error:
        raise InvalidDataError(source, f"a damaged document: {error}", "copy the file again") from None


def _decode(view: memoryview, depth: int) -> dict[str, object]:
    (size,) = _WORD.unpack_from(view, 0)
    if size != len(view) or size < SMALLEST_DOCUMENT or view[size - 1] != 0 or depth > _DEEPEST:
        raise ValueError(f"length {size} of {len(view)} bytes, {depth} deep")
    found: dict[str, object] = {}
    place, end = 4, size - 1
    while place < end:
        kind = view[place]
        name, place = _name(view, place + 1, end)
        found[name], place = _value(view, kind, place, end, depth)
    if place != end:
        raise ValueError("an element that is longer than its document")
    return found


def _name(view: memoryview, place: int, end: int) -> tuple[str, int]:
    stop = place
    while stop < end and view[stop]:
        stop += 1
    if stop >= end:
        raise ValueError("a name without an end")
    return bytes(view[place:stop]).decode(), stop + 1


def _value(view: memoryview, kind: int, place: int, end: int, depth: int) -> tuple[object, int]:
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        return form.unpack_from(view[:end], place)[0], place + form.size
    if kind in {0x02, 0x0D, 0x0E}:  # text; code and symbols, which are text too
        (size,) = _WORD.unpack_from(view, place)
        raw = _bytes(view, place + 4, size, end)
        if not size or raw[-1] != 0:
            raise ValueError("text without an end")
        return bytes(raw[:-1]).decode(errors="replace") if kind == 0x02 else None, place + 4 + size
    if kind in {0x03, 0x04}:
        (size,) = _WORD.unpack_from(view, place)
        inner = _decode(_bytes(view, place, size, end), depth + 1)
        return (inner if kind == 0x03 else list(inner.values())), place + size
    if kind == 0x05:
        (size,) = _WORD.unpack_from(view, place)
        return _bytes(view, place + 5, size, end), place + 5 + size
    if kind == 0x07:
        return bytes(_bytes(view, place, _ID_SIZE, end)).hex(), place + _ID_SIZE
    if kind == 0x08:
        return bool(_bytes(view, place, 1, end)[0]), place + 1
    if kind in {0x06, 0x0A}:
        return None, place
    if kind in _SKIPPED:
        _bytes(view, place, _SKIPPED[kind], end)
        return None, place + _SKIPPED[kind]
    raise ValueError(f"an element of type {kind:#x}, which is not read here")


def _bytes(view: memoryview, place: int, size: int, end: int) -> memoryview:
    if size < 0 or place + size > end:
        raise ValueError(f"{size} bytes at byte {place} of {end}")
    return view[place : place + size]
