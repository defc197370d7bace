"""The set of constants that an analysis used: written, checked after anything that may happen, and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.api.lock_files import restore_lock_file
from calibvcs.errors import (
    AlreadyExistsError,
    BrokenRepositoryError,
    InvalidDataError,
    InvalidOptionError,
    LockedError,
    MissingFileError,
    NothingToChangeError,
    UnknownConstantError,
    UnknownRevisionError,
)

CAMERA = "opal1000-1"
FIRST, SECOND, GEOMETRY = f"{CAMERA}/pedestals/0-end", f"{CAMERA}/pedestals/1767225600-end", f"{CAMERA}/geometry/0-end"


def add(repository: Repository, level: float, **when: object) -> None:
    data = np.full((4, 5), level, np.float32)
    repository.add(CAMERA, "pedestals", data, message=f"{level} ADU", **{"begin": 0, **when})  # type: ignore[arg-type]


def names(found: object) -> list[str]:
    return [str(one.constant) for one in found.constants]  # type: ignore[attr-defined]


def test_everything_or_what_a_reader_gets(repository: Repository) -> None:
    lock = repository.lock_file
    assert names(lock.make()) == [GEOMETRY, FIRST, SECOND]
    assert names(lock.make(when=5)) == [GEOMETRY, FIRST]
    assert names(lock.make("front/ped*", when="mfx1:7")) == [SECOND]
    assert lock.make().constants[1].shape == (4, 5)
    with pytest.raises(UnknownConstantError):
        lock.make("*/pixel_gain")


def test_withdrawn_constants_are_left_out(repository: Repository) -> None:
    repository.withdraw(SECOND, message="Shutter was open")
    assert names(repository.lock_file.make()) == [GEOMETRY, FIRST]
    assert names(repository.lock_file.make([SECOND])) == [SECOND]


def test_what_was_read_is_locked_as_it_was_read(repository: Repository, tmp_path: Path) -> None:
    before = repository.get(CAMERA, "pedestals", 5)
    add(repository, 30)
    made = repository.lock_file.make([before, GEOMETRY, f"{FIRST}@v2", f"{FIRST}@v1"])
    assert [(str(one.constant), one.version) for one in made.constants] == [
        (GEOMETRY, "v1"), (FIRST, "v1"), (FIRST, "v2"),
    ]  # fmt: skip
    assert before.blob in {one.blob for one in made.constants}
    repository.lock_file.write(tmp_path / "both.toml", [before, f"{FIRST}@v2"])
    assert repository.lock_file.check(tmp_path / "both.toml").same
    with pytest.raises(InvalidDataError, match="twice"):
        repository.lock_file.restore(tmp_path / "both.toml", tmp_path / "out")
    with pytest.raises(InvalidOptionError):
        repository.lock_file.make([FIRST], when=5)


@pytest.mark.parametrize("name", ["used.toml", "used.json"])
def test_a_set_comes_back_bit_for_bit(name: str, repository: Repository, folder: Path, tmp_path: Path) -> None:
    file, out = tmp_path / name, tmp_path / "deep" / "out"
    written = repository.lock_file.write(file)
    here = {path.relative_to(folder): path.read_bytes() for path in folder.glob("opal1000/*/*/*/*")}
    add(repository, 30)
    repository.withdraw(SECOND, message="Shutter was open")
    restored = repository.lock_file.restore(file, out)
    there = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert there == {**here, Path(name): file.read_bytes()}
    assert (restored.files, restored.digest, written.constants) == (7, written.digest, 3)
    assert oct(out.stat().st_mode) == oct(folder.stat().st_mode)
    with pytest.raises(AlreadyExistsError):
        repository.lock_file.restore(file, out)


def test_check_tells_what_readers_get_today(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "used.toml"
    repository.lock_file.write(file)
    assert [row.now for row in repository.lock_file.check(file).constants] == ["", "", ""]
    add(repository, 30)
    repository.withdraw(SECOND, message="Shutter was open")
    checked = repository.lock_file.check(file)
    assert checked.same
    assert [row.now for row in checked.constants] == ["", "v2 is the default", "withdrawn: Shutter was open"]


def blob_file(folder: Path, blob: str) -> Path:
    return folder / ".git" / "objects" / blob[:2] / blob[2:]


def test_check_finds_what_is_missing_and_damaged(repository: Repository, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "used.toml"
    geometry, first, _ = (one.blob for one in repository.lock_file.make().constants)
    repository.lock_file.write(file)
    blob_file(folder, geometry).unlink()
    damaged = blob_file(folder, first)
    damaged.chmod(0o644)
    data = bytearray(damaged.read_bytes())
    data[-6] ^= 0xFF
    damaged.write_bytes(data)
    with calibvcs.open(folder) as anew:
        checked = anew.lock_file.check(file)
        assert not checked.same
        assert [row.status for row in checked.constants] == ["damaged", "damaged", "ok"]
        assert geometry in checked.constants[0].reason
        with pytest.raises(BrokenRepositoryError):
            anew.lock_file.restore(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_another_repository_has_no_such_commit(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "used.toml"
    repository.lock_file.write(file)
    calibvcs.init(tmp_path / "other")
    with calibvcs.open(tmp_path / "other") as other:
        checked = other.lock_file.check(file)
        assert {row.status for row in checked.constants} == {"unknown commit"}
        assert len(checked.problems) == 1
        with pytest.raises(UnknownRevisionError):
            other.lock_file.restore_defaults(file)
        with pytest.raises(UnknownRevisionError):
            other.lock_file.restore(file, tmp_path / "out")


def test_an_edited_file_is_not_believed(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "used.json"
    repository.lock_file.write(file)
    content = json.loads(file.read_text())
    content["constants"][1]["blob"] = content["constants"][2]["blob"]
    file.write_text(json.dumps(content))
    checked = repository.lock_file.check(file)
    assert not checked.same
    assert "edited" in checked.problems[0]
    assert [row.status for row in checked.constants] == ["ok", "different", "ok"]
    with pytest.raises(InvalidDataError, match="edited"):
        repository.lock_file.restore(file, tmp_path / "out")
    with pytest.raises(MissingFileError):
        repository.lock_file.check(tmp_path / "nothing.toml")


def test_a_set_becomes_the_default_again(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "used.toml"
    repository.lock_file.write(file)
    with pytest.raises(NothingToChangeError):
        repository.lock_file.restore_defaults(file)
    add(repository, 30)
    repository.withdraw(SECOND, message="Shutter was open")
    assert len(repository.lock_file.restore_defaults(file, dry_run=True).commits) == 1
    assert repository.default.show(FIRST).version == "v2"
    restored = repository.lock_file.restore_defaults(file, message="As published")
    assert restored.constants == (FIRST, SECOND)
    assert restored.commits == (repository.commit,)
    assert repository.default.show(FIRST).version == "v1"
    assert repository.get(CAMERA, "pedestals", "mfx1:7").data[0, 0] == 20
    assert repository.verify(deep=True).sound
    assert repository.lock_file.check(file).same
    assert repository.log(limit=1).commits[0].action == "restore"


def test_a_locked_default_stays(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "used.toml"
    repository.lock_file.write(file)
    add(repository, 30)
    repository.lock(FIRST, message="Beam time")
    tip = repository.commit
    with pytest.raises(LockedError):
        repository.lock_file.restore_defaults(file)
    assert repository.commit == tip


def test_a_squeezed_clone_brings_what_it_lacks(
    repository: Repository, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "used.toml"
    add(repository, 30)
    repository.lock_file.write(file, [f"{FIRST}@v1"])
    calibvcs.clone(folder, tmp_path / "clone", detectors=[CAMERA])
    with calibvcs.open(tmp_path / "clone") as clone:
        assert clone.lock_file.make().url == str(folder)
        monkeypatch.setenv("CALIBVCS_OFFLINE", "1")
        assert [row.status for row in clone.lock_file.check(file).constants] == ["missing"]
        monkeypatch.delenv("CALIBVCS_OFFLINE")
        assert clone.lock_file.check(file).same
        clone.lock_file.restore_defaults(file)
        assert clone.get(CAMERA, "pedestals", 5).data[0, 0] == 10


def test_one_command_is_enough_anywhere(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "used.toml"
    repository.lock_file.write(file)
    add(repository, 30)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    restored = restore_lock_file(file, "out")
    assert restored.files == 7
    calibvcs.init("analysis")  # somebody else's repository is around
    monkeypatch.chdir("analysis")
    assert restore_lock_file(file, "out").digest == restored.digest
    assert np.load("out/opal1000/opal1000-1/pedestals/0-end/data.npy")[0, 0] == 10
    with pytest.raises(UnknownRevisionError):
        restore_lock_file(file, "again", ".")


def test_an_address_is_written_without_its_password(folder: Path) -> None:
    config = folder / ".git" / "config"
    config.write_text(f'{config.read_text()}[remote "origin"]\n\turl = https://ada:secret@example.org/constants.git\n')
    with calibvcs.open(folder) as repository:
        assert repository.lock_file.make().url == "https://ada@example.org/constants.git"
