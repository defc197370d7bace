"""CrystFEL geometry files, read after the manual page crystfel_geometry(5).

Only what tells where pixels are is looked at, and which are bad. Values are numbers in the file: a camera length that
CrystFEL would take from the data has to be given.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.geometry.crystfel_panels import BadRegion, CrystfelGeometry, PanelPlace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.geometry.crystfel_panels import Vector

_SOURCE: Final = "CrystFEL geometry"
_LARGEST_TEXT: Final = 16 * 1024 * 1024
_MOST_PANELS: Final = 65536
_MOST_INDEX: Final = 2**24
_SHOWN: Final = 60
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_TERM: Final = re.compile(r"([+-]?)([0-9]{0,40}\.?[0-9]{0,40})([xyz])", re.ASCII)
_LIMITS: Final = ("min_fs", "max_fs", "min_ss", "max_ss")
_NEEDED: Final = (*_LIMITS, "corner_x", "corner_y", "fs", "ss", "res")
_REGION_FIELDS: Final = tuple(f"{end}_{axis}" for end in ("min", "max") for axis in ("fs", "ss", "x", "y"))
_FIELDS: Final = {*_NEEDED, "coffset", "clen", "no_index"}
_SET_APART: Final = ("bad", "group", "rigid_group")
_DIMENSION: Final = re.compile(r"dim[0-9]", re.ASCII)
_SHIFTS: Final = ("detector_shift_x", "detector_shift_y")
_LENGTH_HINT: Final = "give distance=, the length in metres"


@dataclass(slots=True)
class _Given:
    """A value with the line that it stands in."""

    text: str
    where: str

    def number(self, unit: str = "") -> float:
        """Return the value as a number; with a unit m or mm, in metres."""
        words = self.text.split()
        factor = {"m": 1.0, "mm": 1e-3}.get(words[1] if len(words) == 2 else unit, 0.0) if unit else 1.0
        if len(words) > (2 if unit else 1) or not words or not factor or not _NUMBER.fullmatch(words[0]):
            allowed = "a number, and m or mm" if unit else "a finite decimal number"
            raise InvalidDataError(
                self.where, f"{self.text[:_SHOWN]!r}; allowed is {allowed}", _LENGTH_HINT * bool(unit)
            )
        value = float(words[0]) * factor
        if not math.isfinite(value) or abs(value) > 1e15:
            raise InvalidDataError(self.where, f"{value:.3g}; allowed are magnitudes up to 1e15", "")
        return value

    def whole(self) -> int:
        """Return the value as 0, 1, 2, ..., which CrystFEL allows to be written as 2.0."""
        value = self.number()
        if value != int(value) or not 0 <= value <= _MOST_INDEX:
            raise InvalidDataError(self.where, f"{self.text[:_SHOWN]!r}; allowed are 0 to {_MOST_INDEX}", "")
        return int(value)

    def vector(self) -> Vector:
        """Return a direction, such as ``-0.01x +1.0y -z``."""
        packed = "".join(self.text.split())
        total = dict.fromkeys("xyz", 0.0)
        end = 0
        for term in _TERM.finditer(packed):
            sign, digits, axis = term.groups()
            # A term behind the first one needs its sign, else it belongs to the digits before.
            if term.start() != end or (end and not sign) or digits == ".":
                break
            total[axis] += float(digits or 1) * (-1 if sign == "-" else 1)
            end = term.end()
        if not packed or end != len(packed):
            reason = f"direction {self.text[:_SHOWN]!r}; allowed are sums such as +0.01x -1.0y"
            raise InvalidDataError(self.where, reason, "CrystFEL takes no exponents here")
        return total["x"], total["y"], total["z"]


@dataclass(slots=True)
class _Read:
    """What the lines say: defaults as they stand at the moment, panels, and bad regions."""

    defaults: dict[str, _Given] = field(default_factory=dict)
    panels: dict[str, dict[str, _Given]] = field(default_factory=dict)
    regions: dict[str, dict[str, _Given]] = field(default_factory=dict)

    def take(self, key: str, given: _Given) -> None:
        """Take one line into account."""
        name, slash, entry = key.rpartition("/")
        if not slash:
            if not key.startswith(_SET_APART):
                self.defaults[key] = given
        elif name.startswith("bad"):
            self.regions.setdefault(name, {})[entry] = given
        elif not name.startswith(_SET_APART):
            if name not in self.panels:
                if len(self.panels) == _MOST_PANELS:
                    raise InvalidDataError(given.where, f"more than {_MOST_PANELS} panels", "is this the right file?")
                self.panels[name] = {k: v for k, v in self.defaults.items() if k in _FIELDS or _DIMENSION.fullmatch(k)}
            self.panels[name][entry] = given


def from_crystfel(text: str, *, distance: float | None = None) -> CrystfelGeometry:
    """Read a CrystFEL geometry file.

    Parameters
    ----------
    text : str
        The whole file, at most 16 MiB.
    distance : float, optional
        ``clen`` in metres, in place of the one in the file. Needed if the file says that it is in the data.

    Returns
    -------
    CrystfelGeometry
        Panels and bad regions. Groups, and what is about energies and files, are passed over.

    Raises
    ------
    InvalidDataError
        If a line cannot be read (the line and its text are named), a panel lacks something, or there is no panel.
    InvalidOptionError
        If `distance` is not finite.
    """
    if distance is not None and not math.isfinite(distance):
        raise InvalidOptionError("distance", str(distance), "allowed are finite lengths in metres")
    if len(text) > _LARGEST_TEXT:
        raise InvalidDataError(
            _SOURCE, f"{len(text)} characters; allowed are {_LARGEST_TEXT}", "is this the right file?"
        )
    read = _Read()
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.partition(";")[0].strip()
        if words:
            key, equals, value = words.partition("=")
            where = f"{_SOURCE}, line {number}"
            if not equals or not key.strip() or not value.strip():
                raise InvalidDataError(where, f"{words[:_SHOWN]!r}; allowed is name = value", "comments begin with ;")
            read.take(key.strip(), _Given(value.strip(), f"{where}, {key.strip()[:_SHOWN]}"))
    if not read.panels:
        raise InvalidDataError(_SOURCE, "no panels; there is one at least", "lines such as p0/min_fs = 0 make a panel")
    shift = [read.defaults[name].number("m") if name in read.defaults else 0.0 for name in _SHIFTS]
    length = read.defaults.get("clen")
    panels = tuple(_panel(name, fields, distance, length, shift) for name, fields in read.panels.items())
    regions = tuple(_region(name, fields, read.panels) for name, fields in read.regions.items())
    return CrystfelGeometry(panels, regions)


def _panel(
    name: str, fields: Mapping[str, _Given], distance: float | None, length: _Given | None, shift: list[float]
) -> PanelPlace:
    missing = [needed for needed in _NEEDED if needed not in fields]
    if missing:
        raise InvalidDataError(_SOURCE, f"panel {name[:_SHOWN]!r} lacks {', '.join(missing)}", "add a line for each")
    min_fs, max_fs, min_ss, max_ss = (fields[limit].whole() for limit in _LIMITS)
    if max_fs < min_fs or max_ss < min_ss:
        reason = f"fs {min_fs} to {max_fs}, ss {min_ss} to {max_ss}; the last one is not before the first one"
        raise InvalidDataError(f"{_SOURCE}, panel {name[:_SHOWN]}", reason, "both ends are included")
    resolution = fields["res"].number()
    if resolution <= 0:
        raise InvalidDataError(fields["res"].where, f"{resolution}; allowed are positive pixels per metre", "")
    away = distance
    if away is None:
        # The last word of the whole file counts, but for old files, where every panel has its own.
        given = fields.get("clen") or length
        away = given.number("m") if given else 0.0
    return PanelPlace(
        *(name, min_fs, max_fs, min_ss, max_ss),
        fields["corner_x"].number() + shift[0] * resolution,
        fields["corner_y"].number() + shift[1] * resolution,
        *(fields["fs"].vector(), fields["ss"].vector()),
        away + (fields["coffset"].number() if "coffset" in fields else 0.0),
        1e6 / resolution,
        next((given.whole() for key, given in fields.items() if _DIMENSION.fullmatch(key) and given.text.isdigit()), 0),
        "no_index" in fields and fields["no_index"].text.lower() not in ("0", "false"),
    )


def _region(name: str, fields: Mapping[str, _Given], panels: Mapping[str, object]) -> BadRegion:
    given = {key: fields[key].number() for key in _REGION_FIELDS if key in fields}
    axes = ("fs", "ss") if any(key.endswith("s") for key in given) else ("x", "y")
    where = f"{_SOURCE}, {name[:_SHOWN]}"
    if sorted(given) != sorted(f"{end}_{axis}" for end in ("min", "max") for axis in axes):
        reason = f"it has {', '.join(given) or 'no limits'}; needed are min and max of fs and ss, or of x and y"
        raise InvalidDataError(where, reason, "limits of both sorts do not go together")
    panel = fields["panel"].text if "panel" in fields and axes[0] == "fs" else ""
    if axes[0] == "fs" and panel not in panels:
        raise InvalidDataError(
            where, f"panel {panel[:_SHOWN]!r} is not in the file", "limits in fs and ss need a panel"
        )
    return BadRegion(
        name,
        panel,
        (given[f"min_{axes[0]}"], given[f"min_{axes[1]}"]),
        (given[f"max_{axes[0]}"], given[f"max_{axes[1]}"]),
    )
