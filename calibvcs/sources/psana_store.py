"""What a psana calibration database gives, whether a server or a file holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

PREFIX = "cdb_"
NAMES = "cdb_detnames"
"""The database that tells the long name of each detector."""

Fields = dict[str, object]


class PsanaStore(Protocol):
    """A psana calibration database.

    Attributes
    ----------
    name : str
        What it is called in messages.
    is_remote : bool
        Whether data are better fetched only once.
    """

    name: str
    is_remote: bool

    def databases(self) -> tuple[str, ...]:
        """Return the names of the databases."""
        ...

    def collections(self, database: str) -> tuple[str, ...]:
        """Return the names of the collections of a database, but for those that hold data."""
        ...

    def documents(self, database: str, collection: str) -> Iterator[Fields]:
        """Return the documents of a collection, none where there is no such collection.

        Raises
        ------
        InvalidDataError
            If what comes are no documents.
        """
        ...

    def payload(self, database: str, identity: str, largest: int) -> bytes | memoryview:
        """Return the data with an id.

        Raises
        ------
        InvalidDataError
            If they are not there, damaged, or have more bytes than `largest`.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_store(where: str) -> PsanaStore:
    """Open a psana calibration database.

    Parameters
    ----------
    where : str
        Address of the web service (``http://`` or ``https://``), or path of a dump: the archive that ``cdb export``
        writes, a folder of ``mongodump``, or a folder of files that ``cdb get`` wrote.

    Returns
    -------
    PsanaStore
        The database; it is a context manager.

    Raises
    ------
    InvalidOptionError
        If the address cannot be used.
    MissingFileError, InvalidDataError
        If there is no dump, or nothing that is one.
    """
    if "://" in where:
        from calibvcs.sources.psana_service import PsanaService

        return PsanaService(where)
    from calibvcs.sources.psana_dump import open_dump

    return open_dump(where)
