"""Documents as psana reads them: types of every field, ids that never change, geometry that it can parse."""

from __future__ import annotations

import json
import re

import pytest

from calibvcs.errors import InvalidDataError, InvalidNameError
from calibvcs.formats.psana.psana_documents import (
    Described,
    detector_of,
    distinct_seconds,
    document,
    geometry_text,
    object_id,
    short_name,
)
from calibvcs.model.commits import Commit, Signature
from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance
from calibvcs.model.names import ConstantName, DetectorName

NAME = ConstantName.parse("jungfrau-000003/pixel_status/100-end")
COMMIT = Commit(
    "c" * 40, "d" * 40, (), Signature("Ada", "ada@example.org", 1_700_000_000),
    Signature("Ada", "ada@example.org", 1_700_000_100), "New status\n\nCalibvcs-Action: add\n",
)  # fmt: skip


def described(metadata: Metadata | None = None, name: ConstantName = NAME, commit: Commit = COMMIT) -> Described:
    given = metadata or Metadata("uint16", (3, 1, 512, 1024), origin=Origin("mfx101332224", 7))
    return Described(name, given, "v2", commit, "a" * 40, "b" * 40, "/data/constants", "jungfrau_1-2-3", "front")


def test_fields_have_the_types_that_psana_needs() -> None:
    made = document(described())
    assert re.fullmatch("[0-9a-f]{24}", made["_id"])
    assert int(made["_id"][:8], 16) == 1_700_000_100
    assert (type(made["run"]), made["run"], made["run_end"]) == (int, 7, "end")
    assert made["data_shape"] == "(3, 1, 512, 1024)"
    assert made["data_dtype"] == "uint64"
    assert made["data_type"] == "ndarray"
    assert made["experiment"] == "mfx101332224"
    assert made["detector"] == made["shortname"] == "jungfrau_000003"
    assert re.fullmatch("[0-9a-f]{24}", made["id_data"])
    assert made["time_sec"] == 1_700_000_100
    assert made["time_stamp"] == "2023-11-14T22:15:00+0000"
    assert made["comment"] == "New status"
    assert all(type(value) in {int, str} for value in made.values())
    json.dumps(made, allow_nan=False)


def test_our_own_fields_tell_where_it_is_from() -> None:
    ours = {key: value for key, value in document(described()).items() if key.startswith("calibvcs_")}
    assert ours == {
        "calibvcs_at": "a" * 40,
        "calibvcs_commit": "c" * 40,
        "calibvcs_constant": "jungfrau-000003/pixel_status/100-end",
        "calibvcs_repository": "/data/constants",
        "calibvcs_validity": "100-end",
        "calibvcs_version": "v2",
    }


@pytest.mark.parametrize(
    ("run", "run_end", "expected"),
    [
        (None, None, (0, "end")), (0, 0, (0, 0)), (7, 9, (7, 9)), (9999, 9999, (9999, 9999)),
        (10000, None, (0, "end")), (7, 10000, (7, "end")), (7, 3, (7, "end")), (-1, -5, (0, "end")),
    ],
)  # fmt: skip
def test_runs_are_within_what_psana_knows(run: int | None, run_end: int | None, expected: tuple[object, ...]) -> None:
    made = document(described(Metadata("float32", (2, 2), origin=Origin("x", run, run_end))))
    assert (made["run"], made["run_end"]) == expected
    assert made["run_orig"] == (run if run is not None else 0)


def test_text_has_no_shape() -> None:
    made = document(described(Metadata("text"), ConstantName.parse("jungfrau-000003/geometry/0-end")))
    assert made["data_type"] == "str"
    assert "data_shape" not in made


def test_provenance_is_shown() -> None:
    made = Provenance(user="grace", host="drp-1", inputs=(InputFile("/dark.npy", 3, "0" * 64),))
    shown = document(described(Metadata("float32", (2, 2), provenance=made, parameters={"gain": 1.5})))
    assert (shown["uid"], shown["host"], shown["iofname"]) == ("grace", "drp-1", "/dark.npy")
    assert json.loads(shown["extpars"]) == {"gain": 1.5}


def test_the_same_constant_has_the_same_id_and_others_have_others() -> None:
    first = document(described())["_id"]
    assert document(described())["_id"] == first
    other = document(described(commit=COMMIT._replace(id="e" * 40)))["_id"]
    assert other != first
    assert other[:8] == first[:8]
    assert document(described(), second=5)["_id"] == "00000005" + first[8:]
    assert object_id(2**32 + 5, "x")[:8] == "00000005"


def test_seconds_are_made_distinct() -> None:
    assert distinct_seconds([5, 5, 5, 7, 7, 100]) == [5, 6, 7, 8, 9, 100]
    assert distinct_seconds([]) == []


def test_short_names() -> None:
    assert short_name(DetectorName.parse("jungfrau-000003")) == "jungfrau_000003"
    assert str(detector_of("jungfrau_000003")) == "jungfrau-000003"
    assert str(detector_of("cspad_detnum1234")) == "cspad-detnum1234"
    assert str(detector_of("jungfrau_a-b_c")) == "jungfrau-a-b_c"
    with pytest.raises(InvalidNameError):
        detector_of("nothing")


ROW = "IP 0 JUNGFRAU:V1 0 0 0 0 0 0 0 0 0 0"


def test_geometry_that_psana_can_read_stays_as_it_is() -> None:
    text = f"# title\n{ROW}\n"
    assert geometry_text(text, "x") == text


def test_lines_that_psana_fails_on_are_mended() -> None:
    hostile = f"# title\r\n   # indented\r\n\r\n   \t \r\n{ROW}\r\n\n{ROW}  "
    assert geometry_text(hostile, "x") == f"# title\n# indented\n{ROW}\n{ROW}\n"


def test_lines_of_other_length_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="line 2 has 3 fields; psana reads lines of 13 alone"):
        geometry_text(f"{ROW}\na b c\n", "x")
