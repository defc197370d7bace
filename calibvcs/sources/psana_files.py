"""Documents and data that ``cdb get`` wrote: ``NAME.meta``, a line a field; ``NAME.npy`` or ``NAME.data`` beside it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources.psana_store import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from calibvcs.sources.psana_store import Fields

_LARGEST_META: Final = 1 << 20
_MOST_FILES: Final = 1_000_000
_FIELD: Final = re.compile(r" {0,11}([a-z_]{3,20}): (.*)")
_COPIED: Final = ("id_data_exp", "id_doc_exp", "id_exp")
_NUMBERS: Final = frozenset({"run", "run_orig", "time_sec", *_COPIED})
# The text has no other sign of where a field begins: a line of a comment may look like one.
_KNOWN: Final = frozenset({
    "_id", "comment", "ctype", "cwd", "data_dtype", "data_ndim", "data_shape", "data_size", "data_type", "detector",
    "detname", "dettype", "dtype", "experiment", "extpars", "host", "id_data", "id_data_exp", "id_doc_exp", "id_exp",
    "iofname", "longname", "run", "run_end", "run_orig", "shortname", "time_sec", "time_stamp", "tsec_id", "tstamp_id",
    "tstamp_orig", "uid", "version",
})  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_ID: Final = re.compile(r"[0-9a-f]{24}")


class PsanaFiles:
    """The files in a folder, and in the folders in it.

    Parameters
    ----------
    folder : str
        The folder.

    Attributes
    ----------
    name : str
        The same.
    is_remote : bool
        False.

    Raises
    ------
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If there is no ``.meta`` file, or one is no text.
    """

    is_remote = False

    def __init__(self, folder: str) -> None:
        self.name = folder
        self._documents: dict[tuple[str, str], list[Fields]] = {}
        self._data: dict[str, Path] = {}
        paths = sorted(Path(folder).glob("**/*.meta"))
        if not paths or len(paths) > _MOST_FILES:
            advice = "give the file that cdb export wrote, a folder of mongodump, or a folder of files of cdb get"
            raise InvalidDataError(folder, f"{len(paths)} files .bson or .meta in it", advice)
        for path in paths:
            fields = _read_meta(path)
            detector, experiment = str(fields.get("detector", "")), str(fields.get("experiment", ""))
            copied = any(key in fields for key in _COPIED)
            database = PREFIX + (detector if copied else experiment)
            self._documents.setdefault((database, detector), []).append(fields)
            self._data[str(fields.get("id_data"))] = path

    def databases(self) -> tuple[str, ...]:
        """Return the databases that the documents come from, as far as they tell."""
        return tuple(sorted({database for database, _ in self._documents}))

    def collections(self, database: str) -> tuple[str, ...]:
        """Return the detectors of a database."""
        return tuple(sorted(name for other, name in self._documents if other == database))

    def documents(self, database: str, collection: str) -> Iterator[Fields]:
        """Return the documents of a detector."""
        return iter(self._documents.get((database, collection), ()))

    def payload(self, database: str, identity: str, largest: int) -> bytes | memoryview:
        """Return the values of the array beside a document, or its text. Raises InvalidDataError, MissingFileError."""
        meta = self._data.get(identity)
        if meta is None:
            raise InvalidDataError(f"{self.name}: {database}/{identity}", "its data are not in the folder")
        array = meta.with_suffix(".npy")
        if array.is_file():
            return _values(array, largest)
        text = meta.with_suffix(".data")
        data = _read(text, largest)
        if len(data) > largest:
            raise InvalidDataError(str(text), f"more than {largest} bytes")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _read(path: Path, largest: int) -> bytes:
    try:
        if not path.is_file():
            raise MissingFileError(str(path))
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None


def _read_meta(path: Path) -> Fields:
    data = _read(path, _LARGEST_META)
    if len(data) > _LARGEST_META:
        raise InvalidDataError(str(path), f"more than {_LARGEST_META} bytes")
    fields: dict[str, object] = {}
    last = ""
    for line in data.decode(errors="replace").split("\n"):
        match = _FIELD.fullmatch(line)
        if match and match[1] in _KNOWN and match[1] not in fields:
            last, value = match[1], match[2]
            fields[last] = int(value) if last in _NUMBERS and _NUMBER.fullmatch(value) else value
        elif last and isinstance(fields[last], str):
            fields[last] = f"{fields[last]}\n{line}".rstrip("\n")
    for key in _COPIED:
        if not _ID.fullmatch(str(fields.get(key))):
            fields.pop(key, None)
    return fields


def _values(path: Path, largest: int) -> bytes:
    """Return the values in a ``.npy`` file, C order; its header is read as a literal and holds no objects."""
    import numpy as np
    from numpy.lib import format as npy_format

    try:
        with path.open("rb") as file:
            version = npy_format.read_magic(file)
            read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, _, dtype = read_header(file)
            left = file.seek(0, io.SEEK_END)
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize
            if dtype.hasobject or size > largest or size > left:
                raise InvalidDataError(str(path), f"{dtype} {shape}; expected are at most {largest} bytes of numbers")
        return bytes(np.load(path, mmap_mode="r", allow_pickle=False).tobytes())
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None
    except (ValueError, SyntaxError, TypeError, EOFError, RecursionError, MemoryError) as error:
        raise InvalidDataError(str(path), f"no .npy file of numbers: {str(error)[:100]}") from None
