"""Making Git's deltas, of what follows from its predecessor by a few edits: lists of ranges, tables, metadata. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COPY = 0x80
_LONGEST_COPY, _LONGEST_INSERT = 0xFFFFFF, 0x7F
_WORTH_MATCHING = 256
_PIECES = {"tree": re.compile(rb"(?s)[0-7]{5,6} [^\0]+\0.{20}"), "blob": re.compile(rb"[^\n]*\n|[^\n]+")}


def make_delta(kind: str, base: bytes, content: bytes) -> bytes:
    """Return the delta that makes an object of a base.

    What both begin and end with is copied. What lies between is matched entry by entry of a tree, and line by line of a
    text, where there is much of it.

    Parameters
    ----------
    kind : str
        tree or blob.
    base, content : bytes
        The two objects.

    Returns
    -------
    bytes
        The delta; `calibvcs.store.objects.deltas.apply_delta` makes the object of it.
    """
    shorter = min(len(base), len(content))
    begin = _equal(base, content, shorter)
    end = _equal_at_end(base, content, shorter - begin)
    between = len(content) - begin - end
    if between > _WORTH_MATCHING and len(base) - begin - end > _WORTH_MATCHING:
        runs = list(_matched(_PIECES[kind].findall(base), _PIECES[kind].findall(content)))
        if sum(length for _, length, _ in runs) == len(content):
            return _encoded(base, content, runs)
    pieces = [(0, begin, True), (begin, between, False), (len(base) - end, end, True)]
    return _encoded(base, content, pieces)


def _equal(base: bytes, content: bytes, most: int) -> int:
    """Return how many bytes both begin with."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if base[low:middle] == content[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _equal_at_end(base: bytes, content: bytes, most: int) -> int:
    low, high, last, final = 0, most, len(base), len(content)
    while low < high:
        middle = (low + high + 1) // 2
        if base[last - middle : last - low] == content[final - middle : final - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _matched(base: Sequence[bytes], content: Sequence[bytes]) -> Iterator[tuple[int, int, bool]]:
    """Yield what to copy out of the base and what to insert out of the content, each by its begin and length."""
    places: dict[bytes, int] = {}
    place = 0
    for piece in base:
        places.setdefault(piece, place)
        place += len(piece)
    at, begin, length, copies = 0, 0, 0, False
    for piece in content:
        found = places.get(piece)
        if length and (found == begin + length if copies else found is None):
            length += len(piece)
        else:
            if length:
                yield begin, length, copies
            copies = found is not None
            begin, length = at if found is None else found, len(piece)
        at += len(piece)
    if length:
        yield begin, length, copies


def _encoded(base: bytes, content: bytes, runs: Sequence[tuple[int, int, bool]]) -> bytes:
    made = bytearray(_size(len(base)) + _size(len(content)))
    for begin, length, copies in runs:
        most = _LONGEST_COPY if copies else _LONGEST_INSERT
        for place in range(begin, begin + length, most):
            size = min(most, begin + length - place)
            if copies:
                made += _copy(place, size)
            else:
                made.append(size)
                made += content[place : place + size]
    return bytes(made)


def _copy(offset: int, size: int) -> bytes:
    code, made = _COPY, bytearray()
    for bit, byte in enumerate(offset.to_bytes(4, "little")):
        if byte:
            code |= 1 << bit
            made.append(byte)
    for bit, byte in enumerate(size.to_bytes(3, "little")):
        if byte:
            code |= 0x10 << bit
            made.append(byte)
    return bytes([code]) + made


def _size(size: int) -> bytes:
    made = bytearray()
    while size > 0x7F:
        made.append(size & 0x7F | 0x80)
        size >>= 7
    made.append(size)
    return bytes(made)
