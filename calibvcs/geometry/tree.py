"""From the lines of a geometry to its segments, each with all the moves between its own frame and that of the root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError
from calibvcs.geometry.segment_types import KNOWN, SegmentType, segment_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.geometry import Frame, Panel

_DEEPEST: Final = 64
_MOST_PIXELS: Final = 2**27


@dataclass(frozen=True, slots=True)
class Node:
    """How a node lies in the frame of its parent, in float64.

    Attributes
    ----------
    name : str
        Name of the node.
    origin : tuple of float
        x0, y0, z0 in um.
    rotation, tilt : tuple of float
        Design rotation and deviation about z, y, x in degrees.
    """

    name: str
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, panel: Panel) -> Node:
        """Return the node of a line; below the interaction point z is always against the beam."""
        x0, y0, z0, *angles = map(float, panel.numbers)
        if panel.parent.startswith("IP") and z0 > 0:
            z0 = -z0
        return cls(panel.name, (x0, y0, z0), (angles[0], angles[1], angles[2]), (angles[3], angles[4], angles[5]))


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a detector.

    Attributes
    ----------
    name, index : str, int
        What the geometry text calls it, such as ``JUNGFRAU:V2``, 3. Indices are those of the text; the place in
        arrays is the place in `Geometry.segments`.
    label : str
        Parent and name, for messages.
    kind : SegmentType
        Its pixels in its own frame.
    path : tuple of Node
        The node itself, its parent, and so on up to the root.
    """

    name: str
    index: int
    label: str
    kind: SegmentType
    path: tuple[Node, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.kind.shape


def segments_of(
    panels: Sequence[Panel], source: str, shape: tuple[int, int] | None, pixel_size: float
) -> tuple[Segment, ...]:
    """Return the segments of a tree, depth first, children in the order of the file.

    Parameters
    ----------
    panels : sequence of Panel
        All nodes but the root; they are known to be one tree.
    source : str
        What the text is called in errors.
    shape, pixel_size : tuple of int or None, float
        What types need that do not tell their size, see `segment_type`.

    Returns
    -------
    tuple of Segment
        At least one; all have the same shape.

    Raises
    ------
    InvalidDataError
        If a node is neither a segment nor a group of them, shapes differ, the tree is too deep, or there are more
        than 2**27 pixels.
    InvalidOptionError
        If a size that is needed was not given.
    """
    below: dict[Frame, list[Panel]] = {}
    firsts: dict[Frame, Panel] = {}
    for panel in panels:
        below.setdefault(panel.parent_frame, []).append(panel)
        firsts.setdefault(panel.frame, panel)
    root = next(frame for frame in below if frame not in firsts)
    if segment_type(root[0], shape, pixel_size) is not None:
        reason = f"{root[0]}/{root[1]} is a segment, but placed nowhere"
        raise InvalidDataError(source, reason, "place it below another node, such as IP 0")
    found: list[Segment] = []
    pixels = 0
    waiting: list[tuple[Panel, tuple[Node, ...]]] = [(panel, (Node(root[0]),)) for panel in reversed(below[root])]
    while waiting:
        panel, above = waiting.pop()
        path = (Node.of(panel), *above)
        kind = segment_type(panel.name, shape, pixel_size)
        if kind is None:
            # Of several nodes of one name and index, the first one has the children, as in psana.
            children = below.get(panel.frame, []) if firsts[panel.frame] is panel else []
            _check_group(panel, children, len(path), source)
            waiting.extend((child, path) for child in reversed(children))
            continue
        segment = Segment(panel.name, panel.index, panel.label, kind, path)
        found.append(segment)
        pixels += kind.shape[0] * kind.shape[1]
        _check_sizes(segment, found[0], pixels, source)
    return tuple(found)


def _check_group(panel: Panel, children: Sequence[Panel], depth: int, source: str) -> None:
    if not children:
        reason = f"{panel.label} is no segment that is known, and nothing hangs below it; known are {', '.join(KNOWN)}"
        raise InvalidDataError(source, reason, "correct the name, or the parent of what belongs below it")
    if depth > _DEEPEST:
        raise InvalidDataError(source, f"{panel.label} is more than {_DEEPEST} nodes deep", "a detector is flatter")


def _check_sizes(segment: Segment, first: Segment, pixels: int, source: str) -> None:
    if segment.shape != first.shape:
        reason = f"{segment.label} has the shape {segment.shape}, but {first.label} has {first.shape}"
        raise InvalidDataError(source, reason, "one array holds segments of one shape only; split the geometry")
    if pixels > _MOST_PIXELS:
        reason = f"more than {_MOST_PIXELS} pixels up to {segment.label}"
        raise InvalidDataError(source, reason, "is the size in the name of the segment right?")
