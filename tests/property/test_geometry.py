"""Geometry text and its differences, for any tree of panels."""

import random
from dataclasses import replace
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.errors import InvalidDataError
from calibvcs.formats import geometry_text
from calibvcs.model.geometry import NUMBERS, Geometry, Panel
from calibvcs.model.geometry_difference import compare

NAMES = st.text("ABCXYZ:V012_.#/", min_size=1, max_size=8).filter(lambda name: not name.startswith("#"))
PLACES = (
    st.decimals(-(10**6), 10**6, places=5) | st.floats(-1e6, 1e6).map(repr).map(Decimal) | st.just(Decimal("-0E+3"))
)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Return a tree with nodes in any order; every node hangs below the root or an earlier node."""
    nodes = draw(st.lists(st.tuples(NAMES, st.integers(0, 40)), min_size=2, max_size=8, unique=True))
    panels = []
    for place, (name, index) in enumerate(nodes[1:], start=1):
        parent, parent_index = nodes[draw(st.integers(0, place - 1))]
        panels.append(Panel(parent, parent_index, name, index, *draw(st.tuples(*[PLACES] * len(NUMBERS)))))
    return Geometry(tuple(draw(st.permutations(panels))))


@given(geometries())
@settings(max_examples=100, deadline=None)
def test_text_reads_back(geometry: Geometry) -> None:
    text = geometry_text.encode(geometry)
    assert geometry_text.decode(text, "geometry.txt") == geometry
    assert geometry_text.decode(text.encode(), "geometry.txt") == geometry


@given(geometries(), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=100, deadline=None)
def test_comments_spacing_and_order_do_not_count(geometry: Geometry, chance: random.Random, end: str) -> None:
    lines = []
    for line in chance.sample(geometry_text.encode(geometry).splitlines(), len(geometry.panels)):
        lines += chance.choice([[], [""], ["# \u00b5m"], [" \t"], ["#" + line]])
        fields = [chance.choice(["", " "]) + field for field in line.split()]
        lines.append(chance.choice([" ", "\t", "   "]).join(fields) + chance.choice(["", "  "]))
    other = geometry_text.decode(end.join(lines), "geometry.txt")
    assert sorted(other.panels, key=repr) == sorted(geometry.panels, key=repr)
    difference = compare(geometry, other)
    assert difference.same
    assert difference.compared == len(geometry.panels)


@given(geometries(), st.data())
@settings(max_examples=100, deadline=None)
def test_shifts_are_told_exactly(geometry: Geometry, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(geometry.panels) - 1))
    name = data.draw(st.sampled_from(NUMBERS))
    shift = data.draw(PLACES.filter(bool))
    panels = list(geometry.panels)
    with localcontext() as context:
        context.prec = 1000
        panels[place] = replace(panels[place], **{name: getattr(panels[place], name) + shift})
    (found,) = compare(geometry, Geometry(tuple(panels))).panels
    (back,) = compare(Geometry(tuple(panels)), geometry).panels
    told = "d" + name.removesuffix("0")
    assert (found.panel, found.status) == (panels[place].label, "changed")
    assert getattr(found, told) == shift
    assert getattr(back, told) == shift.copy_negate()
    for other in NUMBERS:
        number = getattr(found, "d" + other.removesuffix("0"))
        assert number == (shift if other == name else 0)
        assert number.as_tuple().exponent <= 0
        assert number.as_tuple().digits[-1] != 0 or number.as_tuple().exponent == 0


@given(geometries(), geometries())
@settings(max_examples=50, deadline=None)
def test_what_comes_one_way_goes_the_other(a: Geometry, b: Geometry) -> None:
    there, back = compare(a, b), compare(b, a)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(row.panel, row.status) for row in back.panels} == {(row.panel, turned[row.status]) for row in there.panels}
    assert there.compared == back.compared


def reads_or_refuses(text: str | bytes) -> None:
    try:
        geometry = geometry_text.decode(text, "geometry.txt")
    except InvalidDataError:
        return
    assert geometry_text.decode(geometry_text.encode(geometry), "geometry.txt") == geometry


@given(st.text(max_size=200) | st.binary(max_size=200) | st.text(st.sampled_from("A0 1.e-\n\r\t#"), max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    reads_or_refuses(text)
    if isinstance(text, str):
        geometry_text.looks_like_geometry(text)


@given(
    geometries(),
    st.lists(st.tuples(st.integers(0, 800), st.integers(0, 20), st.text(max_size=6) | st.text("0 9.-\n", max_size=6))),
)
@settings(max_examples=200, deadline=None)
def test_damaged_text_is_read_or_refused(geometry: Geometry, cuts: list[tuple[int, int, str]]) -> None:
    text = geometry_text.encode(geometry)
    for start, length, put in cuts:
        text = text[:start] + put + text[start + length :]
    reads_or_refuses(text)
