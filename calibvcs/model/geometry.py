"""The geometry of a detector: a tree of panels, each placed in the frame of its parent.

Numbers are decimal fractions, as they stand in the file, so that a difference of two geometries is exact. Angles
come in two sorts that add up: the design rotation, and the small tilt that metrology found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST: Final = Decimal(10) ** 15
# The smallest float64, written with all its digits, ends at the 341st place.
_MOST_PLACES: Final = 400
_SHOWN: Final = 3

FIELDS_HINT: Final = (
    "13 fields a line: parent, its index, name, its index, x0 y0 z0 (um), rot_z rot_y rot_x tilt_z tilt_y tilt_x (deg)"
)
"""Advice for a file whose lines are not those of a geometry."""

Frame = tuple[str, int]
"""Name and index of a node of the tree."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One node of the tree and its place in the frame of its parent.

    Attributes
    ----------
    parent, parent_index : str, int
        Node whose frame the numbers are given in.
    name, index : str, int
        Node that is placed: a detector, a group of panels or a panel.
    x0, y0, z0 : Decimal
        Origin of the node in um, magnitude at most 10**15.
    rot_z, rot_y, rot_x : Decimal
        Design rotation about the axes of the parent in degrees.
    tilt_z, tilt_y, tilt_x : Decimal
        Deviation from the design rotation in degrees.

    Raises
    ------
    InvalidDataError
        If a name is empty or has blanks or control characters in it, an index is negative, or a number is not
        finite or out of its limits.
    """

    parent: str
    parent_index: int
    name: str
    index: int
    x0: Decimal
    y0: Decimal
    z0: Decimal
    rot_z: Decimal
    rot_y: Decimal
    rot_x: Decimal
    tilt_z: Decimal
    tilt_y: Decimal
    tilt_x: Decimal

    def __post_init__(self) -> None:
        for name in (self.parent, self.name):
            if not name.isprintable() or not name or " " in name:
                raise InvalidDataError("panel", f"name {name[:60]!r}; allowed is text without blanks", "give it a name")
        if self.parent.startswith("#"):
            raise InvalidDataError("panel", f"name {self.parent[:60]!r} would read as a comment", "give another name")
        for index in (self.parent_index, self.index):
            if index < 0:
                raise InvalidDataError(self.label, f"index {index}; allowed are 0, 1, 2, ...", "count from 0")
        for name, number in zip(NUMBERS, self.numbers, strict=True):
            if not number.is_finite():
                raise InvalidDataError(self.label, f"{name} is {number}; allowed are finite numbers", "give a number")
            if number.copy_abs() > _LARGEST or int(number.as_tuple().exponent) < -_MOST_PLACES:
                reason = f"{name} is {number:.6e}; allowed are magnitudes up to 10**15 and {_MOST_PLACES} decimals"
                raise InvalidDataError(self.label, reason, "lengths are in um, angles in degrees")

    @property
    def frame(self) -> Frame:
        """Name and index of the node itself, by which its children call it."""
        return self.name, self.index

    @property
    def parent_frame(self) -> Frame:
        """Name and index of the parent."""
        return self.parent, self.parent_index

    @property
    def label(self) -> str:
        """Name in messages and tables, for example ``QUAD:V1/0 SENS2X1:V1/3``."""
        return f"{self.parent}/{self.parent_index} {self.name}/{self.index}"

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        """The nine numbers in the order of the file: x0 y0 z0 (um), rot_z rot_y rot_x tilt_z tilt_y tilt_x (deg)."""
        return (
            *(self.x0, self.y0, self.z0),
            *(self.rot_z, self.rot_y, self.rot_x),
            *(self.tilt_z, self.tilt_y, self.tilt_x),
        )


NUMBERS: Final = tuple(field.name for field in fields(Panel))[4:]
"""Names of `Panel.numbers`."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A whole geometry: one tree, checked when it is made (see `check_tree`).

    Attributes
    ----------
    panels : tuple of Panel
        All nodes but the root, in the order of the file. The root, such as ``IP``, only ever stands as a parent.

    Raises
    ------
    InvalidDataError
        If the panels are not one tree.
    """

    panels: tuple[Panel, ...]

    def __post_init__(self) -> None:
        check_tree(self.panels, "geometry")


def check_tree(panels: Sequence[Panel], source: str, lines: Sequence[int] = ()) -> None:
    """Make sure that panels are one tree.

    Parameters
    ----------
    panels : sequence of Panel
        Panels in any order.
    source : str
        What they are called in errors, usually the path.
    lines : sequence of int, optional
        Line of the file that each panel was read from, for errors.

    Raises
    ------
    InvalidDataError
        If there are no panels, one stands there twice, they hang below each other in a circle, or there is more
        than one root.
    """
    if not panels:
        raise InvalidDataError(source, "no panels; a geometry has one at least", FIELDS_HINT)
    _check_unique(panels, source, lines)

    def located(panel: Panel) -> str:
        return f"line {lines[panels.index(panel)]} ({panel.label})" if lines else panel.label

    circle = _find_circle(panels)
    if circle is not None:
        reason = f"{located(circle)}: the panel hangs below itself, in a circle"
        raise InvalidDataError(source, reason, "correct the parent in that line")
    nodes = {panel.frame for panel in panels}
    tops: dict[Frame, Panel] = {}
    for panel in panels:
        if panel.parent_frame not in nodes:
            tops.setdefault(panel.parent_frame, panel)
    if len(tops) > 1:
        firsts = list(tops.values())[:_SHOWN]
        shown = ", ".join(f"{panel.parent}/{panel.parent_index} in {located(panel)}" for panel in firsts)
        reason = f"{len(tops)} parents that are placed nowhere: {shown}; allowed is one, the root"
        raise InvalidDataError(source, reason, "add the line that places the orphan, or correct its parent")


def _check_unique(panels: Sequence[Panel], source: str, lines: Sequence[int]) -> None:
    label, times = Counter(panel.label for panel in panels).most_common(1)[0]
    if times > 1:
        places = [place for place, panel in enumerate(panels) if panel.label == label]
        where = f"lines {', '.join(str(lines[place]) for place in places[:_SHOWN])}: " if lines else ""
        reason = f"{where}panel {label} stands there {times} times; allowed is once"
        raise InvalidDataError(source, reason, "remove the line, or give the panel its own index")


def _find_circle(panels: Sequence[Panel]) -> Panel | None:
    """Return a panel that is among its own ancestors, or None if there is no such panel."""
    below: dict[Frame, list[Panel]] = {}
    above: dict[Frame, list[Panel]] = {}
    for panel in panels:
        below.setdefault(panel.parent_frame, []).append(panel)
        above.setdefault(panel.frame, []).append(panel)
    # Take away what hangs below nothing any more, from the roots downwards; a circle is never reached.
    pending = {frame: len(parents) for frame, parents in above.items()}
    free = [frame for frame in below if frame not in above]
    while free:
        for panel in below.get(free.pop(), ()):
            pending[panel.frame] -= 1
            if not pending[panel.frame]:
                del pending[panel.frame]
                free.append(panel.frame)
    if not pending:
        return None
    # All that is left hangs below something left: going up from anywhere ends in the circle.
    visited: set[Frame] = set()
    frame = next(iter(pending))
    while True:
        panel = next(panel for panel in above[frame] if panel.parent_frame in pending)
        if frame in visited:
            return panel
        visited.add(frame)
        frame = panel.parent_frame
