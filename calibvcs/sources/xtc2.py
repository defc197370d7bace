"""Raw data in XTC2, the format of LCLS-II: one stream of a run or all of them, merged by time. No psana is needed."""

from __future__ import annotations

import heapq
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from calibvcs.errors import InvalidOptionError, UnknownDetectorError, UnknownRunError, nearest
from calibvcs.sources.xtc2_events import FrameField, Part, Xtc2Event, frame_fields
from calibvcs.sources.xtc2_file_names import chunk_beside, parse_file_name
from calibvcs.sources.xtc2_runs import configurations_at, detectors_at, joined_runs
from calibvcs.sources.xtc2_stream import Stream, first_configuration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from calibvcs.sources.protocol import SourceDetector, SourceRun
    from calibvcs.sources.xtc2_configuration import Configuration

_NEVER = 1 << 64


class _Row(NamedTuple):
    """A row of a stream, as it is merged with those of others: by stamp, then by stream."""

    stamp: int
    stream: int
    number: int


class Xtc2Source:
    """Streams of XTC2 files.

    Parameters
    ----------
    paths : sequence of path
        One file for each stream: chunk 0, whose later chunks are found by themselves, or a ``.smd.xtc2`` file, whose
        tables say where the events stand.
    configure : path, optional
        File whose first Configure holds for data that come without one, such as a later chunk on its own.
    fields : mapping of str to str, optional
        Which field is the raw frame, by detector, such as ``{"xpphsd": "fex.arrayFex"}``; see `frame_fields`.
    chunks : bool
        Whether to go on in the later chunks of each stream; False reads just the files that are named.

    Raises
    ------
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If a file does not begin with a good datagram, or there is no Configure.
    InvalidOptionError
        If there is no such field.

    Examples
    --------
    >>> with Xtc2Source(["mfx101332224-r0007-s000-c000.xtc2"]) as source:
    ...     means = {event.stamp: event.arrays["jungfrau"].mean() for event in source.events()}
    """

    format = "xtc2"

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        configure: str | Path | None = None,
        fields: Mapping[str, str] | None = None,
        chunks: bool = True,
    ) -> None:
        first = first_configuration([Path(configure)]) if configure is not None else None
        if configure is not None and first is None:
            raise InvalidOptionError("configure", str(configure), "the file does not begin with a Configure")
        self._fields = dict(fields or {})
        self._streams = [Stream(path, first or _from_chunk_0(path), chunks=chunks) for path in map(Path, paths)]
        if not self._streams:
            raise InvalidOptionError("paths", "", "one file at least is needed")
        self._frames: dict[int, dict[int, FrameField]] = {}
        self.runs: tuple[SourceRun, ...] = ()
        self._known: dict[int, SourceRun] = {}
        self._find_runs()
        self._check_fields()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were read so far."""
        return tuple(path for stream in self._streams for path in stream.paths)

    @property
    def experiment(self) -> str | None:
        """Experiment of the first run, as BeginRun tells it."""
        return self.runs[0].experiment if self.runs else None

    @property
    def run(self) -> int | None:
        """Number of the first run, as BeginRun tells it."""
        return self.runs[0].run if self.runs else None

    @property
    def detectors(self) -> tuple[SourceDetector, ...]:
        """Detectors of the first run; before it has begun, of the first Configure."""
        return self.runs[0].detectors if self.runs else detectors_at(self._streams, 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was cut off, is damaged or is missing."""
        return tuple(note for stream in self._streams for note in stream.notes)

    @property
    def ended(self) -> bool:
        """Whether EndRun of the last run was seen in every stream."""
        return all(stream.ended for stream in self._streams)

    def events(self, run: int | None = None) -> Iterator[Xtc2Event]:
        """Yield the events by their time; datagrams of several streams with one stamp are one event.

        Parameters
        ----------
        run : int, optional
            Only those of this run.

        Yields
        ------
        Xtc2Event
            What a file holds is decoded, and checked, when it is looked at.

        Raises
        ------
        InvalidDataError
            Where the files are damaged so that what follows cannot be found; all before that was yielded.
        UnknownRunError
            If there is no such run.
        """
        if run is not None and run not in {known.run for known in self.runs}:
            raise UnknownRunError(self.experiment or "", run, tuple(str(known.run) for known in self.runs))
        streams = [self._rows(number, stream.index.events()) for number, stream in enumerate(self._streams)]
        for event in self._merged(streams):
            if run is None or (event.run is not None and event.run.run == run):
                yield event

    def transitions(self) -> Iterator[Xtc2Event]:
        """Yield what is no event: Configure, BeginRun, SlowUpdate and so on; `service` says what it is.

        Raises
        ------
        InvalidDataError
            As for `events`.
        """
        streams = [self._rows(number, stream.index.transitions()) for number, stream in enumerate(self._streams)]
        return self._merged(streams)

    def follow(self, *, patience: float = 60.0, interval: float = 0.2) -> Iterator[Xtc2Event]:
        """Yield the events as they are written, until every stream has seen its EndRun.

        An event is yielded when no stream can still bring a part of it.

        Parameters
        ----------
        patience : float
            Stop if nothing was written for so many seconds; what is there is yielded before.
        interval : float
            Seconds between two looks.

        Raises
        ------
        InvalidDataError
            As for `events`, or if a file has become shorter.
        """
        done = [0] * len(self._streams)
        fresh = time.monotonic()
        while True:
            if self.refresh_all():
                fresh = time.monotonic()
            over = self.ended or time.monotonic() - fresh > patience
            reached = [_NEVER if over or stream.ended else _last(stream) for stream in self._streams]
            streams = []
            for number, stream in enumerate(self._streams):
                rows = [row for row in stream.index.events(done[number]) if stream.index.stamps[row] <= min(reached)]
                done[number] = rows[-1] + 1 if rows else done[number]
                streams.append(self._rows(number, rows, raising=over))
            yield from self._merged(streams)
            if over:
                return
            time.sleep(interval)

    def settings(self, detector: str, run: int | None = None) -> Mapping[int, Mapping[str, Any]]:
        """Return what Configure says of a detector.

        Parameters
        ----------
        detector : str
            Its name in the experiment.
        run : int, optional
            The run; the first one if it is left out.

        Returns
        -------
        mapping
            Value by field, such as ``config.user.gainMode``, by segment; arrays are read-only views.

        Raises
        ------
        UnknownDetectorError
            If it takes no part in the run.
        UnknownRunError
            If there is no such run.
        """
        chosen = next((known for known in self.runs if run in {None, known.run}), None)
        if chosen is None and run is not None:
            raise UnknownRunError(self.experiment or "", run, tuple(str(known.run) for known in self.runs))
        found: dict[int, dict[str, Any]] = {}
        configurations = configurations_at(self._streams, chosen.stamp if chosen else 0)
        names = {block.detector for configuration in configurations for block in configuration.names.values()}
        if detector not in names:
            raise UnknownDetectorError(detector, nearest(detector, names), len(names), f"the data have {sorted(names)}")
        for configuration in configurations:
            for segment, values in configuration.values.get(detector, {}).items():
                found.setdefault(segment, {}).update(values)
        return found

    def refresh(self) -> int:
        """Look for what was written since; return how many events are new.

        Raises
        ------
        MissingFileError, InvalidDataError
            If a file has gone or has become shorter.
        """
        before = self.event_count
        self.refresh_all()
        return self.event_count - before

    def refresh_all(self) -> int:
        """Look for what was written since; return how many datagrams are new.

        Raises
        ------
        MissingFileError, InvalidDataError
            As `refresh`.
        """
        new = sum(stream.refresh() for stream in self._streams)
        self._find_runs()
        return new

    @property
    def event_count(self) -> int:
        """How many event datagrams were found so far, in the stream that has most of them."""
        return max(stream.index.event_count for stream in self._streams)

    def close(self) -> None:
        """Let go of the files; arrays that were handed out stay good."""
        self._streams = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, number: int, rows: Iterable[int], *, raising: bool = True) -> Iterator[_Row]:
        stream = self._streams[number]
        for row in rows:
            yield _Row(stream.index.stamps[row], number, row)
        if raising and (trouble := stream.trouble):
            raise type(trouble)(trouble.source, trouble.reason, trouble.advice)

    def _merged(self, streams: Sequence[Iterator[_Row]]) -> Iterator[Xtc2Event]:
        if len(streams) == 1:
            for row in streams[0]:
                yield self._event((row,))
            return
        for _, rows in groupby(heapq.merge(*streams), key=lambda row: row.stamp):
            yield self._event(tuple(rows))

    def _event(self, rows: tuple[_Row, ...]) -> Xtc2Event:
        parts = []
        for row in rows:
            stream = self._streams[row.stream]
            configuration = stream.configuration_at(row.number)
            parts.append(Part(*stream.datagram(row.number), configuration, self._frames_of(configuration)))
        run = self._streams[rows[0].stream].run_at(rows[0].number)
        return Xtc2Event(tuple(parts), self._known[run.stamp] if run else None)

    def _frames_of(self, configuration: Configuration) -> dict[int, FrameField]:
        # Configurations live as long as the source, so that their id stays theirs.
        if (found := self._frames.get(id(configuration))) is None:
            found = self._frames[id(configuration)] = frame_fields(configuration, self._fields)
        return found

    def _check_fields(self) -> None:
        configurations = [one for stream in self._streams for one in stream.configurations]
        found = {frame.detector for one in configurations for frame in self._frames_of(one).values()}
        for detector, field in self._fields.items():
            if detector not in found:
                arrays = {
                    f"{block.algorithm}.{entry.name}"
                    for one in configurations
                    for block in one.names.values()
                    for entry in block.fields
                    if block.detector == detector and entry.rank
                }
                allowed = f"{detector} has the arrays {sorted(arrays)}" if arrays else f"there is no {detector!r}"
                raise InvalidOptionError("fields", field, allowed)

    def _find_runs(self) -> None:
        self.runs = joined_runs(self._streams, self.runs)
        self._known = {run.stamp: run for run in self.runs}


def _last(stream: Stream) -> int:
    return stream.index.stamps[-1] if len(stream.index) else 0


def _from_chunk_0(path: Path) -> Configuration | None:
    """Return the Configure of the first chunk, where a later one is opened on its own."""
    name = parse_file_name(path.name)
    first = chunk_beside(path, 0) if name is not None and name.chunk else None
    return first_configuration([first]) if first is not None and first.is_file() else None
