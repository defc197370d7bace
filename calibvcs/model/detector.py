"""A detector: what is recorded of it, and what its type demands of its arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from calibvcs.model.constant_types import ConstantType
    from calibvcs.model.names import DetectorName

ParameterValue: TypeAlias = "bool | int | float | str | list[ParameterValue] | dict[str, ParameterValue]"
Parameters: TypeAlias = Mapping[str, ParameterValue]


@dataclass(frozen=True, slots=True)
class DetectorType:
    """Facts of a detector type.

    Attributes
    ----------
    gains : int
        Gain ranges that a per-gain constant has, the first axis of the array; 1 where there is no such axis.
    panel : tuple of int or None
        Rows and columns of a full panel; None where it varies.
    """

    gains: int = 1
    panel: tuple[int, int] | None = None


DETECTOR_TYPES: dict[str, DetectorType] = {
    "jungfrau": DetectorType(3, (512, 1024)),
    "epix10ka": DetectorType(7, (352, 384)),
    "epix10kaquad": DetectorType(7, (352, 384)),
    "epix10ka2m": DetectorType(7, (352, 384)),
    "epixhr": DetectorType(7, None),
    "epixhr2x2": DetectorType(7, (288, 384)),
    "epixhr1x4": DetectorType(7, (144, 768)),
    "epixhremu": DetectorType(7, (144, 768)),
    "epixm320": DetectorType(3, (192, 384)),
    "epix100": DetectorType(1, (704, 768)),
    "epix100a": DetectorType(1, (704, 768)),
    "cspad": DetectorType(1, (185, 388)),
    "pnccd": DetectorType(1, (512, 512)),
}


@dataclass(frozen=True, slots=True)
class Detector:
    """A registered detector.

    Attributes
    ----------
    name : DetectorName
        ``<dettype>-<detid>``.
    longname : str
        The DAQ's unique id of the detector, as psana shows it.
    segments : tuple of str
        Ids of the panels, in the order of the segment axis; empty where nobody told.
    predecessor, successor : str
        Detectors that this one replaced, or that replaced it.
    created : str
        ISO 8601 time of the registration.
    parameters : mapping
        Free parameters; ``panel_shape = [rows, columns]`` declares panels that are not of the full size.
    predecessor_until, successor_since : str
        ISO 8601 times: until when the predecessor was in use, and since when the successor is; empty where nobody told.
    """

    name: DetectorName
    longname: str = ""
    segments: tuple[str, ...] = ()
    predecessor: str = ""
    successor: str = ""
    created: str = ""
    parameters: Parameters = field(default_factory=dict)
    predecessor_until: str = ""
    successor_since: str = ""

    @property
    def type(self) -> DetectorType:
        """Facts of its detector type; of an unknown type nothing is demanded."""
        return DETECTOR_TYPES.get(self.name.dettype, DetectorType())

    @property
    def panel_shape(self) -> tuple[int, int] | None:
        """Rows and columns of its panels: as declared for this detector, else those of its type."""
        declared = self.parameters.get("panel_shape")
        match declared:
            case [int(rows), int(columns)] if not isinstance(rows, bool) and not isinstance(columns, bool):
                return rows, columns
            case _:
                return self.type.panel

    def dims(self, spec: ConstantType, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Name the axes of an array of this detector.

        Parameters
        ----------
        spec : ConstantType
            What is known of the ctype.
        shape : tuple of int
            Shape of the array.

        Returns
        -------
        tuple of str
            For example ("gain", "segment", "row", "column"); unknown axes are called ``axis0``, ``axis1`` ...
        """
        rank = len(shape)
        if not spec.per_pixel:
            return ("value",) if rank == 1 else tuple(f"axis{i}" for i in range(rank))
        pixel = ("row", "column")
        if rank == 2:
            return pixel
        if rank == 3:
            multi_gain = spec.per_gain and self.type.gains > 1 and shape[0] == self.type.gains
            return ("gain" if multi_gain and len(self.segments) != shape[0] else "segment", *pixel)
        if rank == 4:
            return ("gain", "segment", *pixel)
        return tuple(f"axis{i}" for i in range(rank))
