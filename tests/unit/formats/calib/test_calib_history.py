"""HISTORY of a calib directory, in the flavours that LCLS' programs write."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from calibvcs.formats.calib import calib_history
from calibvcs.formats.calib.calib_history import Deployment, parse_stamp

MAY = 1_462_097_472  # 2016-05-01T10:11:12Z


def test_reads_both_flavours() -> None:
    text = (
        "file:0-end.data      copy_of:None  exp:xcs01016  run:0010  app:calibman    user:expert  host:psana1  "
        "cptime:2016-05-01T10:11:12  zone:PDT           comment:after the power cycle: user:nobody said so\n"
        "\nnothing to see\n"
        "file:10-20.data copy_of:/a/b.txt ctype:pedestals user:ann host:h cptime:2016-05-01T10:11:12 cwd:/a cmt:N/A\n"
    )
    first, second = calib_history.decode(text.encode())
    assert first.file == "0-end.data"
    assert first.comment == "after the power cycle: user:nobody said so"
    assert first.fields["user"] == "expert"
    assert first.fields["run"] == "0010"
    assert "copy_of" not in first.fields
    assert first.time(UTC) == MAY + 7 * 3600
    assert second.comment == ""
    assert second.fields["ctype"] == "pedestals"
    assert second.fields["cwd"] == "/a"
    assert second.time(UTC) == MAY
    assert second.time(ZoneInfo("America/Los_Angeles")) == MAY + 7 * 3600


def test_what_is_written_is_read_again() -> None:
    line = Deployment(
        {"file": "0-end.data", "copy_of": "a b", "user": "ann", "cptime": calib_history.stamp(MAY), "zone": "PDT"},
        "two\nlines",
    )
    text = calib_history.encode(line)
    assert text == (
        "file:0-end.data copy_of:a_b exp:N/A run:N/A app:N/A user:ann host:N/A cptime:2016-05-01T10:11:12+0000 "
        "comment:two lines\n"
    )
    (again,) = calib_history.decode(text.encode())
    assert again.comment == "two lines"
    assert again.time(ZoneInfo("Asia/Tokyo")) == MAY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2016-05-01T10:11:12", MAY),
        ("2016-05-01-10:11:12", MAY),
        ("20160501101112", MAY),
        ("2016-05-01T10:11:12-0700", MAY + 7 * 3600),
        ("2016-13-01T10:11:12", None),
        ("2016-05-01", None),
        ("0001-01-01T00:00:00", None),
        ("2190-01-01T00:00:00", None),
        ("2016-05-01T10:11:12+9900", None),
        ("", None),
    ],
)
def test_times(text: str, seconds: int | None) -> None:
    assert parse_stamp(text, UTC) == seconds


def test_hostile_files_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert calib_history.decode(b"file:" + b"a" * 5000 + b"\n") == ()
    assert calib_history.decode(b"\xff\x00file:a\n") == ()
    assert calib_history.decode(b"file:a\x1b[31m user:\xff\n") == (Deployment({"file": "a [31m", "user": "\ufffd"}),)
    monkeypatch.setattr(calib_history, "LARGEST_FILE", 18)
    assert [line.file for line in calib_history.decode(b"file:a\n" * 10)] == ["a", "a"]
