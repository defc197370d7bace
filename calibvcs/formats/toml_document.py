"""TOML as the repository's metadata use it: read with every type checked, written so that comments survive."""

from __future__ import annotations

import math
import tomllib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar

from calibvcs.errors import CalibvcsError, InvalidDocumentError, InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from calibvcs.model.detector import ParameterValue

SIZE_LIMIT = 4 << 20
T = TypeVar("T")


class Table:
    """A table of a document; every access says what it expects, and an error names file and key.

    Parameters
    ----------
    values : mapping
        The table as parsed.
    path : str
        File it comes from, for messages.
    where : str, optional
        Name of the table, for messages.
    """

    def __init__(self, values: Mapping[str, Any], path: str, where: str = "") -> None:
        self._values = values
        self.path = path
        self._where = where

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; without a default it has to be there."""
        return str(self._get(key, (str,), "text", default))

    def integer(self, key: str, default: int | None = None) -> int | None:
        """Return an integer or the default."""
        value = self._values.get(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.wrong(key, "a whole number", value)
        return value

    def number(self, key: str) -> float | None:
        """Return a finite number, or None where there is none."""
        value = self._values.get(key)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
        ):
            raise self.wrong(key, "a finite number", value)
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; what is not there is false."""
        return bool(self._get(key, (bool,), "true or false", default=False))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, empty where there is none."""
        return tuple(self._list(key, str, "a list of text"))

    def integers(self, key: str) -> tuple[int, ...]:
        """Return a list of integers, empty where there is none."""
        return tuple(self._list(key, int, "a list of whole numbers"))

    def table(self, key: str) -> Table:
        """Return a table below this one, empty where there is none."""
        return Table(self._get(key, (dict,), "a table", {}), self.path, self._name(key))

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return an array of tables, empty where there is none."""
        rows = self._list(key, dict, "an array of tables")
        return tuple(Table(row, self.path, f"{self._name(key)}[{i}]") for i, row in enumerate(rows))

    def parameters(self, key: str = "parameters") -> dict[str, ParameterValue]:
        """Return free parameters: dates become text, everything else stays what it is."""
        return {name: _plain(value) for name, value in self.table(key)._values.items()}

    def raw(self, key: str) -> Any:
        """Return whatever is there, or None."""
        return self._values.get(key)

    def wrong(self, key: str, expected: str, value: object) -> InvalidDocumentError:
        """Return the error for a value that is not what it has to be."""
        return InvalidDocumentError(self.path, f"{self._name(key)} is {value!r}; expected is {expected}")

    def parsed(self, key: str, parse: Callable[[str], T], default: str | None = None) -> T:
        """Return a string parsed by a function of the model, its errors turned into one that names the file."""
        text = self.text(key, default)
        try:
            return parse(text)
        except CalibvcsError as error:
            raise InvalidDocumentError(self.path, f"{self._name(key)}: {error.problem}") from None

    def _get(self, key: str, types: tuple[type, ...], expected: str, default: object) -> Any:
        value = self._values.get(key, default)
        if value is None:
            raise InvalidDocumentError(self.path, f"{self._name(key)} is missing; expected is {expected}")
        if not isinstance(value, types):
            raise self.wrong(key, expected, value)
        return value

    def _list(self, key: str, kind: type, expected: str) -> list[Any]:
        values = self._get(key, (list,), expected, [])
        if not all(isinstance(value, kind) and not (kind is int and isinstance(value, bool)) for value in values):
            raise self.wrong(key, expected, values)
        return list(values)

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def read(data: bytes, path: str) -> Table:
    """Read a document.

    Parameters
    ----------
    data : bytes
        Its content.
    path : str
        Its path, for messages.

    Returns
    -------
    Table
        The outermost table.

    Raises
    ------
    InvalidDocumentError
        If it is too large, not UTF-8, or not TOML.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidDocumentError(path, f"it has {len(data)} bytes; at most {SIZE_LIMIT} are read")
    try:
        return Table(tomllib.loads(data.decode()), path)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidDocumentError(path, f"it is no valid TOML: {error}") from None


def write(values: Mapping[str, Any], previous: bytes | None = None) -> bytes:
    """Return a document.

    Parameters
    ----------
    values : mapping
        Its content; None values, empty strings, lists and tables are left out.
    previous : bytes, optional
        The document as it was: what did not change keeps its comments and its order.

    Returns
    -------
    bytes
        UTF-8, the same for the same input.
    """
    import tomlkit  # only writing needs it

    kept = _without_empty(values)
    document = tomlkit.parse(previous) if previous else tomlkit.document()
    for key in [key for key in document if key not in kept]:
        del document[key]
    plain = document.unwrap()
    for key, value in kept.items():
        if key not in plain or plain[key] != value:
            document[key] = value
    return tomlkit.dumps(document).encode()


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing; free parameters are the user's, and stay as they are."""
    cleaned = {
        key: _without_empty(value) if isinstance(value, dict) and key != "parameters" else value
        for key, value in values.items()
    }
    return {key: value for key, value in cleaned.items() if value or (value == 0 and value is not False)}


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def parse_assignments(given: Iterable[str]) -> dict[str, ParameterValue]:
    """Return the parameters that assignments such as ``bias=300``, ``mode="low"`` or ``shape=[2, 3]`` set.

    Parameters
    ----------
    given : iterable of str
        ``KEY=VALUE``; what is no TOML value is taken as text.

    Returns
    -------
    dict
        Values by key.

    Raises
    ------
    InvalidOptionError
        If there is no ``=``, or nothing before it.
    """
    parameters: dict[str, ParameterValue] = {}
    for assignment in given:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise InvalidOptionError("--param", assignment, "KEY=VALUE is needed", "for example --param bias=300")
        try:
            parameters[key.strip()] = _plain(tomllib.loads(f"value = {text}")["value"])
        except tomllib.TOMLDecodeError:
            parameters[key.strip()] = text
    return parameters
