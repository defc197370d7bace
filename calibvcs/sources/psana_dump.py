"""A psana calibration database that was written into files.

``cdb export`` calls ``mongodump`` for an archive: a magic number, documents that say what is in it, then segments of
the collections, mixed. ``mongodump -o`` writes a folder a database and a file a collection. ``cdb get`` writes the
fields of a document as text (``.meta``) and its data beside it. All three are told apart by what they hold.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources import bson
from calibvcs.sources.psana_store import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from calibvcs.sources.psana_store import Fields, PsanaStore

_MAGIC: Final = b"\x6d\xe2\x99\x81"
_GZIP: Final = b"\x1f\x8b"
_FILES, _CHUNKS = "fs.files", "fs.chunks"
_SEPARATOR: Final = 4
_MOST_COLLECTIONS: Final = 1_000_000
_ADVICE: Final = "give the file that cdb export wrote, a folder of mongodump, or a folder of files of cdb get"


def open_dump(where: str) -> PsanaStore:
    """Open a dump.

    Parameters
    ----------
    where : str
        Path of a file or a folder.

    Returns
    -------
    PsanaStore
        What is in it.

    Raises
    ------
    MissingFileError
        If it is not there.
    InvalidDataError
        If it is no dump, cut off or damaged.
    """
    path = Path(where)
    dump = MongoDump(where)
    try:
        if path.is_dir():
            files = sorted(path.glob("**/*.bson"))
            if not files:
                from calibvcs.sources.psana_files import PsanaFiles

                return PsanaFiles(where)
            for file in files:
                dump.add_file(file)
        else:
            dump.add_archive(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise MissingFileError(where, getattr(error, "strerror", None) or str(error)) from None
    return dump


class MongoDump:
    """Collections of MongoDB in mapped files: documents are decoded when they are asked for, data are views.

    Parameters
    ----------
    name : str
        What it is called in messages.

    Attributes
    ----------
    name : str
        The same.
    is_remote : bool
        False.
    """

    is_remote = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._documents: dict[tuple[str, str], list[memoryview]] = {}
        self._chunks: dict[tuple[str, str], dict[int, memoryview]] = {}
        self._lengths: dict[tuple[str, str], int] = {}

    def add_archive(self, path: Path) -> None:
        """Take in an archive. Raises as `open_dump`."""
        data, source = _mapped(path), str(path)
        if bytes(data[:2]) == _GZIP:
            raise InvalidDataError(source, "it is compressed", f"gunzip it first: gunzip < {source} > dump.arc")
        if bytes(data[: len(_MAGIC)]) != _MAGIC:
            raise InvalidDataError(source, "it does not begin as an archive of mongodump", _ADVICE)
        place = self._behind(data, source, len(_MAGIC))  # what it says of itself, and of each collection
        ended: set[tuple[str, str]] = set()
        while place < len(data):
            segment = bson.documents(data, source, place)
            found = next(segment, None)
            if found is None:
                raise InvalidDataError(source, f"a segment without a name at byte {place}", "copy the file again")
            head = bson.decode(found[1], source)
            database, collection = head.get("db"), head.get("collection")
            if not isinstance(database, str) or not isinstance(collection, str):
                raise InvalidDataError(source, f"a segment without a name at byte {place}", "copy the file again")
            if head.get("EOF"):
                ended.add((database, collection))
            place = found[0] + len(found[1])
            for offset, document in segment:
                self._add(database, collection, document, source)
                place = offset + len(document)
            place = _separated(data, place, source)
        if open_ones := sorted(".".join(key) for key in self._collections() - ended):
            raise InvalidDataError(source, f"cut off: {open_ones[0]} has no end", "copy the file again")

    def add_file(self, path: Path) -> None:
        """Take in a file of one collection. Raises as `open_dump`."""
        database, collection = unquote(path.parent.resolve().name), unquote(path.name.removesuffix(".bson"))
        data, source = _mapped(path), str(path)
        place = 0
        for offset, document in bson.documents(data, source):
            self._add(database, collection, document, source)
            place = offset + len(document)
        if place != len(data):
            raise InvalidDataError(source, f"no document at byte {place}", "copy the file again")

    def databases(self) -> tuple[str, ...]:
        """Return the names of the databases."""
        return tuple(sorted({database for database, _ in self._collections() if database.startswith(PREFIX)}))

    def collections(self, database: str) -> tuple[str, ...]:
        """Return the names of the collections of a database, but for those that hold data."""
        return tuple(sorted(name for other, name in self._documents if other == database))

    def documents(self, database: str, collection: str) -> Iterator[Fields]:
        """Return the documents of a collection. Raises InvalidDataError where one is damaged."""
        for document in self._documents.get((database, collection), ()):
            yield bson.decode(document, f"{self.name}: {database}.{collection}")

    def payload(self, database: str, identity: str, largest: int) -> bytes | memoryview:
        """Return data, put together of their pieces. Raises InvalidDataError where pieces are missing or too many."""
        pieces, source = self._chunks.get((database, identity), {}), f"{self.name}: {database}/{identity}"
        length = self._lengths.get((database, identity))
        if length is None or not pieces:
            raise InvalidDataError(source, "its data are not in the dump")
        if length > largest:
            raise InvalidDataError(source, f"the data have {length} bytes; expected are at most {largest}")
        parts = [pieces.get(number, memoryview(b"")) for number in range(len(pieces))]
        if sum(map(len, parts)) != length:
            reason = f"its pieces have {sum(map(len, parts))} bytes of {length}"
            raise InvalidDataError(source, reason, "make the dump again")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass  # the maps go when nobody looks at them any more

    def _collections(self) -> set[tuple[str, str]]:
        held = {(database, _CHUNKS) for database, _ in self._chunks} | {(name, _FILES) for name, _ in self._lengths}
        return {*self._documents, *held}

    def _add(self, database: str, collection: str, document: memoryview, source: str) -> None:
        if collection == _CHUNKS:
            piece = bson.decode(document, source)
            file, number, data = piece.get("files_id"), piece.get("n"), piece.get("data")
            if isinstance(file, str) and isinstance(number, int) and isinstance(data, memoryview):
                self._chunks.setdefault((database, file), {})[number] = data
        elif collection == _FILES:
            fields = bson.decode(document, source)
            file, length = fields.get("_id"), fields.get("length")
            if isinstance(file, str) and isinstance(length, int):
                self._lengths[database, file] = length
        elif "." not in collection:
            key = database, collection
            if key not in self._documents and len(self._documents) >= _MOST_COLLECTIONS:
                raise InvalidDataError(source, f"more than {_MOST_COLLECTIONS} collections", _ADVICE)
            self._documents.setdefault(key, []).append(document)

    @staticmethod
    def _behind(data: memoryview, source: str, place: int) -> int:
        """Return the place behind the documents that begin at a place, and the separator after them."""
        for offset, document in bson.documents(data, source, place):
            place = offset + len(document)
        return _separated(data, place, source)


def _separated(data: memoryview, place: int, source: str) -> int:
    if bytes(data[place : place + _SEPARATOR]) != b"\xff" * _SEPARATOR:
        raise InvalidDataError(source, f"cut off at byte {place}", "copy the file again")
    return place + _SEPARATOR


def _mapped(path: Path) -> memoryview:
    if path.exists() and not path.is_file():
        raise MissingFileError(str(path), "not a regular file")
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
