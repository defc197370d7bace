"""Refs and configuration are read as C Git reads them, whatever state it left them in."""

from __future__ import annotations

import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedRepositoryError
from calibvcs.store.configuration import plain_settings
from calibvcs.store.git import GitStore
from calibvcs.store.opening import locate
from calibvcs.store.refs.reading import RefReader, is_ref_name

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("refs/heads/main", "refs/heads/side", "refs/heads/of/today", "refs/tags/v1", "refs/remotes/origin/HEAD")


def git(folder: Path, *arguments: str | Path, text: str | None = None, fails: bool = False) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, input=text)
    assert fails or done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip() if done.returncode == 0 else ""


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a repository with a few commits, and their ids."""
    folder = tmp_path_factory.mktemp("refs")
    git(folder, "init", "-q", "-b", "main")
    tree = git(folder, "mktree", text="")
    who = ("-c", "user.name=Grace", "-c", "user.email=grace@example.org")
    return folder, [git(folder, *who, "commit-tree", tree, "-m", str(number)) for number in range(4)]


@pytest.fixture
def bare(commits: tuple[Path, list[str]], tmp_path: Path) -> Path:
    """Return a bare repository with the same commits, and a branch that has none yet."""
    git(tmp_path, "init", "-q", "-b", "main", "--bare", tmp_path / "bare")
    shutil.copytree(commits[0] / ".git/objects", tmp_path / "bare/objects", dirs_exist_ok=True)
    return tmp_path / "bare"


def listed(folder: Path) -> dict[str, str]:
    """Return what C Git says of every ref."""
    lines = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split() for line in lines)


def assert_same(folder: Path, reader: RefReader) -> None:
    symbolic = git(folder, "symbolic-ref", "-q", "HEAD", fails=True)
    head = reader.head()
    assert head.commit == (git(folder, "rev-parse", "-q", "--verify", "HEAD", fails=True) or None)
    assert head.branch == (symbolic.removeprefix("refs/heads/") if symbolic.startswith("refs/heads/") else "HEAD")
    assert reader.all() == listed(folder)
    for name in (*NAMES, "refs/heads/none"):
        assert reader.target(name) == (git(folder, "rev-parse", "-q", "--verify", name, fails=True) or None)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(NAMES[:4]), st.integers(0, 3)),
        st.tuples(st.just("delete"), st.sampled_from(NAMES[:4]), st.just(0)),
        st.tuples(st.just("switch"), st.sampled_from(NAMES[:3]), st.just(0)),
        st.tuples(st.just("detach"), st.just(""), st.integers(0, 3)),
        st.tuples(st.just("point"), st.sampled_from(NAMES[:3]), st.just(0)),
        st.tuples(st.just("pack"), st.just(""), st.integers(0, 1)),
    ),
    max_size=8,
)


@settings(max_examples=20)
@given(steps)
def test_refs_are_read_as_git_reads_them(commits: tuple[Path, list[str]], steps: list[tuple[str, str, int]]) -> None:
    folder, ids = commits
    reader = RefReader(locate(folder))  # one for all steps: what it remembers must never be too old
    git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    for name in reader.all():
        git(folder, "update-ref", "--no-deref", "-d", name)
    assert_same(folder, reader)
    for verb, name, number in steps:
        if verb == "move":
            git(folder, "update-ref", name, ids[number])
        elif verb == "delete":
            git(folder, "update-ref", "-d", name)
        elif verb == "switch":
            git(folder, "symbolic-ref", "HEAD", name)
        elif verb == "detach":
            git(folder, "update-ref", "--no-deref", "HEAD", ids[number])
        elif verb == "point":
            git(folder, "symbolic-ref", NAMES[4], name)
        else:
            git(folder, "pack-refs", "--all", "--prune" if number else "--no-prune")
        assert reader.head() == RefReader(locate(folder)).head()
    assert_same(folder, reader)


def test_packed_annotated_tags_are_not_peeled(commits: tuple[Path, list[str]], bare: Path) -> None:
    git(bare, "update-ref", "refs/heads/main", commits[1][0])
    git(bare, "-c", "user.name=G", "-c", "user.email=g@example.org", "tag", "-a", "-m", "x", "v1", commits[1][0])
    git(bare, "pack-refs", "--all")
    assert "^" in (bare / "packed-refs").read_text()
    assert_same(bare, RefReader(locate(bare)))


def test_worktrees_have_heads_and_refs_of_their_own(commits: tuple[Path, list[str]], tmp_path: Path) -> None:
    ids, main = commits[1], tmp_path / "main"
    git(tmp_path, "init", "-q", main)
    shutil.copytree(commits[0] / ".git/objects", main / ".git/objects", dirs_exist_ok=True)
    git(main, "update-ref", "refs/heads/trunk", ids[0])
    git(main, "symbolic-ref", "HEAD", "refs/heads/trunk")
    for name in ("side", "other"):
        git(main, "worktree", "add", "-q", "-b", name, tmp_path / name, ids[1])
    git(main, "worktree", "add", "-q", "--detach", tmp_path / "loose", ids[2])
    git(tmp_path / "side", "update-ref", "refs/bisect/bad", ids[3])
    git(main, "update-ref", "refs/bisect/good", ids[2])
    git(tmp_path / "other", "update-ref", "refs/worktree/own", ids[3])
    git(main, "pack-refs", "--all")
    for name in ("main", "side", "other", "loose"):
        assert_same(tmp_path / name, RefReader(locate(tmp_path / name)))
        with GitStore.discover(tmp_path / name) as store:
            assert store.location == str(tmp_path / name)
            assert store.folder == main / ".git"


def test_every_move_of_git_is_seen_at_once(commits: tuple[Path, list[str]], bare: Path) -> None:
    moves = [commits[1][turn % 4] for turn in range(200)]
    commands = ["git", "-C", str(bare), "update-ref", "--stdin"]
    with (
        GitStore(bare) as store,
        subprocess.Popen(commands, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as git_process,
    ):
        assert git_process.stdin is not None
        assert git_process.stdout is not None
        for turn, target in enumerate(moves):
            git_process.stdin.write(f"start\nupdate refs/heads/main {target}\ncommit\n")
            git_process.stdin.flush()
            assert git_process.stdout.readline() == "start: ok\n"
            assert git_process.stdout.readline() == "commit: ok\n"
            assert store.tip() == target
            if turn % 50 == 25:
                git(bare, "pack-refs", "--all")
                assert store.tip() == target
        git_process.stdin.close()


def test_a_reader_beside_git_never_sees_a_ref_that_is_not_there(commits: tuple[Path, list[str]], bare: Path) -> None:
    git(bare, "update-ref", "refs/heads/main", commits[1][0])
    done = threading.Event()

    def busy() -> None:
        for turn in range(60):
            git(bare, "update-ref", "refs/heads/main", commits[1][turn % 4])
            git(bare, "pack-refs", "--all")
        done.set()

    other = threading.Thread(target=busy)
    other.start()
    reader = RefReader(locate(bare))
    seen = set()
    while not done.is_set():
        seen |= {reader.head().commit, reader.all().get("refs/heads/main"), reader.target("refs/heads/main")}
    other.join()
    assert seen <= set(commits[1])


@pytest.mark.parametrize("content", ["", "garbage", "a" * 39, "ref: ../x", "ref: refs/a..b"])
def test_what_git_calls_broken_is_damage(commits: tuple[Path, list[str]], bare: Path, content: str) -> None:
    git(bare, "update-ref", "refs/heads/side", commits[1][0])
    (bare / "refs/heads/main").write_text(content)
    assert git(bare, "rev-parse", "-q", "--verify", "HEAD", fails=True) == ""
    with pytest.raises(DamagedRepositoryError), GitStore(bare) as store:
        store.tip()
    with GitStore(bare) as store:
        assert store.refs() == listed(bare) == {"refs/heads/side": commits[1][0]}


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from([*"ab/.@{}~^: *?[\\A", "..", ".lock", "@{", "é", "\x7f", "HEAD"]), min_size=1, max_size=6)
)
def test_names_are_judged_as_git_judges_them(parts: list[str]) -> None:
    name = "refs/" + "".join(parts)
    done = subprocess.run(["git", "check-ref-format", name])
    assert is_ref_name(name) is (done.returncode == 0)


lines = st.one_of(
    st.sampled_from(["", "# note", "; note", "[core]", "[Remote]", '[remote "origin"]', '[branch "A.b c]"]', "[core] bare = true",
                     "[a.b]", "[a", "[]", '[a "b]', '[a ""b"]', '[a"b"]', "bare", "= 1", "9a = 1", "a_b = 1", "x = \\", 'x = "a" b']),
    st.builds(
        lambda indent, name, equals, value: f"{indent}{name}{equals}{value}",
        st.sampled_from(["", "\t", "  "]),
        st.sampled_from(["bare", "Url", "a-b", "x1", "é"]),
        st.sampled_from(["=", " = ", "\t=\t", " "]),
        st.text(alphabet='abc =/:+*.[]{}()é\\"#;\t\r\x0b\x1f\u2028', max_size=8),
    ),
)  # fmt: skip


@settings(max_examples=80)
@given(st.lists(lines, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_plain_configuration_is_read_as_git_reads_it(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, ended: bool
) -> None:
    data = (end.join(lines) + (end if ended else "")).encode()
    found = plain_settings(data)
    if found is None:
        return
    file = tmp_path_factory.getbasetemp() / "plain.config"
    file.write_bytes(data)
    listing = git(file.parent, "config", "--file", file, "--list", "--null", "--no-includes")
    expected = {}
    for entry in listing.split("\0")[:-1]:
        name, newline, value = entry.partition("\n")
        expected[name] = value if newline else "true"
    assert found == expected


def test_a_configuration_that_git_wrote_is_plain(commits: tuple[Path, list[str]], tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", commits[0], tmp_path / "clone")
    git(tmp_path / "clone", "config", "user.name", "Grace Hopper")
    git(tmp_path / "clone", "config", "remote.origin.promisor", "true")
    found = plain_settings((tmp_path / "clone/.git/config").read_bytes())
    assert found is not None
    assert found["user.name"] == "Grace Hopper"
    assert found["remote.origin.url"] == str(commits[0])
