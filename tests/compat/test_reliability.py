"""Verbs that are killed, or whose disk fails, at some of the places of ``docs/reliability.md``; all by a variable."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.compat import breaking
from tests.compat.broken_verbs import SCENARIOS, build

THOROUGH = "CALIBVCS_BREAK_EVERYWHERE" in os.environ
STRIDE = 1 if THOROUGH else 61
KILLS = 200 if THOROUGH else 2


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("HOME", str(made.parent))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        build(made)
    return made


@pytest.mark.parametrize("how", ["kill", "ENOSPC", "EIO"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_it_may_break_at_any_touch_of_the_disk(name: str, how: breaking.How, template: Path, tmp_path: Path) -> None:
    first = 1 if THOROUGH else random.Random(f"{name} {how}").randint(1, STRIDE)
    counts = breaking.steps(SCENARIOS[name], template, tmp_path, how, STRIDE, first)
    assert counts["places"] > 15
    assert how == "kill" or not counts["killed"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_may_be_killed_at_any_moment(name: str, template: Path, tmp_path: Path) -> None:
    counts = breaking.moments(SCENARIOS[name], template, tmp_path, KILLS)
    assert counts["killed"] == KILLS
