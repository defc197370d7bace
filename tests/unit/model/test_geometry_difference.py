"""The difference of two geometries is exact."""

from dataclasses import replace
from decimal import Decimal, localcontext

from calibvcs.model.geometry import Geometry, Panel
from calibvcs.model.geometry_difference import GeometryDifference, PanelDifference, compare

SENSORS = tuple(
    Panel(
        "QUAD:V1", 0, "SENS2X1:V1", index, *map(Decimal, ["5500.25", "1e3", "-3", "90.0", *"00", "0.35", "0.001", "0"])
    )
    for index in range(4)
)
QUAD = Panel("IP", 0, "QUAD:V1", 0, *map(Decimal, [*"00", "-100000", *"000000"]))
BEFORE = Geometry((*SENSORS, QUAD))


def moved(index: int, **numbers: str) -> Geometry:
    panels = list(BEFORE.panels)
    old = panels[index]
    panels[index] = replace(old, **{name: getattr(old, name) + Decimal(by) for name, by in numbers.items()})
    return Geometry(tuple(panels))


def test_a_shift_and_a_turn_are_told_as_they_were_made() -> None:
    assert compare(BEFORE, moved(3, x0="12.5", rot_z="0.1")) == GeometryDifference(
        panels=(PanelDifference("QUAD:V1/0 SENS2X1:V1/3", "changed", dx=Decimal("12.5"), drot_z=Decimal("0.1")),),
        compared=5,
    )
    (back,) = compare(moved(3, x0="12.5", tilt_x="-0.1"), BEFORE).panels
    assert (str(back.dx), str(back.dtilt_x), str(back.dy)) == ("-12.5", "0.1", "0")


def test_numbers_are_told_plainly() -> None:
    (panel,) = compare(BEFORE, moved(0, x0="100.000", y0="-1e3", z0="0.0000100")).panels
    assert [str(number) for number in (panel.dx, panel.dy, panel.dz, panel.drot_y)] == ["100", "-1000", "0.00001", "0"]


def test_spelling_and_order_do_not_count() -> None:
    spelled = tuple(replace(panel, x0=panel.x0 + Decimal("0.0000"), rot_x=Decimal("-0E-5")) for panel in BEFORE.panels)
    difference = compare(BEFORE, Geometry(spelled[::-1]))
    assert difference.same
    assert difference.compared == 5


def test_panels_come_and_go() -> None:
    other = replace(SENSORS[3], index=7)
    difference = compare(BEFORE, Geometry((other, *SENSORS[1:], QUAD)))
    assert [(panel.panel, panel.status) for panel in difference.panels] == [
        ("QUAD:V1/0 SENS2X1:V1/0", "removed"),
        ("QUAD:V1/0 SENS2X1:V1/7", "added"),
    ]
    assert difference.compared == 6
    assert not difference.same
    assert difference.panels[0].dx == 0


def test_differences_are_exact_whatever_the_context() -> None:
    tiny = "1e-300"
    with localcontext() as context:
        context.prec = 3
        (panel,) = compare(Geometry((QUAD,)), Geometry((replace(QUAD, z0=Decimal("123456.789")),))).panels
    assert panel.dz == Decimal("223456.789")
    (panel,) = compare(Geometry((QUAD,)), Geometry((replace(QUAD, z0=Decimal("1e15"), x0=Decimal(tiny)),))).panels
    assert panel.dz == Decimal(10**15 + 100_000)
    assert panel.dx == Decimal(tiny)
