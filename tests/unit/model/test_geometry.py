"""What is a geometry and what is not."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.model.geometry import NUMBERS, Geometry, Panel, check_tree

ZERO = Decimal(0)


def panel(parent: str, name: str, index: int = 0, parent_index: int = 0) -> Panel:
    return Panel(parent, parent_index, name, index, *[ZERO] * 9)


CAMERA = (panel("CAMERA", "SEGMENT", 0), panel("CAMERA", "SEGMENT", 1), panel("IP", "CAMERA"))


def test_a_tree_is_a_geometry_in_any_order() -> None:
    assert Geometry(CAMERA).panels == CAMERA
    assert Geometry(CAMERA[::-1]).panels == CAMERA[::-1]
    assert hash(Geometry(CAMERA)) == hash(Geometry(CAMERA))


def test_one_name_may_stand_below_several_parents() -> None:
    quads = [panel("CSPAD", "QUAD", index) for index in (0, 1)]
    sensors = [panel("QUAD", "SENSOR", 0, parent_index=index) for index in (0, 1)]
    assert len(Geometry((*sensors, *quads, panel("IP", "CSPAD"))).panels) == 5


def test_a_panel_tells_its_numbers_in_order() -> None:
    one = Panel("QUAD:V1", 0, "SENS2X1:V1", 3, *map(Decimal, range(9)))
    assert one.label == "QUAD:V1/0 SENS2X1:V1/3"
    assert one.numbers == tuple(range(9))
    assert NUMBERS == ("x0", "y0", "z0", "rot_z", "rot_y", "rot_x", "tilt_z", "tilt_y", "tilt_x")
    assert [getattr(one, name) for name in NUMBERS] == list(range(9))


@pytest.mark.parametrize(
    ("panels", "found"),
    [
        ((), "no panels"),
        ((*CAMERA, CAMERA[1]), "panel CAMERA/0 SEGMENT/1 stands there 2 times; allowed is once"),
        (
            (*CAMERA, panel("QUAD", "SEGMENT", 2)),
            "2 parents that are placed nowhere: IP/0 .*, QUAD/0 in QUAD/0 SEGMENT/2",
        ),
        ((*CAMERA, panel("CAMERA", "SEGMENT", 2, parent_index=1)), "2 parents .*CAMERA/1 in CAMERA/1 SEGMENT/2"),
        ((panel("A", "A"),), "A/0 A/0: the panel hangs below itself"),
        ((panel("A", "B"), panel("B", "C"), panel("C", "A")), "in a circle"),
        ((*CAMERA, panel("A", "B"), panel("B", "A"), panel("B", "C")), "(A/0 B/0|B/0 A/0): .* in a circle"),
        ((*CAMERA, panel("SEGMENT", "CAMERA")), "(SEGMENT/0 CAMERA/0|CAMERA/0 SEGMENT/0): .* in a circle"),
    ],
)
def test_refuses_what_is_no_tree(panels: tuple[Panel, ...], found: str) -> None:
    with pytest.raises(InvalidDataError, match=found):
        Geometry(panels)


def test_names_the_lines() -> None:
    with pytest.raises(InvalidDataError, match="here: lines 4, 9: panel A/0 B/0"):
        check_tree([panel("A", "B"), panel("A", "B")], "here", [4, 9])
    with pytest.raises(InvalidDataError, match=r"A/0 in line 4 .*, C/0 in line 9"):
        check_tree([panel("A", "B"), panel("C", "D")], "here", [4, 9])


def test_a_deep_tree_is_checked_without_recursion() -> None:
    chain = [panel("N", "N", index + 1, parent_index=index) for index in range(20_000)]
    assert len(Geometry(tuple(chain)).panels) == 20_000
    with pytest.raises(InvalidDataError, match="circle"):
        Geometry((*chain, panel("N", "N", 0, parent_index=20_000)))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": ""}, "name ''"),
        ({"name": "A B"}, "name 'A B'"),
        ({"parent": "A\n"}, "allowed is text without blanks"),
        ({"parent": "#IP"}, "would read as a comment"),
        ({"index": -1}, "index -1"),
        ({"x0": Decimal("nan")}, "x0 is NaN"),
        ({"tilt_x": Decimal("-inf")}, "tilt_x is -Infinity"),
        ({"y0": Decimal("1.1e15")}, "y0 is 1.1"),
        ({"z0": Decimal("1e-401")}, "z0 is 1.0"),
    ],
)
def test_refuses_a_panel(change: dict[str, object], found: str) -> None:
    with pytest.raises(InvalidDataError, match=found):
        replace(CAMERA[0], **change)


def test_geometry_needs_no_numpy() -> None:
    program = "import sys, calibvcs.model.geometry_difference; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
