"""The Detector Calibration Store in HDF5: what one file says, without the data of its versions.

Groups and datasets, no attributes: ``/<ctype>/<begin>-<end>/v<NNNN>/data``, and beside them a few scalars. Every level
may have ``_parameters``, a scalar for each key, and ``_history``, a text for each time. `dcs_reading` reads such a
file, and `dcs_writing` writes one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar: TypeAlias = "int | float | str"

PARAMETERS, HISTORY = "_parameters", "_history"
OPEN_END = "end"
SUFFIXES = (".h5", ".hdf5")
"""How the names of such files end."""

TEXT_LIMIT = 64 << 20
"""Most bytes of one text."""

_KEY = re.compile(r"(-?[0-9]{1,18})-(-?[0-9]{1,18}|end)")
_VERSION = re.compile(r"v([0-9]{1,9})")


@dataclass(frozen=True)
class Notes:
    """What is noted at one level of a file.

    Attributes
    ----------
    parameters : mapping of str to int, float or str
        Free parameters.
    history : mapping of str to str
        What happened, by time: UNIX seconds as text with six decimals.
    """

    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    history: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DcsVersion:
    """One version of a range.

    Attributes
    ----------
    number : int
        1, 2, ...
    tsprod : float or None
        When it was made, UNIX seconds.
    notes : Notes
        Its parameters and history.
    dtype : str
        numpy dtype of its data, ``text`` for a text, "" where it has none that can be read.
    shape : tuple of int
        Shape of its data, empty for a text.
    """

    number: int
    tsprod: float | None = None
    notes: Notes = field(default_factory=Notes)
    dtype: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class DcsRange:
    """A validity range.

    Attributes
    ----------
    key : str
        Its name in the file, ``<begin>-<end>``.
    begin : float
        Begin, UNIX seconds.
    end : float or None
        End, UNIX seconds; None where it is open.
    versdef : int
        Number of the default version; 0 is the last one.
    versions : tuple of DcsVersion
        By their numbers.
    notes : Notes
        Its parameters and history.
    """

    key: str
    begin: float
    end: float | None = None
    versdef: int = 0
    versions: tuple[DcsVersion, ...] = ()
    notes: Notes = field(default_factory=Notes)

    def holds(self, time: float) -> bool:
        """Tell whether a time lies in it; its end belongs to it, as the original has it."""
        return self.begin <= time and (self.end is None or time <= self.end)

    @property
    def precedence(self) -> tuple[float, float]:
        """Among ranges that hold a time the largest wins: the largest begin, then the smallest end."""
        return self.begin, -(math.inf if self.end is None else self.end)

    @property
    def default(self) -> int:
        """Number of the version that readers get; 0 where there is none."""
        numbers = [version.number for version in self.versions]
        return self.versdef if self.versdef in numbers else max(numbers, default=0)


@dataclass(frozen=True)
class DcsCtype:
    """A calibration type with its ranges."""

    name: str
    ranges: tuple[DcsRange, ...] = ()
    notes: Notes = field(default_factory=Notes)


@dataclass(frozen=True)
class DcsFile:
    """The content of a file: one detector.

    Attributes
    ----------
    dettype, detid, detname : str
        Type and id of the detector, and both joined by ``-``; empty where the file does not say.
    tscfile : float or None
        When the file was made, UNIX seconds.
    predecessor, successor : str
        Detectors that this one replaced, or that replaced it.
    ctypes : tuple of DcsCtype
        By their names.
    notes : Notes
        Parameters and history of the detector.
    """

    dettype: str = ""
    detid: str = ""
    detname: str = ""
    tscfile: float | None = None
    predecessor: str = ""
    successor: str = ""
    ctypes: tuple[DcsCtype, ...] = ()
    notes: Notes = field(default_factory=Notes)


def is_dcs_file(path: str) -> bool:
    """Tell whether a path is that of such a file, by how it ends."""
    return path.lower().endswith(SUFFIXES)


def range_key(begin: float, end: float | None) -> str:
    """Return the name that the original gives to a range: whole seconds, rounded outwards."""
    return f"{math.floor(begin)}-{OPEN_END if end is None or math.isinf(end) else math.ceil(end)}"


def range_of(key: str) -> tuple[float, float | None] | None:
    """Return begin and end that the name of a range tells; None where it is no such name."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    begin, end = match.groups()
    return float(begin), None if end == OPEN_END else float(end)


def version_name(number: int) -> str:
    """Return the name of the group of a version."""
    return f"v{number:04d}"


def version_of(name: str) -> int | None:
    """Return the number of a version by the name of its group; None where it is no such name."""
    match = _VERSION.fullmatch(name)
    return int(match[1]) if match else None
