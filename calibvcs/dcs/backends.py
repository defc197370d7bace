"""Where the interface keeps its things: in a repository, or in one file of the original schema."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from calibvcs.dcs.times import time_like
from calibvcs.errors import AlreadyExistsError, InvalidTimeError, MissingFileError
from calibvcs.formats.dcs.dcs_hdf5 import DcsFile, DcsRange
from calibvcs.model.names import DetectorName
from calibvcs.model.times import RunName, parse_time
from calibvcs.ops.dcs.ranges import validity_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibvcs.api import Repository
    from calibvcs.dcs.times import TimeStamp
    from calibvcs.formats.dcs.dcs_reading import DcsReader
    from calibvcs.ops.dcs.content import Stored

Key: TypeAlias = tuple[str, str, int]
"""Ctype, range and number of a version."""

_NO_RUNS = "a file has no table of runs; give seconds or a stamp"


class Backend(Protocol):
    """What the interface asks of the place where its things are."""

    replaces: bool
    """Whether data and notes of a version may change."""

    def load(self) -> DcsFile:
        """Read everything but data."""
        ...

    def data(self, key: Key) -> NDArray[Any] | bytes:
        """Read the data of a version."""
        ...

    def save(self, after: DcsFile, data: Mapping[Key, NDArray[Any] | str], message: str, force_reason: str) -> str:
        """Store what was changed since `load`."""
        ...

    def holds(self, one: DcsRange, when: float) -> bool:
        """Tell whether a time lies in a range."""
        ...

    def gone(self, ctype: str, key: str) -> set[int]:
        """Return numbers of versions that were there once."""
        ...

    def seconds(self, tsp: TimeStamp) -> float:
        """Return a time as UNIX seconds."""
        ...

    def now(self) -> float:
        """Return the time of this moment."""
        ...

    def close(self) -> None:
        """Give files back."""
        ...


class RepositoryBackend:
    """A detector in a repository.

    Parameters
    ----------
    repository : Repository
        Where it is.
    detector : str
        Its name, or an alias.
    own : bool
        Whether to close the repository at the end.
    """

    replaces = False

    def __init__(self, repository: Repository, detector: str, *, own: bool) -> None:
        self._repository, self._own = repository, own
        self._detector = detector
        self._stored: Stored

    def load(self) -> DcsFile:
        """Read everything but data, from the newest commit."""
        self._stored = self._repository.dcs.read(self._detector)
        self._detector = self._stored.detector
        return self._stored.file

    def data(self, key: Key) -> NDArray[Any] | bytes:
        """Read the data of a version. Raises DamagedObjectError where they are missing or damaged."""
        return self._stored.data(*key)

    def save(self, after: DcsFile, data: Mapping[Key, NDArray[Any] | str], message: str, force_reason: str) -> str:
        """Commit what was changed since `load`; return the id of the last commit."""
        dcs = self._repository.dcs
        return dcs.save(self._stored, after, data, message=message, command=sys.argv, force_reason=force_reason)

    def holds(self, one: DcsRange, when: float) -> bool:
        """Tell whether a time lies in a range: whole seconds, the end not included, as every reader has it."""
        return when in validity_of(one)

    def gone(self, ctype: str, key: str) -> set[int]:
        """Return the numbers of all versions there ever were."""
        return {number for name, of_range, number in self._stored.places if (name, of_range) == (ctype, key)}

    def seconds(self, tsp: TimeStamp) -> float:
        """Return a time as UNIX seconds; a run is looked up in the run table."""
        return self._repository.dcs.seconds(time_like(tsp))

    def now(self) -> float:
        """Return the time of this moment."""
        return time.time()

    def close(self) -> None:
        """Close the repository, if it was opened for this."""
        if self._own:
            self._repository.close()


class FileBackend:
    """A file in HDF5, of the schema of the original; one that is not there is made by the first save.

    Parameters
    ----------
    path : str or path
        The file.
    detector : str
        Name of the detector of a new file; empty takes the name of the file.
    """

    replaces = True

    def __init__(self, path: str | os.PathLike[str], detector: str = "") -> None:
        self._path = Path(path)
        self._detector = detector
        self._reader: DcsReader | None = None
        self._state: tuple[int, int, int] | None = None

    def load(self) -> DcsFile:
        """Read everything but data."""
        self.close()
        self._state = self._look()
        if self._state is None:
            written = self._detector or self._path.stem
            name = DetectorName.parse(written.lower())
            return DcsFile(name.dettype, name.detid, written, time.time())
        from calibvcs.formats.dcs.dcs_reading import DcsReader

        self._reader = DcsReader(str(self._path))
        return self._reader.file

    def data(self, key: Key) -> NDArray[Any] | bytes:
        """Read the data of a version. Raises InvalidDataError where that cannot be done."""
        if self._reader is None:
            self.load()
        if self._reader is None:
            raise MissingFileError(str(self._path), "it is not there any more")
        return self._reader.data(*key)

    def save(self, after: DcsFile, data: Mapping[Key, NDArray[Any] | str], message: str, force_reason: str) -> str:  # noqa: ARG002
        """Write the whole file anew, and put it in place of the old one; return its path."""
        from calibvcs.ops.dcs.files import replace_file

        if self._look() != self._state:
            advice = "load() reads it, and forgets what was not saved; then make the change again"
            raise AlreadyExistsError("a newer state of the file", str(self._path), advice)

        def load(ctype: str, key: str, number: int) -> NDArray[Any] | bytes:
            new = data.get((ctype, key, number))
            if new is None:
                return self.data((ctype, key, number))
            return new.encode() if isinstance(new, str) else new

        replace_file(self._path, after, load, message, self.now())
        return str(self._path)

    def holds(self, one: DcsRange, when: float) -> bool:
        """Tell whether a time lies in a range, its end included, as the original has it."""
        return one.holds(when)

    def gone(self, ctype: str, key: str) -> set[int]:  # noqa: ARG002
        """Return no numbers: those of versions that were taken away are free again."""
        return set()

    def seconds(self, tsp: TimeStamp) -> float:
        """Return a time as UNIX seconds; a file knows no runs."""
        found = parse_time(time_like(tsp))
        if isinstance(found, RunName):
            raise InvalidTimeError(str(found), _NO_RUNS)
        return found

    def now(self) -> float:
        """Return the time of this moment."""
        return time.time()

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
