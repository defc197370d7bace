"""What somebody wants to add, and the range that it is for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.validity import Validity

if TYPE_CHECKING:
    from calibvcs.model.detector import Parameters
    from calibvcs.model.times import RunName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Payload


@dataclass(frozen=True)
class NewConstant:
    """What somebody wants to add.

    Attributes
    ----------
    detector : str
        Detector or alias.
    ctype : str
        Calibration type.
    payload : Payload
        The data.
    begin : float, RunName or None
        Begin of the range; None takes it from the run of `origin`.
    end : float, RunName or None
        End of the range; None is open.
    origin : Origin
        Where the data were taken.
    unit, convention : str
        Unit, and how to apply the values; empty for what is usual for the ctype.
    parameters : mapping
        Free parameters.
    provenance : Provenance
        How the data came about.
    validity : Validity or None
        The range itself, where it is known; nothing else is looked at then to find it.
    """

    detector: str
    ctype: str
    payload: Payload
    begin: float | RunName | None
    end: float | RunName | None = None
    origin: Origin = field(default_factory=Origin)
    unit: str = ""
    convention: str = ""
    parameters: Parameters = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    validity: Validity | None = None


def validity(catalogue: Catalogue, new: NewConstant) -> Validity:
    """Return the range of a new constant; what it does not say comes from its runs.

    Raises
    ------
    InvalidOptionError
        If there is no begin.
    InvalidRangeError, UnknownRunError
        If the range is empty, or a run is not in the run table.
    """
    origin = new.origin
    if new.validity is not None:
        return new.validity
    if new.begin is None:
        if not origin.experiment or origin.run is None:
            allowed = "the begin of the range is needed (or --experiment and --run, whose begin is taken)"
            raise InvalidOptionError("--begin", "", allowed, "give --begin TIME; 0 for a fallback that is valid always")
        of_runs = catalogue.run_table(origin.experiment).validity(origin.run, origin.run_end)
        return of_runs if new.end is None else Validity(of_runs.begin, math.ceil(catalogue.seconds(new.end)))
    begin = math.floor(catalogue.seconds(new.begin))
    if new.end is None and origin.experiment and origin.run is not None and origin.run_end is not None:
        return Validity(begin, catalogue.run_table(origin.experiment).validity(origin.run, origin.run_end).end)
    return Validity(begin, None if new.end is None else math.ceil(catalogue.seconds(new.end)))
