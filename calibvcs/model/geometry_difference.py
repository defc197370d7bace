"""The difference of two geometries, panel by panel and exact: 12.5 um is 12.5 um, not 12.499999999."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from calibvcs.model.geometry import Geometry, Panel

# 16 digits before the point and 400 after it hold any difference of two valid numbers; if not, it is a mistake here.
_EXACT: Final = decimal.Context(prec=420, traps=[decimal.Inexact, decimal.InvalidOperation])
_UNIT: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class PanelDifference:
    """What became of one panel.

    Attributes
    ----------
    panel : str
        Its label, for example ``QUAD:V1/0 SENS2X1:V1/3``.
    status : {"added", "removed", "changed"}
        Whether only the second geometry, only the first, or both have it.
    dx, dy, dz : Decimal
        Shift in um, in the frame of the parent; zero unless the status is ``changed``.
    drot_z, drot_y, drot_x : Decimal
        Change of the design rotation in degrees; zero unless the status is ``changed``.
    dtilt_z, dtilt_y, dtilt_x : Decimal
        Change of the tilt in degrees; zero unless the status is ``changed``.
    """

    panel: str
    status: Literal["added", "removed", "changed"]
    dx: Decimal = Decimal(0)
    dy: Decimal = Decimal(0)
    dz: Decimal = Decimal(0)
    drot_z: Decimal = Decimal(0)
    drot_y: Decimal = Decimal(0)
    drot_x: Decimal = Decimal(0)
    dtilt_z: Decimal = Decimal(0)
    dtilt_y: Decimal = Decimal(0)
    dtilt_x: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class GeometryDifference:
    """The difference of two geometries, second minus first.

    Attributes
    ----------
    panels : tuple of PanelDifference
        The panels that differ: removed and changed ones in the order of the first geometry, then the added ones in
        the order of the second.
    compared : int
        Number of panels that stand in either geometry.
    """

    panels: tuple[PanelDifference, ...]
    compared: int

    @property
    def same(self) -> bool:
        """Whether every panel is in both, at the same place; order, spacing and comments do not count."""
        return not self.panels


def compare(a: Geometry, b: Geometry) -> GeometryDifference:
    """Return what changed from one geometry to another.

    A panel is known by its parent, index of the parent, name and index; one that was given another parent was
    removed there and added here.

    Parameters
    ----------
    a, b : Geometry
        First and second geometry; the differences are ``b - a``.

    Returns
    -------
    GeometryDifference
        The panels that differ, with exact shifts in um and angles in degrees.
    """
    before = {panel.label: panel for panel in a.panels}
    after = {panel.label: panel for panel in b.panels}
    differences: list[PanelDifference] = []
    for label, panel in before.items():
        moved = after.get(label)
        if moved is None:
            differences.append(PanelDifference(label, "removed"))
        elif moved.numbers != panel.numbers:
            differences.append(_changed(panel, moved))
    differences += [PanelDifference(label, "added") for label in after if label not in before]
    return GeometryDifference(tuple(differences), compared=len(before.keys() | after.keys()))


def _changed(a: Panel, b: Panel) -> PanelDifference:
    dx, dy, dz, rot_z, rot_y, rot_x, tilt_z, tilt_y, tilt_x = (
        _plain(_EXACT.subtract(new, old)) for new, old in zip(b.numbers, a.numbers, strict=True)
    )
    return PanelDifference(b.label, "changed", dx, dy, dz, rot_z, rot_y, rot_x, tilt_z, tilt_y, tilt_x)


def _plain(number: Decimal) -> Decimal:
    """Return the number without zeros at its end, and without an exponent where it is whole."""
    short = _EXACT.normalize(number)
    return _EXACT.quantize(short, _UNIT) if int(short.as_tuple().exponent) > 0 else short
