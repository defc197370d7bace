"""The best common ancestors of any two commits, clock errors included, are those that C Git finds."""

from __future__ import annotations

import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.model.commits import Commit, Signature
from calibvcs.store.refs.merge_base import merge_bases

# The parents of each commit, counted back from the one before it, and the error of its clock.
HISTORIES = st.lists(
    st.tuples(st.lists(st.integers(0, 5), max_size=3), st.one_of(st.integers(-3, 3), st.integers(-100, 100))),
    min_size=2, max_size=18,
)  # fmt: skip


class Graph:
    """Commits without content; counts how many were read."""

    def __init__(self) -> None:
        self.commits: dict[str, Commit] = {}
        self.reads = 0

    def add(self, parents: tuple[str, ...], time: int) -> str:
        name = f"{len(self.commits):040x}"
        who = Signature("A Name", "a@b.c", time)
        self.commits[name] = Commit(name, "", parents, who, who, "")
        return name

    def grow(self, history: list[tuple[list[int], int]]) -> list[str]:
        names: list[str] = []
        for number, (back, error) in enumerate(history):
            parents = tuple(dict.fromkeys(names[-1 - place] for place in back if place < number))
            names.append(self.add(parents, 1000 + number + error))
        return names

    def read(self, name: str) -> Commit:
        self.reads += 1
        return self.commits[name]

    def ancestors(self, *names: str) -> set[str]:
        found, waiting = set[str](), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.commits[name].parents
        return found

    def expected(self, ours: list[str], theirs: list[str]) -> set[str]:
        shared = self.ancestors(*ours) & self.ancestors(*theirs)
        return {one for one in shared if not any(one in self.ancestors(other) - {other} for other in shared)}


@settings(max_examples=400)
@given(history=HISTORIES)
def test_they_are_common_ancestors_that_lead_to_no_other(history: list[tuple[list[int], int]]) -> None:
    graph = Graph()
    names = graph.grow(history)
    for one, other in combinations(names[-6:], 2):
        found = merge_bases(graph.read, [one], [other])
        assert set(found) == graph.expected([one], [other])
        assert len(found) == len(set(found))
        assert found == merge_bases(graph.read, [other], [one])
        times = [graph.commits[name].committer.time for name in found]
        assert times == sorted(times, reverse=True)


@settings(max_examples=200)
@given(history=HISTORIES, picks=st.tuples(*[st.lists(st.integers(0, 17), min_size=1, max_size=3)] * 2))
def test_a_merge_that_does_not_exist_has_the_ancestors_of_all_its_parents(
    history: list[tuple[list[int], int]], picks: tuple[list[int], list[int]]
) -> None:
    graph = Graph()
    names = graph.grow(history)
    ours, theirs = ([names[place % len(names)] for place in side] for side in picks)
    assert set(merge_bases(graph.read, ours, theirs)) == graph.expected(ours, theirs)


@settings(max_examples=12)
@given(history=HISTORIES)
def test_c_git_finds_the_same(history: list[tuple[list[int], int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("graph")
    graph = Graph()
    names = graph.grow(history)
    marks = {name: number + 1 for number, name in enumerate(names)}
    stream = b""
    for name in names:
        commit = graph.commits[name]
        stream += b"commit refs/heads/c%d\nmark :%d\n" % (marks[name], marks[name])
        stream += b"committer A Name <a@b.c> %d +0000\ndata 5\n%05d\n" % (commit.committer.time, marks[name])
        first, *others = [*commit.parents, ""]
        stream += b"from :%d\n" % marks[first] if first else b""
        stream += b"".join(b"merge :%d\n" % marks[parent] for parent in others if parent) + b"\n"
    git(folder, "init", "-q", "--bare")
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet", "--export-marks=marks"], input=stream, check=True)
    exported = (folder / "marks").read_text().split()
    ids = {int(mark[1:]): commit for mark, commit in zip(exported[::2], exported[1::2], strict=True)}
    for one, other in list(combinations(names[-5:], 2)):
        found = git(folder, "merge-base", "--all", ids[marks[one]], ids[marks[other]]).split()
        assert set(found) == {ids[marks[base]] for base in merge_bases(graph.read, [one], [other])}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stderr  # 1: nothing in common
    return done.stdout


def test_crosswise_merges_have_two() -> None:
    graph = Graph()
    root = graph.add((), 1)
    one, other = graph.add((root,), 2), graph.add((root,), 3)
    left, right = graph.add((one, other), 4), graph.add((other, one), 5)
    assert merge_bases(graph.read, [left], [right]) == (other, one)
    assert merge_bases(graph.read, [left], [other]) == (other,)
    assert merge_bases(graph.read, [left], [left]) == (left,)


def test_histories_of_their_own_have_none() -> None:
    graph = Graph()
    assert merge_bases(graph.read, [graph.add((), 1)], [graph.add((), 2)]) == ()


def test_where_two_parted_lately_little_of_a_long_history_is_read() -> None:
    graph = Graph()
    tip = graph.add((), 0)
    for time in range(1, 100_000):
        tip = graph.add((tip,), time)
    ours, theirs = graph.add((graph.add((tip,), 100_001),), 100_003), graph.add((tip,), 100_002)
    assert merge_bases(graph.read, [ours], [theirs]) == (tip,)
    assert merge_bases(graph.read, [ours], [tip]) == (tip,)
    assert merge_bases(graph.read, [theirs], [tip]) == (tip,)
    assert graph.reads < 20
