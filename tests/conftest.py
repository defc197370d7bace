"""Every test has a home of its own: no configuration of the user or the machine reaches it."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, settings

from calibvcs.model.commits import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The suite says the same of the same code, whenever it runs; new examples are looked for where that is asked for, by
# pytest --hypothesis-profile=thorough.
_ANY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _ANY, max_examples=60, derandomize=True)
settings.register_profile("thorough", _ANY, max_examples=2000)
settings.load_profile("default")

Builder: TypeAlias = "Callable[[Callable[[Path], object], Path], Path]"

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIRST_SECOND = 1_767_225_600  # 2026-01-01T00:00:00Z


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home without Git configuration, and an identity by the environment."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("CALIBVCS_REPO", "GIT_DIR", "GIT_WORK_TREE", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
    monkeypatch.setenv("TZ", "UTC")
    return home


@pytest.fixture
def author() -> Person:
    """Return a person whose clock goes on by a minute at every look."""
    minutes: Iterator[int] = itertools.count()
    return Person(
        "Grace Hopper", "grace@example.org", "Grace Hopper", "grace@example.org",
        lambda: (FIRST_SECOND + 60 * next(minutes), 60),
    )  # fmt: skip


@pytest.fixture
def built_once(private_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Return what gives a test a copy of a folder that is the same for many: only the first of them builds it."""

    def built(build: Callable[[Path], object], folder: Path) -> Path:
        template = tmp_path_factory.getbasetemp() / f"{build.__module__}.{build.__qualname__}"
        if not template.exists():
            build(folder)
            shutil.copytree(folder, template, symlinks=True)
        else:
            shutil.copytree(template, folder, symlinks=True)
        return folder

    return built


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of real detector data, where it stands beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real detector data are not beside this checkout")
    return SHARED_DATA
