"""Times as the interface takes them: UNIX seconds, psana's stamps and events, runs."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, TypeAlias

from calibvcs.errors import InvalidTimeError
from calibvcs.model.names import parse_experiment
from calibvcs.model.times import RunName
from calibvcs.model.validity import OPEN_END

if TYPE_CHECKING:
    from calibvcs.model.times import TimeLike

    TimeStamp: TypeAlias = TimeLike | tuple[str, int]


def time_like(tsp: TimeStamp) -> TimeLike:
    """Return a time as the rest of calibvcs takes it: a pair of experiment and run becomes the name of that run."""
    if not isinstance(tsp, tuple):
        return tsp
    try:
        experiment, run = tsp
        return RunName(parse_experiment(experiment), operator.index(run))
    except (TypeError, ValueError):
        raise InvalidTimeError(repr(tsp), "a run is a pair of experiment and number") from None


def is_open(end: object) -> bool:
    """Tell whether an end means that there is none: None, ``"end"`` or infinity."""
    return end is None or (isinstance(end, str) and end.strip() == OPEN_END) or end == math.inf
