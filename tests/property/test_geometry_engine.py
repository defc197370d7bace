"""Coordinates of any tree, CrystFEL files of it, and texts that are no geometry."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs import geometry
from calibvcs.errors import CalibvcsError
from calibvcs.geometry.segment_types import segment_type
from calibvcs.geometry.text import parse

SEGMENTS = ("MTRX:V2:3:5:10:20", "MTRX:2:3:7:9", "MTRX:V2:1:4:10:10", "MTRX:40:3:5:5", "ARCHON:V2")
LENGTHS = st.sampled_from(["0", "-0", "-0.0", "5", "-7.25", "1e4"]) | st.floats(-1e6, 1e6).map(repr)
ANGLES = st.sampled_from(["0", "-0", "90", "180", "-90", "360", "1e-300"]) | st.floats(-360, 360).map(repr)
NODE = st.tuples(LENGTHS, LENGTHS, LENGTHS, ANGLES, ANGLES, ANGLES, ANGLES, ANGLES, ANGLES)
CUTS = st.lists(
    st.tuples(st.integers(0, 1500), st.integers(0, 20), st.text(max_size=6) | st.text("0 9.-\n#;=/xyz", max_size=6))
)
SHAPE = (1, 4800)


@st.composite
def texts(draw: st.DrawFn, kinds: tuple[str, ...] = SEGMENTS) -> str:
    """Return the text of a detector of one or two arms with one to three segments each."""
    kind = draw(st.sampled_from(kinds))
    lines = []
    for arm in range(draw(st.integers(1, 2))):
        lines += [f"ARM:V1 {arm} {kind} {n} {' '.join(draw(NODE))}" for n in range(draw(st.integers(1, 3)))]
        lines.append(f"CAMERA:V1 0 ARM:V1 {arm} {' '.join(draw(NODE))}")
    lines.append(f"{draw(st.sampled_from(['IP', 'TOP']))} 0 CAMERA:V1 0 {' '.join(draw(NODE))}")
    return "\n".join(lines)


def turned(a: np.ndarray, b: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return a * cosine - b * sine, b * cosine + a * sine


def plainly(text: str, *, tilt: bool) -> tuple[np.ndarray, ...]:
    """Return coordinates with nothing left out: full arrays, every operation of every node."""
    rows = [line.split() for line in text.splitlines()]
    above = {(row[2], row[3], row[0], row[1]): row for row in rows}
    segments = []
    for row in rows:
        kind = segment_type(row[2], SHAPE)
        if kind is None:
            continue
        x, y = (np.array(part) for part in np.broadcast_arrays(*kind.grid))
        z = np.zeros_like(x)
        node: list[str] | None = row
        while True:
            x0, y0, z0, rz, ry, rx, tz, ty, tx = map(float, node[4:]) if node else [0.0] * 9
            if node and node[0] == "IP" and z0 > 0:
                z0 = -z0
            x, y = turned(x, y, rz + tz if tilt else rz)
            z, x = turned(z, x, ry + ty if tilt else ry)
            y, z = turned(y, z, rx + tx if tilt else rx)
            x, y, z = x + x0, y + y0, z + z0
            if node is None:
                break
            node = next((upper for key, upper in above.items() if list(key[:2]) == node[:2]), None)
        segments.append((x, y, z))
    return tuple(np.stack(parts) for parts in zip(*segments, strict=True))


@given(texts(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_nothing_that_is_left_out_changes_a_bit(text: str, tilt: bool) -> None:
    detector = geometry.load(text, shape=SHAPE)
    found = detector.pixel_coords(tilt)
    for array, expected in zip(found, plainly(text, tilt=tilt), strict=True):
        assert array.tobytes() == expected.tobytes()
    x, y, _ = found
    size = detector.pixel_size
    with np.errstate(invalid="ignore"):
        real = ~np.isnan(x)
        bins = [((a - (np.nanmin(a) - size / 2)) / size)[real].astype(np.uint64) for a in (x, y)]
    for indexes in (detector.pixel_indexes(tilt), detector.pixel_indexes(tilt, found)):
        assert all(np.array_equal(a[real], b) for a, b in zip(indexes, bins, strict=True))
        assert all((a[~real] == geometry.NO_BIN).all() for a in indexes)
    if tilt:
        assert detector.image_shape == tuple(int(numbers.max()) + 1 for numbers in bins)


@given(texts(SEGMENTS[:4]), st.sampled_from(["stacked", "segments"]), st.none() | st.floats(-2, 2))
@settings(max_examples=40, deadline=None)
def test_crystfel_files_give_every_pixel_back(text: str, layout: str, distance: float | None) -> None:
    detector = geometry.load(text)
    written = geometry.to_crystfel(detector, layout=layout, distance=distance)  # type: ignore[arg-type]
    back = geometry.from_crystfel(written).pixel_coords(detector.shape)
    for a, b in zip(detector.pixel_coords(), back, strict=True):
        assert np.abs(a - b).max() < 1e-6 * detector.pixel_size


def what_is_refused(text: str, read: Callable[[str], object]) -> str:
    """Return the message of the error, or "" if the text was read."""
    try:
        read(text)
    except CalibvcsError as error:
        return str(error)
    return ""


def damaged(text: str, cuts: list[tuple[int, int, str]]) -> str:
    for start, length, put in cuts:
        text = text[:start] + put + text[start + length :]
    return text


@given(texts(), CUTS)
@settings(max_examples=150, deadline=None)
def test_damaged_text_is_read_or_refused_by_line(text: str, cuts: list[tuple[int, int, str]]) -> None:
    text = damaged(text, cuts)
    refused = what_is_refused(text, lambda given: parse(given, "x.data"))
    if refused:
        assert refused.startswith("x.data")
        return
    panels = parse(text)
    used = [line.split() for line in text.split("\n") if line.strip() and not line.startswith("#")]
    assert [[float(n) for n in panel.numbers] for panel in panels] == [list(map(float, row[4:])) for row in used]
    assert [[panel.parent, panel.name] for panel in panels] == [[row[0], row[2]] for row in used]


def read_crystfel(text: str) -> None:
    read = geometry.from_crystfel(text)
    if math.prod(read.data_shape) < 10**6:
        assert read.mask().shape == read.data_shape
        assert read.pixel_coords()[0].shape == read.data_shape


@given(texts(SEGMENTS[:2]), CUTS)
@settings(max_examples=100, deadline=None)
def test_damaged_crystfel_files_are_read_or_refused(text: str, cuts: list[tuple[int, int, str]]) -> None:
    written = geometry.to_crystfel(geometry.load(text), wide="bad")
    refused = what_is_refused(damaged(written, cuts), read_crystfel)
    assert not refused or "\n" in refused or ":" in refused


@given(st.text(max_size=200) | st.text("A0 1.e-\n\r\t#;=/xyz", max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_another_error(text: str) -> None:
    assert what_is_refused(text, geometry.load)
    assert what_is_refused(text, geometry.from_crystfel)
