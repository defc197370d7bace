"""Walking through history: what C Git lists is found, each object once, and what is wrong is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.local_objects import LocalObjects
from calibvcs.store.upkeep.roots import roots_of
from calibvcs.store.upkeep.walking import Trouble, Walk


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository with a merge, tags on tags, a submodule, and one folder at two places."""
    made = tmp_path / "repo"
    git(tmp_path, "init", "-q", "-b", "main", str(made))
    for number in range(4):
        for place in ("one", "two/one"):
            (made / place).mkdir(parents=True, exist_ok=True)
            (made / place / f"{number}.txt").write_text(f"{number}\n")
        for other in range(80):
            (made / f"{other}.txt").write_text(f"{other} {number if other == 7 else 0}\n")
        git(made, "add", "-A")
        git(made, "update-index", "--add", "--cacheinfo", f"160000,{'5' * 40},module")
        git(made, "commit", "-qm", f"{number}")
    git(made, "checkout", "-qb", "side", "HEAD~2")
    git(made, "commit", "-qm", "side", "--allow-empty")
    git(made, "checkout", "-q", "main")
    git(made, "merge", "-qm", "merged", "side")
    git(made, "tag", "-am", "inner", "inner")
    git(made, "tag", "-am", "outer", "outer", "inner")
    git(made, "tag", "blob", "HEAD:7.txt")
    return made / ".git"


def test_it_finds_what_c_git_finds(folder: Path) -> None:
    listed = {line.split()[0] for line in git(folder, "rev-list", "--objects", "--all").splitlines()}
    named: dict[str, set[str]] = {}
    with LocalObjects(folder / "objects") as local:
        walk = Walk(local.reader, note=lambda path, blob: named.setdefault(blob, set()).add(path))
        walk.add(roots_of(folder).needed.items())
        assert walk.found.keys() == listed
        assert {git(folder, "cat-file", "-t", one) for one in list(walk.found)[:20]} <= {
            "tag",
            "commit",
            "blob",
            "tree",
        }
        assert next(one for one in walk.kinds if walk.kinds[one] == "commit") == git(folder, "rev-parse", "HEAD")
        walk.add([("4" * 40, "nobody")], lambda _: None)
        with pytest.raises(DamagedObjectError, match="missing"):
            walk.add([("4" * 40, "nobody")])
    assert all(walk.found[one] in paths | {""} for one, paths in named.items())


def test_of_a_shallow_clone_it_finds_what_is_there(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", "--depth", "2", f"file://{folder}", "shallow.git")
    shallow = tmp_path / "shallow.git"
    listed = {line.split()[0] for line in git(shallow, "rev-list", "--objects", "--all").splitlines()}
    roots = roots_of(shallow)
    assert roots.shallow
    with LocalObjects(shallow / "objects") as local:
        walk = Walk(local.reader, roots.shallow)
        walk.add(roots.needed.items())
    assert walk.found.keys() == listed


@pytest.mark.parametrize("what", ["main", "main^{tree}", "main:one", "main^1", "outer", "inner"])
def test_what_is_missing_is_told_and_the_rest_is_found(folder: Path, what: str) -> None:
    wanted = git(folder, "rev-parse", what)
    (folder / "objects" / wanted[:2] / wanted[2:]).unlink()
    met: list[Trouble] = []
    with LocalObjects(folder / "objects") as local:
        walk = Walk(local.reader)
        walk.add(roots_of(folder).needed.items(), met.append)
    assert {(trouble.id, trouble.missing) for trouble in met} == {(wanted, True)}
    assert all(trouble.by for trouble in met)
    assert wanted not in walk.found
    assert len(walk.found) > 5
