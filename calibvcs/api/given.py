"""What callers hand over, as values that can be stored; what cannot be stored is told before anything is written."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from calibvcs.model.detector import Parameters, ParameterValue


def texts(option: str, given: Sequence[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Return a sequence of texts or paths as a tuple of texts.

    Parameters
    ----------
    option : str
        Name of the argument, for the message.
    given : sequence of str or path
        The texts. One text alone is also a sequence, of its letters, and is never meant as one.

    Returns
    -------
    tuple of str
        The same, in the same order.

    Raises
    ------
    InvalidOptionError
        If it is one text.
    """
    if isinstance(given, str | os.PathLike):
        text = os.fspath(given)
        raise InvalidOptionError(option, text, "a sequence of texts is needed, not one text", f"give [{text!r}]")
    return tuple(os.fspath(text) for text in given)


def pairs(option: str, given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return a sequence of pairs of texts as a tuple.

    Parameters
    ----------
    option : str
        Name of the argument, for the message.
    given : iterable of (str, str)
        The pairs.

    Returns
    -------
    tuple of (str, str)
        The same, in the same order.

    Raises
    ------
    InvalidOptionError
        If it is anything else; two texts alone are not one pair, and a text of two letters is none.
    """
    found: list[tuple[str, str]] = []
    for pair in _entries(given):
        match pair:
            case [str(first), str(second)]:
                found.append((first, second))
            case _:
                allowed = "pairs of detector and ctype are needed"
                raise InvalidOptionError(option, repr(pair), allowed, 'for example [("jungfrau-000003", "pedestals")]')
    return tuple(found)


def parameters(given: Parameters | None) -> dict[str, ParameterValue]:
    """Return free parameters as plain values.

    Parameters
    ----------
    given : mapping of str or None
        Values by name: bool, int, float, str, dates, and lists and mappings of these; numbers and arrays of numpy
        become plain numbers and lists, dates become ISO 8601 text.

    Returns
    -------
    dict
        The same in the types that ``meta.toml`` and ``detector.toml`` hold; empty for None.

    Raises
    ------
    InvalidOptionError
        If a name is no text, or a value is of another type.
    """
    return _table("parameters", given or {})


def number(option: str, given: int | None) -> int | None:
    """Return a run number as a plain integer.

    Parameters
    ----------
    option : str
        Name of the argument, for the message.
    given : int or None
        The number; integers of numpy are taken too.

    Returns
    -------
    int or None
        The same; None stays None.

    Raises
    ------
    InvalidOptionError
        If it is negative.
    """
    plain = None if given is None else operator.index(given)
    if plain is not None and plain < 0:
        raise InvalidOptionError(option, str(plain), "a run number is 0 or more")
    return plain


def _entries(given: object) -> tuple[object, ...]:
    """Return what a sequence holds; one text, or what is no sequence, is an entry itself."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _table(name: str, given: Mapping[Any, Any]) -> dict[str, ParameterValue]:
    for key in given:
        if not isinstance(key, str):
            raise InvalidOptionError(name, repr(key), "the name of a parameter is text")
    return {key: _plain(f"{name}.{key}", value) for key, value in given.items()}


def _plain(name: str, value: Any) -> ParameterValue:
    plain = value.tolist() if hasattr(value, "tolist") else value  # a number or an array of numpy
    if isinstance(plain, bool | int | float | str):
        return plain
    if isinstance(plain, date | time):
        return plain.isoformat()
    if isinstance(plain, Mapping):
        return _table(name, plain)
    if isinstance(plain, Sequence) and not isinstance(plain, bytes | bytearray | memoryview):
        return [_plain(name, inner) for inner in plain]
    raise InvalidOptionError(name, repr(value), "true or false, a number, text, or a list or mapping of these")
