"""Writing files of the Detector Calibration Store, exactly as the original does: groups and datasets, no attributes.

Every scalar has the shape ``(1,)``: text is ``S<bytes>``, whole numbers are int64, other numbers float64. What is not
known is not written. Equal content gives equal bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import h5py  # type: ignore[import-untyped]
import numpy as np

from calibvcs.formats.dcs.dcs_hdf5 import HISTORY, OPEN_END, PARAMETERS, version_name
from calibvcs.formats.dcs.steady_file import SteadyFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion, Notes, Scalar

    Load: TypeAlias = Callable[[str, str, int], NDArray[Any] | bytes]
    """Returns the data of a version: by ctype, range and number."""

Compression: TypeAlias = Literal["none", "gzip", "lzf"]
COMPRESSIONS: tuple[Compression, ...] = ("none", "gzip", "lzf")

_CHUNK = 1 << 20
_WORTH_COMPRESSING = 4096


def write(path: str, content: DcsFile, load: Load, compression: Compression = "none") -> None:
    """Write a file; one payload at a time is in memory.

    Parameters
    ----------
    path : str
        The file; what it holds is lost. The caller keeps others from it.
    content : DcsFile
        What it is to say.
    load : callable
        Returns the data of a version.
    compression : {"none", "gzip", "lzf"}
        How arrays are compressed; nothing else is.

    Raises
    ------
    OSError
        If the disk refuses; the file is to be removed then.
    """
    with SteadyFile(path) as file:
        try:
            # No newer structures than HDF5 1.8 knows: the original reads with what it was built with.
            with h5py.File(file, "w", libver=("earliest", "v108")) as root:
                _write_file(root, content, load, compression, file)
        finally:
            file.check()  # what else went wrong after that follows from it


def _write_file(root: h5py.Group, content: DcsFile, load: Load, compression: Compression, file: SteadyFile) -> None:
    _put(root, "dettype", content.dettype)
    _put(root, "detname", content.detname)
    _put(root, "detid", content.detid)
    _put(root, "tscfile", content.tscfile)
    _put(root, "predecessor", content.predecessor or None)
    _put(root, "successor", content.successor or None)
    _note(root, content.notes)
    for ctype in content.ctypes:
        _write_ctype(root.create_group(ctype.name), ctype, load, compression, file)


def _write_ctype(group: h5py.Group, ctype: DcsCtype, load: Load, compression: Compression, file: SteadyFile) -> None:
    _put(group, "ctype", ctype.name)
    _note(group, ctype.notes)
    for one in ctype.ranges:
        inner = group.create_group(one.key)
        _write_range(inner, one)
        for version in one.versions:
            place = inner.create_group(version_name(version.number))
            _write_version(place, version)
            _put_data(place, load(ctype.name, one.key, version.number), compression)
            file.check()


def _write_range(group: h5py.Group, one: DcsRange) -> None:
    _put(group, "begin", float(one.begin))
    _put(group, "end", OPEN_END if one.end is None else float(one.end))
    _put(group, "range", one.key)
    _put(group, "versdef", one.versdef)
    _note(group, one.notes)


def _write_version(group: h5py.Group, version: DcsVersion) -> None:
    _put(group, "version", version.number)
    _put(group, "tsprod", version.tsprod)
    _note(group, version.notes)


def _note(group: h5py.Group, notes: Notes) -> None:
    for name, values in ((PARAMETERS, notes.parameters), (HISTORY, notes.history)):
        if values:
            place = group.create_group(name)
            for key, value in sorted(values.items()):  # equal notes make equal bytes
                _put(place, key, value)


def _put(group: h5py.Group, name: str, value: Scalar | None) -> None:
    if value is not None:
        group.create_dataset(name, data=_array(value))


def _array(value: Scalar) -> NDArray[Any]:
    if isinstance(value, str):
        return np.array([value.encode(errors="replace")])  # S<bytes>; S1 where it is empty
    if isinstance(value, float):
        return np.array([value], np.float64)
    return np.array([value], np.int64 if -(2**63) <= value < 2**63 else np.uint64)


def _put_data(group: h5py.Group, data: NDArray[Any] | bytes, compression: Compression) -> None:
    if isinstance(data, bytes):
        group.create_dataset("data", data=np.array([data]))
    elif compression == "none" or data.nbytes < _WORTH_COMPRESSING:
        group.create_dataset("data", data=data)
    else:
        chunks = _chunks(data.shape, data.dtype.itemsize)
        group.create_dataset("data", data=data, chunks=chunks, compression=compression, shuffle=True)


def _chunks(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return chunks of about a MiB that are whole at their end: panels, or rows of them."""
    chunk: list[int] = []
    room = max(1, _CHUNK // size)
    for length in reversed(shape):
        chunk.insert(0, min(length, room))
        room = max(1, room // length)
    return tuple(chunk) if math.prod(chunk) else shape
