"""Raw frames in HDF5: one dataset of frames for each detector, and perhaps one of times."""

from __future__ import annotations

import math
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import h5py  # type: ignore[import-untyped]
import numpy as np

from calibvcs.errors import (
    InvalidDataError,
    InvalidOptionError,
    UnknownDetectorError,
    UnknownRunError,
)
from calibvcs.sources.mapping import open_regular
from calibvcs.sources.plain_events import Frames, PlainEvent, checked_times
from calibvcs.sources.protocol import SourceDetector, SourceRun
from calibvcs.sources.psana_time import psana_stamp, unix_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from numpy.typing import NDArray

_FRAMES: Final = "frames"
_MOST_DETECTORS: Final = 1000
_LARGEST_FRAME: Final = 1 << 30
_MOST_EVENTS: Final = 1 << 32
_LONGEST_TEXT: Final = 4096
_ADVICE: Final = "name the datasets: fields={'jungfrau': '/entry/data/data'}"


class Hdf5Source:
    """Frames in an HDF5 file.

    By the convention of calibvcs, ``/jungfrau/frames`` holds the frames of the detector ``jungfrau``, shape
    (event, segment, row, column) or (event, row, column); ``/times`` (UNIX seconds) or ``/stamps`` (psana stamps) hold
    the times; attributes of the group are ``dettype`` and ``longname``, those of the file ``experiment`` and ``run``.
    All but the frames may be left out.

    Parameters
    ----------
    path : path
        The file.
    fields : mapping of str to str, optional
        Path of the dataset by detector, where it is not that of the convention.
    times : str, optional
        Path of the dataset with the times: floating point numbers are UNIX seconds, whole numbers of 64 bits psana
        stamps.
    experiment, run
        What the data are of, where the file does not tell.

    Raises
    ------
    MissingFileError
        If the file cannot be read.
    InvalidDataError
        If it holds no frames, or they do not fit each other.
    InvalidOptionError
        If there is no such dataset.
    """

    format = "hdf5"
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        path: str | Path,
        *,
        fields: Mapping[str, str] | None = None,
        times: str | None = None,
        experiment: str | None = None,
        run: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._fields = dict(fields or {})
        self._times_path = times
        self._given = experiment, run
        self.event_count = 0
        self._file = self._open()

    @property
    def runs(self) -> tuple[SourceRun, ...]:
        """The one run."""
        begin = None if self._times is None or not len(self._times) else float(self._times.min())
        stamp = 0 if begin is None else psana_stamp(begin)
        return (SourceRun(self.experiment, self.run, begin, None, stamp, self.detectors),)

    @property
    def detectors(self) -> tuple[SourceDetector, ...]:
        """The detectors, by name."""
        return self._detectors

    def events(self, run: int | None = None) -> Iterator[PlainEvent]:
        """Yield the events in the order of the file; each frame is read when it is looked at.

        Raises
        ------
        InvalidDataError
            If a frame cannot be read.
        UnknownRunError
            If there is no such run.
        """
        self._check_run(run)
        this = self.runs[0]
        segments = {detector.name: detector.segments for detector in self._detectors}
        for number in range(self.event_count):
            time = math.nan if self._times is None else float(self._times[number])
            readers = {name: partial(self._frame, dataset, number) for name, dataset in self._datasets.items()}
            yield PlainEvent(time, this, Frames(readers), segments)

    def settings(self, detector: str, run: int | None = None) -> Mapping[int, Mapping[str, Any]]:
        """Return nothing: the file does not tell.

        Raises
        ------
        UnknownDetectorError, UnknownRunError
            If there is no such detector or run.
        """
        self._check_run(run)
        if detector not in self._datasets:
            raise UnknownDetectorError(detector, tuple(self._datasets), len(self._datasets))
        return {}

    def refresh(self) -> int:
        """Open the file anew; return how many events are new.

        Raises
        ------
        InvalidDataError
            As for the source.
        """
        before = self.event_count
        self.close()
        self._file = self._open()
        return self.event_count - before

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> h5py.File:
        os.close(open_regular(self.path))
        try:
            file = h5py.File(self.path, "r", locking=False)
        except OSError as error:
            raise InvalidDataError(str(self.path), f"HDF5 cannot open it: {error}", "copy the file again") from error
        try:
            self._read(file)
        except (InvalidDataError, InvalidOptionError):
            file.close()
            raise
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
            file.close()
            raise InvalidDataError(str(self.path), f"HDF5 cannot read it: {error}", "copy the file again") from error
        return file

    def _read(self, file: h5py.File) -> None:
        paths = self._fields or self._by_convention(file)
        self._datasets = {name: self._dataset(file, "fields", path) for name, path in paths.items()}
        for dataset in self._datasets.values():
            self._check_frames(dataset)
        counts = {name: dataset.shape[0] for name, dataset in self._datasets.items()}
        if len(set(counts.values())) > 1:
            raise InvalidDataError(str(self.path), f"numbers of events that do not fit each other: {counts}", _ADVICE)
        self.event_count = next(iter(counts.values()))
        self._times = self._read_times(file)
        experiment, run = self._given
        self.experiment = experiment if experiment is not None else _text(file.attrs, "experiment") or None
        self.run = run if run is not None else _number(file.attrs, "run")
        self._detectors = tuple(_detector(name, dataset) for name, dataset in sorted(self._datasets.items()))

    def _by_convention(self, file: h5py.File) -> dict[str, str]:
        found = {}
        for position, name in enumerate(file):
            if position >= _MOST_DETECTORS:
                break
            inside = isinstance(file.get(name, getlink=True), h5py.HardLink)
            if inside and isinstance(group := file[name], h5py.Group) and _FRAMES in group:
                found[name] = f"/{name}/{_FRAMES}"
        if not found:
            raise InvalidDataError(str(self.path), "no dataset /DETECTOR/frames in it", _ADVICE)
        return found

    def _dataset(self, file: h5py.File, option: str, path: str) -> h5py.Dataset:
        """Return a dataset of this very file: links to other files are not followed."""
        node: Any = file
        for part in filter(None, path.split("/")):
            if not isinstance(node, h5py.Group) or not isinstance(node.get(part, getlink=True), h5py.HardLink):
                raise InvalidOptionError(option, path, f"there is no such dataset in {self.path}")
            node = node[part]
        if not isinstance(node, h5py.Dataset):
            raise InvalidOptionError(option, path, f"there is no such dataset in {self.path}")
        if node.is_virtual or node.external:
            reason = f"{path} takes its data from other files"
            raise InvalidDataError(str(self.path), reason, "copy the data into one file: h5repack")
        return node

    def _check_frames(self, dataset: h5py.Dataset) -> None:
        shape: tuple[int, ...] = tuple(dataset.shape or ())
        dtype = dataset.dtype
        if len(shape) not in {3, 4} or dtype.kind not in "uif" or 0 in shape[1:]:
            reason = (
                f"{dataset.name} has shape {shape} of {dtype}; frames are (event, [segment,] row, column) of numbers"
            )
            raise InvalidDataError(str(self.path), reason, _ADVICE)
        largest = max(math.prod(shape[1:]), math.prod(dataset.chunks or ())) * dtype.itemsize
        if largest > _LARGEST_FRAME or shape[0] > _MOST_EVENTS:
            reason = f"{dataset.name} has frames or chunks of {largest} bytes; allowed are {_LARGEST_FRAME}"
            raise InvalidDataError(str(self.path), reason, _ADVICE)

    def _frame(self, dataset: h5py.Dataset, number: int) -> NDArray[Any]:
        try:
            frame: NDArray[Any] = dataset[number]
        except (OSError, RuntimeError, ValueError) as error:
            reason = f"event {number} of {dataset.name if dataset else 'a closed file'}: {error}"
            raise InvalidDataError(str(self.path), reason, "copy the file again") from error
        return frame[np.newaxis] if frame.ndim == 2 else frame

    def _read_times(self, file: h5py.File) -> NDArray[np.float64] | None:
        path = self._times_path or next((name for name in ("times", "stamps") if name in file), None)
        if path is None:
            return None
        dataset = self._dataset(file, "times", path)
        if dataset.shape != (self.event_count,) or dataset.dtype.kind not in "uif":
            reason = f"{path} has shape {dataset.shape} of {dataset.dtype} for {self.event_count} events"
            raise InvalidDataError(str(self.path), reason, "one time an event is needed")
        if dataset.size * dataset.dtype.itemsize > _LARGEST_FRAME:
            raise InvalidDataError(str(self.path), f"{path} is larger than {_LARGEST_FRAME} bytes", _ADVICE)
        times = dataset[:]
        if times.dtype.kind != "f" and times.dtype.itemsize == 8:
            times = np.array([unix_seconds(int(stamp)) for stamp in times], np.float64)
        return checked_times(times, self.event_count, str(self.path))

    def _check_run(self, run: int | None) -> None:
        if run is not None and run != self.run:
            raise UnknownRunError(self.experiment or "", run, () if self.run is None else (str(self.run),))


def _detector(name: str, dataset: h5py.Dataset) -> SourceDetector:
    segments = dataset.shape[1] if len(dataset.shape) == 4 else 1
    attributes = dataset.parent.attrs
    return SourceDetector(name, _text(attributes, "dettype"), _text(attributes, "longname"), tuple(range(segments)))


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name, "")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""


def _number(attributes: Mapping[str, Any], name: str) -> int | None:
    value = attributes.get(name)
    return int(value) if isinstance(value, int | np.integer) else None
