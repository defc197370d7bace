"""One stream of XTC2: its chunks one after the other, as if they were one file; or the table of its small data."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources.mapping import MappedFile
from calibvcs.sources.xtc2_configuration import Configuration, read_configuration, values_of
from calibvcs.sources.xtc2_datagrams import Datagram, Service, datagram_at
from calibvcs.sources.xtc2_file_names import chunk_beside, parse_file_name
from calibvcs.sources.xtc2_index import Index

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.sources.mapping import Bytes
    from calibvcs.sources.xtc2_configuration import Values

_MOST_CHUNKS = 10_000
_ABOUT_RUNS = ("runinfo", "chunkinfo")
_MOST_RUNS = 4096
_SMALL = ".smd.xtc2"


@dataclass(slots=True)
class StreamRun:
    """One run of one stream: rows from `begin` on, until `end` (where EndRun was seen)."""

    begin: int
    stamp: int
    experiment: str | None
    run: int | None
    end_stamp: int | None = None


class Stream:
    """The datagrams of one stream.

    Parameters
    ----------
    path : Path
        Chunk 0 (or another chunk, with `configuration`), or a ``.smd.xtc2`` file, whose tables then say where the
        events stand in the chunks.
    configuration : Configuration or None
        What is in force before the first Configure.
    chunks : bool
        Whether to go on in later chunks.

    Attributes
    ----------
    runs : list of StreamRun
        In the order of the file.
    begins : dict
        Row of the first BeginRun with a stamp.
    trouble : InvalidDataError or None
        What is wrong behind the last good datagram; nothing is read behind it.

    Raises
    ------
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If it does not begin with a good datagram, or there is no Configure.
    """

    def __init__(self, path: Path, configuration: Configuration | None = None, *, chunks: bool = True) -> None:
        self.path = path
        self._chunks = chunks
        self.index = Index()
        self.runs: list[StreamRun] = []
        self.begins: dict[int, int] = {}
        self._configurations: list[Configuration] = [] if configuration is None else [configuration]
        self._configured: list[int] = [] if configuration is None else [0]
        self._missing = ""
        self._files = [MappedFile(path)]
        self._small = path.name.endswith(_SMALL)
        name = parse_file_name(path.name)
        self._chunk = name.chunk if name else 0
        self._named: dict[int, str] = {}
        self._target = 0  # of small data: the file that its events stand in, 0 where only the times are there
        self._reached = 0
        if self._small:
            self._open_chunk(_chunk_of_small(path))
        self.trouble = self._read()
        if not self._configurations:
            raise self.trouble or _no_configure(self._files[0].data)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were read so far."""
        return tuple(file.path for file in self._files)

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever relies on the data should know."""
        notes = [] if self.trouble is None else [self.trouble.problem]
        current = self._files[0 if self._small else -1]
        if self.trouble is None and (left := current.size - self._reached):
            notes.append(
                f"{current.path}: byte {self._reached}: the last {left} bytes are a part of a datagram, and are ignored"
            )
        return (*notes, self._missing) if self._missing else tuple(notes)

    @property
    def ended(self) -> bool:
        """Whether the last run has ended."""
        return bool(self.runs) and self.runs[-1].end_stamp is not None

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """Every Configure so far."""
        return tuple(self._configurations)

    def configuration_at(self, row: int) -> Configuration:
        """Return what is in force at a row."""
        return self._configurations[max(bisect_right(self._configured, row) - 1, 0)]

    def run_at(self, row: int) -> StreamRun | None:
        """Return the run that a row belongs to; None before the first one."""
        position = bisect_right(self.runs, row, key=lambda run: run.begin)
        return self.runs[position - 1] if position else None

    def datagram(self, row: int) -> tuple[Bytes, Datagram]:
        """Return a datagram, and the bytes that it stands in.

        Raises
        ------
        InvalidDataError
            If small data say it stands where it does not.
        """
        file, header = self.index.row(row)
        data = self._files[file].data
        if self._small and file:
            found = datagram_at(data, header.offset) if header.end <= len(data.view) else None
            if found is None or (found.size, found.stamp, found.service) != (header.size, header.stamp, header.service):
                reason = f"byte {header.offset}: the event {header.stamp} of {self.path.name} does not stand here"
                raise InvalidDataError(data.source, reason, "open the .xtc2 file itself, which needs no table")
            header = found
        return data, header

    def refresh(self) -> int:
        """Look for what was written since; return the number of new datagrams.

        What was wrong is looked at again: a file system may show a datagram before its bytes.

        Raises
        ------
        MissingFileError, InvalidDataError
            If a file has gone or has become shorter.
        """
        before = len(self.index)
        for file in self._files[-1:] if not self._small else self._files:
            file.refresh()
        self.trouble = self._read()
        return len(self.index) - before

    def _read(self) -> InvalidDataError | None:
        """Bring the index up to date; return what is wrong behind its last row."""
        while True:
            number = 0 if self._small else len(self._files) - 1
            data = self._files[number].data
            try:
                while (datagram := self._next_datagram(number, data)) is not None:
                    self._take(number, data, datagram)
                    self._reached = datagram.end
            except InvalidDataError as error:
                return error
            if self._small or not self._chunks or not self._next_chunk():
                return None

    def _next_datagram(self, file: int, data: Bytes) -> Datagram | None:
        """Return the next whole datagram that has to be looked into."""
        if self._configurations and not self._small:
            self._reached = self.index.append_events(file, data, self._reached)
        datagram = datagram_at(data, self._reached)
        return datagram if datagram is not None and datagram.end <= len(data.view) else None

    def _take(self, file: int, data: Bytes, datagram: Datagram) -> None:
        if datagram.service is Service.Configure:
            if len(self._configurations) >= _MOST_RUNS:
                raise data.broken(datagram.offset, f"more than {_MOST_RUNS} Configures")
            configuration = read_configuration(data, datagram)
            self._configured.append(len(self.index))
            self._configurations.append(configuration)
        elif not self._configurations:
            raise _no_configure(data)
        elif datagram.service is Service.L1Accept:
            if self._small:
                file, datagram = self._told(data, datagram)
        else:
            if len(self.runs) >= _MOST_RUNS:
                raise data.broken(datagram.offset, f"more than {_MOST_RUNS} runs")
            self._transition(values_of(data, datagram, self._configurations[-1], _ABOUT_RUNS), datagram)
        self.index.append(file, datagram)

    def _transition(self, values: Values, datagram: Datagram) -> None:
        if datagram.service is Service.BeginRun:
            experiment, run = run_info(values)
            self.begins.setdefault(datagram.stamp, len(self.index))
            self.runs.append(StreamRun(len(self.index), datagram.stamp, experiment, run))
        elif datagram.service is Service.EndRun and self.runs:
            self.runs[-1].end_stamp = datagram.stamp
        for fields in values.get("chunkinfo", {}).values():
            chunk, name = fields.get("chunkinfo.chunkid"), fields.get("chunkinfo.filename")
            if isinstance(chunk, int) and isinstance(name, str) and chunk == self._chunk + 1:
                self._named[chunk] = name
                if self._small:
                    self._chunk = chunk
                    self._open_chunk(self._chunk_path(chunk))

    def _told(self, data: Bytes, datagram: Datagram) -> tuple[int, Datagram]:
        """Return where small data say that an event stands."""
        values = values_of(data, datagram, self._configurations[-1], ("smdinfo",))
        for fields in values.get("smdinfo", {}).values():
            offset, size = fields.get("offsetAlg.intOffset"), fields.get("offsetAlg.intDgramSize")
            if isinstance(offset, int) and isinstance(size, int) and offset < 1 << 63 and size < 1 << 33:
                if not self._target:
                    return 0, datagram
                return self._target, Datagram(offset, size, datagram.stamp, datagram.service, datagram.damage)
        raise data.broken(datagram.offset, "an event of small data that does not say where it stands")

    def _next_chunk(self) -> bool:
        path = self._chunk_path(self._chunk + 1)
        if path is None:
            return False
        named = self._chunk + 1 in self._named
        if self._reached < self._files[-1].size and not (named and path.exists()):
            return False
        if not path.exists():
            self._missing = f"{path}: chunk {self._chunk + 1} is not here" if named else ""
            return False
        if not self._open_chunk(path):
            return False
        if left := self._files[-2].size - self._reached:
            self._missing = f"{self._files[-2].path}: byte {self._reached}: {left} bytes are ignored"
        self._chunk += 1
        self._reached = 0
        return True

    def _chunk_path(self, chunk: int) -> Path | None:
        folder = self.path.parent.parent if self._small else self.path.parent
        name = self._named.get(chunk)
        # The name comes from the data: it may only name a file beside this one.
        if name is not None and name.endswith(".xtc2") and Path(name).name == name and "\0" not in name:
            return folder / name
        here = _chunk_of_small(self.path) if self._small else self.path
        return chunk_beside(here, chunk)

    def _open_chunk(self, path: Path | None) -> bool:
        self._target = 0
        try:
            if path is None or len(self._files) >= _MOST_CHUNKS:
                return False
            self._files.append(MappedFile(path))
        except MissingFileError as error:
            self._missing = error.problem
            return False
        self._target = len(self._files) - 1
        return True


def run_info(values: Values) -> tuple[str | None, int | None]:
    """Return experiment and run as a BeginRun tells them; None where it does not."""
    for fields in values.get("runinfo", {}).values():
        experiment, run = fields.get("runinfo.expt"), fields.get("runinfo.runnum")
        if isinstance(experiment, str) and isinstance(run, int):
            return experiment, run
    return None, None


def first_configuration(paths: Iterable[Path]) -> Configuration | None:
    """Return the first Configure of the first of these files that begins with one."""
    for path in paths:
        data = MappedFile(path).data
        datagram = datagram_at(data, 0)
        if datagram is not None and datagram.service is Service.Configure:
            return read_configuration(data, datagram)
    return None


def _chunk_of_small(path: Path) -> Path:
    """Return the file whose events a small-data file tells the places of: in the folder above ``smalldata``."""
    return path.parent.parent / (path.name.removesuffix(_SMALL) + ".xtc2")


def _no_configure(data: Bytes) -> InvalidDataError:
    if not len(data.view):
        return InvalidDataError(data.source, "the file is empty", "wait until the DAQ has begun to write")
    first = datagram_at(data, 0)
    what = f"begins with {first.service.name}" if first else "is shorter than the header of a datagram"
    if first is not None and first.end > len(data.view):
        what = f"ends inside its first datagram, {first.service.name} of {first.size} bytes,"
    return InvalidDataError(
        data.source,
        f"it {what} and holds no Configure before its data",
        "open chunk 0 of the stream; or give the file that holds the Configure: configure=PATH",
    )
