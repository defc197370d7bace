"""One version of a range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.dcs.noted import Noted
from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.formats.dcs.dcs_hdf5 import DcsVersion, Notes, version_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from calibvcs.dcs.backends import Backend
    from calibvcs.dcs.times import TimeStamp


class DCVersion(Noted):
    """A version: its data, and when they were made.

    Parameters
    ----------
    backend : Backend
        Where it is kept.
    place : tuple of str
        Names of its ctype and range.
    number : int
        Its number.
    """

    def __init__(self, backend: Backend, place: tuple[str, str], number: int) -> None:
        super().__init__(backend, Notes())
        self._place = place
        self._read = DcsVersion(number)
        self._tsprod: float | None = None
        self._new: NDArray[Any] | str | None = None

    def take(self, read: DcsVersion) -> None:
        """Let this object say what was read."""
        self._take_notes(read.notes)
        self._read, self._tsprod, self._new = read, read.tsprod, None

    def vnum(self) -> int:
        """Return its number: 1, 2, ..."""
        return self._read.number

    def tsprod(self) -> float | None:
        """Return when it was made, UNIX seconds; None where nobody told."""
        return self._tsprod

    def set_tsprod(self, ts: TimeStamp) -> None:
        """Set when it was made.

        Raises
        ------
        InvalidTimeError, UnknownRunError
            If the time cannot be read, or is a run that is not known.
        """
        self._tsprod = float(self._backend.seconds(ts))

    def calib(self) -> NDArray[Any] | str:
        """Return the data: an array in the dtype and shape that are stored, or a text such as a geometry.

        Raises
        ------
        InvalidDataError
            If there are none yet, or they cannot be read.
        """
        if self._new is not None:
            return self._new
        if not self._read.dtype:
            raise InvalidDataError(self._name, "it has no data", "add_calib gives it some")
        data = self._backend.data((*self._place, self._read.number))
        return data.decode(errors="replace") if isinstance(data, bytes) else data

    def add_calib(self, nda: ArrayLike) -> None:
        """Set the data of a new version; they are stored by `DCStore.save`.

        Parameters
        ----------
        nda : array or str
            An array of the dtype and shape that are to be stored, or a text.

        Raises
        ------
        InvalidOptionError
            If the version is in the repository already: it never changes.
        """
        if self._read.dtype and not self._backend.replaces:
            raise InvalidOptionError(
                "version", self._name, "data of a version never change", "add_version makes a new one"
            )
        self._new = nda if isinstance(nda, str) else np.asarray(nda)

    @property
    def _name(self) -> str:
        return "/".join((*self._place, version_name(self._read.number)))

    def content(self) -> DcsVersion:
        """Return what is to be stored, without the data. Raises InvalidDataError where there are none."""
        dtype, shape = self._read.dtype, self._read.shape
        if isinstance(self._new, str):
            dtype, shape = "text", ()
        elif self._new is not None:
            dtype, shape = self._new.dtype.name, self._new.shape
        if not dtype:
            raise InvalidDataError(self._name, "it has no data", "add_calib gives it some")
        return DcsVersion(self._read.number, self._tsprod, self._notes(), dtype, shape)

    def new_data(self) -> NDArray[Any] | str | None:
        """Return the data that are to be stored; None where they are stored already."""
        return self._new
