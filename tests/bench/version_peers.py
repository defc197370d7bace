"""Other programs that keep versions of files: how each takes a new version of an array, and how it gives it back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench import arrays
from tests.bench.surroundings import git, has_program

PLAIN_GIT, LFS, ANNEX, DVC = (
    "git add, commit",
    "git lfs: add, commit",
    "git annex add, git commit",
    "dvc add, git commit",
)
PEERS = (PLAIN_GIT, LFS, ANNEX, DVC)


def version_peers(work: Path, array: np.ndarray) -> dict[str, tuple[Callable[[], object], Callable[[object], bool]]]:
    """Return how each peer that is installed takes a new version of the file, and how it gives it back."""

    def start(name: str) -> Path:
        git(work, "init", "-q", name)
        return work / name

    def save(where: Path) -> Path:
        (where / "data.npy").unlink(missing_ok=True)
        np.save(where / "data.npy", array)
        return where / "data.npy"

    def commit(where: Path, *words: str) -> Path:
        save(where)
        git(where, *words)
        git(where, "commit", "-q", "-m", "Dark run")
        return where / "data.npy"

    def checked_out(path: object) -> bool:
        where = Path(str(path)).parent
        (where / "data.npy").unlink()
        git(where, "checkout", "-q", "--", "data.npy")
        return arrays.same(np.load(str(path)), array)

    in_git = start("git")
    found = {PLAIN_GIT: (lambda: commit(in_git, "add", "data.npy"), checked_out)}
    if has_program("git-lfs"):
        in_lfs = start("lfs")
        git(in_lfs, "lfs", "install", "--local")
        git(in_lfs, "lfs", "track", "*.npy")
        git(in_lfs, "add", ".gitattributes")
        found[LFS] = (lambda: commit(in_lfs, "add", "data.npy"), checked_out)
    if has_program("git-annex"):
        in_annex = start("annex")
        git(in_annex, "annex", "init", "-q")
        found[ANNEX] = (
            lambda: commit(in_annex, "annex", "add", "-q", "data.npy"),
            lambda path: arrays.same(np.load(str(path)), array),
        )
    if has_program("dvc"):
        in_dvc = start("dvc")
        _dvc(in_dvc, "init", "-q")

        def add() -> Path:
            path = save(in_dvc)
            _dvc(in_dvc, "add", "-q", "data.npy")
            git(in_dvc, "add", "data.npy.dvc", ".gitignore")
            git(in_dvc, "commit", "-q", "-m", "Dark run")
            return path

        def restored(path: object) -> bool:
            Path(str(path)).unlink()
            _dvc(in_dvc, "checkout", "-q")
            return arrays.same(np.load(str(path)), array)

        found[DVC] = (add, restored)
    return found


def _dvc(where: Path, *words: str) -> None:
    subprocess.run(["dvc", *words], cwd=where, check=True, capture_output=True)
