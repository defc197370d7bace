"""What every source of raw frames can do, whatever the format of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SourceDetector:
    """One detector of a run, as the data name it.

    Attributes
    ----------
    name : str
        Its name in the experiment, such as ``jungfrau`` or ``epixquad``.
    dettype : str
        Its type, such as ``epix10ka``; empty where the format does not tell.
    longname : str
        Unique id: type and serial numbers of all segments in ascending order, joined with ``_``; empty where the
        format does not tell.
    segments : tuple of int
        Numbers of its segments, ascending.
    normal : bool
        False for what stands among the detectors and is none: epics, scan, runinfo and the like.
    serials : tuple of str
        Serial number of each segment, in the order of `segments`.
    """

    schema: ClassVar[str] = "calibvcs.source-detector/1"

    name: str
    dettype: str
    longname: str
    segments: tuple[int, ...]
    normal: bool = True
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One run in the data.

    Attributes
    ----------
    experiment : str or None
        Name of the experiment; None where the data do not tell.
    run : int or None
        Number of the run; likewise.
    begin : float or None
        Its begin, UNIX seconds.
    end : float or None
        Its end; None where it goes on, or the data do not tell.
    stamp : int
        Its begin as a psana stamp.
    detectors : tuple of SourceDetector
        What takes part in it.
    """

    schema: ClassVar[str] = "calibvcs.source-run/1"

    experiment: str | None
    run: int | None
    begin: float | None
    end: float | None
    stamp: int
    detectors: tuple[SourceDetector, ...]


class Event(Protocol):
    """One event: a time, and what each detector saw."""

    @property
    def stamp(self) -> int:
        """Time as a psana stamp: seconds since 1990 << 32 | nanoseconds."""
        ...

    @property
    def time(self) -> float:
        """Time in UNIX seconds."""
        ...

    @property
    def run(self) -> SourceRun | None:
        """The run that it belongs to; None before the first run."""
        ...

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Raw frame by detector, shape (segments, rows, columns), read-only; only of detectors that took part.

        Looking an array up may raise InvalidDataError, if the file is damaged there.
        """
        ...

    @property
    def segments(self) -> Mapping[str, tuple[int, ...]]:
        """Numbers of the segments in each array, by detector."""
        ...

    @property
    def damage(self) -> Mapping[str, int]:
        """Damage words of the DAQ by detector, only where there is damage; of the event as a whole by an empty name."""
        ...

    def values(self, detector: str) -> Mapping[int, Mapping[str, Any]]:
        """Return everything that a detector wrote: value by field (``raw.frame_cnt``) by segment."""
        ...


class Source(Protocol):
    """A file or a set of files of raw data."""

    @property
    def format(self) -> str:
        """``xtc2``, ``hdf5`` or ``npy``."""
        ...

    @property
    def runs(self) -> tuple[SourceRun, ...]:
        """The runs in it, by their begin; one at least where the format knows no runs."""
        ...

    @property
    def experiment(self) -> str | None:
        """Experiment of the first run."""
        ...

    @property
    def run(self) -> int | None:
        """Number of the first run."""
        ...

    @property
    def detectors(self) -> tuple[SourceDetector, ...]:
        """Detectors of the first run."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever relies on the data should know: what was cut off, ignored or is missing."""
        ...

    def events(self, run: int | None = None) -> Iterator[Event]:
        """Yield the events, of one run or of all, by their time."""
        ...

    def settings(self, detector: str, run: int | None = None) -> Mapping[int, Mapping[str, Any]]:
        """Return how a detector was configured in a run: value by field, by segment; empty if the format has none."""
        ...

    def refresh(self) -> int:
        """Look for what was written since; return how many events are new."""
        ...

    def close(self) -> None:
        """Let go of the files; arrays that were handed out stay good."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
