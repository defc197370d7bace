"""Random edits of a worktree against an obvious model: two dictionaries, what is committed and what lies there."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import calibvcs
from calibvcs import Repository
from calibvcs.errors import InvalidDataError, NothingToCommitError, RemovedConstantError, UnknownConstantError
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

CTYPE = "opal1000/opal1000-1/pedestals"
RANGES = ("0-end", "5-9", "7-end")
NOTES = f"{CTYPE}/0-end/notes.txt"

Edit = tuple[str, str, int]
edits = st.one_of(
    st.tuples(st.just("data"), st.sampled_from(RANGES), st.integers(0, 5)),
    st.tuples(st.sampled_from(["touch", "remove", "copy", "link", "stage", "unstage", "notes"]), st.sampled_from(RANGES), st.just(0)),
    st.tuples(st.sampled_from(["commit", "restore"]), st.sampled_from([*RANGES, ""]), st.just(0)),
)  # fmt: skip


def array(level: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.full((4, 5), 1000 + level, np.float32))
    return stream.getvalue()


class Model:
    """A repository, and what it should hold."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self.folder, self.repository = folder, repository
        self.committed = self.disk()

    def disk(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", self.folder, *arguments], check=True, capture_output=True, text=True)
        return done.stdout

    def of(self, state: dict[str, bytes], name: str) -> dict[str, bytes]:
        """Return the files of a range that the format knows."""
        wanted = {f"{CTYPE}/{name}/data.npy", f"{CTYPE}/{name}/meta.toml"}
        return {path: data for path, data in state.items() if path in wanted}

    def edited(self) -> dict[str, str]:
        """Return the state of each range that differs, as ``status`` should tell it."""
        now, found = self.disk(), {}
        for name in RANGES:
            before, after = self.of(self.committed, name), self.of(now, name)
            if before != after:
                gone = not any(path.endswith(".npy") for path in after)
                found[name] = "removed" if gone and before else "changed" if before else "new"
        return found

    def path(self, name: str) -> Path:
        return self.folder / CTYPE / name

    # --- edits ------------------------------------------------------------------------------------------------

    def data(self, name: str, level: int) -> None:
        self.path(name).mkdir(exist_ok=True)
        (self.path(name) / "data.npy").write_bytes(array(level))

    def touch(self, name: str, _: int) -> None:
        for file in self.path(name).glob("*"):
            file.write_bytes(file.read_bytes())

    def remove(self, name: str, _: int) -> None:
        shutil.rmtree(self.path(name), ignore_errors=True)

    def copy(self, name: str, _: int) -> None:
        if self.path("0-end").is_dir() and not self.path(name).exists():
            shutil.copytree(self.path("0-end"), self.path(name))
            (self.path(name) / "notes.txt").unlink(missing_ok=True)

    def link(self, name: str, _: int) -> None:
        """Write through a temporary file, as editors do."""
        for file in self.path(name).glob("data.npy"):
            shutil.copy(file, f"{file}~")
            Path(f"{file}~").replace(file)

    def notes(self, *_: object) -> None:
        self.path("0-end").mkdir(exist_ok=True)
        (self.folder / NOTES).write_bytes(b"mine\n")

    def stage(self, *_: object) -> None:
        self.git("add", "-A")
        if (self.folder / NOTES).exists():
            self.git("reset", "-q", NOTES)

    def unstage(self, *_: object) -> None:
        self.git("reset", "-q")

    # --- verbs ------------------------------------------------------------------------------------------------

    def commit(self, name: str, _: int) -> None:
        edited, before = self.edited(), self.disk()
        meant = {one: state for one, state in edited.items() if name in {"", one}}
        given = [f"opal1000-1/pedestals/{name}"] if name else []

        def committed() -> None:
            self.repository.commit_edits(given, message="By hand")

        if "removed" in meant.values():
            self.refused(committed, RemovedConstantError)
        elif not meant and name == "0-end" and NOTES in before:  # of what is named, only a foreign file is new
            self.refused(committed, InvalidDataError)
        elif not meant:
            self.refused(committed, NothingToCommitError, UnknownConstantError)
        else:
            committed()
            after = self.disk()
            for one in meant:
                here, there = self.of(before, one), self.of(after, one)
                assert set(there) == {f"{CTYPE}/{one}/data.npy", f"{CTYPE}/{one}/meta.toml"}
                assert there[f"{CTYPE}/{one}/data.npy"] == here[f"{CTYPE}/{one}/data.npy"]
                self.committed.update(there)
            taken = {path for one in meant for path in self.of(after, one)}
            assert {p: d for p, d in before.items() if p not in taken} == {
                p: d for p, d in after.items() if p not in taken
            }

    def restore(self, name: str, _: int) -> None:
        before = self.disk()
        inside = f"{CTYPE}/{name}/" if name else ""
        wanted = {path: data for path, data in self.committed.items() if path.startswith(inside)}
        if name and not wanted and not any(path.startswith(inside) for path in before):
            staged = self.git("ls-files", f"{CTYPE}/{name}")
            if not staged:
                self.refused(lambda: self.repository.restore([f"{CTYPE}/{name}"]), UnknownConstantError)
                return
        self.repository.restore([f"{CTYPE}/{name}"] if name else [], everything=not name)
        assert self.disk() == {**before, **wanted}

    def refused(self, verb: Callable[[], object], *errors: type[Exception]) -> None:
        before = self.disk(), self.repository.commit
        with pytest.raises(errors):
            verb()
        assert (self.disk(), self.repository.commit) == before

    # --- what holds at all times ------------------------------------------------------------------------------

    def check(self) -> None:
        status = self.repository.status()
        told = {row.name.rpartition("/")[2]: row.state for row in status.edits if row.staged == "no"}
        edited = self.edited()
        assert {name: state for name, state in edited.items() if name in told} == told
        unstaged = {row.name.rpartition("/")[2] for row in status.edits} - set(told)
        assert set(edited) <= set(told) | unstaged
        assert [one.path for one in status.left] == ([NOTES] if NOTES in self.disk() else [])
        store = self.repository._session.store
        tree = Snapshot(store, store.tip()).files()
        assert {path: store.blob(entry.id) for path, entry in tree} == self.committed
        lines = self.git("status", "--porcelain", "-uall").splitlines()
        files = {f"{row.name.rpartition('/')[2]}/{file}" for row in status.edits for file in row.files}
        assert files == {"/".join(line[3:].split("/")[-2:]) for line in lines if not line.endswith(NOTES)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edits") / "template"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        calibvcs.init(folder)
        with calibvcs.open(folder) as repository:
            repository.detector.add("opal1000-1")
            repository.add("opal1000-1", "pedestals", np.full((4, 5), 1000, np.float32), begin=0, message="First")
    subprocess.run(["git", "-C", folder, "config", "status.renames", "false"], check=True)
    return folder


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(edits, min_size=1, max_size=12))
def test_random_edits(template: Path, tmp_path: Path, edits: list[Edit]) -> None:
    folder = tmp_path / "constants"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    with calibvcs.open(folder) as repository:
        model = Model(folder, repository)
        for verb, name, level in edits:
            getattr(model, verb)(name, level)
            model.check()
        assert repository.verify().sound
        repository.restore(everything=True)
        assert all(row.state == "new" for row in repository.status().edits)
