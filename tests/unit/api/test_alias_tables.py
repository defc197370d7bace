"""Alias tables as text, in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import InvalidDataError, InvalidOptionError, MissingFileError, UnknownDetectorError

CAMERA, CSPAD = "opal1000-1", "cspad-cxids2.0-cspad.0"


def table(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def rows(repository: Repository) -> list[str]:
    return [f"{row} {row.source}".strip() for row in repository.alias.ls().aliases]


def test_what_a_row_means(repository: Repository, tmp_path: Path) -> None:
    repository.detector.add(CSPAD)
    repository.detector.add("epix100-lab.0-epix.1")
    repository.alias.add("side", "jungfrau-3", source="Lab.0:Jungfrau.0")
    path = table(
        tmp_path / "epix100" / "all.als",
        f"""# any comment
by_name   {CAMERA}   0 100   # behind a row
by_long   opal1000_0001   0 end
by_device CxiDs2.0:Cspad.0 1471000000.5 1471086400.5
by_folder Lab.0:Epix.1 2026-01-01 mfx1:7
by_alias  Lab.0:Jungfrau.0 0 end
# detector jungfrau-3
by_comment Any.0:Thing.0 0 end
""",
    )
    (told,) = repository.alias.import_als(path).passed_over
    assert told.startswith("line 5: by_folder")  # its run begins just then
    assert rows(repository) == [
        "by_alias -> jungfrau-3 (0-end) Lab.0:Jungfrau.0",
        "by_comment -> jungfrau-3 (0-end) Any.0:Thing.0",
        f"by_device -> {CSPAD} (1471000000-1471086401) CxiDs2.0:Cspad.0",
        f"by_long -> {CAMERA} (0-end) opal1000_0001",
        f"by_name -> {CAMERA} (0-100)",
        f"front -> {CAMERA} (1767225600-end)",
        "side -> jungfrau-3 (0-end) Lab.0:Jungfrau.0",
    ]
    table(path, "by_folder Lab.0:Epix.1 2026-01-01 end\n")
    assert [str(row) for row in repository.alias.import_als(path).added] == [
        "by_folder -> epix100-lab.0-epix.1 (1767225600-end)"
    ]
    assert repository.verify().sound


def test_again_changes_nothing(repository: Repository, tmp_path: Path) -> None:
    path = table(tmp_path / "a.als", f"rear {CAMERA} 0 100\nrear {CAMERA} 100 end\n")
    first = repository.alias.import_als(path, message="From the DAQ")
    assert (len(first.added), first.known, first.commit) == (2, 0, repository.commit)
    assert repository.log(limit=1).commits[0].subject == "From the DAQ"
    again = repository.alias.import_als(path)
    assert (again.added, again.known, again.passed_over, again.commit) == ((), 2, (), "")


def test_what_cannot_be_taken_is_told(repository: Repository, tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.als",
        f"""good {CAMERA} 0 10
good {CAMERA} 5 20
x Nowhere.0:Cspad.0 0 end
no/name {CAMERA} 0 end
late {CAMERA} 10 5
when {CAMERA} someday end
jungfrau-3 {CAMERA} 0 end
""",
    )
    taken = repository.alias.import_als(path)
    assert [str(row) for row in taken.added] == [f"good -> {CAMERA} (0-10)"]
    assert [told.partition(":")[0] for told in taken.passed_over] == [f"line {n}" for n in range(2, 8)]
    for told, why in zip(
        taken.passed_over, ("overlaps", "no registered", "no/name", "empty", "someday", "exists"), strict=True
    ):
        assert why in told


def test_one_detector_for_all(repository: Repository, tmp_path: Path) -> None:
    path = table(tmp_path / "a.als", "rear Any.0:Thing.0 0 end\n")
    with pytest.raises(UnknownDetectorError):
        repository.alias.import_als(path, detector="opal1000-9")
    taken = repository.alias.import_als(path, detector=CAMERA, dry_run=True)
    assert len(taken.added) == 1
    assert len(rows(repository)) == 1
    assert str(repository.alias.import_als(path, detector=CAMERA).added[0].detector) == CAMERA


def test_there_and_back(repository: Repository, tmp_path: Path) -> None:
    repository.detector.add("opal1000-2")
    repository.alias.add("rear", "opal1000-2", begin=0, end=100, source="Lab.0:Opal.0")
    repository.alias.add("rear", CAMERA, begin=100, source="Lab.0:Opal.0")
    text = repository.alias.export_als("opal1000").text
    assert (
        text
        == f"""\
# <alias> <source> <begin> <end>, UNIX seconds
# detector {CAMERA}
front {CAMERA} 1767225600 end
rear Lab.0:Opal.0 100 end
# detector opal1000-2
rear Lab.0:Opal.0 0 100
"""
    )
    calibvcs.init(tmp_path / "other")
    with calibvcs.open(tmp_path / "other") as other:
        other.detector.add(CAMERA)
        other.detector.add("opal1000-2")
        assert not other.alias.import_als(table(tmp_path / "a.als", text)).passed_over
        assert rows(other) == rows(repository)
        assert other.alias.export_als("opal1000").text == text
    with pytest.raises(InvalidOptionError, match="known of: opal1000"):
        repository.alias.export_als("cspad")


@pytest.mark.parametrize("text", ["a b 0\n", "a b 0 end more\n", "\ud800"])
def test_no_tables(repository: Repository, tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.als"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(InvalidDataError):
        repository.alias.import_als(path)
    with pytest.raises(MissingFileError):
        repository.alias.import_als(tmp_path / "b.als")


def test_a_huge_table_is_refused(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "a.als"
    path.write_bytes(b"#" * ((4 << 20) + 1))
    with pytest.raises(InvalidDataError, match="at most"):
        repository.alias.import_als(path)
