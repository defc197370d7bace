"""Events of formats that hold nothing but arrays: frames one after the other, and perhaps their times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import InvalidDataError
from calibvcs.sources.psana_time import psana_stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibvcs.sources.protocol import SourceRun

_MOST_SECONDS = float(1 << 33)


class Frames(Mapping[str, "NDArray[Any]"]):
    """Arrays by detector, read when they are looked up.

    Parameters
    ----------
    readers : mapping
        What reads the frame of a detector, shape (segments, rows, columns).
    """

    def __init__(self, readers: Mapping[str, Callable[[], NDArray[Any]]]) -> None:
        self._readers = readers

    def __getitem__(self, name: str) -> NDArray[Any]:
        frame = self._readers[name]()
        frame.flags.writeable = False
        return frame

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """One event: see `calibvcs.sources.protocol.Event`.

    Attributes
    ----------
    time : float
        UNIX seconds; NaN where the file does not tell, and then the stamp is 0.
    """

    time: float
    run: SourceRun | None
    arrays: Mapping[str, NDArray[Any]]
    segments: Mapping[str, tuple[int, ...]]
    damage: Mapping[str, int] = field(default_factory=dict)

    @property
    def stamp(self) -> int:
        """Time as a psana stamp; 0 where it is not known."""
        return 0 if math.isnan(self.time) else psana_stamp(self.time)

    def values(self, detector: str) -> Mapping[int, Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing: there is nothing but frames."""
        return {}


def checked_times(times: Sequence[float] | NDArray[Any], events: int, source: str) -> NDArray[np.float64]:
    """Return the times of all events.

    Parameters
    ----------
    times : sequence or ndarray
        UNIX seconds, one for each event.
    events : int
        How many events there are.
    source : str
        What they are called in errors.

    Returns
    -------
    ndarray of float64
        Shape (events,), finite.

    Raises
    ------
    InvalidDataError
        If there are more or fewer of them, or they are no times.
    """
    try:
        found = np.asarray(times, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(source, f"the times are no numbers: {error}", "give UNIX seconds") from error
    if found.shape != (events,):
        reason = f"times of shape {found.shape} for {events} events"
        raise InvalidDataError(source, reason, "give one time an event, in UNIX seconds")
    if not (np.isfinite(found).all() and (found >= 0).all() and (found < _MOST_SECONDS).all()):
        raise InvalidDataError(source, "a time that is negative or not finite", "give UNIX seconds")
    return found
