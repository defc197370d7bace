"""TOML as the repository's metadata use it: read with every type checked, written so that comments survive."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from calibvcs.errors import CalibvcsError, InvalidDocumentError, InvalidOptionError
from calibvcs.formats.toml.toml_rewriting import is_rows, plain, rewrite, same, without_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from calibvcs.model.detector import ParameterValue

SIZE_LIMIT = 4 << 20
DEPTH_LIMIT = 32
INTEGER_BITS = 64
_KEY_PARTS = 8
_SHOWN = 200
_SURELY_READ = SIZE_LIMIT // 4
T = TypeVar("T")

# Time and memory of tomllib grow with the square of the dots in a key, so that a small file could use up a machine.
_KEY = rb"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rb"(?<![\w\\-])(?:%s[ \t]*+\.[ \t]*+){%d}" % (_KEY, _KEY_PARTS))
_STRING_OR_COMMENT = re.compile(
    rb'''"""(?:[^\\]|\\.)*?"""|\'{3}.*?\'{3}|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+''', re.DOTALL
)


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
        return {name: plain(value) for name, value in self.table(key)._values.items()}

    @property
    def values(self) -> Mapping[str, Any]:
        """The table as parsed."""
        return self._values

    def raw(self, key: str) -> Any:
        """Return whatever is there, or None."""
        return self._values.get(key)

    def wrong(self, key: str, expected: str, value: object) -> InvalidDocumentError:
        """Return the error for a value that is not what it has to be."""
        return InvalidDocumentError(self.path, f"{self._name(key)} is {_shown(value)}; expected is {expected}")

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
        If it is too large, not UTF-8, not TOML, nested too deeply, or has numbers that are too large.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidDocumentError(path, f"it has {len(data)} bytes; at most {SIZE_LIMIT} are read")
    if _LONG_KEY.search(data) and _LONG_KEY.search(_STRING_OR_COMMENT.sub(b'""', data)):
        raise InvalidDocumentError(path, f"a key has more than {_KEY_PARTS} parts with dots between them")
    try:
        values = tomllib.loads(data.decode())
    except RecursionError:
        raise InvalidDocumentError(path, f"it is nested more than {DEPTH_LIMIT} deep") from None
    except ValueError as error:
        raise InvalidDocumentError(path, f"it is no valid TOML: {error}") from None
    if excess := _excess(values):
        raise InvalidDocumentError(path, excess)
    return Table(values, path)


def _excess(values: Mapping[str, Any]) -> str:
    """Tell what is too deep or too large in a document; without recursion, since keys with dots nest without it."""
    waiting: list[tuple[Any, str, int]] = [(values, "", 0)]
    while waiting:
        value, name, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            return f"it is nested more than {DEPTH_LIMIT} deep"
        if isinstance(value, dict):
            waiting += [(inner, f"{name}.{key}" if name else key, depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, f"{name}[{i}]", depth + 1) for i, inner in enumerate(value)]
        elif isinstance(value, int) and value.bit_length() > INTEGER_BITS:
            return f"{name} is a whole number of {value.bit_length()} bits; at most {INTEGER_BITS} are read"
    return ""


def write(values: Mapping[str, Any], previous: bytes | None = None) -> bytes:
    """Return a document.

    Parameters
    ----------
    values : mapping
        Its content; None values, empty strings, lists and tables are left out, but for those of free parameters.
    previous : bytes, optional
        The document as it was: what did not change keeps its comments and its order, and keys that `values` does not
        name stay.

    Returns
    -------
    bytes
        UTF-8, the same for the same input.

    Raises
    ------
    InvalidOptionError
        If a value cannot be stored so that it is read again.
    """
    given = _storable(dict(values), "", 0)
    wanted = _without_empty(given)
    if previous:
        text, wanted = rewrite(previous.decode(), given, wanted)
        if text and not _trouble(text, wanted):
            return text.encode()
    from calibvcs.formats.toml import toml_plain  # readers need neither

    plain_text = toml_plain.dumps(wanted)
    if plain_text is not None and len(plain_text) < _SURELY_READ:
        return plain_text.encode()
    import tomlkit  # ... and few documents need this one

    text = tomlkit.dumps(wanted)
    if trouble := _trouble(text, wanted):
        raise InvalidOptionError("metadata", "", f"they cannot be stored: {trouble}")
    return text.encode()


def _trouble(text: str, wanted: Mapping[str, Any]) -> str:
    """Tell why a document would not be read again, or not as what it is meant to say."""
    try:
        found = plain(read(text.encode(), "").values)
    except InvalidDocumentError as error:
        return error.reason
    return "" if same(found, wanted) else "they would be read as something else"


def _without_empty(values: Mapping[str, Any], *, inner: bool = False) -> dict[str, Any]:
    """Leave out what says nothing; free parameters are the user's, and stay as they are."""
    cleaned = {
        key: value
        if key == "parameters" and not inner
        else _without_empty(value, inner=True)
        if isinstance(value, dict)
        else [without_none(row) for row in value]
        if is_rows(value)
        else value
        for key, value in values.items()
    }
    return {key: value for key, value in cleaned.items() if value or (value == 0 and value is not False)}


def _storable(value: object, name: str, depth: int) -> Any:
    """Return a value as TOML knows it; what UTF-8 cannot hold (bytes of a file name) becomes a question mark."""
    if isinstance(value, bool) or (value is None and not name.startswith("parameters")):
        return value
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and value.bit_length() <= INTEGER_BITS:
        return int(value)
    if isinstance(value, list | tuple) and depth < DEPTH_LIMIT:
        return [_storable(inner, f"{name}[{i}]", depth + 1) for i, inner in enumerate(value)]
    if isinstance(value, dict) and depth < DEPTH_LIMIT and all(isinstance(key, str) for key in value):
        prefix = f"{name}." if name else ""
        return {
            _storable(key, "", depth): _storable(inner, f"{prefix}{key}", depth + 1) for key, inner in value.items()
        }
    allowed = (
        f"{type(value).__name__} cannot be stored; allowed are text, true and false, numbers (of at most "
        f"{INTEGER_BITS} bits), and lists and tables of them, at most {DEPTH_LIMIT} deep"
    )
    raise InvalidOptionError(name, "", allowed)


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
        parameters[key.strip()] = _value(text)
    return parameters


def _value(text: str) -> Any:
    """Return the one TOML value that a text is, else the text."""
    try:
        values = read(f"value = {text}".encode(errors="replace"), "").values
    except InvalidDocumentError:
        return text
    return plain(values["value"]) if len(values) == 1 else text


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
