"""LCLS geometry text."""

from decimal import Decimal
from pathlib import Path

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.formats import geometry_text
from calibvcs.model.geometry import Geometry, Panel

GEOMETRY = (Path(__file__).parents[3] / "../shared/data/geometry").resolve()

LINE = "IP 0 CAMERA:V1 0 1.5 -2 1e3 90 0 0 0.125 .5 -0.00"
PANEL = Panel("IP", 0, "CAMERA:V1", 0, *map(Decimal, ["1.5", "-2", "1000", "90", "0", "0", "0.125", "0.5", "0"]))


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        LINE.encode(),
        f"# a comment\r\n\r\n  # indented\n \t \n  {LINE.replace(' ', '   ')} \r\n#IP 0 OTHER 0 1 2 3\n",
        f"# \u00b5m\n{LINE}\n",
    ],
)
def test_reads_a_line(text: str | bytes) -> None:
    assert geometry_text.decode(text, "geometry.txt") == Geometry((PANEL,))


def test_numbers_are_those_of_the_file() -> None:
    (panel,) = geometry_text.decode(LINE.replace("1.5", "0.1000000000000000000000000001"), "geometry.txt").panels
    assert panel.x0 == Decimal("0.1000000000000000000000000001")


def test_writes_what_reads_back() -> None:
    text = geometry_text.encode(Geometry((PANEL,)))
    assert len(text.split()) == 13
    assert geometry_text.decode(text, "geometry.txt") == Geometry((PANEL,))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no panels"),
        ("# nothing\n\n", "no panels"),
        (f"\n{LINE} 7\n", "line 2: 14 fields; expected are 13"),
        (LINE[:-6], "line 1: 12 fields"),
        (LINE.replace("1.5", "nan"), "line 1: x0 is 'nan'; allowed are finite decimal numbers"),
        (LINE.replace("1.5", "inf"), "x0 is 'inf'"),
        (LINE.replace("1.5", "1_5"), "x0 is '1_5'"),
        (LINE.replace("1.5", "\u0661"), "x0 is"),
        (LINE.replace("1.5", "1,5"), "x0 is '1,5'"),
        (LINE.replace("1.5", "1e99999"), "x0 is '1e99999'"),
        (LINE.replace("1.5", "1e16"), r"line 1, IP/0 CAMERA:V1/0: x0 is 1.0.*; allowed are magnitudes up to 10\*\*15"),
        (LINE.replace("1.5", "1e-401"), "400 decimals"),
        (LINE.replace("-0.00", "x"), "tilt_x is 'x'"),
        (LINE.replace("IP 0", "IP -1"), "index '-1' in field 2"),
        (LINE.replace("V1 0", "V1 0.0"), "index '0.0' in field 4"),
        (LINE.replace("V1 0", "V1 1234567890"), "index '1234567890'"),
        (LINE.replace("CAMERA", "CAM\x07"), "line 1, panel: name"),
        (f"{LINE}\n\n{LINE}\n", "lines 1, 3: panel IP/0 CAMERA:V1/0 stands there 2 times"),
        (f"{LINE}\n{LINE.replace('IP', 'IQ')}\n", r"2 parents .*: IP/0 in line 1 .*, IQ/0 in line 2"),
        (f"{LINE}\nA 0 B 0{' 0' * 9}\nB 0 A 0{' 0' * 9}", r"line [23] \(.*in a circle"),
        ("\ufeff" + LINE, "byte order mark"),
        (b"\xff\xfe" + LINE.encode("utf-16-le"), "not UTF-8"),
        ("\ud800", "not UTF-8"),
        (f"{LINE}\n#{' ' * 4 * 1024 * 1024}\n", "4194356 bytes of geometry; allowed are 4194304"),
        (f"{LINE}\n#{chr(0xB5) * 3 * 1024 * 1024}\n", "6291508 bytes of geometry"),
        (b"#" * (4 * 1024 * 1024 + 1), "4194305 bytes"),
    ],
)
def test_refuses(text: str | bytes, found: str) -> None:
    with pytest.raises(InvalidDataError, match=found) as caught:
        geometry_text.decode(text, "geometry.txt")
    assert caught.value.source.startswith("geometry.txt")
    assert caught.value.advice
    assert len(str(caught.value)) < 600


def test_tells_geometry_from_other_text() -> None:
    assert geometry_text.looks_like_geometry(f"# SHAPE (1,)\n\n{LINE}\nanything")
    for other in ("", "# DTYPE float32\n1 2 3\n", " ".join("1234567890123"), "to whom it may concern", LINE + " 1"):
        assert not geometry_text.looks_like_geometry(other)


@pytest.mark.skipif(not GEOMETRY.is_dir(), reason="the shared sample data are not here")
def test_reads_the_geometries_of_lcls() -> None:
    paths = sorted(GEOMETRY.glob("*.data"))
    assert len(paths) == 8
    for path in paths:
        geometry = geometry_text.decode(path.read_bytes(), str(path))
        assert geometry_text.decode(geometry_text.encode(geometry), "again") == geometry
        assert geometry_text.looks_like_geometry(path.read_text())
        rows = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        assert [[float(number) for number in panel.numbers] for panel in geometry.panels] == [
            [float(field) for field in row[4:]] for row in rows
        ]
