"""What is found in a calib directory, and what is passed over."""

import os
from pathlib import Path

import pytest

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats.calib import calib_scan
from calibvcs.formats.calib.calib_scan import scan

FOLDER = "Jungfrau::CalibV1/CxiEndstation.0:Jungfrau.0/pedestals"


def make(calib: Path, *names: str) -> Path:
    for name in names:
        path = calib / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1 2\n")
    return calib


def test_finds_files_with_history_and_backups(tmp_path: Path) -> None:
    make(tmp_path, "10-20.data", "0-end.data", "0-end.data-2016-05-01T10:11:12", "0-end.data-2015-05-01T10:11:12")
    (tmp_path / FOLDER / "HISTORY").write_text("file:0-end.data user:ann\nfile:10-20.data user:bob\n")
    found = scan(tmp_path)
    assert [str(file.span) for file in found.files] == ["0-end", "10-20"]
    first = found.files[0]
    assert (first.group, str(first.source), first.ctype) == tuple(FOLDER.split("/"))
    assert [line.fields["user"] for line in first.deployments] == ["ann"]
    assert [backup.stamp for backup in first.backups] == ["2015-05-01T10:11:12", "2016-05-01T10:11:12"]
    assert found.passed_over == ()
    assert scan(make(tmp_path / "exp" / "calib", "0-end.data").parent).folder == tmp_path / "exp" / "calib"


def test_names_what_it_passes_over(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("0-end.data", "0-9999.data", "00-end.data", "1-end.data~", ".1-end.data.swp", "a-b.data", "10001-end.data"),
        *("20-10.data", "5-end.data-2016-05-01T10:11:12", "0-end.dat"),
    )
    (tmp_path / FOLDER / "7-8.data").mkdir()
    (tmp_path / "README").write_text("hello")
    (tmp_path / "Other::CalibV2").mkdir()
    (tmp_path / "Jungfrau::CalibV1" / "junk").mkdir()
    (tmp_path / "Jungfrau::CalibV1/CxiEndstation.0:Jungfrau.0/Pedestals old").mkdir()
    os.mkfifo(tmp_path / FOLDER / "9-9.data")
    found = scan(tmp_path)
    assert [file.path.name for file in found.files] == ["0-end.data"]
    said = dict(line.split(": ", 1) for line in found.passed_over)
    assert said[f"{FOLDER}/0-9999.data"] == "the same runs as 0-end.data"
    assert said[f"{FOLDER}/00-end.data"] == "the same runs as 0-end.data"
    assert said[f"{FOLDER}/1-end.data~"] == "readers take files that end in .data"
    assert said[f"{FOLDER}/7-8.data"] == "no plain file"
    assert said[f"{FOLDER}/9-9.data"] == "no plain file"
    assert said[f"{FOLDER}/5-end.data-2016-05-01T10:11:12"] == "backup of a file that is not there"
    assert "is not a run range" in said[f"{FOLDER}/10001-end.data"]
    assert "is not a source" in said["Jungfrau::CalibV1/junk"]
    assert said["README"] == "no folder"
    assert len(said) == 15


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    calib = make(tmp_path / "calib", "0-end.data")
    (tmp_path / "secret").write_text("1 2\n")
    (calib / FOLDER / "1-end.data").symlink_to(tmp_path / "secret")
    (calib / FOLDER / "2-end.data").symlink_to("0-end.data")
    (calib / FOLDER / "3-end.data").symlink_to("nowhere")
    (calib / FOLDER / "4-end.data").symlink_to("4-end.data")
    found = scan(calib)
    assert [file.path.name for file in found.files] == ["0-end.data", "2-end.data"]
    reasons = [line.split(": ", 1)[1] for line in found.passed_over]
    assert reasons == ["a link that leads out of the directory", "no plain file", "no plain file"]


def test_refuses_what_is_no_calib_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingFileError):
        scan(tmp_path / "nowhere")
    with pytest.raises(InvalidDataError, match="no folder <name>::CalibV1"):
        scan(tmp_path)
    make(tmp_path, "0-end.data", "1-end.data")
    monkeypatch.setattr(calib_scan, "_MOST_ENTRIES", 4)
    with pytest.raises(InvalidDataError, match="more than 4 entries"):
        scan(tmp_path)


def test_names_of_any_bytes_are_told(tmp_path: Path) -> None:
    make(tmp_path, "0-end.data")
    (tmp_path / FOLDER / os.fsdecode(b"\xff\n-end.data")).write_text("1 2\n")
    (said,) = scan(tmp_path).passed_over
    assert said.isprintable()
    assert said.encode()
