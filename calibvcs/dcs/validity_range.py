"""One validity range of a ctype, with its versions."""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from calibvcs.dcs.noted import Noted
from calibvcs.dcs.version import DCVersion
from calibvcs.errors import InvalidOptionError, UnknownVersionError
from calibvcs.formats.dcs.dcs_hdf5 import OPEN_END, DcsRange, Notes

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import ArrayLike, NDArray

    from calibvcs.dcs.backends import Backend, Key
    from calibvcs.dcs.times import TimeStamp

    VersionLike: TypeAlias = int | float

_MOST_NUMBERS = 1_000_000
"""What is less is the number of a version; what is more is a time."""


class DCRange(Noted):
    """A validity range.

    Parameters
    ----------
    backend : Backend
        Where it is kept.
    ctype : str
        Name of its ctype.
    span : DcsRange
        Its name, begin and end.
    """

    def __init__(self, backend: Backend, ctype: str, span: DcsRange) -> None:
        super().__init__(backend, Notes())
        self._ctype = ctype
        self._read = span
        self._versdef = 0
        self._versions: dict[int, DCVersion] = {}

    def take(self, read: DcsRange) -> None:
        """Let this object, and those below it, say what was read."""
        self._take_notes(read.notes)
        self._read, self._versdef = read, read.versdef
        known, self._versions = self._versions, {}
        for version in read.versions:
            own = known.get(version.number) or DCVersion(self._backend, (self._ctype, read.key), version.number)
            own.take(version)
            self._versions[version.number] = own

    def begin(self) -> float:
        """Return its begin, UNIX seconds."""
        return self._read.begin

    def end(self) -> float | str:
        """Return its end, UNIX seconds; ``"end"`` where it is open."""
        return OPEN_END if self._read.end is None else self._read.end

    def range(self) -> str:
        """Return its name, ``<begin>-<end>``."""
        return self._read.key

    def versions(self) -> list[int]:
        """Return the numbers of its versions, the oldest first."""
        return sorted(self._versions)

    def versdef(self) -> int | None:
        """Return the number of the default version; None where there is no version."""
        return self._versdef if self._versdef in self._versions else max(self._versions, default=None)

    def versobj(self, v: VersionLike | None = None) -> DCVersion | None:
        """Return a version.

        Parameters
        ----------
        v : int or float, optional
            Its number; or a time, UNIX seconds, for the version that was made last until then. Default is the default.

        Returns
        -------
        DCVersion or None
            None where there is none.
        """
        number = self._number(v)
        return None if number is None else self._versions.get(number)

    def add_version(
        self, v: int | None = None, tsprod: TimeStamp | None = None, nda: ArrayLike | None = None
    ) -> DCVersion:
        """Add a version.

        Parameters
        ----------
        v : int, optional
            Its number; default is the last one plus one.
        tsprod : time, optional
            When it was made; default is now.
        nda : array or str, optional
            Its data, as `DCVersion.add_calib` takes them.

        Returns
        -------
        DCVersion
            The new version.

        Raises
        ------
        InvalidOptionError
            If there is one of this number already, or, in a repository, of a higher one: versions only follow.
        """
        last = max((*self._versions, *self._backend.gone(self._ctype, self._read.key)), default=0)
        number = last + 1 if v is None else v
        if number in self._versions or number < 1 or (number <= last and not self._backend.replaces):
            allowed = f"the number of a new version is {last + 1} or more"
            raise InvalidOptionError("version", f"{self._ctype}/{self._read.key}/{number}", allowed)
        new = DCVersion(self._backend, (self._ctype, self._read.key), number)
        new.set_tsprod(self._backend.now() if tsprod is None else tsprod)
        if nda is not None:
            new.add_calib(nda)
        self._versions[number] = new
        return new

    def set_versdef(self, v: int | None) -> None:
        """Set the default version; None or 0 lets it be the last one, now and whenever one is added.

        Raises
        ------
        UnknownVersionError
            If there is none of this number.
        """
        if v and v not in self._versions:
            raise self._unknown(v)
        self._versdef = v or 0

    def del_version(self, v: int | None = None) -> int | None:
        """Take a version away; history keeps it.

        Parameters
        ----------
        v : int, optional
            Its number; default is the last one.

        Returns
        -------
        int or None
            Its number; None where there was none.
        """
        number = max(self._versions, default=0) if v is None else v
        if self._versions.pop(number, None) is None:
            return None
        if number == self._versdef:
            self._versdef = 0
        return number

    # --- for the levels above

    def holds(self, time: float) -> bool:
        """Tell whether it has versions, and a time (UNIX seconds) lies in it."""
        return bool(self._versions) and self._backend.holds(self._read, time)

    def version(self, v: VersionLike | None) -> DCVersion:
        """Return a version. Raises UnknownVersionError."""
        found = self.versobj(v)
        if found is None:
            raise self._unknown(v)
        return found

    def _number(self, given: object) -> int | None:
        if given is None:
            return self.versdef()
        if isinstance(given, Integral) and int(given) < _MOST_NUMBERS:
            return int(given)
        if not isinstance(given, Real) or not math.isfinite(float(given)):
            raise InvalidOptionError("version", str(given), "a number, or the time when it was made, is needed")
        v = float(given)
        made = [(one.tsprod(), number) for number, one in self._versions.items()]
        return max(((when, number) for when, number in made if when is not None and when <= v), default=(0, None))[1]

    def _unknown(self, v: object) -> UnknownVersionError:
        return UnknownVersionError(f"{self._ctype}/{self._read.key}", str(v), tuple(map(str, self.versions())))

    def new_data(self) -> dict[Key, NDArray[Any] | str]:
        """Return the data that are to be stored."""
        found = {(self._ctype, self._read.key, n): one.new_data() for n, one in self._versions.items()}
        return {key: data for key, data in found.items() if data is not None}

    def content(self) -> DcsRange:
        """Return what is to be stored, without the data. Raises InvalidDataError where a version has none."""
        versions = tuple(self._versions[number].content() for number in sorted(self._versions))
        return replace(self._read, versdef=self._versdef, versions=versions, notes=self._notes())
