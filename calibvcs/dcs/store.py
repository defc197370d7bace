"""The calibration store of one detector."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from calibvcs.dcs.backends import Backend, FileBackend, Key, RepositoryBackend
from calibvcs.dcs.calibration_type import DCType
from calibvcs.dcs.noted import Noted
from calibvcs.errors import InvalidDataError, InvalidOptionError, UnknownConstantError, nearest
from calibvcs.formats.dcs.dcs_hdf5 import DcsFile, Notes, is_dcs_file
from calibvcs.model.names import DetectorName, parse_ctype

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.api import Repository
    from calibvcs.dcs.times import TimeStamp
    from calibvcs.dcs.validity_range import VersionLike


class DCStore(Noted):
    """The calibration store of one detector, over a repository or over a file in HDF5.

    What is read is the state when it was made, or loaded again by `load`. Changes are collected, and stored by `save`.

    Parameters
    ----------
    cpath : str, path or Repository, optional
        A repository: its path, or an open one; or a file whose name ends in ``.h5`` or ``.hdf5``. Default is the
        repository that every verb takes without ``--repo``.
    detname : str, optional
        ``<dettype>-<detid>`` or an alias. Over a file it is only needed for a new one that is called otherwise.

    Raises
    ------
    NoRepositoryError, BrokenRepositoryError
        If there is no repository of constants.
    InvalidDataError
        If the file cannot be read.
    InvalidNameError, InvalidOptionError
        If the detector has no name that is one, or none is given.

    Examples
    --------
    >>> from calibvcs.dcs import DCStore
    >>> store = DCStore("calibvcs-quickstart", "jungfrau-000001")
    >>> store.pedestals(1771070400).shape, store.ctypeobj("pedestals").ranges()
    ((3, 2, 32, 64), ['1767225600-end', '1769904000-end'])
    """

    def __init__(self, cpath: str | os.PathLike[str] | Repository | None = None, detname: str = "") -> None:
        super().__init__(_backend(cpath, detname), Notes())
        self._changed = DcsFile()
        self._ctypes: dict[str, DCType] = {}
        self.load()

    def load(self) -> None:
        """Read everything anew; what was changed and not saved is forgotten."""
        self._take(self._backend.load())

    def _take(self, read: DcsFile) -> None:
        """Let this object, and those below it, say what was read."""
        self._take_notes(read.notes)
        self._changed = read
        known, self._ctypes = self._ctypes, {}
        for ctype in read.ctypes:
            self._ctypes[ctype.name] = known.get(ctype.name) or DCType(self._backend, ctype.name)
            self._ctypes[ctype.name].take(ctype)

    def close(self) -> None:
        """Give files back."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the detector

    def tscfile(self) -> float | None:
        """Return when the store was made, UNIX seconds; None where nobody told."""
        return self._changed.tscfile

    def dettype(self) -> str:
        """Return the type of the detector, for example ``cspad``."""
        return self._changed.dettype

    def detid(self) -> str:
        """Return the id of the detector, for example ``654321``."""
        return self._changed.detid

    def detname(self) -> str:
        """Return the name of the detector, ``<dettype>-<detid>``."""
        return self._changed.detname

    def predecessor(self) -> str | None:
        """Return the name of the detector that this one replaced; None where nobody told."""
        return self._changed.predecessor or None

    def successor(self) -> str | None:
        """Return the name of the detector that replaced this one; None where nobody told."""
        return self._changed.successor or None

    def set_tscfile(self, ts: TimeStamp) -> None:
        """Set when the store was made.

        Raises
        ------
        InvalidTimeError, UnknownRunError
            If the time cannot be read, or is a run that is not known.
        """
        self._changed = replace(self._changed, tscfile=float(self._backend.seconds(ts)))

    def set_dettype(self, dettype: str) -> None:
        """Set the type of the detector. In a repository, `save` refuses another one than it has."""
        self._changed = replace(self._changed, dettype=_text("dettype", dettype))

    def set_detid(self, detid: str) -> None:
        """Set the id of the detector. In a repository, `save` refuses another one than it has."""
        self._changed = replace(self._changed, detid=_text("detid", detid))

    def set_detname(self, detname: str) -> None:
        """Set the name of the detector. In a repository, `save` refuses another one than it has."""
        self._changed = replace(self._changed, detname=_text("detname", detname))

    def set_predecessor(self, pred: str | None) -> None:
        """Set the detector that this one replaced; None for none. Raises InvalidNameError."""
        self._changed = replace(self._changed, predecessor=_neighbour(pred))

    def set_successor(self, succ: str | None) -> None:
        """Set the detector that replaced this one; None for none. Raises InvalidNameError."""
        self._changed = replace(self._changed, successor=_neighbour(succ))

    # --- calibration types

    def ctypes(self) -> list[str]:
        """Return the names of its calibration types, sorted."""
        return sorted(self._ctypes)

    def ctypeobj(self, ctype: str) -> DCType | None:
        """Return a calibration type; None where there is none."""
        return self._ctypes.get(ctype)

    def add_ctype(self, ctype: str) -> DCType:
        """Add a calibration type; where it is there already, return it.

        Raises
        ------
        InvalidNameError
            If it is no name of one.
        """
        if ctype not in self._ctypes:
            self._ctypes[ctype] = DCType(self._backend, parse_ctype(ctype))
        return self._ctypes[ctype]

    def del_ctype(self, ctype: str) -> str | None:
        """Take a calibration type away with all its ranges; history keeps it.

        Parameters
        ----------
        ctype : str
            Its name.

        Returns
        -------
        str or None
            Its name; None where there was none.
        """
        return ctype if self._ctypes.pop(ctype, None) else None

    # --- data

    def get(self, ctype: str, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any] | str:
        """Return the data in force at a time.

        Parameters
        ----------
        ctype : str
            Calibration type.
        tsp : time
            UNIX seconds, psana's 64-bit stamp (seconds since 1990 << 32 | nanoseconds), an event, or a pair of
            experiment and run, whose begin is taken.
        vers : int or float, optional
            Number of the version; or a time, UNIX seconds, for the version that was made last until then. Default is
            the default version.

        Returns
        -------
        ndarray or str
            In the dtype and shape that are stored; a text, such as a geometry, as str.

        Raises
        ------
        UnknownConstantError
            If there is no such ctype.
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        UnknownVersionError
            If the range has no such version.
        InvalidTimeError, UnknownRunError
            If the time cannot be read, or is a run that is not known.
        BrokenRepositoryError, InvalidDataError
            If the data are missing or damaged.
        """
        found = self._ctypes.get(ctype)
        if found is None:
            there = nearest(ctype, self._ctypes) or tuple(self.ctypes())
            raise UnknownConstantError(f"{self.detname()}/{ctype}", tuple(f"{self.detname()}/{c}" for c in there))
        return found.valid(self.detname(), self._backend.seconds(tsp)).version(vers).calib()

    def pedestals(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return pedestals, as `get` does."""
        return self._array("pedestals", tsp, vers)

    def pixel_status(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the status of the pixels, as `get` does."""
        return self._array("pixel_status", tsp, vers)

    def pixel_rms(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the noise of the pixels, as `get` does."""
        return self._array("pixel_rms", tsp, vers)

    def pixel_mask(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the mask of the pixels, as `get` does."""
        return self._array("pixel_mask", tsp, vers)

    def pixel_gain(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the gain of the pixels, as `get` does."""
        return self._array("pixel_gain", tsp, vers)

    def pixel_bkgd(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the background of the pixels, as `get` does."""
        return self._array("pixel_bkgd", tsp, vers)

    def common_mode(self, tsp: TimeStamp, vers: VersionLike | None = None) -> NDArray[Any]:
        """Return the parameters of the common-mode correction, as `get` does."""
        return self._array("common_mode", tsp, vers)

    def geometry(self, tsp: TimeStamp, vers: VersionLike | None = None) -> str:
        """Return the geometry as text, as `get` does."""
        found = self.get("geometry", tsp, vers)
        if not isinstance(found, str):
            raise InvalidDataError("geometry", "it is an array, no text", "get returns it")
        return found

    def _array(self, ctype: str, tsp: TimeStamp, vers: VersionLike | None) -> NDArray[Any]:
        found = self.get(ctype, tsp, vers)
        if isinstance(found, str):
            raise InvalidDataError(ctype, "it is a text, no array", "get returns it")
        return found

    # --- storing

    def save(self, message: str, force_reason: str = "") -> str:
        """Store all that was changed: as commits of a repository, or by writing the file anew.

        Parameters
        ----------
        message : str
            Why; the comment of the commits, or a record in the history of the file.
        force_reason : str, optional
            Why data that the gate refuses are right all the same; of no effect on a file.

        Returns
        -------
        str
            Id of the last commit, or the path of the file.

        Raises
        ------
        InvalidDataError
            If a new version has no data.
        EmptyCommentError
            If the message is empty.
        GateRefusedError, LockedError, UnknownDetectorError, InvalidOptionError
            If a repository does not take what was changed; nothing was stored.
        ConflictError
            If the file was changed by somebody else since it was read, or another writer is in the way.
        NotWritableError, StorageError
            If the disk is full, fails or is read-only.
        """
        ctypes = tuple(self._ctypes[name].content() for name in self.ctypes())
        after = replace(self._changed, ctypes=ctypes, notes=self._notes())
        new: dict[Key, NDArray[Any] | str] = {}
        for ctype in self._ctypes.values():
            new |= ctype.new_data()
        done = self._backend.save(after, new, message, force_reason)
        self.load()
        return done


def _backend(cpath: str | os.PathLike[str] | Repository | None, detname: str) -> Backend:
    if isinstance(cpath, str | os.PathLike) and is_dcs_file(os.fspath(cpath)):
        return FileBackend(cpath, detname)
    if not detname:
        raise InvalidOptionError("detname", "", "the name of a detector is needed", "DCStore(path, 'cspad-654321')")
    if cpath is None or isinstance(cpath, str | os.PathLike):
        import calibvcs

        return RepositoryBackend(calibvcs.open(cpath), detname, own=True)
    return RepositoryBackend(cpath, detname, own=False)


def _text(what: str, given: object) -> str:
    if not isinstance(given, str) or not given:
        raise InvalidOptionError(what, str(given), "a text is needed")
    return given


def _neighbour(given: str | None) -> str:
    if given:
        DetectorName.parse(given.lower())
    return given or ""
