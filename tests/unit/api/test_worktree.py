"""Files edited by hand: what ``status`` tells of them, what ``commit_edits`` takes in, what ``restore`` brings back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.api.wire import as_json
from calibvcs.errors import (
    AlreadyExistsError,
    CalibvcsError,
    DirtyWorktreeError,
    EmptyCommentError,
    GateRefusedError,
    InvalidDataError,
    InvalidOptionError,
    LockedError,
    NothingToCommitError,
    OverlapError,
    RemovedConstantError,
    UnknownConstantError,
    UnknownDetectorError,
)
from calibvcs.formats.toml import meta_toml
from calibvcs.model.commits import Action
from tests.unit.api.conftest import GEOMETRY

CAMERA = "opal1000/opal1000-1"
OLD = f"{CAMERA}/pedestals/0-end"
OLD_NAME = "opal1000-1/pedestals/0-end"
DATA = f"{OLD}/data.npy"
META = f"{OLD}/meta.toml"
BEGIN_OF_RUN_7 = 1_767_225_600


def save(folder: Path, path: str, level: float, shape: tuple[int, ...] = (4, 5)) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, np.full(shape, level, np.float32))
    return file


def meta(folder: Path, path: str) -> meta_toml.Metadata:
    return meta_toml.decode((folder / path).read_bytes(), path)


def edits(repository: Repository) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    return {row.name: (row.state, row.staged, row.files) for row in repository.status().edits}


def clean(repository: Repository) -> bool:
    status = repository.status()
    return status.clean and status.commit == repository.commit


def last(repository: Repository) -> tuple[Action | None, tuple[str, ...]]:
    message = repository._session.store.commit(repository.commit).message
    return message.action, tuple(map(str, message.constants))


# --- status -----------------------------------------------------------------------------------------------------


def test_a_clean_worktree_says_so(repository: Repository) -> None:
    status = repository.status()
    assert (status.clean, status.branch, status.commit) == (True, "main", repository.commit)
    assert status.remote is None
    assert as_json(status)["schema"] == "calibvcs.status/1"


def test_edits_are_told_by_constant(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 11)
    save(folder, f"{CAMERA}/pedestals/5-9/data.npy", 12)
    shutil.rmtree(folder / f"{CAMERA}/geometry")
    (folder / "opal1000/aliases.toml").write_text("# nothing\n")
    assert edits(repository) == {
        "opal1000-1/geometry/0-end": ("removed", "no", ("geometry.txt", "meta.toml")),
        OLD_NAME: ("changed", "no", ("data.npy",)),
        "opal1000-1/pedestals/5-9": ("new", "no", ("data.npy",)),
        "opal1000/aliases.toml": ("changed", "no", ("opal1000/aliases.toml",)),
    }
    (removed,) = (row for row in repository.status().edits if row.state == "removed")
    assert "deletion" in removed.trouble


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("notes.txt", "no such file"),
        (f"{CAMERA}/pedestals/2026-01-01-end/data.npy", "not a range"),
        (f"{CAMERA}/Pedestals/0-end/data.npy", "not a ctype"),
        ("opal1000/opal1000_1/pedestals/0-end/data.npy", "folder of a detector"),
        ("jungfrau/opal1000-1/pedestals/0-end/data.npy", "folder of a detector"),
        (f"{OLD}/data2.npy", "no such file"),
        (f"{OLD}/deep/data.npy", "no such file"),
        (".calibvcs/other.toml", "no such file"),
        ("experiments/MFX1.toml", "not an experiment"),
        ("bytes\udcff.txt", "no such file"),
    ],
)
def test_what_is_none_of_the_format_is_named_with_the_reason(
    folder: Path, repository: Repository, path: str, reason: str
) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(b"x")
    (left,) = repository.status().left
    assert path.startswith(left.path.rstrip("/").partition("\\")[0])
    assert reason in left.reason
    assert not repository.status().edits
    with pytest.raises(NothingToCommitError, match="none of the format"):
        repository.commit_edits(message="Why")
    with pytest.raises(InvalidDataError, match=reason):
        repository.commit_edits([folder / left.path if "\\" not in left.path else left.path], message="Why")


@pytest.mark.parametrize("where", [".gitignore", ".git/info/exclude"])
def test_files_that_git_ignores_are_not_told_but_constants_are(
    folder: Path, repository: Repository, where: str
) -> None:
    (folder / where).write_text("*.log\n*.npy\n")
    (folder / "make.log").write_text("x")
    (folder / OLD / "half.npy").write_text("x")
    save(folder, f"{CAMERA}/pedestals/5-9/data.npy", 12)
    assert not repository.status().left
    assert "opal1000-1/pedestals/5-9" in edits(repository)


@pytest.mark.parametrize("extension", ["partialClone = origin", "worktreeConfig = true", "relativeWorktrees = true"])
def test_what_git_ignores_is_known_whatever_the_repository_extends(
    folder: Path, repository: Repository, extension: str
) -> None:
    config = folder / ".git" / "config"
    config.write_text(f"{config.read_text()}[core]\n\trepositoryformatversion = 1\n[extensions]\n\t{extension}\n")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "make.log").write_text("x")
    (folder / "notes.txt").write_text("x")
    assert [left.path for left in repository.status().left] == ["notes.txt"]


def test_linked_worktrees_ignore_what_their_repository_does(folder: Path, repository: Repository) -> None:
    assert repository.status().clean
    subprocess.run(["git", "-C", folder, "worktree", "add", "-q", "../linked", "-b", "other"], check=True)
    (folder / ".git" / "info" / "exclude").write_text("*.log\n")
    linked = folder.parent / "linked"
    (linked / "make.log").write_text("x")
    (linked / "notes.txt").write_text("x")
    with calibvcs.open(linked) as other:
        assert [left.path for left in other.status().left] == ["notes.txt"]


def test_a_touched_file_is_clean_and_is_read_once_only(
    folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calibvcs.store.worktrees import look as worktree_look

    seen: list[Path] = []
    plain = worktree_look.content_id
    monkeypatch.setattr(worktree_look, "content_id", lambda file: seen.append(file) or plain(file))
    repository.status()
    seen.clear()
    os.utime(folder / DATA, ns=(10**18, 10**18))
    assert clean(repository)
    assert seen == [folder / DATA]
    assert clean(repository)
    assert seen == [folder / DATA]


def test_a_bare_repository_has_no_edits(tmp_path: Path) -> None:
    calibvcs.init(tmp_path / "bare", bare=True)
    with calibvcs.open(tmp_path / "bare") as repository:
        for verb in (repository.status, lambda: repository.commit_edits(message="x"), repository.restore):
            with pytest.raises(InvalidOptionError, match="bare"):
                verb()


# --- commit: data -----------------------------------------------------------------------------------------------


def test_new_data_go_the_way_of_add(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 11)
    made = repository.commit_edits(message="Chiller drift", command=["calibvcs", "commit"])
    (one,) = made.constants
    assert (str(one.constant), one.version, one.commit) == (OLD_NAME, "v2", repository.commit)
    assert one.changes is not None
    assert one.changes.median == 1
    assert last(repository) == (Action.ADD, (OLD_NAME,))
    assert clean(repository)
    assert repository.get("opal1000-1", "pedestals", 5).data[0, 0] == 11
    said = meta(folder, META)
    assert said.provenance.command == ("calibvcs", "commit")
    assert (said.unit, said.convention, said.dims) == ("ADU", "subtract", ("row", "column"))


def test_a_new_range_gets_its_metadata(folder: Path, repository: Repository) -> None:
    file = save(folder, f"{CAMERA}/pedestals/5-9/data.npy", 12)
    repository.commit_edits(message="New range")
    assert meta(folder, f"{CAMERA}/pedestals/5-9/meta.toml").shape == (4, 5)
    assert clean(repository)
    assert np.load(file)[0, 0] == 12
    assert repository.verify().sound


def test_what_the_person_wrote_counts_and_the_rest_is_completed(folder: Path, repository: Repository) -> None:
    save(folder, f"{CAMERA}/pedestals/5-9/data.npy", 12)
    (folder / f"{CAMERA}/pedestals/5-9/meta.toml").write_text(
        'unit = "mV"\n[origin]\nexperiment = "mfx1"\nrun = 7\nrun_end = 9\n[parameters]\ntemperature = 3\n'
        '[provenance]\ncommand = ["mine"]\n'
    )
    (one,) = repository.commit_edits(message="New range").constants
    assert str(one.constant) == "opal1000-1/pedestals/5-9"  # the folder tells the range, not the runs
    said = meta(folder, f"{CAMERA}/pedestals/5-9/meta.toml")
    assert (said.unit, said.dtype, said.shape, said.origin.run) == ("mV", "float32", (4, 5), 7)
    assert said.parameters == {"temperature": 3}
    assert said.provenance.command == ("mine",)
    assert said.provenance.software.startswith("calibvcs")
    assert clean(repository)


def test_metadata_of_the_data_before_do_not_tell_where_new_data_come_from(folder: Path, repository: Repository) -> None:
    path = f"{CAMERA}/pedestals/{BEGIN_OF_RUN_7}-end"
    assert meta(folder, f"{path}/meta.toml").origin.run == 7
    save(folder, f"{path}/data.npy", 21)
    shutil.copytree(folder / path, folder / f"{CAMERA}/pedestals/5-9")
    repository.commit_edits(message="Edited by hand", command=["commit"])
    for place in (path, f"{CAMERA}/pedestals/5-9"):
        said = meta(folder, f"{place}/meta.toml")
        assert (said.origin.run, said.provenance.command) == (None, ("commit",))


def test_a_copy_of_a_locked_range_is_not_locked_and_that_is_told(folder: Path, repository: Repository) -> None:
    repository.lock(OLD_NAME, message="Good")
    shutil.copytree(folder / OLD, folder / f"{CAMERA}/pedestals/5-9")
    (one,) = repository.commit_edits(message="Copy").constants
    assert any("locked" in text for text in one.warnings)
    assert not meta(folder, f"{CAMERA}/pedestals/5-9/meta.toml").locked


def test_geometry_stays_byte_for_byte(folder: Path, repository: Repository) -> None:
    file = folder / CAMERA / "geometry/0-end/geometry.txt"
    text = GEOMETRY.replace("1.5", "1.75") + "# trailing  \n"
    file.write_text(text)
    (one,) = repository.commit_edits(message="Moved").constants
    assert one.changes is not None
    assert (one.changes.of, one.changes.changed) == ("panels", 1)
    assert file.read_text() == text
    assert repository.get("opal1000-1", "geometry", 5).data == text


def test_an_array_in_another_form_of_the_file_is_replaced(folder: Path, repository: Repository) -> None:
    with (folder / DATA).open("wb") as file:
        np.lib.format.write_array(file, np.full((4, 5), 13, np.float32), version=(2, 0))
    repository.commit_edits(message="Version 2 of the format")
    assert (folder / DATA).read_bytes()[6:8] == b"\x01\x00"
    assert clean(repository)


def test_the_gate_refuses_and_an_expert_forces(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 9999)
    before = repository.commit
    with pytest.raises(GateRefusedError, match="drift"):
        repository.commit_edits(message="Broken")
    assert repository.commit == before
    assert np.load(folder / DATA)[0, 0] == 9999
    (one,) = repository.commit_edits(message="Right", force_reason="new bias").constants
    assert one.forced
    assert clean(repository)


def test_a_locked_default_is_protected(folder: Path, repository: Repository) -> None:
    repository.lock(OLD_NAME, message="Good")
    save(folder, DATA, 11)
    with pytest.raises(LockedError, match="Good"):
        repository.commit_edits(message="Change", force_reason="I must")
    repository.restore([OLD_NAME])
    (folder / META).write_text((folder / META).read_text().replace('unit = "ADU"', 'unit = "mV"'))
    with pytest.raises(LockedError):
        repository.commit_edits(message="Change")


def test_an_array_may_become_text(folder: Path, repository: Repository) -> None:
    repository.add("opal1000-1", "notes", np.zeros(3, np.float32), begin=0, message="New kind", force_reason="new")
    place = folder / CAMERA / "notes/0-end"
    (place / "data.npy").unlink()
    (place / "meta.toml").unlink()
    (place / "data.txt").write_text("all good\n")
    repository.commit_edits(message="Text now")
    assert repository.get("opal1000-1", "notes", 5).data == "all good\n"
    assert sorted(path.name for path in place.iterdir()) == ["data.txt", "meta.toml"]
    assert clean(repository)


def test_a_dry_run_changes_nothing(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 11)
    before = repository.commit, repository.status()
    assert repository.commit_edits(message="Try", dry_run=True).constants[0].version == "v2"
    assert (repository.commit, repository.status()) == before


@pytest.mark.parametrize(
    "given",
    [OLD_NAME, "front/pedestals/0-end", OLD, DATA, "opal1000-1/pedestals", f"{CAMERA}/pedestals", Path(OLD)],
    ids=str,
)
def test_only_what_is_named_is_taken(folder: Path, repository: Repository, given: str) -> None:
    save(folder, DATA, 11)
    (folder / CAMERA / "geometry/0-end/geometry.txt").write_text(GEOMETRY.replace("1.5", "1.75"))
    (one,) = repository.commit_edits([given], message="One of two").constants
    assert str(one.constant) == OLD_NAME
    assert list(edits(repository)) == ["opal1000-1/geometry/0-end"]


def test_paths_are_seen_from_the_current_folder(
    folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folder, DATA, 11)
    monkeypatch.chdir(folder / OLD)
    with pytest.raises(NothingToCommitError, match=r"meta\.toml unchanged"):
        repository.commit_edits(["meta.toml"], message="x")
    assert repository.commit_edits(["."], message="x").constants


def test_what_is_not_there_cannot_be_named(repository: Repository, folder: Path) -> None:
    for given in ("opal1000-1/pedstals", "nowhere", "/etc/passwd"):
        with pytest.raises(UnknownConstantError):
            repository.commit_edits([given], message="x")
        with pytest.raises(UnknownConstantError):
            repository.restore([given])


def test_nothing_to_commit(repository: Repository) -> None:
    with pytest.raises(NothingToCommitError, match="nothing to commit, worktree clean"):
        repository.commit_edits(message="x")


def test_an_empty_comment_is_refused(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 11)
    with pytest.raises(EmptyCommentError):
        repository.commit_edits(message=" ")


# --- commit: what is refused -------------------------------------------------------------------------------------


def remove_constant(folder: Path) -> None:
    shutil.rmtree(folder / OLD)


def rename_range(folder: Path) -> None:
    (folder / OLD).rename(folder / CAMERA / "pedestals/1-end")


def remove_data(folder: Path) -> None:
    (folder / DATA).unlink()


def remove_metadata(folder: Path) -> None:
    (folder / META).unlink()


def remove_record(folder: Path) -> None:
    (folder / CAMERA / "detector.toml").unlink()


def link(folder: Path) -> None:
    (folder / DATA).unlink()
    (folder / DATA).symlink_to("/etc/hostname")


def executable(folder: Path) -> None:
    save(folder, DATA, 11).chmod(0o755)


def pipe(folder: Path) -> None:
    (folder / DATA).unlink()
    os.mkfifo(folder / DATA)


def not_npy(folder: Path) -> None:
    (folder / DATA).write_text("1 2 3\n")


def cut_off(folder: Path) -> None:
    save(folder, DATA, 11)
    os.truncate(folder / DATA, 140)


def fortran(folder: Path) -> None:
    np.save(folder / DATA, np.asfortranarray(np.arange(20, dtype=np.float32).reshape(4, 5)))


def two_payloads(folder: Path) -> None:
    (folder / OLD / "data.txt").write_text("x\n")


def no_data(folder: Path) -> None:
    (folder / CAMERA / "pedestals/5-9").mkdir()
    (folder / CAMERA / "pedestals/5-9/meta.toml").write_text('unit = "ADU"\n')


def wrong_text_name(folder: Path) -> None:
    (folder / CAMERA / "geometry/5-9").mkdir()
    (folder / CAMERA / "geometry/5-9/data.txt").write_text(GEOMETRY)


def no_geometry(folder: Path) -> None:
    (folder / CAMERA / "geometry/0-end/geometry.txt").write_text("hello\n")


def broken_metadata(folder: Path) -> None:
    (folder / META).write_text("unit = \n")


def wrong_shape_told(folder: Path) -> None:
    save(folder, DATA, 11)
    (folder / META).write_text('dtype = "float32"\nshape = [5, 4]\n')


def other_form_told(folder: Path) -> None:
    (folder / META).write_text('dtype = "float64"\nshape = [4, 5]\n')


def broken_aliases(folder: Path) -> None:
    (folder / "opal1000/aliases.toml").write_text("[[aliases]]\nalias = 3\n")


def foreign_alias(folder: Path) -> None:
    (folder / "opal1000/aliases.toml").write_text('[[aliases]]\nalias = "a"\ndetector = "jungfrau-3"\n')


def alias_of_nobody(folder: Path) -> None:
    (folder / "opal1000/aliases.toml").write_text('[[aliases]]\nalias = "a"\ndetector = "opal1000-7"\n')


def overlapping_aliases(folder: Path) -> None:
    row = '[[aliases]]\nalias = "a"\ndetector = "opal1000-1"\n'
    (folder / "opal1000/aliases.toml").write_text(row + row)


def hiding_alias(folder: Path) -> None:
    (folder / "opal1000/aliases.toml").write_text('[[aliases]]\nalias = "jungfrau-3"\ndetector = "opal1000-1"\n')


def broken_runs(folder: Path) -> None:
    (folder / "experiments/mfx1.toml").write_text("[[runs]]\nrun = -1\n")


def broken_settings(folder: Path) -> None:
    (folder / ".calibvcs/repository.toml").write_text("format = 99\n")


def nobodys_constant(folder: Path) -> None:
    save(folder, "opal1000/opal1000-9/pedestals/0-end/data.npy", 11)


def unfinished_merge(folder: Path) -> None:
    save(folder, DATA, 11)
    (folder / ".git/MERGE_HEAD").write_text("0" * 40)


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        (remove_constant, RemovedConstantError, "withdraw"),
        (rename_range, RemovedConstantError, "not renamed.*opal1000-1/pedestals/1-end"),
        (remove_data, RemovedConstantError, "no deletion"),
        (remove_metadata, InvalidDataError, r"meta\.toml was removed"),
        (remove_record, RemovedConstantError, r"detector\.toml"),
        (link, InvalidDataError, "symbolic link"),
        (executable, InvalidDataError, "chmod a-x"),
        (pipe, InvalidDataError, "no plain file"),
        (not_npy, InvalidDataError, r"no \.npy file"),
        (cut_off, InvalidDataError, "cut off"),
        (fortran, InvalidDataError, "Fortran"),
        (two_payloads, InvalidDataError, "data.npy and data.txt"),
        (no_data, InvalidDataError, "no data"),
        (wrong_text_name, InvalidDataError, r"geometry\.txt, not in data\.txt"),
        (no_geometry, InvalidDataError, "geometry"),
        (broken_metadata, InvalidDataError, "meta.toml"),
        (wrong_shape_told, InvalidDataError, r"it says float32 \(5, 4\)"),
        (other_form_told, InvalidDataError, "float64"),
        (broken_aliases, InvalidDataError, "alias"),
        (foreign_alias, InvalidDataError, "belongs into jungfrau/aliases.toml"),
        (alias_of_nobody, UnknownDetectorError, "opal1000-7"),
        (overlapping_aliases, OverlapError, "overlaps"),
        (hiding_alias, AlreadyExistsError, "hide"),
        (broken_runs, InvalidDataError, "run"),
        (broken_settings, CalibvcsError, "99"),
        (nobodys_constant, UnknownDetectorError, "opal1000-9"),
        (unfinished_merge, AlreadyExistsError, "merge"),
    ],
)
def test_what_must_not_be_committed_is_refused_and_left_alone(
    folder: Path, repository: Repository, edit: object, error: type[CalibvcsError], words: str
) -> None:
    edit(folder)  # type: ignore[operator]
    before, status = repository.commit, repository.status()
    assert status.edits
    with pytest.raises(error, match=f"(?s){words}"):
        repository.commit_edits(message="By hand")
    assert repository.commit == before
    assert repository.status() == status


def test_a_file_that_changes_while_it_is_committed_is_refused(
    folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folder, DATA, 11)
    store = repository._session.store
    plain = type(store).put_blob

    def meanwhile(self: object, buffers: object) -> str:
        save(folder, f"{OLD}/next.npy", 12).replace(folder / DATA)
        return plain(self, buffers)  # type: ignore[arg-type]

    before = repository.commit
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "put_blob", meanwhile)
        with pytest.raises(DirtyWorktreeError):
            repository.commit_edits(message="Too fast")
    assert repository.commit == before
    assert np.load(folder / DATA)[0, 0] == 12


# --- commit: metadata and records --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("locked = true\n", Action.LOCK), ("withdrawn = true\n", Action.WITHDRAW),
        ('locked = true\nlock_reason = "mine"\n', Action.LOCK),
    ],
)  # fmt: skip
def test_a_state_by_hand_is_the_verb(folder: Path, repository: Repository, line: str, action: Action) -> None:
    text = (folder / META).read_text()
    (folder / META).write_text(text.replace("[provenance]", f"{line}[provenance]"))
    made = repository.commit_edits(message="Because of the shutter\n\nmore")
    assert made.edited == (OLD_NAME,)
    assert last(repository) == (action, (OLD_NAME,))
    state = repository.default.show(OLD_NAME)
    assert (state.lock_reason or state.withdrawn_reason) == ("mine" if "mine" in line else "Because of the shutter")
    assert clean(repository)
    assert state.version == "v1"


def test_a_lock_is_taken_away_by_hand_but_a_withdrawal_is_not(folder: Path, repository: Repository) -> None:
    text = (folder / META).read_text()
    repository.lock(OLD_NAME, message="Good")
    (folder / META).write_text(text)
    repository.commit_edits(message="Free")
    assert last(repository) == (Action.UNLOCK, (OLD_NAME,))
    repository.withdraw(OLD_NAME, message="Bad")
    (folder / META).write_text(text)
    with pytest.raises(InvalidDataError, match="default set"):
        repository.commit_edits(message="Good after all")


def test_other_metadata_are_a_commit_by_hand_that_makes_no_version(folder: Path, repository: Repository) -> None:
    text = (folder / META).read_text().replace('unit = "ADU"', 'unit = "mV"  # as the expert says')
    (folder / META).write_text(text)
    assert repository.commit_edits(message="Unit").edited == (OLD_NAME,)
    assert last(repository) == (None, ())
    assert (folder / META).read_text() == text
    assert repository.show(OLD_NAME).version == "v1"
    assert clean(repository)
    assert repository.verify().sound


def test_records_are_checked_and_taken_byte_for_byte(folder: Path, repository: Repository) -> None:
    aliases = '# by hand\n[[aliases]]\nalias = "rear"\ndetector = "opal1000-1"\nbegin = 5\n'
    (folder / "opal1000/aliases.toml").write_text(aliases)
    assert repository.commit_edits(message="Rear").edited == ("opal1000/aliases.toml",)
    assert last(repository) == (Action.ALIAS, ())
    assert (folder / "opal1000/aliases.toml").read_text() == aliases
    assert repository.get("rear", "pedestals", 6).data[0, 0] == 10
    (folder / "experiments/mfx2.toml").write_text('[[runs]]\nrun = 3\nkind = "data"\nbegin = 100\n')
    repository.commit_edits(message="Runs")
    assert last(repository) == (Action.RUN, ())
    assert repository.choose("opal1000-1", "pedestals", "mfx2:3").constant == OLD_NAME


def test_a_new_detector_and_its_constants_are_one_commit(folder: Path, repository: Repository) -> None:
    place = folder / "opal1000/opal1000-9"
    place.mkdir()
    (place / "detector.toml").write_bytes((folder / CAMERA / "detector.toml").read_bytes())
    save(folder, "opal1000/opal1000-9/pedestals/0-end/data.npy", 11)
    made = repository.commit_edits(message="A camera more")
    assert last(repository) == (Action.ADD, ("opal1000-9/pedestals/0-end",))
    assert made.edited == ("opal1000/opal1000-9/detector.toml",)
    assert clean(repository)
    assert repository.verify().sound


# --- restore ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit", [remove_constant, rename_range, remove_data, remove_metadata, remove_record, link, executable, pipe,
             not_npy, two_payloads, no_data, broken_metadata, overlapping_aliases, broken_settings],
)  # fmt: skip
def test_restore_brings_everything_back_and_deletes_nothing(folder: Path, repository: Repository, edit: object) -> None:
    def files() -> dict[str, bytes]:
        found = (path for path in folder.rglob("*") if ".git" not in path.parts and path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in found if not path.is_symlink()}

    committed = files()
    edit(folder)  # type: ignore[operator]
    edited = files()
    tried = repository.restore(everything=True, dry_run=True)
    assert files() == edited
    done = repository.restore(everything=True)
    assert done == tried
    new = {path: data for path, data in edited.items() if path not in committed}
    assert files() == {**committed, **new}
    assert set(new) == set(done.kept)
    assert all(row.state != "removed" for row in repository.status().edits)
    assert repository.restore(everything=True).files == ()


def test_restore_needs_names(repository: Repository) -> None:
    with pytest.raises(InvalidOptionError, match="--all"):
        repository.restore()
    with pytest.raises(InvalidOptionError, match="--all"):
        repository.restore([OLD_NAME], everything=True)


def test_a_single_file_is_restored(folder: Path, repository: Repository) -> None:
    save(folder, DATA, 11)
    (folder / META).write_text("")
    assert repository.restore([META]).files == (META,)
    assert edits(repository) == {OLD_NAME: ("changed", "no", ("data.npy",))}


@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_what_stands_in_the_way_of_a_restore_is_left_alone(
    folder: Path, repository: Repository, kind: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "folder":
        (folder / DATA).unlink()
        (folder / DATA).mkdir()
        (folder / DATA / "mine").write_text("x")
    else:
        shutil.rmtree(folder / OLD)
        (folder / OLD).symlink_to(elsewhere) if kind == "link" else (folder / OLD).write_text("mine")
    with pytest.raises(AlreadyExistsError, match="move it away"):
        repository.restore([DATA])
    assert not list(elsewhere.iterdir())
    assert os.path.lexists(folder / OLD)


def test_a_program_that_has_a_file_mapped_keeps_what_it_sees(folder: Path, repository: Repository) -> None:
    big = np.random.default_rng(0).normal(10, 1, (400, 500)).astype(np.float32)
    path = f"{CAMERA}/pixel_rms/0-end/data.npy"
    repository.add("opal1000-1", "pixel_rms", big, begin=0, message="Noise", force_reason="size")
    before = np.load(folder / path, mmap_mode="r")
    with (folder / f"{path}.new").open("wb") as file:
        np.lib.format.write_array(file, big + 1, version=(2, 0))
    (folder / f"{path}.new").rename(folder / path)
    edited = np.load(folder / path, mmap_mode="r")
    repository.commit_edits(message="Again", force_reason="size")  # replaces the file by one of version 1.0
    assert np.array_equal(before, big)
    assert np.array_equal(edited, big + 1)
    now = np.load(folder / path, mmap_mode="r")
    assert np.array_equal(now, big + 1)
    np.save(folder / f"{path}.npy", big + 2)
    (folder / f"{path}.npy").rename(folder / path)
    third = np.load(folder / path, mmap_mode="r")
    repository.restore([path])
    assert np.array_equal(now, big + 1)
    assert np.array_equal(third, big + 2)
    assert np.array_equal(np.load(folder / path), big + 1)
