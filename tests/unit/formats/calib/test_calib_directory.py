"""Names of a calib directory, and the rule that chooses in it."""

import pytest

from calibvcs.errors import InvalidNameError
from calibvcs.formats.calib.calib_directory import RunSpan, Source, choose, is_group


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("CxiDs2.0:Cspad.0", "CsPad::CalibV1"),
        ("XppGon.0:Cspad2x2.1", "CsPad2x2::CalibV1"),
        ("Camp.0:pnCCD.1", "PNCCD::CalibV1"),
        ("MecTargetChamber.0:Princeton.5", "Princeton::CalibV1"),
        ("XcsEndstation.0:Epix100a.1", "Epix100a::CalibV1"),
        ("MfxEndstation.0:Epix10k.0", "Epix10ka::CalibV1"),
        ("MfxEndstation.0:Epix10ka2M.0", "Epix10ka2M::CalibV1"),
        ("MfxEndstation.0:Epix10kaQuad.3", "Epix10kaQuad::CalibV1"),
        ("CxiEndstation.0:Jungfrau.0", "Jungfrau::CalibV1"),
        ("SxrEndstation.0:DualAndor.0", "Andor3d::CalibV1"),
        ("NoDetector.0:Evr.0", "EvrData::CalibV1"),
        ("XcsEndstation.0:Opal1000.0", "Camera::CalibV1"),
        ("XppEndstation.0:OrcaFl40.0", "Camera::CalibV1"),
        ("DetLab.0:Alvium.12", "Camera::CalibV1"),
        ("DetLab.0:Newdet.0", ""),
    ],
)
def test_a_source_tells_its_group(text: str, group: str) -> None:
    source = Source.parse(text)
    assert str(source) == text
    assert source.group == group
    assert Source.parse(f"DetInfo({text})") == source
    assert is_group(group) == bool(group)


@pytest.mark.parametrize(
    "text",
    [
        "", "Jungfrau", "CxiEndstation:Jungfrau", "CxiEndstation.0:Jungfrau", "CxiEndstation.00:Jungfrau.0",
        "Cxi Endstation.0:Jungfrau.0", "CxiEndstation.0:Jungfrau.0\n", "DetInfo(CxiEndstation.0:Jungfrau.0",
        "BldInfo(EBeam)", "../a.0:b.0", "a.0:b.0/c", "A" * 41 + ".0:B.0", "a.12345:b.0",
    ],
)  # fmt: skip
def test_refuses_a_source(text: str) -> None:
    with pytest.raises(InvalidNameError, match="source"):
        Source.parse(text)


def test_names_of_groups() -> None:
    assert is_group("Jungfrau::CalibV1")
    assert not any(map(is_group, ("Jungfrau", "Jungfrau::CalibV2", "::CalibV1", "a/b::CalibV1", "Jungfrau::CalibV1 ")))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("0-end", 0, None), ("10-20", 10, 20), ("7-7", 7, 7), ("0010-0020", 10, 20), ("5-9999", 5, None)],
)
def test_a_run_range(text: str, first: int, last: int | None) -> None:
    span = RunSpan.parse(text)
    assert (span.first, span.last) == (first, last)
    assert RunSpan.parse(str(span)) == span
    assert span.file_name == f"{first}-{'end' if last is None else last}.data"


@pytest.mark.parametrize(
    "text", ["", "1", "end-1", "1-", "-1", "1-2-3", "20-10", "1-10000", "10000-end", "1 -2", "1-END", "\u0661-end"]
)
def test_refuses_a_run_range(text: str) -> None:
    with pytest.raises(InvalidNameError, match="run range"):
        RunSpan.parse(text)


def test_the_largest_begin_wins_then_the_smallest_end() -> None:
    spans = [RunSpan.parse(text) for text in ("15-end", "0-end", "10-20")]
    assert [str(choose(spans, run)) for run in (0, 9, 10, 14, 15, 16, 21)] == [
        "0-end", "0-end", "10-20", "10-20", "15-end", "15-end", "15-end",
    ]  # fmt: skip
    assert str(choose([RunSpan(3), RunSpan(3, 8), RunSpan(3, 5)], 5)) == "3-5"
    assert str(choose([RunSpan(3), RunSpan(3, 8), RunSpan(3, 5)], 6)) == "3-8"
    assert choose([RunSpan(3, 5)], 6) is None
    assert choose([], 6) is None


def test_runs_above_9999_are_taken_for_it() -> None:
    assert 12000 in RunSpan(5)
    assert 12000 in RunSpan(9999)
    assert 12000 not in RunSpan(5, 9998)
