"""Verbs that are killed, or whose disk fails, at every touch of it: what each must survive, as a table.

``python -m tests.compat.breaking [KILLS [VERB ...]]`` breaks every verb at every place, and kills it at so many random
moments, and prints the table of ``docs/reliability.md``. The tests do the same at some of the places.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import calibvcs
from calibvcs.errors import (
    DamagedRepositoryError,
    NotWritableError,
    StorageError,
)
from tests.compat.broken_verbs import DETECTOR, SCENARIOS, Scenario, build, git, level

EVENTS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "os.link", "os.truncate"}
CALLS = ("write", "writev", "pwrite", "fsync", "ftruncate")
ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}

How = Literal["kill", "ENOSPC", "EIO"]


# --- breaking it --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a child: killed, refused (it said that the disk fails), or finished; and what it acknowledged."""

    end: Literal["killed", "refused", "finished"]
    acknowledged: tuple[str, ...]
    touches: int = 0


def broken(scenario: Scenario, place: Path, how: How, step: int) -> Outcome:
    """Do it in a child whose Nth touch of the disk kills it, or fails."""

    def arm(report: Callable[[str], None]) -> None:
        seen = 0

        def touch() -> None:
            nonlocal seen
            seen += 1
            report(f"touch {seen}")
            if seen == step and how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if seen == step:
                raise OSError(ERRORS[how], os.strerror(ERRORS[how]))

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            writes = event == "open" and arguments[2] is not None and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if (writes or event in EVENTS) and str(place) in str(arguments[0]):
                touch()

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def instead(descriptor: int, *rest: Any) -> Any:
                if str(place) in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
                    touch()
                return call(descriptor, *rest)

            return instead

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        sys.addaudithook(hook)

    return _in_a_child(scenario, place, arm, None)


def killed_after(scenario: Scenario, place: Path, seconds: float) -> Outcome:
    """Do it in a child that is killed after some time."""
    return _in_a_child(scenario, place, lambda _: None, seconds)


def _in_a_child(
    scenario: Scenario, place: Path, arm: Callable[[Callable[[str], None]], None], seconds: float | None
) -> Outcome:
    reading, writing = os.pipe()
    plain_write = os.write
    child = os.fork()
    if child == 0:
        code = 70

        def report(line: str) -> None:
            plain_write(writing, f"{line}\n".encode())

        try:
            arm(report)
            scenario.act(place, report)
            code = 0
        except (StorageError, NotWritableError):
            code = 9
        except DamagedRepositoryError as error:  # the change is made, and it says so
            code = 9 if "the files could not follow" in error.reason else 70
        except BaseException:  # noqa: BLE001 - a child must not go on as a test
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    touches = sum(line.startswith("touch ") for line in lines)
    acknowledged = tuple(line for line in lines if not line.startswith("touch "))
    if os.WIFSIGNALED(status):
        return Outcome("killed", acknowledged, touches)
    code = os.WEXITSTATUS(status)
    assert code in {0, 9}, f"{scenario.name} ended with {code}"
    return Outcome("refused" if code else "finished", acknowledged, touches)


# --- looking at what is left --------------------------------------------------------------------------------------


class Survey:
    """What has to hold in every place, however the verb ended.

    Parameters
    ----------
    template : Path
        What `build` made.
    """

    def __init__(self, template: Path) -> None:
        self.template = template
        self.history = git(template / "constants", "rev-list", "--objects", "--all").splitlines()

    def is_well(self, scenario: Scenario, place: Path, outcome: Outcome) -> None:
        """Hold that nothing is lost, that the next command works, and that nothing is left behind then."""
        for name in scenario.changed:
            if (place / name).exists() and name != "damaged.git":
                self._is_whole(place / name, outcome)
        if scenario.name != "add":  # of an `add` that was acknowledged, the same again is refused
            scenario.act(place, lambda _: None)
        for name in scenario.changed:
            folder = place / name
            self._is_whole(folder, outcome)
            with calibvcs.open(folder) as repository:
                assert repository.verify(deep=True).sound
                number = random.Random(str(place)).randint(100, 900)
                added = repository.add(DETECTOR, "pedestals", level(number), begin=number, message="Afterwards")
                repository.gc(grace="1h")
                assert repository.commit == added.commit
            self._is_whole(folder, outcome)
            control = folder / ".git" if (folder / ".git").exists() else folder
            assert [str(lock.relative_to(control)) for lock in control.rglob("*.lock")] == []
            assert list(control.rglob("tmp_gone_*")) == []
            assert not (control / "gc.pid").exists()

    def _is_whole(self, folder: Path, outcome: Outcome) -> None:
        git(folder, "fsck", "--strict", "--full")
        listed = set(git(folder, "rev-list", "--objects", "--all").splitlines())
        assert set(self.history) <= listed
        assert set(outcome.acknowledged) <= {line.split()[0] for line in listed}


def places(template: Path, root: Path) -> Iterator[Path]:
    """Yield fresh copies of a template; each is removed when the next one is asked for."""
    while True:
        place = Path(tempfile.mkdtemp(dir=root))
        shutil.rmtree(place)
        shutil.copytree(template, place, symlinks=True)
        yield place
        shutil.rmtree(place)


def steps(scenario: Scenario, template: Path, root: Path, how: How, stride: int = 1, first: int = 1) -> Counter[str]:
    """Break a verb at every touch of the disk, or at every n-th; count how it ended."""
    survey, counts = Survey(template), Counter[str]()
    step = first
    for place in places(template, root):
        outcome = broken(scenario, place, how, step)
        survey.is_well(scenario, place, outcome)
        if outcome.touches < step:
            counts["places"] = step - 1
            return counts
        counts[outcome.end] += 1
        step += stride
    raise AssertionError


def moments(scenario: Scenario, template: Path, root: Path, kills: int, seed: int = 7) -> Counter[str]:
    """Kill a verb at so many random moments; count how it ended, also where the kill came too late."""
    survey, counts, chance = Survey(template), Counter[str](), random.Random(seed)
    fresh = places(template, root)
    lasts = min(_duration(scenario, next(fresh)) for _ in range(3))
    while counts["killed"] < kills:
        place = next(fresh)
        outcome = killed_after(scenario, place, chance.uniform(0, lasts))
        survey.is_well(scenario, place, outcome)
        counts[outcome.end] += 1
        assert counts["finished"] < 20 + 5 * kills, "it is always faster than the kill"
    return counts


def _duration(scenario: Scenario, place: Path) -> float:
    begin = time.monotonic()
    _in_a_child(scenario, place, lambda _: None, None)
    return time.monotonic() - begin


def main(kills: int, names: Sequence[str]) -> None:
    """Break everything, or what is named, and print the table."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as root:
        os.environ.update({"HOME": root, "GIT_CONFIG_NOSYSTEM": "1"})
        for role in ("AUTHOR", "COMMITTER"):
            os.environ.update({f"GIT_{role}_NAME": "Grace Hopper", f"GIT_{role}_EMAIL": "grace@example.org"})
        template = Path(root) / "template"
        template.mkdir()
        build(template)
        print("| verb | touches of the disk | killed at each | killed at random | ENOSPC at each | EIO at each |")
        print("| --- | --- | --- | --- | --- | --- |")
        for scenario in map(SCENARIOS.__getitem__, names or SCENARIOS):
            by_step = {how: steps(scenario, template, Path(root), how) for how in ("kill", "ENOSPC", "EIO")}
            by_chance = moments(scenario, template, Path(root), kills)
            told = [f"{by_step[how]['refused']} refused, {by_step[how]['finished']} went on" for how in ERRORS]
            row = [scenario.name, by_step["kill"]["places"], by_step["kill"]["killed"], by_chance["killed"], *told]
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, sys.argv[2:])
