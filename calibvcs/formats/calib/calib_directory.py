"""The legacy calib directory of LCLS: names of its files, run ranges, and the rule that chooses among them.

``<PATH>/<group>::CalibV1/<source>/<ctype>/<begin>-<end>.data``, for example
``Jungfrau::CalibV1/CxiEndstation.0:Jungfrau.0/pedestals/10-20.data``. Both ends of a range are runs of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

LAST_RUN: Final = 9999
"""The largest run that LCLS' Python readers know; larger ones are taken for it, and an open end is it."""

CALIB_VERSION: Final = "CalibV1"
SUFFIX: Final = ".data"
HISTORY_FILE: Final = "HISTORY"

_CAMERAS: Final = (
    *("alvium", "archon", "controlscamera", "fccd", "fccd960", "istar", "orcafl40", "quartz4a150", "rayonix"),
    *("streakc7700", "tm6740", "zyla"),
)
_GROUPS: Final = {
    "cspad": "CsPad", "cspad2x2": "CsPad2x2",
    "pnccd": "PNCCD", "princeton": "Princeton", "pimax": "Pimax", "pixis": "Pixis", "fli": "Fli", "uxi": "Uxi",
    "epix": "Epix", "epix100a": "Epix100a", "epix10k": "Epix10ka", "epix10ka": "Epix10ka",
    "epix10ka2m": "Epix10ka2M", "epix10kaquad": "Epix10kaQuad", "jungfrau": "Jungfrau",
    "andor": "Andor", "dualandor": "Andor3d",
    "acqiris": "Acqiris", "imp": "Imp", "evr": "EvrData", "timepix": "Timepix",
} | dict.fromkeys(_CAMERAS, "Camera")  # fmt: skip

_WORD: Final = r"[A-Za-z][A-Za-z0-9_]{0,39}"
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,3})"
_SOURCE: Final = re.compile(rf"({_WORD})\.({_NUMBER}):({_WORD})\.({_NUMBER})")
_WRAPPED: Final = re.compile(r"DetInfo\((.*)\)")
_GROUP: Final = re.compile(rf"({_WORD})::{CALIB_VERSION}")
_RUN: Final = r"0{0,8}[0-9]{1,4}"
_RANGE: Final = re.compile(rf"({_RUN})-({_RUN}|end)")


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A detector as the DAQ of LCLS-I names it: ``CxiEndstation.0:Jungfrau.0``.

    Attributes
    ----------
    location : str
        Where it stands, for example ``CxiEndstation``.
    location_number : int
        Which one of these.
    device : str
        What it is, for example ``Jungfrau``.
    device_number : int
        Which one of these.
    """

    location: str
    location_number: int
    device: str
    device_number: int

    @classmethod
    def parse(cls, text: str) -> Source:
        """Parse a source, bare or as ``DetInfo(...)``.

        Raises
        ------
        InvalidNameError
            If it is none.
        """
        wrapped = _WRAPPED.fullmatch(text)
        match = _SOURCE.fullmatch(wrapped[1] if wrapped else text)
        if match is None:
            raise InvalidNameError(
                "source", text, "<Location>.<n>:<Device>.<m>, for example CxiEndstation.0:Jungfrau.0"
            )
        return cls(match[1], int(match[2]), match[3], int(match[4]))

    @property
    def group(self) -> str:
        """Name of the folder of its kind, such as ``Jungfrau::CalibV1``; empty for a device that is not known."""
        device = self.device.lower()
        group = "Camera" if device.startswith("opal") else _GROUPS.get(device, "")
        return f"{group}::{CALIB_VERSION}" if group else ""

    def __str__(self) -> str:
        return f"{self.location}.{self.location_number}:{self.device}.{self.device_number}"


def is_group(name: str) -> bool:
    """Tell whether a folder name is that of a group: ``<Name>::CalibV1``."""
    return _GROUP.fullmatch(name) is not None


@total_ordering
@dataclass(frozen=True, slots=True)
class RunSpan:
    """The runs from the first to the last one, both included; no last one is an open end.

    Spans sort by precedence: the weakest first.

    Attributes
    ----------
    first : int
        First run, 0 to 9999.
    last : int or None
        Last run; None for an open end. 9999 is an open end too, since LCLS' readers take every later run for it.
    """

    first: int
    last: int | None = None

    @classmethod
    def parse(cls, text: str) -> RunSpan:
        """Parse ``10-20`` or ``0-end``.

        Raises
        ------
        InvalidNameError
            If it is no range of runs, or its last run comes before its first one.
        """
        match = _RANGE.fullmatch(text)
        if match is None:
            raise InvalidNameError("run range", text, f"<begin>-<end>, runs up to {LAST_RUN}; <end> may be 'end'")
        first, last = int(match[1]), None if match[2] == "end" or int(match[2]) == LAST_RUN else int(match[2])
        if last is not None and last < first:
            raise InvalidNameError("run range", text, "a last run that does not come before the first one")
        return cls(first, last)

    def __contains__(self, run: int) -> bool:
        return self.first <= min(run, LAST_RUN) <= (LAST_RUN if self.last is None else self.last)

    def __lt__(self, other: RunSpan) -> bool:
        return self.precedence < other.precedence

    @property
    def precedence(self) -> tuple[int, int]:
        """Sort key of the rule: among matching spans the largest wins."""
        return self.first, -(LAST_RUN if self.last is None else self.last)

    @property
    def file_name(self) -> str:
        """Name of the file of this span."""
        return f"{self}{SUFFIX}"

    def __str__(self) -> str:
        return f"{self.first}-{'end' if self.last is None else self.last}"


def choose(spans: Iterable[RunSpan], run: int) -> RunSpan | None:
    """Return the span whose file LCLS' readers take for a run: the largest begin, then the smallest end.

    Parameters
    ----------
    spans : iterable of RunSpan
        Those of one source and ctype, in any order.
    run : int
        Run number; above 9999 it is taken for 9999.

    Returns
    -------
    RunSpan or None
        The span; None where none covers the run.
    """
    return max((span for span in spans if run in span), default=None)
