"""Files of a worktree are mapped only while Git itself would call them clean; whatever happens, the data are right."""

from __future__ import annotations

import itertools
import mmap
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import calibvcs
from calibvcs import Repository
from calibvcs.store.worktrees import clean_files

CAMERA = "opal1000-1"
FOLDER = f"opal1000/{CAMERA}/pedestals/0-end"
FILE = f"{FOLDER}/data.npy"
PIXELS = (300, 400)  # 480 kB of float32: large enough to be mapped
LONG_AGO = 1_700_000_000
_seconds = itertools.count(1)


def git(folder: Path, *arguments: str | Path, expect: int | None = 0) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert expect is None or done.returncode == expect, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def level(value: float) -> np.ndarray[Any, Any]:
    return np.full(PIXELS, value, np.float32)


def is_mapped(data: Any) -> bool:
    """Tell whether an array shows a file."""
    while isinstance(data, np.ndarray):
        data = data.base
    return isinstance(data, memoryview) and isinstance(data.obj, mmap.mmap)


def refresh(folder: Path) -> None:
    """Let Git look at all files: they were written long ago, so that no entry of the index is in doubt.

    Git as it is usually built compares whole seconds, and so every look needs another one.
    """
    second = LONG_AGO + next(_seconds)
    for file in (folder / "opal1000").rglob("*.npy"):
        os.utime(file, (second, second))
    git(folder, "update-index", "-q", "--really-refresh")


def overwrite(file: Path, data: np.ndarray[Any, Any]) -> None:
    """Write an array into a file as it stands, and put its time back, as somebody who covers the tracks."""
    before = file.stat()
    with file.open("r+b") as stream:
        np.save(stream, data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a worktree with pedestals of 10 ADU, all clean."""
    folder = tmp_path / "constants"
    calibvcs.init(folder)
    with calibvcs.open(folder) as repository:
        repository.detector.add(CAMERA)
        repository.add(CAMERA, "pedestals", level(10), begin=0, message="Ten", force_reason="flat")
    refresh(folder)
    return folder


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    with calibvcs.open(folder) as repository:
        yield repository


def get(repository: Repository, value: float, *, mapped: bool, at: str | None = None) -> np.ndarray[Any, Any]:
    """Get the pedestals; their value and where they come from have to be as told."""
    data = repository.get(CAMERA, "pedestals", 5, at=at).data
    assert isinstance(data, np.ndarray)
    assert np.array_equal(data, level(value))
    assert is_mapped(data) == mapped
    return data


def test_a_clean_file_is_mapped(repository: Repository) -> None:
    data = get(repository, 10, mapped=True)
    assert (data.dtype.str, data.shape, data.flags.c_contiguous, data.flags.aligned) == ("<f4", PIXELS, True, True)
    for array in (data, data.base):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0] = 1
    repository.close()
    assert np.array_equal(data, level(10))


def test_an_array_of_the_caller_never_shows_the_file(repository: Repository, folder: Path) -> None:
    out = level(0)
    constant = repository.get(CAMERA, "pedestals", 5, out=out)
    overwrite(folder / FILE, level(66))
    assert constant.data is out
    assert np.array_equal(out, level(10))


def test_several_at_once_are_mapped(repository: Repository) -> None:
    for constant in repository.get_many([(CAMERA, "pedestals")] * 3, 5):
        assert is_mapped(constant.data)
        assert np.array_equal(constant.data, level(10))


def test_a_bare_repository_has_nothing_to_map(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", folder, "bare.git")
    with calibvcs.open(tmp_path / "bare.git") as repository:
        get(repository, 10, mapped=False)


def test_a_clone_and_a_linked_worktree_are_mapped(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", folder, "clone")
    git(folder, "worktree", "add", "-q", "--detach", tmp_path / "linked")
    for place in ("clone", "linked"):
        refresh(tmp_path / place)
        with calibvcs.open(tmp_path / place) as repository:
            get(repository, 10, mapped=True)


def test_a_small_array_is_read(repository: Repository, folder: Path) -> None:
    repository.add(CAMERA, "pixel_rms", np.ones((4, 5), np.float32), begin=0, message="Small")
    refresh(folder)
    assert not is_mapped(repository.get(CAMERA, "pixel_rms", 5).data)


# --- what makes a file unclean --------------------------------------------------------------------------------------


def replaced_by_a_link(folder: Path) -> None:
    file = folder / FILE
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def folder_replaced_by_a_link(folder: Path) -> None:
    place = folder / FOLDER
    place.rename(folder.parent / "elsewhere")
    place.symlink_to(folder.parent / "elsewhere")


def replaced_by_a_link_to_itself(folder: Path) -> None:
    """Let a link stand where the file was, which itself is untouched: only its folder was moved."""
    place = folder / FOLDER
    place.rename(folder / "moved")
    place.mkdir()
    (folder / FILE).symlink_to(folder / "moved" / "data.npy")


def upper_folder_replaced_by_a_link(folder: Path) -> None:
    (folder / "opal1000").rename(folder / "moved")
    (folder / "opal1000").symlink_to("moved")


def replaced_by_a_pipe(folder: Path) -> None:
    (folder / FILE).unlink()
    os.mkfifo(folder / FILE)


def replaced_by_a_folder(folder: Path) -> None:
    (folder / FILE).unlink()
    (folder / FILE).mkdir()


def cut_short(folder: Path) -> None:
    os.truncate(folder / FILE, 1000)


def cut_short_with_its_time_put_back(folder: Path) -> None:
    os.truncate(folder / FILE, 1000)
    os.utime(folder / FILE, (LONG_AGO, LONG_AGO))


def copied_over(folder: Path) -> None:
    shutil.copy2(folder / FILE, folder / "copy")
    (folder / "copy").replace(folder / FILE)  # the same bytes and times in another file


def hidden_in_a_filter(folder: Path) -> None:
    (folder / ".gitattributes").write_text("*.npy filter=shift\n")


def hidden_in_a_filter_below(folder: Path) -> None:
    (folder / "opal1000" / ".gitattributes").write_text("*.npy filter=shift\n")


def hidden_in_a_filter_of_the_clone(folder: Path) -> None:
    (folder / ".git" / "info" / "attributes").write_text("data.npy filter=shift\n")


def in_doubt(folder: Path) -> None:
    written = (folder / FILE).stat().st_mtime_ns
    os.utime(folder / ".git" / "index", ns=(written, written))


def index_cut_short(folder: Path) -> None:
    os.truncate(folder / ".git" / "index", 100)


UNCLEAN: dict[str, Callable[[Path], object]] = {
    "edited": lambda folder: np.save(folder / FILE, level(66)),
    "edited, time put back": lambda folder: overwrite(folder / FILE, level(66)),
    "touched": lambda folder: (folder / FILE).touch(),
    "time put back": lambda folder: os.utime(folder / FILE, (LONG_AGO, LONG_AGO)),
    "executable": lambda folder: (folder / FILE).chmod(0o755),
    "write-protected": lambda folder: (folder / FILE).chmod(0o444),
    "linked twice": lambda folder: (folder / FILE).with_name("twin").hardlink_to(folder / FILE),
    "removed": lambda folder: (folder / FILE).unlink(),
    "folder removed": lambda folder: shutil.rmtree(folder / "opal1000"),
    "link": replaced_by_a_link,
    "link to itself": replaced_by_a_link_to_itself,
    "folder link": folder_replaced_by_a_link,
    "upper folder link": upper_folder_replaced_by_a_link,
    "pipe": replaced_by_a_pipe,
    "folder": replaced_by_a_folder,
    "cut short": cut_short,
    "cut short, time put back": cut_short_with_its_time_put_back,
    "copied over": copied_over,
    "filter": hidden_in_a_filter,
    "filter below": hidden_in_a_filter_below,
    "filter of the clone": hidden_in_a_filter_of_the_clone,
    "racy": in_doubt,
    "no index": lambda folder: (folder / ".git" / "index").unlink(),
    "empty index": lambda folder: (folder / ".git" / "index").write_bytes(b""),
    "index cut short": index_cut_short,
    "index version 4": lambda folder: git(folder, "update-index", "--index-version", "4"),
    "split index": lambda folder: git(folder, "update-index", "--split-index"),
    "assumed unchanged": lambda folder: git(folder, "update-index", "--assume-unchanged", FILE),
    "skipped": lambda folder: git(folder, "update-index", "--skip-worktree", FILE),
    "sparse": lambda folder: git(folder, "sparse-checkout", "set", "--no-cone", "/*", "!*.npy"),
    "taken out of the index": lambda folder: git(folder, "rm", "-q", "--cached", FILE),
}


@pytest.mark.parametrize("name", UNCLEAN)
@pytest.mark.parametrize("opened_before", [True, False])
def test_what_is_not_clean_is_read_from_the_repository(folder: Path, name: str, opened_before: bool) -> None:
    with calibvcs.open(folder) as repository:
        if opened_before:
            get(repository, 10, mapped=True)
        UNCLEAN[name](folder)
        if not opened_before:
            repository.close()
            repository = calibvcs.open(folder)  # noqa: PLW2901 - closed by its own exit
        get(repository, 10, mapped=False)
        repository.close()


@pytest.mark.parametrize(
    "name", ["touched", "time put back", "executable", "write-protected", "linked twice", "copied over"]
)
def test_once_git_looked_again_it_is_mapped_again(repository: Repository, folder: Path, name: str) -> None:
    UNCLEAN[name](folder)
    get(repository, 10, mapped=False)
    git(folder, "config", "core.fileMode", "false")  # as on disks that know no permissions
    refresh(folder)
    get(repository, 10, mapped=True)


@pytest.mark.parametrize("version", [2, 3])
def test_index_versions_that_spell_paths_out(repository: Repository, folder: Path, version: int) -> None:
    git(folder, "update-index", "--index-version", "4")
    get(repository, 10, mapped=False)
    git(folder, "update-index", "--index-version", "2")
    if version == 3:
        (folder / "new").touch()
        git(folder, "add", "-N", "new")
    assert (folder / ".git" / "index").read_bytes()[4:8] == version.to_bytes(4)
    get(repository, 10, mapped=True)


def test_what_is_staged_is_not_what_is_committed(repository: Repository, folder: Path) -> None:
    np.save(folder / FILE, level(66))
    git(folder, "add", FILE)
    refresh(folder)
    get(repository, 10, mapped=False)
    git(folder, "-c", "core.hooksPath=/nowhere", "commit", "-q", "-m", "By hand")
    get(repository, 66, mapped=True)
    get(repository, 10, mapped=False, at="HEAD~1")


def test_a_conflict_is_not_clean(repository: Repository, folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "other")
    np.save(folder / FILE, level(30))
    git(folder, "commit", "-qam", "Thirty")
    git(folder, "checkout", "-q", "main")
    np.save(folder / FILE, level(20))
    git(folder, "commit", "-qam", "Twenty")
    refresh(folder)
    get(repository, 20, mapped=True)
    git(folder, "merge", "other", expect=1)
    get(repository, 20, mapped=False)
    get(repository, 30, mapped=False, at="other")
    git(folder, "merge", "--abort")
    refresh(folder)
    get(repository, 20, mapped=True)


def test_arrays_outlive_what_git_and_calibvcs_do(repository: Repository, folder: Path) -> None:
    first = get(repository, 10, mapped=True)
    repository.add(CAMERA, "pedestals", level(20), begin=0, message="Twenty", force_reason="flat")
    refresh(folder)
    second = get(repository, 20, mapped=True)
    get(repository, 10, mapped=False, at="HEAD~1")
    git(folder, "checkout", "-q", "HEAD~1")
    refresh(folder)
    get(repository, 10, mapped=True)
    git(folder, "checkout", "-q", "main")
    git(folder, "rm", "-q", "-r", "opal1000")
    git(folder, "reset", "-q", "--hard")
    git(folder, "gc", "-q", "--prune=now")
    git(folder, "stash", "-q", expect=None)
    assert np.array_equal(first, level(10))
    assert np.array_equal(second, level(20))


def test_a_filter_that_keeps_the_size_is_found(folder: Path, tmp_path: Path) -> None:
    """The worktree holds shifted numbers, and Git calls it clean."""
    git(folder, "config", "filter.shift.clean", "tr '\\101' '\\102'")
    git(folder, "config", "filter.shift.smudge", "tr '\\102' '\\101'")
    value = np.frombuffer(b"BBBB", np.float32)[0]
    with calibvcs.open(folder) as repository:
        repository.add(CAMERA, "pedestals", level(value), begin=0, message="B", force_reason="flat")
        hidden_in_a_filter(folder)
        (folder / FILE).unlink()
        git(folder, "checkout", "-q", FILE)
        refresh(folder)
        assert np.load(folder / FILE)[0, 0] != value
        assert "data.npy" not in git(folder, "status", "--short")
        get(repository, value, mapped=False)


def test_a_filter_of_the_user_that_changes_the_size_is_found(folder: Path, private_home: Path) -> None:
    """The worktree holds a byte more than the repository, and Git calls it clean."""
    (private_home / ".config" / "git").mkdir(parents=True)
    (private_home / ".config" / "git" / "attributes").write_text("data.npy filter=pad\n")
    git(folder, "config", "filter.pad.clean", "head -c -1")
    git(folder, "config", "filter.pad.smudge", "cat; printf x")
    (folder / FILE).unlink()
    git(folder, "checkout", "-q", FILE)
    refresh(folder)
    assert (folder / FILE).stat().st_size == 128 + level(0).nbytes + 1
    assert "data.npy" not in git(folder, "status", "--short")
    with calibvcs.open(folder) as repository:
        get(repository, 10, mapped=False)


@pytest.mark.parametrize(("verify", "value"), [("first", 66), ("never", 66), ("always", 10)])
def test_always_verified_is_also_what_is_mapped(folder: Path, verify: Any, value: float) -> None:
    """An index that lies is believed, unless the hash is asked for; then the repository is read."""
    index = folder / ".git" / "index"
    before = git(folder, "rev-parse", f"HEAD:{FILE}")
    np.save(folder / FILE, level(66))
    refresh(folder)
    git(folder, "add", FILE)
    staged = git(folder, "rev-parse", f":{FILE}")
    index.write_bytes(index.read_bytes().replace(bytes.fromhex(staged), bytes.fromhex(before)))
    with calibvcs.open(folder, verify=verify) as repository:
        get(repository, value, mapped=value == 66)
        out = level(0)
        repository.get(CAMERA, "pedestals", 5, out=out)
        assert np.array_equal(out, level(10))
    index.unlink()
    git(folder, "reset", "-q", "--hard")
    refresh(folder)
    with calibvcs.open(folder, verify=verify) as repository:
        get(repository, 10, mapped=True)


def test_one_file_is_mapped_once_and_all_together_are_few(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.add(CAMERA, "pedestals", level(20), begin=100, message="Twenty", force_reason="flat")
    refresh(folder)
    monkeypatch.setattr(clean_files, "_MOST_MAPS", 1)
    kept = [repository.get(CAMERA, "pedestals", 5).data for _ in range(20)]
    assert all(is_mapped(data) and np.shares_memory(data, kept[0]) for data in kept)
    other = repository.get(CAMERA, "pedestals", 100).data
    assert not is_mapped(other)
    assert np.array_equal(other, level(20))
    kept.clear()
    assert is_mapped(repository.get(CAMERA, "pedestals", 100).data)


def test_many_files_in_the_index(repository: Repository, folder: Path) -> None:
    for number in range(300):
        place = folder / "notes" / f"{number:03}" / ("x" * 200)
        place.mkdir(parents=True)
        (place / "note.txt").write_text(str(number))
    git(folder, "add", "notes")
    get(repository, 10, mapped=True)


# --- any order of things --------------------------------------------------------------------------------------------

STEPS: dict[str, Callable[[Path, int], object]] = {
    "save": lambda folder, n: np.save(folder / FILE, level(n)),
    "overwrite": lambda folder, n: overwrite(folder / FILE, level(n)),
    "write into": lambda folder, n: np.lib.format.open_memmap(folder / FILE, "r+").fill(n),
    "touch": lambda folder, _: (folder / FILE).touch(),
    "age": lambda folder, _: os.utime(folder / FILE, (LONG_AGO, LONG_AGO)),
    "stage": lambda folder, _: git(folder, "add", FILE),
    "commit": lambda folder, _: git(folder, "commit", "-q", "-m", "By hand", "--allow-empty"),
    "refresh": lambda folder, _: git(folder, "update-index", "-q", "--refresh", expect=None),
    "status": lambda folder, _: git(folder, "status"),
    "restore": lambda folder, _: git(folder, "checkout", "-q", "HEAD", "--", FILE),
    "go back": lambda folder, _: git(folder, "checkout", "-q", "-f", "main~1"),
    "go on": lambda folder, _: git(folder, "checkout", "-q", "-f", "main"),
    "version 4": lambda folder, _: git(folder, "update-index", "--index-version", "4"),
    "version 2": lambda folder, _: git(folder, "update-index", "--index-version", "2"),
}


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 9)), min_size=1, max_size=10))
def test_whatever_happens_the_data_are_those_of_the_commit(
    tmp_path_factory: pytest.TempPathFactory, shared_start: Path, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("any") / "constants"
    shutil.copytree(shared_start, folder)
    refresh(folder)
    with calibvcs.open(folder) as repository:
        for name, number in steps:
            STEPS[name](folder, number)
            committed = subprocess.run(
                ["git", "-C", folder, "cat-file", "blob", f"HEAD:{FILE}"], check=True, capture_output=True
            )
            data = repository.get(CAMERA, "pedestals", 5, at="HEAD").data
            assert isinstance(data, np.ndarray)
            assert committed.stdout.endswith(data.tobytes())
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a worktree to be copied."""
    folder = tmp_path_factory.mktemp("start") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        calibvcs.init(folder)
        with calibvcs.open(folder) as repository:
            repository.detector.add(CAMERA)
            for value in (9, 10):
                repository.add(CAMERA, "pedestals", level(value), begin=0, message="Why", force_reason="flat")
    return folder
