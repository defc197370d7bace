"""The grammar of names: detectors, ctypes, references, versions."""

from collections.abc import Callable

import pytest

from calibvcs.errors import CalibvcsError, InvalidNameError
from calibvcs.model import names
from calibvcs.model.names import ConstantName, ConstantReference, DetectorName, parse_version
from calibvcs.model.validity import Validity

WORDS = [names.parse_dettype, names.parse_ctype, names.parse_experiment]


@pytest.mark.parametrize("parse", WORDS)
@pytest.mark.parametrize(
    "text", ["jungfrau", "epix10ka2m", "pixel_gain", "0", "a_", "a" * 64, "console", "com", "com10"]
)
def test_a_word_is_lower_case_letters_digits_and_underscores(parse: Callable[[str], str], text: str) -> None:
    assert parse(text) == text


@pytest.mark.parametrize("parse", WORDS)
@pytest.mark.parametrize(
    "text",
    ["", "_a", "A", "a-b", "a.b", "a b", " a", "a\n", "a/b", "..", "ä", "\uff41", "a\0", "a" * 65, "experiments", "con", "nul", "com1"],
)  # fmt: skip
def test_what_is_no_word_is_refused(parse: Callable[[str], str], text: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        parse(text)
    assert caught.value.given == text


def test_an_upper_case_name_is_answered_with_the_one_that_would_do() -> None:
    with pytest.raises(InvalidNameError, match="did you mean 'pedestals'"):
        names.parse_ctype("Pedestals")
    with pytest.raises(InvalidNameError, match="did you mean 'jungfrau-000003'"):
        DetectorName.parse("Jungfrau-000003")
    with pytest.raises(InvalidNameError, match="did you mean 'jungfrau-000003'"):
        DetectorName.parse("JUNGFRAU_000003")
    with pytest.raises(InvalidNameError, match="did you mean 'front'"):
        ConstantReference.parse("Front/pedestals")


@pytest.mark.parametrize("text", ["CON", "Experiments", "A" * 65, "A-B", "Ä"])
def test_no_name_is_suggested_that_would_be_refused_too(text: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        names.parse_ctype(text)
    assert caught.value.suggestion == ""
    assert "grammar of names" in caught.value.hint


@pytest.mark.parametrize("text", ["Jungfrau-..", "Jungfrau-A.lock", "Con-1", "Jungfrau-"])
def test_no_detector_is_suggested_that_would_be_refused_too(text: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        DetectorName.parse(text)
    assert caught.value.suggestion == ""


@pytest.mark.parametrize(
    ("text", "dettype", "detid"),
    [
        ("jungfrau-000003", "jungfrau", "000003"),
        ("epix100-1", "epix100", "1"),
        ("cspad-mec.0-cspad.1", "cspad", "mec.0-cspad.1"),  # what stands before the first '-' is the type
        ("epix_hr-a_b", "epix_hr", "a_b"),
        ("opal1000-" + "1" * 191, "opal1000", "1" * 191),
    ],
)
def test_the_type_of_a_detector_stands_before_the_first_dash(text: str, dettype: str, detid: str) -> None:
    name = DetectorName.parse(text)
    assert (name.dettype, name.detid, str(name)) == (dettype, detid, text)


def test_the_short_name_of_psana_means_the_same_detector() -> None:
    assert DetectorName.parse("jungfrau_000003") == DetectorName("jungfrau", "000003")
    assert str(DetectorName.parse("epixm320_a_b")) == "epixm320-a_b"


@pytest.mark.parametrize(
    "text",
    ["", "-", "jungfrau", "jungfrau-", "-1", "jungfrau--1", "jungfrau-.1", "jungfrau-a..b", "jungfrau-a.", "jungfrau-a.lock",
     "jungfrau-a/b", "../x-1", "jungfrau-1 ", "jungfrau-ä", "con-1", "experiments-1", "_a-1", "opal1000-" + "1" * 192],
)  # fmt: skip
def test_what_is_no_detector_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError, match="detector name"):
        DetectorName.parse(text)


def test_detectors_sort_by_type_and_id() -> None:
    given = ["jungfrau-2", "epix100-9", "jungfrau-10", "epix100-1"]
    assert [str(name) for name in sorted(map(DetectorName.parse, given))] == [
        "epix100-1", "epix100-9", "jungfrau-10", "jungfrau-2",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["front", "epix_1", "jungfrau-4m", "cam.2-left", "a-", "0", "x" * 64])
def test_an_alias_may_have_dots_and_dashes(text: str) -> None:
    assert names.parse_alias(text) == text
    reference = ConstantReference.parse(f"{text}/pedestals")
    assert (reference.detector, reference.ctype) == (text, "pedestals"), "what can be an alias can be asked for"


@pytest.mark.parametrize("text", ["", "Front", "a b", "a/b", ".a", "a..b", "a.", "a.lock", "x" * 65, "-a", "a@1"])
def test_what_is_no_alias_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError, match="alias"):
        names.parse_alias(text)


@pytest.mark.parametrize("text", ["run24-golden", "cxi/2026.1", "a/b/c", "v1"])
def test_a_tag_may_have_parts(text: str) -> None:
    assert names.parse_tag(text) == text


@pytest.mark.parametrize(
    "text", ["", "/a", "a/", "a//b", "a/../b", "a.lock", "a/b.lock", "Golden", "a b", "a" * 201, "-a", "@"]
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError, match="tag"):
        names.parse_tag(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("front", ConstantReference("front")),
        ("jungfrau-3", ConstantReference("jungfrau-3")),
        ("jungfrau_000003/pedestals", ConstantReference("jungfrau_000003", "pedestals")),
        ("jungfrau-3/pedestals/10-end", ConstantReference("jungfrau-3", "pedestals", Validity(10))),
        ("jungfrau-3/pedestals/10-20@v2", ConstantReference("jungfrau-3", "pedestals", Validity(10, 20), "v2")),
        ("jungfrau-3@cxi/2026.1", ConstantReference("jungfrau-3", version="cxi/2026.1")),
        ("a-1/b@2026-01-01", ConstantReference("a-1", "b", version="2026-01-01")),
        ("a-1/b@x@y", ConstantReference("a-1", "b", version="x@y")),
        ("opal1000-" + "1" * 191, ConstantReference("opal1000-" + "1" * 191)),
    ],
)
def test_parts_of_a_reference_may_be_left_out_from_the_right(text: str, expected: ConstantReference) -> None:
    assert ConstantReference.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "/", "@v1", "a-1@", "a-1/", "/pedestals", "a-1//0-end", "a-1/pedestals/0-end/x", "a-1/pedestals/0-end/@v1", "a-1/Pedestals",
     "a-1/pedestals/end", "a-1/pedestals/5-5", "a-1/pedestals/00-end", "../a-1", "A-1", "opal1000-" + "1" * 192],
)  # fmt: skip
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(CalibvcsError) as caught:
        ConstantReference.parse(text)
    assert caught.value.exit_code == 2


def test_only_a_whole_reference_to_a_detector_is_a_constant() -> None:
    whole = ConstantName(DetectorName("a", "1"), "pedestals", Validity(0))
    assert ConstantReference.parse("a-1/pedestals/0-end").constant == whole
    assert ConstantReference.parse("a-1/pedestals").constant is None
    assert ConstantReference.parse("front/pedestals/0-end").constant is None


def test_a_constant_prints_as_it_is_parsed() -> None:
    name = ConstantName.parse("jungfrau-000003/pedestals/1767225600-end")
    assert name == ConstantName(DetectorName("jungfrau", "000003"), "pedestals", Validity(1_767_225_600))
    assert str(name) == "jungfrau-000003/pedestals/1767225600-end"


@pytest.mark.parametrize(
    "text", ["a-1/pedestals", "a-1", "a-1/pedestals/0-end@v1", "front/pedestals/0-end", "", "a/b/c"]
)
def test_a_constant_needs_all_three_parts_and_no_version(text: str) -> None:
    with pytest.raises(InvalidNameError):
        ConstantName.parse(text)


def test_constants_can_be_compared_either_way() -> None:
    early, late = (ConstantName.parse(f"a-1/pedestals/{begin}-end") for begin in (0, 10))
    assert early < late
    assert early <= late
    assert late > early
    assert late >= early


@pytest.mark.parametrize(("text", "number"), [("v1", 1), ("v12", 12), ("v999999999", 999_999_999)])
def test_a_version_is_v_and_a_number(text: str, number: int) -> None:
    assert parse_version(text) == number


@pytest.mark.parametrize(
    "text", ["v0", "v01", "v", "1", "V1", "v1 ", "v-1", "v1.0", "main", "", "v1234567890", "v\u0661"]
)
def test_other_text_names_another_kind_of_revision(text: str) -> None:
    assert parse_version(text) is None
