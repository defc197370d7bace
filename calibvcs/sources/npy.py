"""Raw frames in ``.npy``: one file of many events, or a folder with a file for each event."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from calibvcs.errors import (
    InvalidDataError,
    InvalidOptionError,
    MissingFileError,
    UnknownDetectorError,
    UnknownRunError,
)
from calibvcs.sources.mapping import Bytes, MappedFile, open_regular
from calibvcs.sources.npy_header import read_npy_header
from calibvcs.sources.plain_events import Frames, PlainEvent, checked_times
from calibvcs.sources.protocol import SourceDetector, SourceRun
from calibvcs.sources.psana_time import psana_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

_HEAD: Final = 8192
_AXES: Final = ("esrc", "erc", "src", "rc")
_OF_A_FILE: Final = {4: "esrc", 3: "erc", 2: "rc"}
_OF_A_FOLDER: Final = {4: "esrc", 3: "src", 2: "rc"}


class NpySource:
    """Frames in ``.npy`` files.

    Parameters
    ----------
    path : path
        A file, or a folder; of a folder all ``*.npy`` in the order of their names, but ``times.npy``.
    detector : str
        What the detector is to be called.
    axes : str, optional
        What the axes are: ``esrc`` (event, segment, row, column), ``erc``, ``src`` or ``rc``. If it is left out, four
        axes are ``esrc`` and two are ``rc``; three are ``erc`` in a file, and ``src`` in the files of a folder.
    times : path or sequence of float, optional
        UNIX seconds of every event, or the ``.npy`` file that holds them. If it is left out: ``times.npy`` in the
        folder, or ``NAME.times.npy`` beside the file, if it is there; else the times are NaN.
    experiment, run
        What the data are of, since the files do not tell.

    Raises
    ------
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If a file is no array of numbers, or the files do not fit each other.
    InvalidOptionError
        If there are no such axes.
    """

    format = "npy"
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        path: str | Path,
        *,
        detector: str = "detector",
        axes: str | None = None,
        times: str | Path | Sequence[float] | NDArray[Any] | None = None,
        experiment: str | None = None,
        run: int | None = None,
    ) -> None:
        if axes is not None and axes not in _AXES:
            raise InvalidOptionError("axes", axes, f"allowed are {', '.join(_AXES)}")
        self.path = Path(path)
        self.experiment = experiment
        self.run = run
        self._detector = detector
        self._axes = axes
        self._times_given = times
        self._folder = self.path.is_dir()
        self._mapped: tuple[Path, MappedFile] | None = None
        self._look()

    @property
    def runs(self) -> tuple[SourceRun, ...]:
        """The one run."""
        known = self._times is not None and len(self._times) > 0
        begin = float(self._times.min()) if known and self._times is not None else None
        stamp = 0 if begin is None else psana_stamp(begin)
        return (SourceRun(self.experiment, self.run, begin, None, stamp, self.detectors),)

    @property
    def detectors(self) -> tuple[SourceDetector, ...]:
        """The one detector."""
        return (SourceDetector(self._detector, "", "", tuple(range(self._shape[0]))),)

    @property
    def event_count(self) -> int:
        """How many events there are."""
        return self._ends[-1]

    def events(self, run: int | None = None) -> Iterator[PlainEvent]:
        """Yield the events in the order of the files.

        Raises
        ------
        InvalidDataError
            If a file has changed since.
        UnknownRunError
            If there is no such run.
        """
        _check_run(self, run)
        this = self.runs[0]
        segments = {self._detector: tuple(range(self._shape[0]))}
        for number in range(self.event_count):
            time = math.nan if self._times is None else float(self._times[number])
            arrays = Frames({self._detector: partial(self._frame, number)})
            yield PlainEvent(time, this, arrays, segments)

    def settings(self, detector: str, run: int | None = None) -> Mapping[int, Mapping[str, Any]]:
        """Return nothing: the files do not tell.

        Raises
        ------
        UnknownDetectorError, UnknownRunError
            If there is no such detector or run.
        """
        _check_run(self, run)
        if detector != self._detector:
            raise UnknownDetectorError(detector, (self._detector,), 1)
        return {}

    def refresh(self) -> int:
        """Look for new files in the folder; return how many events are new.

        Raises
        ------
        MissingFileError, InvalidDataError
            As for the source.
        """
        before = self.event_count
        self._look()
        return self.event_count - before

    def close(self) -> None:
        """Let go of the file; arrays that were handed out stay good."""
        self._mapped = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self) -> None:
        """Read the headers of all files."""
        self._mapped = None
        paths = [self.path]
        if self._folder:
            paths = sorted(path for path in self.path.glob("*.npy") if path.name != "times.npy")
        if not paths:
            raise MissingFileError(str(self.path), "no .npy file in this folder")
        self._paths, self._ends = paths, [0]
        self._dtype, self._shape = np.dtype("u1"), (0, 0, 0)
        for path in paths:
            dtype, shape, _ = self._header(path)
            if path is paths[0]:
                self._dtype, self._shape = dtype, shape[1:]
            if (dtype, shape[1:]) != (self._dtype, self._shape):
                reason = (
                    f"frames of {shape[1:]} {dtype.name}, in {paths[0].name} they are {self._shape} {self._dtype.name}"
                )
                raise InvalidDataError(str(path), reason, "put frames of one detector into one folder")
            self._ends.append(self._ends[-1] + shape[0])
        self._times = self._read_times()

    def _header(self, path: Path) -> tuple[np.dtype[Any], tuple[int, int, int, int], int]:
        """Return dtype, shape (events, segments, rows, columns) and offset."""
        descriptor = open_regular(path)
        try:
            size = os.fstat(descriptor).st_size
            data = Bytes(memoryview(os.pread(descriptor, _HEAD, 0)), str(path))
        except OSError as error:
            raise MissingFileError(str(path), (error.strerror or str(error)).lower()) from error
        finally:
            os.close(descriptor)
        dtype, shape, offset = read_npy_header(data, size)
        axes = self._axes or (_OF_A_FOLDER if self._folder else _OF_A_FILE).get(len(shape), "")
        if len(axes) != len(shape):
            allowed = f"{len(axes)} axes ({axes})" if axes else "two to four axes"
            raise InvalidDataError(str(path), f"an array of shape {shape}; frames have {allowed}", "see axes=")
        lengths = dict(zip(axes, shape, strict=True))
        return dtype, (lengths.get("e", 1), lengths.get("s", 1), lengths["r"], lengths["c"]), offset

    def _frame(self, number: int) -> NDArray[Any]:
        position = bisect_right(self._ends, number) - 1
        path = self._paths[position]
        mapped = self._mapped
        if mapped is None or mapped[0] != path:
            mapped = self._mapped = path, MappedFile(path)
        data = mapped[1].data
        dtype, _, offset = read_npy_header(data, len(data.view))
        size = math.prod(self._shape) * self._dtype.itemsize
        offset += (number - self._ends[position]) * size
        if dtype != self._dtype or offset + size > len(data.view):
            raise data.broken(0, "the file is another one than it was")
        return np.ndarray(self._shape, dtype, data.view, offset)

    def _read_times(self) -> NDArray[np.float64] | None:
        times = self._times_given
        if times is None:
            beside = self.path / "times.npy" if self._folder else self.path.with_suffix(".times.npy")
            times = beside if beside.is_file() else None
        if isinstance(times, str | Path):
            data = MappedFile(Path(times)).data
            dtype, shape, offset = read_npy_header(data, len(data.view))
            return checked_times(np.ndarray(shape, dtype, data.view, offset), self.event_count, str(times))
        return None if times is None else checked_times(times, self.event_count, str(self.path))


def _check_run(source: NpySource, run: int | None) -> None:
    if run is not None and run != source.run:
        raise UnknownRunError(source.experiment or "", run, () if source.run is None else (str(source.run),))
