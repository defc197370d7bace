"""Constants in shared memory, as any number of processes see them: mapped, not copied.

>>> from calibvcs import shm
>>> attached = shm.attach("/dev/shm")
>>> attached["jungfrau"]["pedestals"]

``calibvcs export --shm`` writes them. To read them needs no repository and no Git.
"""

from __future__ import annotations

import mmap
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats import npy
from calibvcs.formats.psana import shm_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.formats.psana.shm_index import SharedConstant, ShmIndex

    Constants: TypeAlias = Mapping[str, NDArray[Any] | str]

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where the DAQ keeps it

_PATIENCE = 10.0  # seconds of sets that come one after another, each before the one before could be mapped


class Attached(Mapping[str, "Constants"]):
    """One whole set of constants: by name of the detector, then by ctype; arrays are read-only maps, texts are str.

    A set never changes under its reader: maps stay as they are, even after the files were replaced. It is free of
    handles; the maps go when the last array goes.

    Attributes
    ----------
    folder : Path
        The folder that was attached.
    index : ShmIndex
        Everything that is known of the set: versions, validities, documents, units.
    """

    def __init__(self, folder: Path, index: ShmIndex, identity: tuple[int, ...], arrays: Mapping[str, Any]) -> None:
        self.folder = folder
        self.index = index
        self._identity = identity
        self._sets: dict[str, Constants] = {
            detector.name: MappingProxyType(
                {one.ctype: arrays[one.file] if one.text is None else one.text for one in detector.constants}
            )
            for detector in index.detectors
        }

    @property
    def commit(self) -> str:
        """Id of the commit that the set was read from."""
        return self.index.commit

    @property
    def detectors(self) -> tuple[str, ...]:
        """Names of the detectors, as the experiment calls them."""
        return tuple(self._sets)

    def describe(self, detector: str, ctype: str) -> SharedConstant:
        """Return what is known of one constant: name, version, commit, validity, unit, document.

        Raises
        ------
        KeyError
            If it is not in the set.
        """
        for one in self.index.detectors:
            if one.name == detector:
                for constant in one.constants:
                    if constant.ctype == ctype:
                        return constant
        raise KeyError((detector, ctype))

    def stale(self) -> bool:
        """Tell whether another set was written since; costs one look at one file."""
        try:
            return _identity(_index_file(self.folder)) != self._identity
        except FileNotFoundError:
            return True

    def refresh(self) -> Attached:
        """Return the set that is there now, which is this one where nothing new was written.

        Raises
        ------
        MissingFileError, InvalidDataError
            As for `attach`.
        """
        return attach(self.folder) if self.stale() else self

    def __getitem__(self, detector: str) -> Constants:
        return self._sets[detector]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)

    def __repr__(self) -> str:
        return f"<Attached {self.folder}: {', '.join(self._sets)} at commit {self.commit[:12]}>"


def attach(folder: str | os.PathLike[str] = SHARED_MEMORY) -> Attached:
    """Map the constants that ``calibvcs export --shm`` wrote.

    Nothing is copied and no lock is taken. During an update it is the old set or the new one, never a mix: an index
    names all files of its set, a file never changes under its name, and where one is gone already, the new index is
    read.

    Parameters
    ----------
    folder : str or path, optional
        The output folder of the export.

    Returns
    -------
    Attached
        The set; ``attached[detector][ctype]`` is a read-only array in the dtype and shape that were stored, or a text.

    Raises
    ------
    MissingFileError
        If nothing was exported there, or may not be read.
    InvalidDataError
        If what is there is none of ours, or damaged.
    """
    where = Path(folder)
    patience = time.monotonic() + _PATIENCE
    while True:
        index_file = _index_file(where)
        index, identity = _read_index(index_file)
        try:
            return Attached(where, index, identity, _maps(index, index_file.parent))
        except MissingFileError:
            if time.monotonic() > patience or _unchanged(index_file, identity):
                raise


def _index_file(folder: Path) -> Path:
    return folder / shm_index.FOLDER / shm_index.INDEX_FILE


def _read_index(path: Path) -> tuple[ShmIndex, tuple[int, ...]]:
    """Return an index, and what tells its file from others."""
    try:
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            if known.st_size > shm_index.LARGEST_INDEX:
                reason = f"{known.st_size} bytes; allowed are {shm_index.LARGEST_INDEX}"
                raise InvalidDataError(str(path), reason, "calibvcs export --shm writes it anew")
            data = file.read(shm_index.LARGEST_INDEX)
    except OSError as error:
        raise MissingFileError(str(path), (error.strerror or str(error)).lower()) from error
    return shm_index.decode(data, str(path)), (known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns)


def _identity(path: Path) -> tuple[int, ...]:
    known = path.stat()
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns


def _unchanged(path: Path, identity: tuple[int, ...]) -> bool:
    try:
        return _identity(path) == identity
    except OSError:
        return True


def _maps(index: ShmIndex, folder: Path) -> dict[str, NDArray[Any]]:
    """Map every array of a set, each file once."""
    maps: dict[str, NDArray[Any]] = {}
    for detector in index.detectors:
        for one in detector.constants:
            if one.text is None and one.file not in maps:
                maps[one.file] = _mapped(f"{folder}/{one.file}", one)
    return maps


def _mapped(path: str, expected: SharedConstant) -> NDArray[Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for its writer
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise MissingFileError(path, "not a regular file")
            data = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: the file is empty
        raise MissingFileError(path, (getattr(error, "strerror", None) or str(error)).lower()) from error
    array = npy.decode(memoryview(data), path)
    if array.dtype.name != expected.dtype or array.shape != expected.shape:
        reason = f"{array.dtype.name} {array.shape}; the index says {expected.dtype} {expected.shape}"
        raise InvalidDataError(path, reason, "calibvcs export --shm writes it anew")
    return array
