"""``detector.toml``: the record of a detector."""

import dataclasses

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import detector_toml
from calibvcs.model.detector import Detector
from calibvcs.model.names import DetectorName

NAME = DetectorName("jungfrau", "000003")
WHOLE = Detector(
    NAME, "jungfrau_110-111", ("110", "111"), "jungfrau-000001", "jungfrau-000009", "2026-01-01T00:00:00Z",
    {"panel_shape": [32, 64], "bias": 0, "cooled": False, "note": ""},
)  # fmt: skip
FILE = """\
longname = "jungfrau_110-111"
segments = ["110", "111"]
predecessor = "jungfrau-000001"
successor = "jungfrau-000009"
created = "2026-01-01T00:00:00Z"

[parameters]
panel_shape = [32, 64]
bias = 0
cooled = false
note = ""
"""
BY_HAND = """\
# On loan until summer.
longname = "jungfrau_110-111"  # from the DAQ
segments = [
    "110",  # west
    "111",  # east
]
owner = "MFX"

[parameters]
# by the power supply
bias = 300  # volts
"""


def test_the_file_reads_as_the_format_says() -> None:
    assert detector_toml.encode(WHOLE).decode() == FILE


@pytest.mark.parametrize("record", [WHOLE, Detector(NAME)], ids=["whole", "bare"])
def test_a_record_comes_back(record: Detector) -> None:
    assert detector_toml.decode(detector_toml.encode(record), NAME) == record


def test_nothing_has_to_be_said_of_a_detector() -> None:
    assert detector_toml.encode(Detector(NAME)) == b""
    assert detector_toml.decode(b"", NAME) == Detector(NAME)


def test_comments_survive_a_change_of_the_record() -> None:
    record = detector_toml.decode(BY_HAND.encode(), NAME)
    assert detector_toml.encode(record, BY_HAND.encode()).decode() == BY_HAND
    changed = dataclasses.replace(record, successor="jungfrau-000009", parameters={"bias": 310, "cooled": True})
    data = detector_toml.encode(changed, BY_HAND.encode())
    assert detector_toml.decode(data, NAME) == changed
    for kept in (
        "# On loan until summer.",
        "# from the DAQ",
        "# west",
        "# east",
        'owner = "MFX"',
        "# by the power supply",
        "# volts",
    ):
        assert kept in data.decode()


def test_what_is_taken_out_of_a_record_is_gone() -> None:
    bare = Detector(NAME, "jungfrau_110-111")
    assert detector_toml.decode(detector_toml.encode(bare, FILE.encode()), NAME) == bare


def test_a_parameter_may_change_its_type_alone() -> None:
    before = detector_toml.encode(Detector(NAME, parameters={"cooled": 1}))
    after = detector_toml.decode(detector_toml.encode(Detector(NAME, parameters={"cooled": True}), before), NAME)
    assert after.parameters["cooled"] is True


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("longname = 3", "longname is 3; expected is text"),
        ('segments = "110"', "segments is '110'; expected is a list of text"),
        ("segments = [110, 111]", "segments is [110, 111]; expected is a list of text"),
        ("predecessor = []", "predecessor is []; expected is text"),
        ("successor = false", "successor is False; expected is text"),
        ("created = 2026-01-01", "created is datetime.date(2026, 1, 1); expected is text"),
        ("parameters = 5", "parameters is 5; expected is a table"),
        ("longname = ", "it is no valid TOML"),
    ],
)
def test_a_wrong_type_names_file_and_key(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        detector_toml.decode(text.encode(), NAME)
    assert caught.value.path == "jungfrau/jungfrau-000003/detector.toml"
    assert caught.value.reason.startswith(told)


def test_not_utf8_names_the_file() -> None:
    with pytest.raises(InvalidDocumentError, match=r"jungfrau-000003/detector\.toml: it is no valid TOML: 'utf-8'"):
        detector_toml.decode(b'longname = "\xb5"', NAME)
