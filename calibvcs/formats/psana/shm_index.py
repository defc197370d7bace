"""The index of the constants in shared memory: one JSON file, beside one ``.npy`` file a payload, named by its blob id.

The index names every payload that belongs to one set. It is the last file to be renamed into place, and payloads of the
set before are removed after that: who reads an index and then finds all its payloads has one whole set.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.formats.psana.psana_documents import Document

    T = TypeVar("T")

FOLDER: Final = "calibvcs"
"""Folder below the output folder that holds index and payloads."""

INDEX_FILE: Final = "index.json"
PAYLOAD_SUFFIX: Final = ".npy"
LARGEST_INDEX: Final = 256 * 1024 * 1024

_SCHEMA: Final = "calibvcs.shm-index/1"
_BLOB: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PLAIN_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,250}")
_ADVICE: Final = "calibvcs export --shm writes it anew"


@dataclass(frozen=True, slots=True)
class SharedConstant:
    """One constant of a set.

    Attributes
    ----------
    ctype : str
        Calibration type.
    constant : str
        Its name in the repository.
    version, commit : str
        Its version, and the commit that added it.
    blob : str
        Id of the data; an array stands in the file of this name.
    size : int
        Size of that file in bytes.
    dtype, unit : str
        Of the array; dtype is ``text`` for a text.
    shape : tuple of int
        Shape of the array; empty for a text.
    begin, end : int or None
        Validity, UNIX seconds, half-open; None is open.
    document : dict
        What psana gets beside the data.
    text : str or None
        The text itself; None for an array.
    """

    ctype: str
    constant: str
    version: str
    commit: str
    blob: str
    size: int
    dtype: str
    shape: tuple[int, ...]
    unit: str
    begin: int
    end: int | None
    document: Document = field(default_factory=dict)
    text: str | None = None

    @property
    def file(self) -> str:
        """Name of the file of an array."""
        return f"{self.blob}{PAYLOAD_SUFFIX}"

    @property
    def validity(self) -> str:
        """Its range, as the repository writes it."""
        return f"{self.begin}-{'end' if self.end is None else self.end}"


@dataclass(frozen=True, slots=True)
class SharedDetector:
    """A detector of the set: its name in the experiment and in the repository ("" if none), its unique id."""

    name: str
    detector: str
    longname: str
    constants: tuple[SharedConstant, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file beside the set.

    Attributes
    ----------
    name : str
        Its name.
    size : int
        Its size in bytes.
    modified : int
        When it was written, nanoseconds of UNIX time.
    made_of : str
        What it follows from; empty where it is written with every set.
    """

    name: str
    size: int
    modified: int
    made_of: str = ""


@dataclass(frozen=True, slots=True)
class ShmIndex:
    """A set of constants in shared memory.

    Attributes
    ----------
    commit, repository : str
        The state that was read, and where.
    experiment : str
        Experiment, if any.
    run : int or None
        Run, if any.
    time : float
        What the constants are in force at, UNIX seconds.
    written : float
        When the set was written, UNIX seconds.
    request : mapping
        What was asked for, so that it can be asked again.
    detectors : tuple of SharedDetector
        The set.
    files : tuple of SharedFile
        The pickles that were written with it.
    """

    schema: ClassVar[str] = _SCHEMA

    commit: str
    repository: str
    experiment: str
    run: int | None
    time: float
    written: float
    request: Mapping[str, Any]
    detectors: tuple[SharedDetector, ...]
    files: tuple[SharedFile, ...] = ()

    @property
    def payloads(self) -> frozenset[str]:
        """Names of the files of all arrays."""
        return frozenset(one.file for detector in self.detectors for one in detector.constants if one.text is None)


def encode(index: ShmIndex) -> bytes:
    """Return the bytes of an index."""
    return json.dumps({"schema": _SCHEMA, **asdict(index)}, allow_nan=False).encode() + b"\n"


def decode(data: bytes, source: str) -> ShmIndex:
    """Read an index; names of files in it are checked, so that no file elsewhere can be named.

    Raises
    ------
    InvalidDataError
        If it is no index, or written in a newer format.
    """
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidDataError(source, "it is no JSON", _ADVICE) from None
    given = _Fields(table, source)
    if given.of("schema", str) != _SCHEMA:
        raise InvalidDataError(source, f"schema {table['schema']!r}; this program reads {_SCHEMA}", "upgrade calibvcs")
    return ShmIndex(
        commit=given.of("commit", str),
        repository=given.of("repository", str),
        experiment=given.of("experiment", str),
        run=given.optional("run", int),
        time=given.number("time"),
        written=given.number("written"),
        request=given.of("request", dict),
        detectors=tuple(_detector(one) for one in given.each("detectors")),
        files=tuple(_file(one) for one in given.each("files")),
    )


class _Fields:
    """A JSON object whose fields are asked for by type."""

    def __init__(self, table: object, source: str) -> None:
        if not isinstance(table, dict):
            raise InvalidDataError(source, "no object where one is expected", _ADVICE)
        self._table: dict[str, Any] = table
        self._source = source

    def of(self, key: str, kind: type[T]) -> T:
        value = self._table.get(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, value)
        return value

    def optional(self, key: str, kind: type[T]) -> T | None:
        return None if self._table.get(key) is None else self.of(key, kind)

    def number(self, key: str) -> float:
        return self.of(key, int) if isinstance(self._table.get(key), int) else self.of(key, float)

    def count(self, key: str) -> int:
        value = self.of(key, int)
        if not 0 <= value < 2**63:
            raise self.wrong(key, value)
        return value

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.of(key, str)
        if not pattern.fullmatch(value):
            raise self.wrong(key, value)
        return value

    def each(self, key: str) -> list[_Fields]:
        return [_Fields(one, self._source) for one in self.of(key, list)]

    def wrong(self, key: str, value: object) -> InvalidDataError:
        return InvalidDataError(self._source, f"{key} is {str(value)[:60]!r}", _ADVICE)


def _file(given: _Fields) -> SharedFile:
    made_of = given.optional("made_of", str) or ""
    return SharedFile(given.matching("name", _PLAIN_FILE), given.count("size"), given.count("modified"), made_of)


def _detector(given: _Fields) -> SharedDetector:
    constants = tuple(_constant(one) for one in given.each("constants"))
    return SharedDetector(given.of("name", str), given.of("detector", str), given.of("longname", str), constants)


def _constant(given: _Fields) -> SharedConstant:
    shape = given.of("shape", list)
    if len(shape) > 32 or not all(type(length) is int and 0 < length < 2**48 for length in shape):
        raise given.wrong("shape", shape)
    return SharedConstant(
        ctype=given.of("ctype", str),
        constant=given.of("constant", str),
        version=given.of("version", str),
        commit=given.of("commit", str),
        blob=given.matching("blob", _BLOB),
        size=given.count("size"),
        dtype=given.of("dtype", str),
        shape=tuple(shape),
        unit=given.of("unit", str),
        begin=given.count("begin"),
        end=given.optional("end", int),
        document=given.of("document", dict),
        text=given.optional("text", str),
    )
