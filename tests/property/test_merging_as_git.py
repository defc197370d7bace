"""Merges of plain files, held against those of C Git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.model.names import ConstantName
from calibvcs.ops.merges.merging import merge
from calibvcs.store.snapshot import Snapshot
from tests.unit.ops.branches import GAIN, LATER, PEDESTALS, Branches, files_of, metadata

Files = dict[str, bytes | None]
State = tuple[int, bool]


def files(*paths: str) -> st.SearchStrategy[Files]:
    """Some files, each with contents that no other path has: Git would see renames."""
    return st.dictionaries(st.sampled_from(paths), st.integers(0, 3), max_size=4).map(
        lambda chosen: {
            path: b"%d in %s\n" % (number, path.encode()) if number else None for path, number in chosen.items()
        }
    )


PLAIN = files("README.md", "notes/a", "notes/b/c", "notes/b/d", ".calibvcs/access.toml")
CLASHING = files("x", "x/y", "x/y/z", "x/w")
CONSTANTS = st.dictionaries(
    st.sampled_from([PEDESTALS, LATER, GAIN]), st.tuples(st.integers(1, 3), st.booleans()), max_size=3
)


def git(folder: Path, *arguments: str, given: bytes = b"") -> tuple[int, str]:
    command = ["git", "-C", folder, "-c", "merge.renames=false", *arguments]
    done = subprocess.run(command, input=given, capture_output=True)
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, done.stdout.decode()


def merged_by_git(folder: Path, store: Branches, commits: tuple[str, str, str]) -> tuple[set[str], str]:
    """Return what Git calls conflicting, and the id of the tree that it makes."""
    stream = b""
    for number, commit in enumerate(commits, 1):
        stream += b"commit refs/heads/c%d\ncommitter A <a@b.c> %d +0000\ndata 0\n" % (number, number)
        stream += b"from refs/heads/c1\n" if number > 1 else b""
        stream += b"deleteall\n"
        for path, entry in Snapshot(store, commit).files():
            content = store.blob(entry.id)
            stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
    git(folder, "init", "-q", "--bare")
    git(folder, "fast-import", "--quiet", given=stream)
    code, output = git(folder, "merge-tree", "--write-tree", "--no-messages", "-z", "c2", "c3")
    tree, *conflicts = output.rstrip("\0").split("\0")
    assert bool(conflicts) == bool(code)
    return {line.partition("\t")[2] for line in conflicts}, tree


def parted(store: Branches, base: Files, ours: Files, theirs: Files) -> tuple[str, str, str]:
    """Return three commits; sides that change nothing get a commit all the same."""
    start = store.on(store.first, base)
    return start, store.on(start, ours), store.on(start, theirs)


@settings(max_examples=25, deadline=None)
@given(base=PLAIN, ours=PLAIN, theirs=PLAIN)
def test_files_conflict_where_git_says_so_and_else_the_trees_are_the_same(
    base: Files, ours: Files, theirs: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Branches()
    commits = parted(store, base, ours, theirs)
    conflicts, tree = merged_by_git(tmp_path_factory.mktemp("git"), store, commits)
    merged = merge(store, *commits[1:])
    assert {conflict.name for conflict in merged.conflicts} == conflicts
    if not conflicts:
        assert store.tree_of(store.write(merged)) == tree


@settings(max_examples=25, deadline=None)
@given(sides=st.tuples(*[st.tuples(CLASHING, CONSTANTS)] * 3))
def test_what_is_clean_for_us_is_clean_for_git_and_the_same(
    sides: tuple[tuple[Files, dict[ConstantName, State]], ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Branches()
    edits = []
    for changes, constants in sides:
        side = {path: changes[path] for path in sorted(changes, key=len)}
        for name, (value, withdrawn) in constants.items():
            side |= files_of(name, value, metadata().withdraw("Bad") if withdrawn else metadata())
        edits.append(side)
    commits = parted(store, *edits)
    conflicts, tree = merged_by_git(tmp_path_factory.mktemp("git"), store, commits)
    merged = merge(store, *commits[1:])
    if not merged.conflicts:
        assert not conflicts
        assert store.tree_of(store.write(merged)) == tree
