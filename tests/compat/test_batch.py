"""Batches and spliced trees in C Git's hands: checked, packed anew, cloned, and read to the last byte."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import BranchMovedError, InvalidOptionError
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.objects.trees import edited

# Every child makes one batch and is killed when it opens, makes, renames or removes a file for the Nth time.
STEPPER = """
import os, pathlib, signal, sys
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
folder, changes = sys.argv[1], {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "os.link", "os.truncate"}
for step in range(1, 1000):
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, arguments):
            global seen
            writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if (writes or event in changes) and folder in str(arguments[0]):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
        who = Signature("Grace Hopper", "grace@example.org", 5)
        with GitStore(pathlib.Path(folder)) as store:
            sys.addaudithook(hook)
            with store.batch():
                edits = {f"d/{step}": store.put_blob([b"%d" % step]), f"large/{step}": store.put_blob([os.urandom(1 << 20)])}
                print(store.commit_edits(store.tip(), edits, "Step", who, who), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "finished", flush=True)
    if not os.WIFSIGNALED(status) or sys.stdin.readline() != "next\\n":
        break
"""

WHO = Signature("Grace Hopper", "grace@example.org", 1_780_000_000, 60)
NOISE = random.Random(5).randbytes((1 << 20) + 70_000)

blobs = st.one_of(
    st.binary(max_size=20),
    st.integers(4090, 4100).map(lambda size: NOISE[:size]),
    st.integers(4090, 4100).map(bytes),
    st.sampled_from([b"", NOISE, NOISE[:65536], NOISE[: 1 << 20], bytes((1 << 20) + 1), b"1.5 2.5\n" * 200_000]),
)
names = st.sampled_from(["a", "a.b", "a-b", "a0", "b", "0-end", "1780000000-end", "data.npy"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


def git(folder: Path, *arguments: str | Path, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["git", "-C", folder, *arguments], input=stdin, capture_output=True)
    assert done.returncode == 0, f"git {arguments}: {(done.stdout + done.stderr).decode()}"
    return done.stdout.strip()


def check(folder: Path) -> None:
    """Let C Git check every object, pack and index."""
    done = subprocess.run(["git", "-C", folder, "fsck", "--strict", "--full"], capture_output=True, text=True)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("dangling ")]
    assert (done.returncode, complaints) == (0, [])
    for index in (folder / "objects/pack").glob("*.idx"):
        git(folder, "verify-pack", "-v", index)
        git(folder, "index-pack", "--verify", "--strict", index.with_suffix(".pack"))


def counted(folder: Path) -> dict[str, int]:
    lines = git(folder, "count-objects", "-v").decode().splitlines()
    return {name: int(number) for name, number in (line.split(": ") for line in lines)}


def put(store: GitStore, files: dict[str, bytes]) -> dict[str, str | None]:
    return {path: store.put_blob([data]) for path, data in files.items()}


def commit(store: GitStore, edits: dict[str, str | None], parent: str | None = None) -> str:
    return store.commit_edits(parent or store.tip(), edits, "A batch\n", WHO, WHO)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(st.lists(blobs, min_size=1, max_size=12), st.sampled_from(["auto", "store", "deflate"]))
def test_c_git_accepts_a_batch(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], compression: str
) -> None:
    folder = tmp_path_factory.mktemp("batch")
    files = {f"folder{number % 3}/file{number}": data for number, data in enumerate(contents)}
    with initialise(folder / "bare", bare=True) as store:
        git(store.folder, "config", "calibvcs.compression", compression)
        with store.batch():
            commit(store, put(store, files))
        count = counted(store.folder)
        assert (count["count"], count["packs"], count["garbage"]) == (0, 1, 0)
        check(store.folder)
        git(folder, "clone", "-q", f"file://{store.folder}", "clone")
        assert {path: (folder / "clone" / path).read_bytes() for path in files} == files
        git(store.folder, "gc", "-q", "--prune=now")
        check(store.folder)
        assert [store.blob(store.put_blob([data])) for data in contents] == contents
        assert counted(store.folder)["count"] == 0


def test_a_batch_in_a_worktree_is_checked_out(tmp_path: Path) -> None:
    files = {"a/x": b"one\n", "a/noise": NOISE, "b": b""}
    with initialise(tmp_path / "constants", bare=False) as store:
        with store.batch():
            commit(store, put(store, files))
            commit(store, put(store, {"a/x": b"two\n"}))
        assert {path: (tmp_path / "constants" / path).read_bytes() for path in files} == {**files, "a/x": b"two\n"}
        assert git(tmp_path / "constants", "status", "--porcelain") == b""
        check(tmp_path / "constants/.git")
        assert counted(tmp_path / "constants")["packs"] == 1


def test_a_branch_that_moved_leaves_the_pack_for_the_next_attempt(tmp_path: Path) -> None:
    with initialise(tmp_path / "bare", bare=True) as store, GitStore(tmp_path / "bare") as other:
        first = commit(store, put(store, {"x": b"first"}))
        move = store._move

        def late(*arguments: object) -> bool:
            store._move = move  # type: ignore[method-assign]
            commit(other, put(other, {"y": b"of the other"}))
            return move(*arguments)  # type: ignore[arg-type]

        store._move = late  # type: ignore[method-assign,assignment]
        with store.batch():
            edits = put(store, {"large": NOISE, "small": b"small"})
            with pytest.raises(BranchMovedError):
                commit(store, edits, first)
            loose = counted(store.folder)["count"]
            assert put(store, {"large": NOISE}) == {"large": edits["large"]}
            assert counted(store.folder)["count"] == loose
            commit(store, edits)
        names = git(store.folder, "ls-tree", "-r", "--name-only", "main").decode().split()
        assert names == ["large", "small", "x", "y"]
        assert counted(store.folder)["packs"] == 1
        check(store.folder)


def test_what_was_put_in_a_batch_is_read_when_the_batch_has_ended(tmp_path: Path) -> None:
    with initialise(tmp_path / "bare", bare=True) as store:
        with store.batch():
            blob = store.put_blob([NOISE])
            assert store.kind(blob) is None
        assert store.blob(blob) == NOISE
        head, size = store.blob_head(blob, 10)
        assert (head, size) == (NOISE[:10], len(NOISE))
        out = bytearray(len(NOISE) - 7)
        store.blob_into(blob, 7, memoryview(out))
        assert out == NOISE[7:]


def test_the_rest_of_a_killed_writer_is_taken_away_by_git(tmp_path: Path) -> None:
    with initialise(tmp_path / "bare", bare=True) as store:
        commit(store, put(store, {"x": b"first"}))
        for name in ("tmp_pack_1-abc", "tmp_idx_1-abc"):
            (store.folder / "objects/pack").mkdir(exist_ok=True)
            rest = store.folder / "objects/pack" / name
            rest.write_bytes(b"PACK\0\0\0\2\0\0\0\0")
            os.utime(rest, (5, 5))
        check(store.folder)
        git(store.folder, "gc", "-q")
        assert not list((store.folder / "objects/pack").glob("tmp_*"))


def test_a_writer_of_a_batch_may_be_killed_at_every_step(tmp_path: Path) -> None:
    folder, kills, acknowledged = tmp_path / "bare", 0, set[str]()
    with initialise(folder, bare=True) as store:
        commit(store, put(store, {"x": b"first"}))
    command = [sys.executable, "-c", STEPPER, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stepper:
        assert stepper.stdin is not None
        assert stepper.stdout is not None
        outcome = "killed"
        while outcome == "killed":
            while len(outcome := stepper.stdout.readline().strip()) == 40:
                acknowledged.add(outcome)
            kills += outcome == "killed"
            git(folder, "fsck", "--strict")
            assert acknowledged <= set(git(folder, "rev-list", "main").decode().split())
            with GitStore(folder) as store, store.batch():
                acknowledged.add(commit(store, put(store, {"next": b"%d" % kills})))
            if outcome == "killed":
                stepper.stdin.write("next\n")
                stepper.stdin.flush()
    assert outcome == "finished"
    assert 10 < kills < 100
    check(folder)
    git(folder, "gc", "-q")
    check(folder)


def test_a_wrong_setting_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with initialise(tmp_path / "bare", bare=True) as store:
        tip = commit(store, put(store, {"x": b"first"}))
        git(store.folder, "config", "calibvcs.compression", "best")
        with pytest.raises(InvalidOptionError, match="auto, store or deflate"), store.batch():
            commit(store, put(store, {"y": NOISE}))
        with pytest.raises(InvalidOptionError, match="auto, store or deflate"):
            store.put_blob([NOISE])
        assert store.tip() == tip
        assert not list((store.folder / "objects").rglob("tmp_*"))


# --- spliced trees ----------------------------------------------------------------------------------------------


def made_by_git(folder: Path, files: dict[str, str]) -> str:
    """Let C Git make the trees of some files."""
    lines = "".join(f"100644 {blob}\t{path}\n" for path, blob in files.items())
    git(folder, "read-tree", "--empty")
    git(folder, "update-index", "--index-info", stdin=lines.encode())
    return git(folder, "write-tree").decode()


def clash(a: str, b: str) -> bool:
    return a != b and (a.startswith(f"{b}/") or b.startswith(f"{a}/"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.dictionaries(paths, st.integers(0, 3), max_size=12), st.dictionaries(paths, st.integers(0, 3), max_size=6))
def test_edited_trees_are_those_that_c_git_makes(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, int], after: dict[str, int]
) -> None:
    before = {path: kind for path, kind in before.items() if not any(clash(path, other) for other in before)}
    after = {path: kind for path, kind in after.items() if not any(clash(path, other) for other in after)}
    kept = {path: kind for path, kind in before.items() if not any(clash(path, other) for other in after)}
    with initialise(tmp_path_factory.mktemp("trees") / "bare", bare=True) as store:
        ids = [store.put_blob([b"%d" % number]) for number in range(4)]
        old = made_by_git(store.folder, {path: ids[kind] for path, kind in before.items()})
        tree, made = edited(store.tree_data, old, {path: ids[kind] for path, kind in after.items()})
        assert tree == made_by_git(store.folder, {path: ids[kind] for path, kind in {**kept, **after}.items()})
        assert all(store.tree_data(made_id) == data for made_id, data in made.items() if data)  # Git keeps no empty one


def test_a_tree_of_thousands_of_ranges_is_edited_as_c_git_does(tmp_path: Path) -> None:
    chance = random.Random(9)
    ranges = [f"{begin}-{chance.choice(['end', str(begin + 900)])}" for begin in chance.sample(range(10**9), 3000)]
    with initialise(tmp_path / "bare", bare=True) as store:
        with store.batch():
            blob = store.put_blob([b"x"])
            commit(store, {f"p/{name}/meta.toml": blob for name in (*ranges, "0-end")})
        files = {f"p/{name}/meta.toml": blob for name in (*ranges, "0-end")}
        assert git(store.folder, "rev-parse", "main^{tree}").decode() == made_by_git(store.folder, files)
        edits: dict[str, str | None] = {f"p/{ranges[7]}/meta.toml": None, "p/5/meta.toml": blob, "p/0": blob}
        commit(store, edits)
        del files[f"p/{ranges[7]}/meta.toml"]
        files |= {"p/5/meta.toml": blob, "p/0": blob}
        assert git(store.folder, "rev-parse", "main^{tree}").decode() == made_by_git(store.folder, files)
        check(store.folder)
