"""The example repository: the same commit id on every machine, and the tree that stands in the checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import calibvcs

EXAMPLE = Path(__file__).parents[1] / "example-repo"
COMMIT = "bf252eab1e80c66ad69cfd151beab3cab8322924"


def files(folder: Path) -> dict[str, bytes]:
    inside = (path for path in folder.rglob("*") if path.is_file())
    kept = {path.relative_to(folder).as_posix(): path for path in inside}
    return {
        name: path.read_bytes()
        for name, path in kept.items()
        if not name.startswith((".git/", "make.py", "__pycache__"))
    }


def test_script_makes_this_commit_and_this_tree(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_example", EXAMPLE / "make.py")
    assert spec
    assert spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert make.build(tmp_path / "example") == COMMIT
    assert files(tmp_path / "example") == files(EXAMPLE)


def test_tree_is_small_sound_and_complete(tmp_path: Path) -> None:
    from calibvcs.api.example import make_example

    make_example(tmp_path / "example", tmp_path / "dark.npy")
    with calibvcs.open(tmp_path / "example") as repository:
        found = repository.verify(deep=True)
        assert found.findings == ()
        assert {row.detector for row in repository.ls().constants} == {
            "jungfrau-000001",
            "epix100-000007",
            "opal1000-000002",
        }
    assert sum(map(len, files(EXAMPLE).values())) < 500_000
