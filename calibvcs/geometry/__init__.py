"""Where every pixel of a detector is, from LCLS geometry text: coordinates, image bins, masks, CrystFEL files."""

from __future__ import annotations

from calibvcs.geometry.bins import NO_BIN
from calibvcs.geometry.crystfel import to_crystfel
from calibvcs.geometry.crystfel_panels import BadRegion, CrystfelGeometry, PanelPlace
from calibvcs.geometry.crystfel_text import from_crystfel
from calibvcs.geometry.detector import Geometry, load
from calibvcs.geometry.detector_cache import detector_cache
from calibvcs.geometry.tree import Segment

__all__ = [
    "NO_BIN",
    "BadRegion",
    "CrystfelGeometry",
    "Geometry",
    "PanelPlace",
    "Segment",
    "detector_cache",
    "from_crystfel",
    "load",
    "to_crystfel",
]
