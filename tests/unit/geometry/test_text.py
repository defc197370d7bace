"""Geometry text, as psana reads it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from calibvcs import geometry
from calibvcs.errors import InvalidDataError
from calibvcs.geometry.text import parse

LINE = "IP 0 EPIX100:V1 0 1.5 -2 1e3 90 0 0 0.125 .5 -0.00"


@pytest.mark.parametrize(
    "text",
    [LINE, f"# comment\n\n{LINE}\n", f"  {LINE}\r\n\r\n", LINE.replace(" ", "\t  ") + "\n \t\n#" + LINE],
)
def test_reads_a_line(text: str) -> None:
    (panel,) = parse(text)
    assert panel.label == "IP/0 EPIX100:V1/0"
    assert panel.numbers == tuple(map(Decimal, ["1.5", "-2", "1000", "90", "0", "0", "0.125", "0.5", "0"]))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (" # a comment", "blanks before a comment"),
        (LINE + " 1", "14 fields; expected are 13"),
        ("IP 0", "2 fields; expected are 13"),
        (LINE.replace("V1 0", "V1 -1"), "index '-1' in field 4"),
        (LINE.replace("IP 0", "IP 1_0"), "index '1_0' in field 2"),
        (LINE.replace("IP 0", "IP \u0661"), "in field 2"),
        (LINE.replace("1e3", "nan"), "z0 is 'nan'"),
        (LINE.replace("1e3", "inf"), "z0 is 'inf'"),
        (LINE.replace("1e3", "1e16"), "magnitudes up to 10"),
        (LINE.replace("1e3", "1_0"), "z0 is '1_0'"),
        (LINE.replace("-0.00", "0x1"), "tilt_x is '0x1'"),
    ],
)
def test_a_bad_line_is_named(line: str, says: str) -> None:
    with pytest.raises(InvalidDataError) as caught:
        parse(f"# first\n{LINE}\n{line}\n", "x.data")
    assert "x.data, line 3" in str(caught.value)
    assert says in str(caught.value)


def test_the_text_of_a_bad_line_is_shown() -> None:
    with pytest.raises(InvalidDataError, match=r"'IP 0 EPIX100:V1'"):
        parse("IP 0 EPIX100:V1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no panels"),
        ("# nothing", "no panels"),
        (f"{LINE}\n{LINE}", "stands there 2 times"),
        (f"{LINE}\nTOP 0 EPIX100:V1 1 0 0 0 0 0 0 0 0 0", "2 parents that are placed nowhere"),
        ("A 0 B 0 0 0 0 0 0 0 0 0 0\nB 0 A 0 0 0 0 0 0 0 0 0 0", "in a circle"),
        ("A 0 A 0 0 0 0 0 0 0 0 0 0", "in a circle"),
        ("IP 0 NEW:V1 0 0 0 0 0 0 0 0 0 0", "IP/0 NEW:V1/0 is no segment that is known, and nothing hangs below it"),
        ("EPIX100:V1 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0", "EPIX100:V1/0 is a segment, but placed nowhere"),
        (
            "IP 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0\nIP 0 EPIX100:V1 0 0 0 0 0 0 0 0 0 0",
            "one array holds segments of one shape",
        ),
        ("\n".join(f"N {n} N {n + 1} 0 0 0 0 0 0 0 0 0" for n in range(80)), "64 nodes deep"),
        ("IP 0 MTRX:20000:20000:1:1 0 0 0 0 0 0 0 0 0 0", "134217728 pixels"),
        (
            "IP 0 CSPAD2X2:V1 0 0 0 0 0 0 0 0 0 0\nCSPAD2X2:V1 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0",
            "detector of two segments",
        ),
        ("#" * (4 * 1024 * 1024 + 1), "4194305 characters"),
    ],
    ids=range(13),
)
def test_a_bad_tree_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidDataError) as caught:
        geometry.load(text)
    assert says in str(caught.value)


def test_only_the_first_of_two_groups_of_one_name_has_children() -> None:
    text = """IP 0 ARM:V1 0 0 0 0 0 0 0 0 0 0
IP 0 ARM:V1 1 0 0 0 0 0 0 0 0 0
ARM:V1 0 HAND:V1 0 1 0 0 0 0 0 0 0 0
ARM:V1 1 HAND:V1 0 2 0 0 0 0 0 0 0 0
HAND:V1 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0
"""
    with pytest.raises(InvalidDataError, match="ARM:V1/1 HAND:V1/0 is no segment"):
        geometry.load(text)


def test_segments_keep_the_order_of_the_file() -> None:
    text = """HEAD 1 EPIX100:V1 7 0 0 0 0 0 0 0 0 0
HEAD 0 EPIX100:V1 5 0 0 0 0 0 0 0 0 0
HEAD 0 EPIX100:V1 3 0 0 0 0 0 0 0 0 0
IP 0 HEAD 0 0 0 0 0 0 0 0 0 0
IP 0 HEAD 1 0 0 0 0 0 0 0 0 0
"""
    detector = geometry.load(text)
    assert [(segment.label, segment.index) for segment in detector.segments] == [
        ("HEAD/0 EPIX100:V1/5", 5),
        ("HEAD/0 EPIX100:V1/3", 3),
        ("HEAD/1 EPIX100:V1/7", 7),
    ]
    assert detector.segments[0].shape == (704, 768)
    assert detector.shape == (3, 704, 768)
