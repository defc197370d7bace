"""CrystFEL geometry files, written and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibvcs import geometry
from calibvcs.errors import CalibvcsError, InvalidDataError, InvalidOptionError

FILES = (
    "cspad", "epix100a", "epix10kaquad", "epixm320", "epixuhr3x2-01", "jungfrau05M", "jungfrau4M", "pnccd",
)  # fmt: skip
KINDS = (
    "SENS2X1:V1", "EPIX100:V1", "EPIX10KA:V1", "EPIXHR2X2:V1", "EPIXHR1X4:V1", "EPIXUHR3X2:V1", "JUNGFRAU:V1",
    "JUNGFRAU:V2", "PNCCD:V1", "EPIXMASIC:V1", "MTRX:37:53:54.5:109.92", "MTRX:V2:37:53:54.5:109.92", "MTRX:V2:1:1:3:3",
    "MTRXANY:V1", "ARCHON:V1", "ARCHON:V2",
)  # fmt: skip
SHAPES = {"MTRXANY:V1": (75, 100), "ARCHON:V1": (75, 4800), "ARCHON:V2": (75, 4800)}
TILTED = "IP 0 {0} 0 1000.5 -2000.25 100000 90 0 0 0.1 0.2 -0.3\nIP 0 {0} 1 -60000 2000 90000 0 180 0 10 5 -7"
SMALL = """clen = 0.1 m
res = 10000 ; 100 um
a/min_fs = 0
a/max_fs = 2
a/min_ss = 0
a/max_ss = 1
a/fs = x
a/ss = +0.0x -1.0y
a/corner_x = -1.5
a/corner_y = 2
"""


def load(name: str) -> geometry.Geometry:
    return geometry.load(TILTED.format(name), shape=SHAPES.get(name))


def farthest(detector: geometry.Geometry, text: str, *, tilt: bool = True) -> float:
    """Return how far a pixel is off after the round trip, in pixels."""
    there = detector.pixel_coords(tilt)
    back = geometry.from_crystfel(text).pixel_coords(detector.shape)
    gone = np.isnan(there[0])
    assert all(np.array_equal(np.isnan(values), gone) for values in back)
    return max(float(np.abs(b - a)[~gone].max()) for a, b in zip(there, back, strict=True)) / detector.pixel_size


@pytest.mark.parametrize("name", FILES)
def test_real_detectors_come_back(name: str, shared_data: Path) -> None:
    detector = geometry.load((shared_data / "geometry" / f"geometry-def-{name}.data").read_text())
    assert farthest(detector, geometry.to_crystfel(detector)) < 1e-6
    assert farthest(detector, geometry.to_crystfel(detector, tilt=False), tilt=False) < 1e-6


@pytest.mark.parametrize("layout", ["stacked", "segments"])
@pytest.mark.parametrize("name", KINDS)
def test_every_type_comes_back(name: str, layout: str) -> None:
    detector = load(name)
    text = geometry.to_crystfel(detector, layout=layout, distance=0.25)  # type: ignore[arg-type]
    assert "clen = 0.25 m\n" in text
    assert farthest(detector, text) < 1e-6
    data = geometry.from_crystfel(text).data_shape
    rows, columns = detector.segments[0].shape
    assert data[:-1] == ((2 * rows,) if layout == "stacked" else (2, rows))
    assert data[-1] == (columns if name != "ARCHON:V1" else columns - 36)


@pytest.mark.parametrize(
    ("name", "asics", "panels"),
    [("SENS2X1:V1", 2, 2), ("EPIX10KA:V1", 4, 4), ("EPIXHR1X4:V1", 8, 8), ("EPIXUHR3X2:V1", 6, 6), ("JUNGFRAU:V1", 8, 8),
     ("JUNGFRAU:V2", 8, 40), ("PNCCD:V1", 1, 1), ("ARCHON:V2", 16, 16)],
)  # fmt: skip
def test_panels_are_asics(name: str, asics: int, panels: int) -> None:
    detector = load(name)
    for wide, count in (("panels", panels), ("bad", asics)):
        text = geometry.to_crystfel(detector, wide=wide)  # type: ignore[arg-type]
        read = geometry.from_crystfel(text)
        assert [panel.name for panel in read.panels] == [f"p{s}a{a}" for s in range(2) for a in range(count)]
        assert "group_all = p0,p1\n" in text
        assert f"\nrigid_group_p1 = {','.join(f'p1a{a}' for a in range(count))}\n" in text
        assert "e" not in "".join(line for line in text.splitlines() if "/fs =" in line or "/ss =" in line)


@pytest.mark.parametrize("wide", ["panels", "bad"])
def test_groups_hold_every_panel_once(wide: str) -> None:
    detector = geometry.load("\n".join(f"IP 0 JUNGFRAU:V2 {n} {n}e5 0 0 0 0 0 0 0 0" for n in range(20)))
    text = geometry.to_crystfel(detector, wide=wide)  # type: ignore[arg-type]
    groups = dict(line.removeprefix("group_").split(" = ") for line in text.splitlines() if line.startswith("group_"))
    assert max(len(members.split(",")) for members in groups.values()) <= 8

    def inside(name: str) -> list[str]:
        return [panel for member in groups[name].split(",") for panel in inside(member)] if name in groups else [name]

    assert inside("all") == [panel.name for panel in geometry.from_crystfel(text).panels]
    assert inside("p3") == [panel.name for panel in geometry.from_crystfel(text).panels if panel.name.startswith("p3a")]
    seen: set[str] = set()
    for name, members in groups.items():  # a group comes after its members
        assert not {member for member in members.split(",") if member in groups} - seen
        seen.add(name)


@pytest.mark.parametrize("name", ["SENS2X1:V1", "EPIX100:V1", "EPIXHR1X4:V1", "JUNGFRAU:V2", "PNCCD:V1"])
def test_wide_pixels_can_be_bad(name: str) -> None:
    detector = load(name)
    read = geometry.from_crystfel(geometry.to_crystfel(detector, wide="bad"))
    mask = detector.mask(edges=0, center=0, wide=True)
    assert np.array_equal(read.mask(detector.shape), mask)
    good = mask == 1
    for there, back in zip(detector.pixel_coords(), read.pixel_coords(detector.shape), strict=True):
        assert np.abs(there - back)[good].max() < 1e-6 * detector.pixel_size


def test_wide_pixels_are_as_wide_as_they_are() -> None:
    text = geometry.to_crystfel(geometry.load("IP 0 JUNGFRAU:V2 0 0 0 0 0 0 0 0 0 0"))
    panels = geometry.from_crystfel(text).panels
    alone = [panel for panel in panels if panel.min_fs == panel.max_fs]
    assert {panel.min_fs for panel in alone} == {255, 256, 511, 512, 767, 768}
    assert {abs(panel.fs[1]) for panel in alone} == {2.0}
    # Panels touch: the column before the wide one ends where that one begins.
    first, wide = panels[0], panels[1]
    assert (first.max_fs, wide.min_fs) == (254, 255)
    assert first.corner_y + 255 * first.fs[1] == wide.corner_y


def test_a_file_of_one_panel() -> None:
    text = geometry.to_crystfel(
        geometry.load("IP 0 MTRX:V2:2:4:100:100 0 0 0 -150000 90 0 0 0 0 0"),
        photon_energy=9500, adu_per_ev=0.005, data="/entry/data",
    )  # fmt: skip
    assert text.splitlines()[1:] == [
        "photon_energy = 9500.0 eV",
        "adu_per_eV = 0.005",
        "clen = 0.15 m",
        "res = 10000.0",
        "data = /entry/data",
        "dim0 = %",
        "dim1 = ss",
        "dim2 = fs",
        "",
        "p0a0/min_fs = 0",
        "p0a0/max_fs = 3",
        "p0a0/min_ss = 0",
        "p0a0/max_ss = 1",
        "p0a0/fs = -1.000000000000000x +0.000000000000000y +0.000000000000000z",
        "p0a0/ss = +0.000000000000000x -1.000000000000000y +0.000000000000000z",
        "p0a0/corner_x = 2.000000000",
        "p0a0/corner_y = 1.000000000",
        "p0a0/coffset = 0.0000000000000",
        "",
        "group_p0 = p0a0",
        "group_all = p0",
        "rigid_group_p0 = p0a0",
        "rigid_group_collection_segments = p0",
    ]


@pytest.mark.parametrize(
    "options",
    [{"wide": "x"}, {"layout": "x"}, {"data": "data"}, {"data": "/a;b"}, {"data": "/a\nb = 1"}, {"distance": float("nan")},
     {"photon_energy": 0.0}, {"adu_per_ev": float("inf")}],
)  # fmt: skip
def test_other_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError):
        geometry.to_crystfel(load("PNCCD:V1"), **options)  # type: ignore[arg-type]


def test_pixels_are_in_the_middle_of_their_squares() -> None:
    x, y, z = geometry.from_crystfel(SMALL).pixel_coords(frame="lab")
    assert x.tolist() == [[-100, 0, 100]] * 2
    assert y.tolist() == [[150] * 3, [50] * 3]
    assert z.round(9).tolist() == [[1e5] * 3] * 2
    rows, columns, _ = geometry.from_crystfel(SMALL).pixel_coords()
    assert np.array_equal(rows, -y)
    assert np.array_equal(columns, -x)


@pytest.mark.parametrize(
    ("change", "z"),
    [
        (("clen = 0.1 m", "clen = 100 mm"), 0.1), (("clen = 0.1 m", "clen=0.1"), 0.1), (("clen = 0.1 m", ""), 0.0),
        (("a/fs", "a/coffset = -0.02\na/fs"), 0.08), (("a/fs", "a/clen = 0.3\na/fs"), 0.3),
    ],
)  # fmt: skip
def test_camera_length(change: tuple[str, str], z: float) -> None:
    (panel,) = geometry.from_crystfel(SMALL.replace(*change)).panels
    assert panel.z == pytest.approx(z, abs=1e-12)
    (panel,) = geometry.from_crystfel(SMALL.replace(*change), distance=2).panels
    assert panel.z == pytest.approx(1.98 if "coffset" in change[1] else 2, abs=1e-12)


def test_camera_length_of_the_data_has_to_be_given() -> None:
    text = SMALL.replace("0.1 m", "/LCLS/detector_1/EncoderValue mm")
    with pytest.raises(InvalidDataError, match="distance="):
        geometry.from_crystfel(text)
    assert geometry.from_crystfel(text, distance=0.5).panels[0].z == 0.5
    with pytest.raises(InvalidOptionError, match="distance"):
        geometry.from_crystfel(text, distance=float("inf"))


def test_defaults_are_for_panels_that_come_later() -> None:
    second = (
        SMALL.partition("a/min_fs")[2].replace("a/", "b/").replace("_ss = 0", "_ss = 2").replace("_ss = 1", "_ss = 3")
    )
    read = geometry.from_crystfel(f"{SMALL}res = 5000\nno_index = 1\nb/min_fs{second}")
    assert [(panel.pixel_size, panel.ignored) for panel in read.panels] == [(100, False), (200, True)]
    assert read.data_shape == (4, 3)
    assert read.mask().tolist() == [[1] * 3] * 2 + [[0] * 3] * 2


def test_shift_of_the_detector() -> None:
    x, y, _ = geometry.from_crystfel(f"{SMALL}detector_shift_x = 1 mm\ndetector_shift_y = -0.001 m").pixel_coords(
        frame="lab"
    )
    assert x[0].round(9).tolist() == [900, 1000, 1100]
    assert y[:, 0].round(9).tolist() == [-850, -950]


def test_directions() -> None:
    for text, vector in (
        ("-y", (0, -1, 0)), ("+0.5x-0.25y + z", (0.5, -0.25, 1)), ("1.x", (1, 0, 0)), (".5z", (0, 0, 0.5)),
        ("x +x", (2, 0, 0)), ("-0.01x +1y", (-0.01, 1, 0)),
    ):  # fmt: skip
        assert geometry.from_crystfel(SMALL.replace("a/fs = x", f"a/fs = {text}")).panels[0].fs == vector


def test_bad_regions() -> None:
    in_data = "badcol/min_fs = 1\nbadcol/max_fs = 1\nbadcol/min_ss = 0\nbadcol/max_ss = 7\nbadcol/panel = a\n"
    in_lab = "bad1/min_x = 0.5\nbad1/max_x = 9\nbad1/min_y = 0.4\nbad1/max_y = 0.6\n"
    assert geometry.from_crystfel(SMALL + in_data).mask().tolist() == [[1, 0, 1], [1, 0, 1]]
    assert geometry.from_crystfel(SMALL + in_lab).mask().tolist() == [[1, 1, 1], [1, 1, 0]]
    assert [region.name for region in geometry.from_crystfel(SMALL + in_data + in_lab).bad] == ["badcol", "bad1"]


def test_what_is_not_about_places_is_passed_over() -> None:
    more = "; comment\n\nphoton_energy = /LCLS/energy eV\nmask_file = a = b.h5\nrigid_group_q0 = a\ngroup_all = a\n"
    assert geometry.from_crystfel(more + SMALL + "a/adu_per_eV = x\n") == geometry.from_crystfel(SMALL)


def test_shape_of_the_data() -> None:
    read = geometry.from_crystfel(SMALL)
    assert read.data_shape == (2, 3)
    assert read.mask((1, 2, 3)).shape == (1, 2, 3)
    larger = read.pixel_coords((4, 5))[0]
    assert np.isfinite(larger).sum() == 6
    assert np.isfinite(larger[:2, :3]).all()
    for shape in ((2, 2), (6,), (1, 1, 3), (0, 2, 3)):
        with pytest.raises(InvalidOptionError, match=r"at least \(2, 3\)"):
            read.mask(shape)
    with pytest.raises(InvalidDataError, match="allowed are 134217728"):
        read.mask((20000, 20000))
    with pytest.raises(InvalidOptionError, match="psana, lab"):
        read.pixel_coords(frame="x")  # type: ignore[arg-type]


def test_panels_that_share_pixels_are_refused() -> None:
    second = SMALL.partition("a/min_fs")[2].replace("a/", "b/")
    with pytest.raises(InvalidDataError, match="panel b has pixels that another panel has too"):
        geometry.from_crystfel(f"{SMALL}b/min_fs{second}").pixel_coords()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("a/fs = x", "a/fs"), "line 7: 'a/fs'; allowed is name = value"),
        (("a/fs = x", "a/fs ="), "allowed is name = value"),
        (("a/fs = x", "a/fs = w"), "line 7, a/fs: direction 'w'"),
        (("a/fs = x", "a/fs = 1e-3x"), "CrystFEL takes no exponents here"),
        (("a/fs = x", "a/fs = 2"), "direction '2'"),
        (("a/fs = x", "a/fs = .x"), "direction '.x'"),
        (("a/fs = x", "a/fs = xx"), "direction 'xx'"),
        (("a/fs = x", ""), "panel 'a' lacks fs"),
        (("max_fs = 2", "max_fs = 2.5"), "'2.5'; allowed are 0 to 16777216"),
        (("max_fs = 2", "max_fs = -2"), "'-2'; allowed are 0 to 16777216"),
        (("max_fs = 2", "max_fs = 1e300"), "allowed are magnitudes up to 1e15"),
        (("max_fs = 2", "max_fs = two"), "'two'; allowed is a finite decimal number"),
        (("min_ss = 0", "min_ss = 5"), "ss 5 to 1; the last one is not before the first one"),
        (("corner_y = 2", "corner_y = nan"), "'nan'; allowed is a finite decimal number"),
        (("res = 10000", "res = 0"), "allowed are positive pixels per metre"),
        (("clen = 0.1 m", "clen = 0.1 km"), "a number, and m or mm"),
        (("clen", "bad/min_fs = 1\nclen"), "it has min_fs; needed are min and max"),
        (("clen", "bad/min_x = 1\nbad/min_fs = 1\nclen"), "needed are min and max"),
        (("clen", "bad/max_x = 1\nbad/min_x = 1\nbad/max_y = 1\nclen"), "needed are min and max"),
        (("clen", "badb/min_fs=0\nbadb/max_fs=0\nbadb/min_ss=0\nbadb/max_ss=0\nclen"), "panel '' is not in the file"),
        (("a/", "bad/"), "no panels"),
        (("clen", ";" * (16 * 1024 * 1024) + "\nclen"), "allowed are 16777216"),
    ],
    ids=range(22),
)
def test_a_bad_file_is_refused(change: tuple[str, str], says: str) -> None:
    with pytest.raises(CalibvcsError) as caught:
        geometry.from_crystfel(SMALL.replace(*change))
    assert says in str(caught.value)
    assert "CrystFEL geometry" in str(caught.value)


def test_too_many_panels_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="more than 65536 panels"):
        geometry.from_crystfel("\n".join(f"p{n}/min_fs = 0" for n in range(65537)))
