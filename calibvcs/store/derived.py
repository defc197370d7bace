"""What was derived from the objects of a repository and is costly to derive again: a cache beside it, never the truth.

It is one SQLite file in the Git folder, and may be removed at any time. Where it cannot be read, written or trusted,
everything works without it, only slower.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FORMAT = 1
"""Another format is another file: two versions of the program may share a repository."""

_WAIT = 0.5
_AT_ONCE = 500
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (generation INTEGER NOT NULL);
INSERT INTO state SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM state);
CREATE TABLE IF NOT EXISTS commits (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, closed INTEGER NOT NULL, action TEXT, versions TEXT NOT NULL,
    tree TEXT NOT NULL, parents TEXT NOT NULL, text TEXT NOT NULL,
    author TEXT NOT NULL, author_email TEXT NOT NULL, author_time INTEGER NOT NULL, author_offset INTEGER NOT NULL,
    committer TEXT NOT NULL, committer_email TEXT NOT NULL, committer_time INTEGER NOT NULL,
    committer_offset INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS touches (
    constant TEXT NOT NULL, n INTEGER NOT NULL, number INTEGER NOT NULL, origin INTEGER NOT NULL,
    added INTEGER NOT NULL, listed INTEGER NOT NULL, PRIMARY KEY (constant, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (path TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (path, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (id TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""


class DerivedData:
    """The cache of one repository; each failure of it looks as if nothing were there.

    Parameters
    ----------
    path : Path or None
        The file; None where nothing is kept.
    writable : bool, optional
        Whether more may be kept.
    """

    def __init__(self, path: Path | None, *, writable: bool = True) -> None:
        self._path = path
        self._writable = writable
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None
        self._refused = path is None

    def unchanging(self) -> DerivedData:
        """Return the same cache for whoever must leave nothing in it."""
        return DerivedData(self._path, writable=False)

    def query(self, sql: str, arguments: Sequence[object] = (), generation: int | None = None) -> list[Any] | None:
        """Return rows; None where there is no cache, or its history is not the one of a generation any more."""
        with self._lock:
            connection = self._reader()
            if connection is None:
                return None
            try:
                if generation is None:
                    return connection.execute(sql, arguments).fetchall()
                connection.execute("BEGIN")
                try:
                    if connection.execute("SELECT generation FROM state").fetchone() != (generation,):
                        return None
                    return connection.execute(sql, arguments).fetchall()
                finally:
                    connection.execute("ROLLBACK")
            except self._failure() as error:
                self._give_up(error)
                return None

    def recall(self, ids: Sequence[str]) -> dict[str, str]:
        """Return what was remembered of objects, by their ids."""
        found: dict[str, str] = {}
        for begin in range(0, len(ids), _AT_ONCE):
            some = ids[begin : begin + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found.update(self.query(f"SELECT id, text FROM facts WHERE id IN ({marks})", some) or ())  # noqa: S608
        return found

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep what was derived from objects, by their ids."""
        with self.writing() as connection:
            if connection is not None:
                connection.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?)", facts.items())

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection | None]:
        """Yield a connection in a transaction, or None where there is none to be had; its failures are no errors."""
        connection = self._writer()
        if connection is None:
            yield None
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except self._failure() as error:  # a full or locked disk
            self._give_up(error)
        finally:
            with suppress(self._failure()):
                connection.close()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            if self._connection is not None and self._opened and self._opened[0] == os.getpid():
                with suppress(self._failure()):
                    self._connection.close()
            self._connection, self._opened = None, None

    def _reader(self) -> sqlite3.Connection | None:
        if self._path is None or self._refused:
            return None
        try:
            stat = self._path.stat()
        except OSError:
            return None
        identity = os.getpid(), stat.st_dev, stat.st_ino
        if self._connection is None or self._opened != identity:  # after a fork, locks would be shared
            self.close()
            try:
                with ExitStack() as stack:
                    connection = self._connect(f"{self._path.absolute().as_uri()}?mode=ro", stack)
                    if connection.execute("PRAGMA user_version").fetchone() == (FORMAT,):
                        self._connection, self._opened = connection, identity
                        stack.pop_all()
            except self._failure() as error:
                self._give_up(error)
        return self._connection

    def _writer(self) -> sqlite3.Connection | None:
        if self._path is None or self._refused or not self._writable:
            return None
        try:
            self._path.parent.mkdir(exist_ok=True)
            with ExitStack() as stack:
                connection = self._connect(self._path.absolute().as_uri(), stack)
                if connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
                    connection.executescript(f"BEGIN EXCLUSIVE; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
                stack.pop_all()
        except (OSError, self._failure()) as error:
            self._give_up(error)
            return None
        return connection

    def _give_up(self, error: Exception) -> None:
        """Do without from now on; a file that is damaged is taken away, for the next process to make it anew."""
        self.close()
        self._refused = True
        if self._path and getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
            for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
                with suppress(OSError):
                    path.unlink()

    @staticmethod
    def _connect(uri: str, stack: ExitStack) -> sqlite3.Connection:
        """Return a connection that is closed with the stack, unless it is taken out of it."""
        import sqlite3  # most verbs end before they need it

        connection = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        stack.callback(connection.close)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @staticmethod
    def _failure() -> type[Exception]:
        import sqlite3

        return sqlite3.Error
