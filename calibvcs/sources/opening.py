"""The door to raw data: whatever the format is, it is told by what stands in the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidDataError, InvalidOptionError, MissingFileError, UnknownRunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from calibvcs.sources.protocol import Source
    from calibvcs.sources.runs import RunFiles

_HEAD = 4096
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NPY = b"\x93NUMPY"


def open_source(
    path: str | Path | Sequence[str | Path],
    *,
    experiment: str | None = None,
    run: int | None = None,
    fields: Mapping[str, str] | None = None,
    times: str | Path | Sequence[float] | NDArray[Any] | None = None,
    detector: str | None = None,
    axes: str | None = None,
    configure: str | Path | None = None,
    chunks: bool | None = None,
    small_data: bool | None = None,
) -> Source:
    """Open raw data; the format is told by content.

    Parameters
    ----------
    path : path or sequence of paths
        A file, a folder of XTC2 files (all streams of one run) or of ``.npy`` files, or the XTC2 files of several
        streams.
    experiment, run
        Of a folder of XTC2 files: which run, as the data name it; it may be left out where there is only one. Of HDF5
        and npy: what the data are of, where the files do not tell.
    fields : mapping of str to str, optional
        What the raw frame is, by detector: the field in XTC2 (``raw.raw``), the dataset in HDF5 (``/entry/data``).
    times : optional
        HDF5: path of the dataset of times. npy: times, or the file that holds them.
    detector, axes : str, optional
        npy: what the detector is called, and what the axes are.
    configure : path, optional
        XTC2: file with the Configure of data that come without one.
    chunks : bool, optional
        XTC2: whether to go on in later chunks; True if it is left out.
    small_data : bool, optional
        XTC2: whether to find events by the tables in ``smalldata/``, where they are; False if it is left out.

    Returns
    -------
    Source
        Use it in a ``with`` statement.

    Raises
    ------
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If it is none of the formats, or is damaged.
    InvalidOptionError
        If an option does not go with the format.
    UnknownRunError
        If a folder has no such run.

    Examples
    --------
    >>> with open_source("data", run=7) as source:
    ...     mean = sum(event.arrays["jungfrau"].astype(float) for event in source.events())
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    if not paths:
        raise InvalidOptionError("path", "", "one file at least is needed")
    kind = _kind(paths[0])
    if kind != "xtc2" and len(paths) > 1:
        raise InvalidOptionError("path", str(paths[1]), f"several files are streams of XTC2; {paths[0]} is {kind}")
    only_xtc2: dict[str, object] = {"configure": configure, "chunks": chunks, "small_data": small_data}
    given: dict[str, object] = {"times": times} if kind == "xtc2" else only_xtc2
    given |= {} if kind == "npy" else {"detector": detector, "axes": axes}
    given |= {"fields": fields} if kind == "npy" else {}
    for option, value in given.items():
        if value is not None:
            raise InvalidOptionError(option, "", f"it does not go with {kind} data")
    if kind == "npy":
        from calibvcs.sources.npy import NpySource

        name = "detector" if detector is None else detector
        return NpySource(paths[0], detector=name, axes=axes, times=times, experiment=experiment, run=run)
    if kind == "hdf5":
        from calibvcs.sources.hdf5 import Hdf5Source

        if times is not None and not isinstance(times, str):
            raise InvalidOptionError("times", "", "of HDF5 it is the path of a dataset")
        return Hdf5Source(paths[0], fields=fields, times=times, experiment=experiment, run=run)
    from calibvcs.sources.xtc2 import Xtc2Source

    if len(paths) == 1 and paths[0].is_dir():
        paths = [stream.path for stream in _run_of(paths[0], experiment, run).streams]
    if small_data:
        paths = [_small(one) for one in paths]
    return Xtc2Source(paths, configure=configure, fields=fields, chunks=chunks is not False)


def _kind(path: Path) -> str:
    """Return the format of what stands in a file, or in the files of a folder."""
    if path.is_dir():
        try:
            suffixes = {entry.suffix for entry in path.iterdir()} & {".xtc2", ".npy"}
        except OSError as error:
            raise MissingFileError(str(path), (error.strerror or str(error)).lower()) from error
        if len(suffixes) != 1:
            found = "holds both .xtc2 and .npy files" if suffixes else "holds neither .xtc2 nor .npy files"
            raise InvalidDataError(str(path), f"the folder {found}", "name the files")
        return suffixes.pop().removeprefix(".")
    from calibvcs.sources.mapping import Bytes, open_regular
    from calibvcs.sources.xtc2_datagrams import datagram_at

    descriptor = open_regular(path)
    try:
        head = os.pread(descriptor, _HEAD, 0)
    except OSError as error:
        raise MissingFileError(str(path), (error.strerror or str(error)).lower()) from error
    finally:
        os.close(descriptor)
    if not head:
        raise InvalidDataError(str(path), "the file is empty", "wait until it has been written")
    if head.startswith(_NPY):
        return "npy"
    # HDF5 may stand behind a block of the user.
    if any(head.startswith(_HDF5, offset) for offset in (0, 512, 1024, 2048)):
        return "hdf5"
    try:
        datagram_at(Bytes(memoryview(head), str(path)), 0)
    except InvalidDataError as error:
        reason = "it begins neither as XTC2 nor as HDF5 or npy"
        raise InvalidDataError(str(path), reason, "give a file of raw data in one of these formats") from error
    return "xtc2"


def _run_of(folder: Path, experiment: str | None, run: int | None) -> RunFiles:
    """Return the run of a folder that is meant."""
    from calibvcs.sources.runs import look_in

    found = look_in(folder, experiment)
    fitting = [one for one in found.runs if run in {None, one.run}]
    if len(fitting) == 1:
        return fitting[0]
    known = tuple(f"{one.experiment}:{one.run}" for one in found.runs)
    if fitting:
        option = "run" if run is None else "experiment"
        raise InvalidOptionError(option, "", f"{folder} holds several runs: {', '.join(known[-5:])}")
    if run is not None:
        raise UnknownRunError(experiment or "", run, known)
    reasons = "; ".join(f"{one.path.name}: {one.reason}" for one in found.passed_over[:3])
    raise InvalidDataError(str(folder), f"no usable run in it ({reasons})", "see calibvcs.sources.runs.look_in")


def _small(path: Path) -> Path:
    """Return the small data of a file, or the file where there are none."""
    if path.name.endswith(".smd.xtc2"):
        return path
    beside = path.parent / "smalldata" / f"{path.name.removesuffix('.xtc2')}.smd.xtc2"
    return beside if beside.is_file() else path
