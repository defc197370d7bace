"""Rounds, without a process: what wakes them, how long they sleep, what they say and how often."""

from __future__ import annotations

import logging
import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from calibvcs.prefetch.latest import Found, LatestRun, look_for_latest
from calibvcs.prefetch.loop import pause
from calibvcs.prefetch.recipe import Recipe
from calibvcs.prefetch.rounds import Rounds, State
from calibvcs.prefetch.watching import Sleeper, can_watch
from calibvcs.sources.runs import RunFolder, RunLook
from tests import xtc2_writer


def test_it_sleeps_as_told_but_repeats_soon_what_failed() -> None:
    assert pause(300, 0, complete=True) == 300
    assert pause(300, 0, complete=False) == 10
    assert [pause(300, failures, complete=True) for failures in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert pause(300, 10**9, complete=True) == 300
    assert pause(0.1, 3, complete=False) == 0.1


@pytest.mark.parametrize(
    ("path", "grows", "answer"),
    [
        ("/x/mfx1-r0007-s000-c000.xtc2", True, False),  # known
        ("/x/mfx1-r0007-s000-c000.xtc2", False, True),  # removed, or another file in its place
        ("/x/mfx1-r0008-s000-c000.xtc2", True, True),
        ("/x/any.xtc2", True, True),
        ("/x/mfx1-r0007-s000-c001.xtc2", False, False),
        ("/x/mfx1-r0007-s000-c000.smd.xtc2", False, False),
        ("/x/notes.txt", False, False),
        ("/g/refs/heads/main", True, True),
        ("/g/refs/heads/main.lock", False, False),
        ("/g/packed-refs", False, True),
        ("/g/packed-refs.lock", False, False),
        ("/g/index", True, False),
    ],
)
def test_what_is_a_reason_for_a_round(path: str, grows: bool, answer: bool) -> None:
    known = frozenset({"mfx1-r0007-s000-c000.xtc2"})
    rounds = Rounds(Recipe(xtc_dir=Path("/x")), lambda: Found(None, known=known))
    assert rounds.make() is State.WAITING
    assert rounds.concerns(path, grows=grows) is answer


def test_nothing_that_goes_wrong_ends_the_rounds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    troubles: list[Exception] = [OSError(5, "Input/output error"), MemoryError(), ZeroDivisionError("a fault")]

    def look() -> Found:
        raise troubles.pop()

    rounds = Rounds(Recipe(xtc_dir=tmp_path, repo=str(tmp_path / "lost")), look)
    assert [rounds.make() for _ in range(3)] == [State.FAILED] * 3
    assert rounds.metrics.errors == 3
    assert rounds.metrics.stale
    assert "ZeroDivisionError" in caplog.text  # a fault is told with its traceback
    assert "Input/output error" in caplog.text


def test_what_stays_as_it_is_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = RunLook(tmp_path / "bad.xtc2", "broken", "it contradicts itself")
    rounds = Rounds(Recipe(xtc_dir=tmp_path), lambda: Found(None, (bad,)))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert rounds.make() is State.WAITING
    assert caplog.text.count("bad.xtc2: broken: it contradicts itself") == 1
    assert caplog.text.count("no usable run yet") == 1
    assert rounds.metrics.passed_over == {"broken": 1}
    assert rounds.complete


def test_a_run_that_is_just_beginning_is_looked_at_again_soon(tmp_path: Path) -> None:
    rounds = Rounds(Recipe(xtc_dir=tmp_path), partial(look_for_latest, RunFolder(tmp_path)))
    rounds.make()
    assert rounds.complete
    new = tmp_path / "new.xtc2"
    new.write_bytes(xtc2_writer.head([], "mfx1", 7, 1 << 62, with_run=False))
    rounds.make()
    assert not rounds.complete
    os.utime(new, (1e9, 1e9))  # of a run that never began
    rounds.make()
    assert rounds.complete
    half = LatestRun("mfx1", 7, 1e9, (), complete=False)
    rounds = Rounds(Recipe(xtc_dir=tmp_path, repo=str(tmp_path)), lambda: Found(half))
    rounds.make()
    assert not rounds.complete


@pytest.mark.skipif(not can_watch(), reason="watchfiles is not installed")
def test_a_sleeper_sees_folders_that_come_and_go(tmp_path: Path) -> None:
    folder, seen = tmp_path / "xtc", []

    def concerns(path: str, *, grows: bool) -> bool:
        seen.append((Path(path).name, grows))
        return path.endswith(".xtc2")

    sleeper = Sleeper()
    sleeper.start(lambda: [folder, tmp_path / "never"], concerns)
    try:
        folder.mkdir()
        assert sleeper.sleep(20)
        while sleeper.sleep(1.5):  # until the watch has begun
            pass
        (folder / "notes.txt").touch()
        assert not sleeper.sleep(0.6)
        (folder / "a.xtc2").touch()
        assert sleeper.sleep(20)
        folder.rename(tmp_path / "away")
        assert sleeper.sleep(20)
        (tmp_path / "away").rename(folder)
        assert sleeper.sleep(20)
    finally:
        sleeper.stop()
    assert ("a.xtc2", False) in seen


def test_a_wake_before_the_sleep_is_not_lost() -> None:
    sleeper = Sleeper()
    sleeper.wake()
    assert sleeper.sleep(60)
    threading.Timer(0.05, sleeper.wake).start()
    assert sleeper.sleep(60)
    began = time.monotonic()
    assert not sleeper.sleep(0.01)
    assert time.monotonic() - began < 30
