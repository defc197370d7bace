"""C Git and calibvcs in one repository: each reads, checks, packs and continues what the other one wrote."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import (
    CalibvcsError,
    DamagedObjectError,
    DamagedRepositoryError,
    DirtyWorktreeError,
    InvalidOptionError,
    NotHereError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs import Repository

DETECTOR = "opal1000-1"
FOLDER = f"opal1000/{DETECTOR}"
GEOMETRY = "# a camera of one panel\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
FIRST = f"{DETECTOR}/pedestals/0-end"


def git(folder: Path, *arguments: str | Path, clock: int | None = None) -> str:
    """Run C Git and return what it prints; its commits get a time where one is given."""
    environment = dict(os.environ)
    if clock is not None:
        environment |= {"GIT_AUTHOR_DATE": f"@{clock} +0000", "GIT_COMMITTER_DATE": f"@{clock} +0000"}
    command = ["git", "-c", "protocol.file.allow=always", "-C", folder, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def fsck(folder: Path) -> None:
    done = subprocess.run(["git", "-C", folder, "fsck", "--strict", "--full"], capture_output=True, text=True)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("dangling ")]
    assert (done.returncode, complaints) == (0, [])


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full((4, 5), value, np.float32)


def add(repository: Repository, value: float, begin: int = 0, message: str = "Another level", **more: Any) -> str:
    result = repository.add(DETECTOR, "pedestals", level(value), begin=begin, message=message, **more)
    return result.constants[0].version


def build(folder: Path, *, bare: bool) -> Path:
    """Make a repository in which every verb was used."""
    calibvcs.init(folder, bare=bare)
    with calibvcs.open(folder) as repository:
        repository.detector.add(DETECTOR, longname="opal1000_0001")
        repository.detector.set(DETECTOR, parameters={"panel_shape": [4, 5]}, message="Größe ✓")
        for value in (10, 20, 30):
            add(repository, value, message=f"Pedestals of {value} ADU\n\nWith a body.")
        add(repository, 40, begin=1000)
        repository.add(DETECTOR, "geometry", GEOMETRY, begin=0, message="As drawn")
        repository.alias.add("front", DETECTOR, begin=500)
        repository.run.mark("mfx1:7", kind="dark", reason="other", begin=1000, end=1300, message="A dark run")
        repository.tag.create("run24/golden", message="All good")
        repository.default.set(f"{FIRST}@v2", message="v3 was wrong")
        repository.lock(FIRST, message="For the beam time")
        repository.withdraw(f"{DETECTOR}/pedestals/1000-end", message="Shutter was open")
        zeros = level(0)
        repository.add(DETECTOR, "pedestals", zeros, begin=2000, message="Zeros", force_reason="Subtracted before")
    return folder


def everything(repository: Repository) -> dict[str, object]:
    """Read all there is, and check it."""
    assert repository.verify(deep=True).sound
    rows = repository.ls().constants
    shown = {row.constant: repository.default.show(row.constant) for row in rows}
    times = (0, 999, 1000, 1999, 2000, 10**9)
    return {
        "rows": rows,
        "defaults": shown,
        "data": [repository.get(DETECTOR, "pedestals", time).data.tobytes() for time in times],
        "geometry": repository.get("front", "geometry", 600).data,
        "older": [repository.show(f"{FIRST}@{version.version}").blob for version in shown[FIRST].versions],
        "tagged": repository.get(DETECTOR, "pedestals", 1500, at="run24/golden").data.tobytes(),
        "tags": repository.tag.list(),
        "aliases": repository.alias.ls(),
        "runs": repository.run.ls(),
        "log": repository.log(),
        "abbreviated": repository.ls(at=repository.commit[:12]),
    }


@pytest.fixture(scope="module", params=["bare", "worktree"])
def template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        folder = build(tmp_path_factory.mktemp("template") / "constants", bare=request.param == "bare")
        with calibvcs.open(folder) as repository:
            return folder, everything(repository)


@pytest.fixture
def made(template: tuple[Path, dict[str, object]], tmp_path: Path) -> Path:
    """Return a repository of its own, bare or with a worktree."""
    folder = tmp_path / "constants"
    shutil.copytree(template[0], folder, symlinks=True)
    return folder


@pytest.fixture
def expected(template: tuple[Path, dict[str, object]]) -> dict[str, object]:
    return template[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a small repository with a worktree, in which C Git works along."""
    folder = tmp_path / "clone"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(DETECTOR)
        add(repository, 10, message="First")
        add(repository, 20, message="Second")
        repository.add(DETECTOR, "geometry", GEOMETRY, begin=0, message="As drawn")
    return folder


@pytest.fixture
def repository(clone: Path) -> Iterator[Repository]:
    with calibvcs.open(clone) as repository:
        yield repository


# --- C Git reads ours -------------------------------------------------------------------------------------------


def test_fsck_has_nothing_to_say(made: Path) -> None:
    fsck(made)


def test_log_shows_who_why_and_what(made: Path, expected: dict[str, Any]) -> None:
    ids = git(made, "log", "--format=%H").split("\n")
    assert ids == [entry.commit for entry in expected["log"].commits]
    assert set(git(made, "log", "--format=%an <%ae>").split("\n")) == {"Grace Hopper <grace@example.org>"}
    actions = git(made, "log", "--reverse", "--format=%(trailers:key=Calibvcs-Action,valueonly,separator=)").split("\n")
    assert actions == [
        *("init", "detector", "detector", "add", "add", "add", "add", "add", "alias", "run"),
        *("restore", "lock", "withdraw", "add"),
    ]
    assert git(made, "log", "-1", "--format=%(trailers:key=Calibvcs-Constant,valueonly)") == (
        f"{DETECTOR}/pedestals/2000-end"
    )
    assert git(made, "log", "-1", "--skip=11", "--format=%s") == "Größe ✓"
    assert git(made, "for-each-ref", "--format=%(refname) %(objecttype) %(contents:subject)", "refs/tags") == (
        "refs/tags/run24/golden tag All good"
    )


def test_show_gives_the_bytes_that_we_read(made: Path) -> None:
    with calibvcs.open(made) as repository:
        listed = git(made, "ls-tree", "-r", "--name-only", "HEAD").split("\n")
        assert f"{FOLDER}/pedestals/0-end/data.npy" in listed
        for path in listed:
            raw = subprocess.run(["git", "-C", made, "show", f"HEAD:{path}"], capture_output=True, check=True).stdout
            snapshot = repository._session.catalogue().snapshot
            assert snapshot.read(path) == raw
            if path.endswith(".npy"):
                begin = int(path.split("/")[3].partition("-")[0])
                if begin != 1000:  # that one is withdrawn
                    data = repository.get(DETECTOR, "pedestals", begin).data
                    assert raw.endswith(data.tobytes())


@pytest.mark.parametrize("source", ["path", "file://"])
@pytest.mark.parametrize("options", [(), ("--bare",), ("--mirror",), ("--no-hardlinks",)])
def test_a_clone_is_a_repository_like_its_source(
    made: Path, expected: dict[str, object], tmp_path: Path, source: str, options: tuple[str, ...]
) -> None:
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", *options, made if source == "path" else f"file://{made}", copy)
    with calibvcs.open(copy) as repository:
        assert everything(repository) == expected
        assert add(repository, 50, begin=3000) == "v1"
        assert repository.verify(deep=True).sound
    fsck(copy)
    if "--bare" not in options and "--mirror" not in options:
        assert git(copy, "status", "--porcelain") == ""


def test_what_a_clone_adds_is_pushed_and_read(tmp_path: Path) -> None:
    central = build(tmp_path / "central", bare=True)
    git(tmp_path, "clone", "-q", central, "copy")
    with calibvcs.open(tmp_path / "copy") as repository, calibvcs.open(central) as open_all_the_time:
        before = open_all_the_time.commit
        add(repository, 50, begin=3000)
        repository.tag.create("from-the-clone", message="Look")
        git(tmp_path / "copy", "push", "-q", "origin", "main", "from-the-clone")
        assert open_all_the_time.commit == repository.commit != before
        assert open_all_the_time.get(DETECTOR, "pedestals", 3000).data[0, 0] == 50
        assert [tag.name for tag in open_all_the_time.tag.list().tags] == ["from-the-clone", "run24/golden"]
    refused = subprocess.run(
        ["git", "-C", tmp_path / "copy", "push", "--force", "origin", "HEAD~1:main"], capture_output=True, text=True
    )
    assert refused.returncode != 0
    assert "non-fast-forward" in refused.stderr


def test_tags_of_git_are_listed_with_the_commit_that_they_mean(clone: Path, repository: Repository) -> None:
    repository.tag.create("ours", message="All good")
    git(clone, "tag", "-a", "-m", "on a tag", "outer", "ours")
    git(clone, "tag", "light", "HEAD~1")
    git(clone, "tag", "file", "HEAD:.gitattributes")
    git(clone, "pack-refs", "--all")
    tags = {tag.name: (tag.commit, tag.message) for tag in repository.tag.list().tags}
    assert tags == {
        "ours": (repository.commit, "All good"), "outer": (repository.commit, "on a tag"),
        "light": (git(clone, "rev-parse", "HEAD~1"), ""),
    }  # fmt: skip
    assert repository.get(DETECTOR, "pedestals", 0, at="outer").at == repository.commit


# --- C Git packs, we go on ---------------------------------------------------------------------------------------


PACKINGS = {
    "gc": [("gc", "--aggressive", "--prune=now", "-q")],
    "repack": [("repack", "-adfq"), ("prune-packed", "-q")],
    "pack-refs": [("pack-refs", "--all")],
    "many packs": [("repack", "-dq"), ("multi-pack-index", "write"), ("commit-graph", "write", "--reachable")],
    "everything": [("pack-refs", "--all"), ("repack", "-adq", "--write-midx"), ("gc", "-q")],
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_whatever_is_packed_is_read_and_written_on(made: Path, expected: dict[str, object], packing: str) -> None:
    with calibvcs.open(made) as open_all_the_time:
        assert everything(open_all_the_time) == expected
        for command in PACKINGS[packing]:
            git(made, *command)
        assert everything(open_all_the_time) == expected
        with calibvcs.open(made) as fresh:
            assert everything(fresh) == expected
            assert add(fresh, 50, begin=3000) == "v1"
        for command in PACKINGS[packing]:
            git(made, *command)
        assert open_all_the_time.get(DETECTOR, "pedestals", 3000).data[0, 0] == 50
        assert add(open_all_the_time, 51, begin=3000) == "v2"
        open_all_the_time.tag.create("run24/after", message="Packed before")
        for command in PACKINGS[packing]:
            git(made, *command)
        after = everything(open_all_the_time)
    with calibvcs.open(made) as fresh:
        assert everything(fresh) == after
        with pytest.raises(calibvcs.CalibvcsError, match="exists already"):
            fresh.tag.create("run24/after", message="It is packed, but it is there")
    fsck(made)


@pytest.mark.parametrize("how", ["--shared", "--reference"])
def test_objects_in_an_alternate_are_read_and_new_ones_stay_in_the_clone(
    made: Path, expected: dict[str, object], tmp_path: Path, how: str
) -> None:
    copy = tmp_path / "copy"
    if how == "--reference":
        git(made, "gc", "-q")
        git(tmp_path, "clone", "-q", "--reference", made, f"file://{made}", copy)
    else:
        git(tmp_path, "clone", "-q", "--shared", made, copy)
    objects = {path for path in made.rglob("objects/*/*") if path.is_file()}
    with calibvcs.open(copy) as repository:
        assert everything(repository) == expected
        add(repository, 50, begin=3000)
        assert repository.get(DETECTOR, "pedestals", 3000).data[0, 0] == 50
        after = everything(repository)
        git(copy, "repack", "-adlq")
        assert everything(repository) == after
    assert {path for path in made.rglob("objects/*/*") if path.is_file()} == objects
    fsck(copy)


def test_packing_all_the_time_disturbs_neither_readers_nor_writers(made: Path) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def pack() -> None:
        try:
            for turn in range(1000):
                if stop.is_set():
                    return
                git(made, *(("repack", "-adq"), ("pack-refs", "--all"), ("gc", "-q"))[turn % 3])
        except AssertionError as error:
            failures.append(error)

    packer = threading.Thread(target=pack)
    packer.start()
    try:
        with calibvcs.open(made) as repository:
            for number in range(1, 25):
                assert add(repository, number, begin=5000) == f"v{number}"
                assert repository.get(DETECTOR, "pedestals", 5000).data[0, 0] == number
                assert len(repository.default.show(f"{DETECTOR}/pedestals/5000-end").versions) == number
                assert repository.ls(at=repository.commit[:12]).at == repository.commit
            assert repository.verify(deep=True).sound
    finally:
        stop.set()
        packer.join()
    assert failures == []
    fsck(made)


@pytest.mark.parametrize("suffix", ["pack", "idx"])
def test_a_damaged_pack_is_told_as_damage_whatever_byte_it_is(made: Path, suffix: str) -> None:
    git(made, "gc", "-q")
    (path,) = (path for path in made.rglob(f"pack-*.{suffix}"))
    sound, chance = path.read_bytes(), random.Random(3)
    path.chmod(0o644)
    flipped = [(chance.randrange(len(sound)), 1 << chance.randrange(8)) for _ in range(80)]
    damaged = [sound[:place] + bytes([sound[place] ^ bit]) + sound[place + 1 :] for place, bit in flipped]
    damaged += [sound[: len(sound) * part // 16] for part in range(16)]
    told = 0
    for data in damaged:
        path.write_bytes(data)
        try:
            with calibvcs.open(made) as repository:
                told += not repository.verify(deep=True).sound
                repository.get(DETECTOR, "pedestals", 0)
                repository.ls()
        except CalibvcsError as error:
            assert isinstance(error, DamagedObjectError | DamagedRepositoryError)  # noqa: PT017 - either may come
            told += 1
    assert told > 40  # the rest hits what nobody reads: checksums, file names, offsets beyond 2 GB


# --- one worktree, two programs ----------------------------------------------------------------------------------


def test_status_is_empty_after_every_change_and_git_commits_the_right_tree(clone: Path, repository: Repository) -> None:
    for number in range(3):
        # This leaves a cache of trees in the index, which our next change has to take out.
        git(clone, "commit", "-q", "--allow-empty", "-m", "Nothing")
        assert add(repository, 30 + number) == f"v{3 + number}"
        assert git(clone, "status", "--porcelain") == ""
        assert git(clone, "write-tree") == git(clone, "rev-parse", "HEAD^{tree}")
        (clone / "README.md").write_text(f"By hand, number {number}\n")
        git(clone, "add", "README.md")
        assert add(repository, 40 + number, begin=100 + number) == "v1"
        assert git(clone, "status", "--porcelain") == ("A  README.md" if number == 0 else "M  README.md")
        git(clone, "commit", "-q", "-m", "By hand")
        assert git(clone, "status", "--porcelain") == ""
        assert git(clone, "diff", "--name-only", "HEAD~1", "HEAD") == "README.md"
        repository.withdraw(f"{DETECTOR}/pedestals/{100 + number}-end", message="Bad")
        assert git(clone, "status", "--porcelain") == ""
        assert git(clone, "diff-files") == ""
    assert repository.verify(deep=True).sound
    fsck(clone)


def test_an_edit_by_hand_is_refused_until_git_has_it(clone: Path, repository: Repository) -> None:
    file = clone / FOLDER / "geometry/0-end/geometry.txt"
    file.write_text(GEOMETRY.replace("1.5", "2.5"))
    with pytest.raises(DirtyWorktreeError, match=r"geometry\.txt"):
        repository.add(DETECTOR, "geometry", GEOMETRY.replace("1.5", "3.5"), begin=0, message="Moved")
    git(clone, "commit", "-qam", "Moved by hand")
    repository.add(DETECTOR, "geometry", GEOMETRY.replace("1.5", "3.5"), begin=0, message="Moved")
    assert git(clone, "status", "--porcelain") == ""
    assert "3.5" in file.read_text()
    assert [row.version for row in repository.default.show(f"{DETECTOR}/geometry/0-end").versions] == ["v1", "v2", "v3"]


def test_git_switches_between_our_commits(clone: Path, repository: Repository) -> None:
    git(clone, "switch", "-q", "-c", "trial", "HEAD~1")
    add(repository, 77)
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 77
    assert repository.get(DETECTOR, "pedestals", 0, at="main").data[0, 0] == 20
    git(clone, "switch", "-q", "main")
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 20
    assert np.load(clone / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 20
    assert git(clone, "status", "--porcelain") == ""


def test_a_detached_head_is_read_and_refused_for_writing(clone: Path, repository: Repository) -> None:
    git(clone, "switch", "-q", "--detach", "HEAD~1")
    assert repository.ls().at == git(clone, "rev-parse", "HEAD")
    before = git(clone, "for-each-ref"), git(clone, "rev-parse", "HEAD")
    for dry_run in (False, True):
        with pytest.raises(InvalidOptionError, match="detached") as caught:
            add(repository, 30, dry_run=dry_run)
        assert "git switch" in str(caught.value)
    assert (git(clone, "for-each-ref"), git(clone, "rev-parse", "HEAD")) == before
    git(clone, "switch", "-q", "main")
    assert add(repository, 30) == "v3"


def test_a_second_worktree_of_git_has_its_own_branch_and_index(clone: Path, repository: Repository) -> None:
    linked = clone.parent / "linked"
    git(clone, "worktree", "add", "-q", "-b", "side", linked)
    assert (linked / ".git").is_file()
    with calibvcs.open(linked / FOLDER) as second:
        assert second.location == str(linked)
        assert add(second, 30) == "v3"
        assert add(repository, 40, begin=100) == "v1"
        for folder in (clone, linked):
            assert git(folder, "status", "--porcelain") == ""
        assert np.load(linked / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 30
        assert np.load(clone / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 20
        assert git(linked, "reflog", "-1", "--format=%gs") == "calibvcs: Another level"
        assert git(clone, "log", "-1", "--format=%H", "side") == second.commit
        git(clone, "merge", "-q", "-m", "Both", "side")
        assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 30
    fsck(clone)


def test_the_git_folder_may_stand_elsewhere(clone: Path, tmp_path: Path) -> None:
    git(clone, "init", "-q", "--separate-git-dir", tmp_path / "elsewhere")
    assert (clone / ".git").is_file()
    with calibvcs.open(clone) as repository:
        assert add(repository, 30) == "v3"
        assert np.load(clone / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 30
    assert git(clone, "status", "--porcelain") == ""


def test_the_git_folder_of_a_clone_is_the_clone(clone: Path) -> None:
    with calibvcs.open(clone / ".git") as repository:
        assert add(repository, 30) == "v3"
    assert git(clone, "status", "--porcelain") == ""
    assert np.load(clone / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 30


def test_a_sparse_worktree_of_git_stays_sparse(clone: Path, repository: Repository) -> None:
    git(clone, "sparse-checkout", "set", "--no-cone", "/.calibvcs", f"/{FOLDER}/geometry")
    assert not (clone / FOLDER / "pedestals").exists()
    assert add(repository, 30) == "v3"
    assert not (clone / FOLDER / "pedestals").exists()
    assert git(clone, "status", "--porcelain") == ""
    git(clone, "sparse-checkout", "disable")
    assert np.load(clone / FOLDER / "pedestals/0-end/data.npy")[0, 0] == 30


def test_a_split_index_is_refused_before_anything_is_changed(clone: Path, repository: Repository) -> None:
    git(clone, "update-index", "--split-index")
    before = git(clone, "rev-parse", "HEAD")
    with pytest.raises(DamagedRepositoryError, match="--no-split-index"):
        add(repository, 30, begin=100)
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == (before, "")
    git(clone, "update-index", "--no-split-index")
    assert add(repository, 30, begin=100) == "v1"


def test_an_index_of_version_4_is_understood(clone: Path, repository: Repository) -> None:
    git(clone, "update-index", "--index-version", "4")
    add(repository, 30)
    assert git(clone, "status", "--porcelain") == ""


def test_a_merge_that_waits_for_its_outcome_survives_our_change(clone: Path, repository: Repository) -> None:
    for branch, value in (("side", "2.5"), ("main", "3.5")):
        git(clone, "switch", "-q", *(("-c",) if branch == "side" else ()), branch)
        (clone / FOLDER / "geometry/0-end/geometry.txt").write_text(GEOMETRY.replace("1.5", value))
        git(clone, "commit", "-qam", f"By {value}")
    assert subprocess.run(["git", "-C", clone, "merge", "-q", "side"], capture_output=True).returncode == 1
    conflict = (clone / FOLDER / "geometry/0-end/geometry.txt").read_text()
    assert "<<<<<<<" in conflict
    add(repository, 30)
    assert git(clone, "status", "--porcelain") == f"UU {FOLDER}/geometry/0-end/geometry.txt"
    assert (clone / FOLDER / "geometry/0-end/geometry.txt").read_text() == conflict
    with pytest.raises(DirtyWorktreeError):
        repository.add(DETECTOR, "geometry", GEOMETRY.replace("1.5", "4.5"), begin=0, message="Moved")


def test_a_branch_that_stands_for_another_one_is_followed(clone: Path, repository: Repository) -> None:
    git(clone, "symbolic-ref", "refs/heads/current", "refs/heads/main")
    git(clone, "symbolic-ref", "HEAD", "refs/heads/current")
    assert add(repository, 30) == "v3"
    assert git(clone, "rev-parse", "main") == git(clone, "rev-parse", "current") == repository.commit
    assert git(clone, "symbolic-ref", "refs/heads/current") == "refs/heads/main"


# --- commits made by hand ----------------------------------------------------------------------------------------


def test_a_new_range_made_by_hand_is_its_first_version(clone: Path, repository: Repository) -> None:
    folder = clone / FOLDER / "pedestals"
    shutil.copytree(folder / "0-end", folder / "500-900")
    np.save(folder / "500-900/data.npy", level(55))
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "A range by hand\n\nCopied from the other one.")
    found = repository.get(DETECTOR, "pedestals", 600)
    assert (found.data[0, 0], found.version, found.commit) == (55, "v1", git(clone, "rev-parse", "HEAD"))
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject, entry.body) == ("add", "A range by hand", "Copied from the other one.")
    assert [(touched.constant, touched.version) for touched in entry.constants] == [
        (f"{DETECTOR}/pedestals/500-900", "v1")
    ]
    assert repository.get(DETECTOR, "pedestals", 1000).data[0, 0] == 20
    assert repository.verify(deep=True).sound
    add(repository, 56, begin=500, end=900)
    assert repository.get(DETECTOR, "pedestals", 600).version == "v2"


def test_data_edited_by_hand_are_a_new_version(clone: Path, repository: Repository) -> None:
    (clone / FOLDER / "geometry/0-end/geometry.txt").write_text(GEOMETRY.replace("1.5", "2.5"))
    git(clone, "commit", "-qam", "Move the panel")
    shown = repository.default.show(f"{DETECTOR}/geometry/0-end")
    assert (shown.version, [row.comment for row in shown.versions]) == ("v2", ["As drawn", "Move the panel"])
    assert "2.5" in str(repository.get(DETECTOR, "geometry", 0).data)
    assert repository.default.set(f"{DETECTOR}/geometry/0-end@v1", message="Back").version == "v1"
    assert (clone / FOLDER / "geometry/0-end/geometry.txt").read_text() == GEOMETRY
    assert repository.verify(deep=True).sound


def test_metadata_edited_by_hand_are_a_change_but_no_version(clone: Path, repository: Repository) -> None:
    meta = clone / FOLDER / "pedestals/0-end/meta.toml"
    meta.write_text(meta.read_text().replace('unit = "ADU"', 'unit = "keV"'))
    git(clone, "commit", "-qam", "Another unit")
    found = repository.get(DETECTOR, "pedestals", 0)
    assert (found.version, found.meta.unit) == ("v2", "keV")
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, [touched.version for touched in entry.constants]) == ("change", ["v2"])
    assert repository.verify(deep=True).sound


def test_a_revert_brings_the_older_version_back_and_makes_none(clone: Path, repository: Repository) -> None:
    git(clone, "revert", "--no-edit", "HEAD~1")
    shown = repository.default.show(FIRST)
    assert (shown.version, len(shown.versions)) == ("v1", 2)
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 10
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject) == ("restore", 'Revert "Second"')
    git(clone, "revert", "--no-edit", "HEAD")
    assert repository.default.show(FIRST).version == "v2"
    assert add(repository, 30) == "v3"
    assert repository.verify(deep=True).sound


def test_a_reverted_lock_is_no_lock(clone: Path, repository: Repository) -> None:
    repository.lock(FIRST, message="Keep it")
    git(clone, "revert", "--no-edit", "HEAD")
    assert not repository.default.show(FIRST).locked
    assert add(repository, 30) == "v3"


def test_a_range_taken_away_by_hand_is_gone_and_its_versions_go_on_counting(
    clone: Path, repository: Repository
) -> None:
    add(repository, 30, begin=100)
    git(clone, "rm", "-rq", f"{FOLDER}/pedestals/100-end")
    git(clone, "commit", "-qm", "Take it away")
    assert repository.get(DETECTOR, "pedestals", 200).data[0, 0] == 20
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, [touched.version for touched in entry.constants]) == ("change", [""])
    assert repository.verify(deep=True).sound
    assert add(repository, 31, begin=100) == "v2"
    assert repository.get(DETECTOR, "pedestals", 200, at="HEAD~2").data[0, 0] == 30


def test_one_commit_by_hand_may_add_here_and_bring_back_there(clone: Path, repository: Repository) -> None:
    folder = clone / FOLDER / "pedestals"
    git(clone, "checkout", "-q", "HEAD~2", "--", f"{FOLDER}/pedestals/0-end")
    shutil.copytree(folder / "0-end", folder / "900-end")
    np.save(folder / "900-end/data.npy", level(99))
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "Both at once")
    (entry,) = repository.log(limit=1).commits
    assert entry.action == "add"
    assert {touched.constant: touched.version for touched in entry.constants} == {
        FIRST: "v1", f"{DETECTOR}/pedestals/900-end": "v1"
    }  # fmt: skip
    assert repository.get(DETECTOR, "pedestals", 0).version == "v1"
    assert len(repository.default.show(FIRST).versions) == 2


def diverged(clone: Path, repository: Repository, ours: int, theirs: int) -> None:
    """Let two branches set the same range, the other one later, and `main` be checked out."""
    git(clone, "switch", "-q", "-c", "side")
    add(repository, theirs, message="Theirs")
    git(clone, "commit", "-q", "--amend", "--no-edit", "--date=@2000000000", clock=2_000_000_000)
    git(clone, "switch", "-q", "main")
    add(repository, ours, message="Ours")
    git(clone, "commit", "-q", "--amend", "--no-edit", "--date=@1900000000", clock=1_900_000_000)


def test_a_merge_of_different_constants_has_all_of_both(clone: Path, repository: Repository) -> None:
    git(clone, "switch", "-q", "-c", "side")
    add(repository, 30, begin=100)
    git(clone, "switch", "-q", "main")
    add(repository, 40, begin=200)
    git(clone, "merge", "-q", "-m", "Both", "side")
    assert [repository.get(DETECTOR, "pedestals", time).data[0, 0] for time in (0, 100, 200)] == [20, 30, 40]
    assert {row.constant: row.version for row in repository.ls(f"{DETECTOR}/pedestals").constants} == {
        FIRST: "v2", f"{DETECTOR}/pedestals/100-end": "v1", f"{DETECTOR}/pedestals/200-end": "v1"
    }  # fmt: skip
    merge, *others = repository.log().commits
    assert (merge.action, merge.constants, len(others)) == ("change", (), 7)
    assert repository.verify(deep=True).sound


@pytest.mark.parametrize(("side", "value", "version"), [("ours", 30, "v3"), ("theirs", 40, "v4")])
def test_a_merge_that_takes_one_side_makes_its_version_the_default(
    clone: Path, repository: Repository, side: str, value: int, version: str
) -> None:
    diverged(clone, repository, ours=30, theirs=40)
    git(clone, "merge", "-q", "-X", side, "-m", "Take one", "side", clock=2_100_000_000)
    shown = repository.default.show(FIRST)
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == value
    assert (shown.version, len(shown.versions)) == (version, 4)
    assert [row.blob for row in shown.versions if row.default] == [repository.show(FIRST).blob]
    assert add(repository, 50) == "v5"


def test_a_merge_with_an_outcome_of_its_own_is_a_version(clone: Path, repository: Repository) -> None:
    diverged(clone, repository, ours=30, theirs=40)
    assert subprocess.run(["git", "-C", clone, "merge", "-q", "side"], capture_output=True).returncode == 1
    np.save(clone / FOLDER / "pedestals/0-end/data.npy", level(35))
    git(clone, "checkout", "-q", "--ours", "--", f"{FOLDER}/pedestals/0-end/meta.toml")
    git(clone, "commit", "-qam", "The mean of both", clock=2_100_000_000)
    found = repository.get(DETECTOR, "pedestals", 0)
    assert (found.data[0, 0], found.version, found.commit) == (35, "v5", repository.commit)


def test_a_squashed_branch_is_one_version(clone: Path, repository: Repository) -> None:
    git(clone, "switch", "-q", "-c", "side")
    add(repository, 30)
    add(repository, 40)
    git(clone, "switch", "-q", "main")
    git(clone, "merge", "-q", "--squash", "side")
    git(clone, "commit", "-q", "--no-edit")  # the message has the other ones in it, with their trailers, indented
    assert "    Calibvcs-Action: add" in git(clone, "log", "-1", "--format=%B")
    found = repository.get(DETECTOR, "pedestals", 0)
    assert (found.data[0, 0], found.version) == (40, "v3")


def test_a_cherry_pick_is_a_version(clone: Path, repository: Repository) -> None:
    git(clone, "switch", "-q", "-c", "side")
    add(repository, 30, message="On the side")
    git(clone, "switch", "-q", "main")
    git(clone, "commit", "-q", "--allow-empty", "-m", "Something else")
    git(clone, "cherry-pick", "-x", "side")
    found = repository.get(DETECTOR, "pedestals", 0)
    assert (found.data[0, 0], found.version) == (30, "v3")
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject) == ("add", "On the side")


def test_an_amended_message_keeps_what_the_commit_was(clone: Path, repository: Repository) -> None:
    add(repository, 30, message="Typpo")
    text = git(clone, "log", "-1", "--format=%B")
    git(clone, "commit", "-q", "--amend", "-m", text.replace("Typpo", "Typo"))
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject) == ("add", "Typo")
    git(clone, "commit", "-q", "--amend", "-m", "No trailers any more")
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject) == ("add", "No trailers any more")
    assert repository.default.show(FIRST).version == "v3"
    assert repository.default.show(FIRST).versions[-1].comment == "No trailers any more"


def test_trailers_of_others_do_no_harm(clone: Path, repository: Repository) -> None:
    add(repository, 30, message="Signed\n\nIt is right.")
    git(clone, "commit", "-q", "--amend", "--no-edit", "--signoff", "--trailer", "Reviewed-by: Ada <ada@example.org>")
    text = git(clone, "log", "-1", "--format=%B")
    assert "Signed-off-by: Grace Hopper" in text
    assert "Reviewed-by: Ada" in text
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject, entry.body) == ("add", "Signed", "It is right.")
    assert repository.default.show(FIRST).version == "v3"
    repository.default.set(f"{FIRST}@v1", message="Back")
    git(clone, "commit", "-q", "--amend", "--no-edit", "--signoff")
    assert repository.default.show(FIRST).version == "v1"


def test_a_rebased_restore_still_means_the_same_version(clone: Path, repository: Repository) -> None:
    add(repository, 30)
    repository.default.set(f"{FIRST}@v2", message="Back to the second")
    git(clone, "switch", "-q", "-c", "base", "HEAD~3")
    git(clone, "commit", "-q", "--allow-empty", "-m", "New ground")
    git(clone, "rebase", "-q", "base", "main")
    shown = repository.default.show(FIRST)
    assert (shown.version, len(shown.versions)) == ("v2", 3)
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 20


def test_an_empty_message_and_a_commit_of_something_else_are_read(clone: Path, repository: Repository) -> None:
    git(clone, "commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
    (entry,) = repository.log(limit=1).commits
    assert (entry.action, entry.subject, entry.body) == ("change", "", "")
    assert repository.ls().at == git(clone, "rev-parse", "HEAD")


def test_what_breaks_the_format_is_found_and_the_rest_is_read(clone: Path, repository: Repository) -> None:
    (clone / FOLDER / "pedestals/5-end").mkdir()
    np.save(clone / FOLDER / "pedestals/5-end/data.npy", level(1))
    (clone / FOLDER / "pedestals/Notes").mkdir()
    (clone / FOLDER / "pedestals/Notes/a.txt").write_text("x")
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "Not in the format")
    found = repository.verify()
    assert not found.sound
    assert {finding.path for finding in found.findings if finding.level == "error"} == {
        f"{FOLDER}/pedestals/5-end", f"{FOLDER}/pedestals/Notes/a.txt"
    }  # fmt: skip
    assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 20
    git(clone, "revert", "--no-edit", "HEAD")
    assert repository.verify().sound


# --- clones that lack something ----------------------------------------------------------------------------------


def test_a_partial_clone_of_git_is_gone_on_with(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = clone.parent / "partial"
    git(clone, "config", "uploadpack.allowFilter", "true")
    git(clone, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(clone.parent, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{clone}", partial)
    monkeypatch.setenv("CALIBVCS_OFFLINE", "1")
    with calibvcs.open(partial) as repository, pytest.raises(NotHereError, match="not in this clone"):
        repository.ls()
    git(partial, "checkout", "-q", "main")  # fetches what the newest commit needs
    with calibvcs.open(partial) as repository:
        assert repository.get(DETECTOR, "pedestals", 0).data[0, 0] == 20
        assert repository.get(DETECTOR, "pedestals", 0).version == "v2"
        with pytest.raises(NotHereError, match="CALIBVCS_OFFLINE"):
            repository.get(DETECTOR, "pedestals", 0, at="HEAD~2")
        monkeypatch.delenv("CALIBVCS_OFFLINE")
        assert repository.get(DETECTOR, "pedestals", 0, at="HEAD~2").data[0, 0] != 20
        assert add(repository, 30) == "v3"
    assert git(partial, "status", "--porcelain") == ""


def test_ids_of_another_kind_are_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(DamagedRepositoryError, match="sha1"):
        calibvcs.open(tmp_path)
