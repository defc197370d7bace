"""Reading files of the Detector Calibration Store: tolerant in what the original writes, strict in what is safe.

Nothing outside the file is followed (links to other files, external storage, virtual datasets), only filters that come
with HDF5 and h5py are allowed, and what a dataset declares is held against what the file stores before it is read.
What cannot be read is told and passed over; only a file that is none of HDF5 is refused as a whole.
"""

from __future__ import annotations

import math
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import h5py  # type: ignore[import-untyped]
import numpy as np

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats.dcs.dcs_datasets import is_text, text_bytes, unreadable
from calibvcs.formats.dcs.dcs_hdf5 import (
    HISTORY,
    OPEN_END,
    PARAMETERS,
    DcsCtype,
    DcsFile,
    DcsRange,
    DcsVersion,
    Notes,
    Scalar,
    range_of,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MOST_NODES = 2_000_000
_MOST_PROBLEMS = 1000
_LONGEST_NOTE = 1 << 20
_MOST_NOTES = 64 << 20
_TROUBLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError, AttributeError)


class DcsReader:
    """An open file.

    Parameters
    ----------
    path : str
        The file.

    Attributes
    ----------
    file : DcsFile
        What it says, without its data.
    problems : tuple of str
        What could not be read, each with the reason.

    Raises
    ------
    MissingFileError
        If it is not there, or cannot be read.
    InvalidDataError
        If it is no HDF5 file, is damaged, or holds more than is ever read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: list[str] = []
        self._nodes, self._notes = _MOST_NODES, _MOST_NOTES
        self._root = _open(path)
        try:
            with self._trouble("it is damaged"):
                self.file = self._file(self._root)
        except BaseException:
            self.close()
            raise
        self.problems = tuple(self._problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with suppress(*_TROUBLE):
            self._root.close()

    def data(self, ctype: str, key: str, number: int) -> NDArray[Any] | bytes:
        """Read the data of a version.

        Parameters
        ----------
        ctype, key : str
            Names of calibration type and range.
        number : int
            The version.

        Returns
        -------
        ndarray or bytes
            An array of a plain dtype and one axis at least; the bytes of a text.

        Raises
        ------
        InvalidDataError
            If they cannot be read.
        """
        what = f"{ctype}/{key}: the data of version {number} cannot be read"
        with self._trouble(what):
            dataset = self._data(ctype, key, number)
            reason = unreadable(dataset) if dataset is not None else "it is not there"
            if dataset is None or reason:
                raise _refused(self._path, f"{what}: {reason}")
            return text_bytes(dataset) if is_text(dataset) else np.atleast_1d(dataset[()])

    def _data(self, ctype: str, key: str, number: int) -> h5py.Dataset | None:
        """Return the dataset of a version, None where there is none; links to somewhere else are not followed."""
        place: h5py.Group | h5py.Dataset | None = self._root
        for name in (ctype, key, "", "data"):
            if not isinstance(place, h5py.Group):
                return None
            found = name or next((one for one in place if version_of(one) == number), "")
            place = self._member(place, found) if found else None
        return place if isinstance(place, h5py.Dataset) else None

    # --- levels -----------------------------------------------------------------------------------------------

    def _file(self, root: h5py.Group) -> DcsFile:
        texts = {name: self._text(root, name) for name in ("dettype", "detid", "detname", "predecessor", "successor")}
        ctypes = tuple(self._ctype(name, group) for name, group in self._groups(root))
        return DcsFile(**texts, tscfile=self._number(root, "tscfile"), ctypes=ctypes, notes=self._noted(root))

    def _ctype(self, name: str, group: h5py.Group) -> DcsCtype:
        ranges = []
        for key, inner in self._groups(group):
            found = self._range(key, inner)
            if found is not None:
                ranges.append(found)
        return DcsCtype(name, tuple(ranges), self._noted(group))

    def _range(self, key: str, group: h5py.Group) -> DcsRange | None:
        named = range_of(key)
        begin = self._number(group, "begin")
        if begin is None and named is None:
            self._problem(group, "it is no range: it has no begin")
            return None
        end: Scalar | None = self._scalar(group, "end")
        if isinstance(end, str):
            end = None if end.strip() == OPEN_END else _float(end)
        elif end is None and named is not None:
            end = named[1]
        first = begin if begin is not None else (named or (0.0, None))[0]
        if math.isnan(first) or (end is not None and math.isnan(end)):
            self._problem(group, "its begin or end is not a number")
            return None
        versions: list[DcsVersion] = []
        for name, inner in self._groups(group):
            number = version_of(name)
            if number is None:
                self._problem(inner, "it is no version: vNNNN is expected")
            elif any(number == version.number for version in versions):
                self._problem(inner, "its number is there twice")
            else:
                versions.append(self._version(number, inner))
        versdef = self._number(group, "versdef") or 0.0
        return DcsRange(
            key,
            first,
            None if end is None else float(end),
            int(versdef) if math.isfinite(versdef) else 0,
            tuple(sorted(versions, key=lambda version: version.number)),
            self._noted(group),
        )

    def _version(self, number: int, group: h5py.Group) -> DcsVersion:
        dtype, shape = "", tuple[int, ...]()
        dataset = self._member(group, "data")
        if not isinstance(dataset, h5py.Dataset):
            self._problem(group, "it has no data")
        elif reason := unreadable(dataset):
            self._problem(dataset, reason)
        elif is_text(dataset):
            dtype = "text"
        else:
            dtype, shape = dataset.dtype.name, dataset.shape or (1,)
        return DcsVersion(number, self._number(group, "tsprod"), self._noted(group), dtype, shape)

    def _noted(self, group: h5py.Group) -> Notes:
        parameters = self._scalars(group, PARAMETERS)
        history = {
            name: value if isinstance(value, str) else repr(value) for name, value in self._scalars(group, HISTORY)
        }
        return Notes(dict(parameters), history)

    # --- members ----------------------------------------------------------------------------------------------

    def _scalars(self, group: h5py.Group, name: str) -> list[tuple[str, Scalar]]:
        found = self._member(group, name)
        if not isinstance(found, h5py.Group):
            return []
        values = []
        for key in self._names(found):
            value = self._scalar(found, key)
            if value is not None:
                values.append((key, value))
        return values

    def _groups(self, group: h5py.Group) -> Iterator[tuple[str, h5py.Group]]:
        for name in self._names(group):
            if name not in {PARAMETERS, HISTORY} and group.get(name, getclass=True) is h5py.Group:
                found = self._member(group, name)
                if isinstance(found, h5py.Group):
                    yield name, found

    def _names(self, group: h5py.Group) -> Iterator[str]:
        for name in group:
            self._nodes -= 1
            if self._nodes < 0:
                raise InvalidDataError(self._path, f"it has more than {_MOST_NODES} groups and datasets", "")
            if name.isprintable():
                if isinstance(group.get(name, getlink=True), h5py.HardLink):
                    yield name
                else:
                    self._problem(group, f"{name!r} is a link to somewhere else, which is not followed")
            else:
                self._problem(group, f"{name!r} is no name")

    def _member(self, group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
        """Return a member, None where there is none; links to somewhere else are not followed."""
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        found = group.get(name)
        return found if isinstance(found, h5py.Group | h5py.Dataset) else None

    def _text(self, group: h5py.Group, name: str) -> str:
        value = self._scalar(group, name)
        return "" if value is None else str(value)

    def _number(self, group: h5py.Group, name: str) -> float | None:
        value = self._scalar(group, name)
        return _float(value) if isinstance(value, str) else None if value is None else float(value)

    def _scalar(self, group: h5py.Group, name: str) -> Scalar | None:
        """Return a scalar as Python has it, None where there is none or it cannot be read."""
        dataset = self._member(group, name)
        if not isinstance(dataset, h5py.Dataset):
            return None
        reason = unreadable(dataset, most=_LONGEST_NOTE)
        if not reason and dataset.size != 1:
            reason = f"it has {dataset.size} values; one is expected"
        if reason:
            self._problem(dataset, reason)
            return None
        if is_text(dataset):
            text = text_bytes(dataset)
            self._notes -= len(text)
            if self._notes < 0:
                raise InvalidDataError(self._path, f"its notes have more than {_MOST_NOTES} bytes", "")
            try:
                return text.decode()
            except UnicodeDecodeError:
                return text.decode("latin-1")
        value = np.asarray(dataset[()]).reshape(-1)[0].item()
        if isinstance(value, complex):
            self._problem(dataset, "it is a complex number")
            return None
        return int(value) if isinstance(value, bool | int) else float(value)

    def _problem(self, place: h5py.Group | h5py.Dataset, reason: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(f"{place.name}: {reason}")

    @contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except _TROUBLE as error:
            raise _refused(self._path, f"{what} ({_short(error)})") from None


def _open(path: str) -> h5py.File:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # opening a pipe would wait for its writer
            raise MissingFileError(path, "not a regular file")
        with Path(path).open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise MissingFileError(path, (getattr(error, "strerror", None) or str(error)).lower()) from None
    try:
        return h5py.File(path, "r", locking="best-effort")
    except _TROUBLE as error:
        raise _refused(path, f"it is no HDF5 file that can be opened ({_short(error)})") from None


def _refused(path: str, reason: str) -> InvalidDataError:
    return InvalidDataError(path, reason, "h5dump -H FILE shows what HDF5 itself reads in it")


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
