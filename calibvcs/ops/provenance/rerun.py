"""``rerun``: the command that was recorded with a commit, run again in a scratch repository; what came out."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import InvalidOptionError, MissingProgramError
from calibvcs.model.layout import constant_folder
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.diff import ConstantDifference, diff
from calibvcs.store.scratch import scratch
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.names import ConstantName
    from calibvcs.ops.provenance.recorded import RecordedCommand, Recording
    from calibvcs.store.git import GitStore

Verdict = Literal["same", "different", "failed", "timed out"]

PROGRAM = "calibvcs"
_STANDARD_ERROR = 2
_GRACE = 5.0
# What would lead Git's programs away from the scratch repository.
_LEADS_AWAY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run.

    Attributes
    ----------
    command : tuple of str
        As it was run: with the scratch repository in the place of the one that it named.
    status : int or None
        Its exit status, negative where a signal ended it; None where it took too long.
    seconds : float
        How long it took.
    """

    command: tuple[str, ...]
    status: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came of it.

    Attributes
    ----------
    commit, author, date, comment : str
        The commit whose command was repeated.
    ran : tuple of Ran
        What was run.
    verdict : {"same", "different", "failed", "timed out"}
        Same where all constants of the commit came out again with the same data and metadata, and no others did.
    constants : tuple of ConstantDifference
        As it was recorded, and as it is now. "removed" is what did not come out again, "added" what is new.
    moved : tuple of str
        Refs of the repository itself that moved meanwhile; the command was given no way to do so, others may.
    """

    schema: ClassVar[str] = "calibvcs.rerun/1"

    commit: str
    author: str
    date: str
    comment: str
    ran: tuple[Ran, ...]
    verdict: Verdict
    constants: tuple[ConstantDifference, ...] = ()
    moved: tuple[str, ...] = ()


def rerun(
    store: GitStore, recording: Recording, *, folder: Path, environment: Mapping[str, str], limit: float, now: float
) -> Rerun:
    """Repeat the commands of a commit on the state before it, and compare.

    Parameters
    ----------
    store : GitStore
        The repository; it is only read.
    recording : Recording
        What was recorded; whoever calls has shown it to the user, who agreed.
    folder : Path
        Where the commands are run; relative paths in them begin there.
    environment : mapping
        Variables for them.
    limit : float
        Seconds that each may take.
    now : float
        UNIX seconds.

    Returns
    -------
    Rerun
        The numbers.

    Raises
    ------
    InvalidOptionError
        If there is nothing to repeat, or it cannot be done here.
    MissingProgramError
        If a program cannot be started.
    DamagedObjectError, NotHereError
        If data are missing or damaged.
    """
    parent = store.commit(recording.commit).parents
    if not recording.commands or not parent:
        advice = "calibvcs add records its own command line; add(..., command=[...]) any other one"
        raise InvalidOptionError("COMMIT", recording.commit[:12], "no command was recorded with it", advice)
    _bring(store, recording, parent[0])
    for one in recording.commands:
        _check(one, folder, Path(store.location))
    before = dict(store.refs())
    with tempfile.TemporaryDirectory(prefix="calibvcs-rerun-") as temporary:
        place = Path(temporary) / "scratch.git"
        own, variables = {Path(store.location).resolve(), store.folder.resolve()}, _environment(environment, place)
        with scratch(place, store, parent[0]):
            ran = []
            for one in recording.commands:
                ran.append(_run(_led_to(one.command, place, own, folder), folder, variables, limit))
                if ran[-1].status != 0:
                    break
        with type(store)(place) as copy:  # opened anew: the packs that came are known then
            tip = copy.tip() or parent[0]
            constants = tuple(_compared(copy, recording, tip, now))
    after = dict(store.refs())
    moved = tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
    return Rerun(
        recording.commit,
        recording.author,
        recording.date,
        recording.comment,
        tuple(ran),
        _verdict(ran[-1], constants),
        constants,
        moved,
    )


def _verdict(last: Ran, constants: tuple[ConstantDifference, ...]) -> Verdict:
    if last.status is None:
        return "timed out"
    if last.status:
        return "failed"
    return "same" if constants and all(one.status == "same" for one in constants) else "different"


def _check(one: RecordedCommand, folder: Path, location: Path) -> None:
    words = one.command
    shown = shlex.join(words)
    if _is_ours(words):
        verb = words[1] if len(words) > 1 else ""
        if verb == "commit":
            allowed = "files that were edited by hand were committed, which no command repeats"
            raise InvalidOptionError("COMMIT", shown, allowed, "calibvcs diff shows what that changed")
        if "-" in words[2:]:
            raise InvalidOptionError("COMMIT", shown, "its data came from standard input, which nobody kept")
    elif folder.resolve().is_relative_to(location.resolve()):
        allowed = "a program that is not calibvcs is not run inside the repository"
        raise InvalidOptionError("--folder", str(folder), allowed, "stand in the folder where it was run, or name it")


def _is_ours(words: tuple[str, ...]) -> bool:
    return Path(words[0]).name == PROGRAM


def _led_to(words: tuple[str, ...], place: Path, own: set[Path], folder: Path) -> tuple[str, ...]:
    """Return a command with the scratch repository in the place of the one that it names."""
    led: list[str] = []
    ours, before = _is_ours(words), ""
    for word in words:
        name, equals, value = word.partition("=")
        if ours and (before == "--repo" or (name == "--repo" and equals)):
            led.append(f"--repo={place}" if equals and before != "--repo" else str(place))
        elif name.startswith("-") and equals and (folder / value).resolve() in own:
            led.append(f"{name}={place}")
        else:
            led.append(str(place) if word and not word.startswith("-") and (folder / word).resolve() in own else word)
        before = word
    # This very program, not one of the same name that happens to be found first.
    return (sys.executable, "-P", "-m", PROGRAM, *led[1:]) if ours else tuple(led)


def _environment(given: Mapping[str, str], place: Path) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name not in _LEADS_AWAY}
    return {**kept, "CALIBVCS_REPO": str(place)}


def _run(words: tuple[str, ...], folder: Path, environment: dict[str, str], limit: float) -> Ran:
    begin = time.monotonic()
    try:
        # What it prints is no result of ours: it goes where messages go. A session of its own ends as a whole.
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=_STANDARD_ERROR,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingProgramError(words[0], reason, "it has to be on the path, or its path to be right") from error
    status: int | None
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        _end(process)
    return Ran(words, status, round(time.monotonic() - begin, 3))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that takes too long, and whatever it started."""
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return


def _bring(store: GitStore, recording: Recording, parent: str) -> None:
    """Let a squeezed clone bring what is compared: the scratch repository knows nobody whom it could ask."""
    then, before = (Catalogue(Snapshot(store, commit)) for commit in (recording.commit, parent))
    for name in _constants(store, recording.commit):
        if not then.snapshot.names(constant_folder(name)):
            continue
        store.blob_head(then.payload(name)[1].id, 0)
        there = before.in_force(name.detector, name.ctype, name.validity.begin)
        if there is not None:
            store.blob_head(before.payload(there)[1].id, 0)


def _compared(copy: GitStore, recording: Recording, tip: str, now: float) -> list[ConstantDifference]:
    then, new = (Catalogue(Snapshot(copy, commit)) for commit in (recording.commit, tip))
    names = {*_constants(copy, recording.commit)}
    commit = copy.commit(tip)
    base = copy.commit(recording.commit).parents[0]
    while commit.id != base and commit.parents:
        names.update(commit.message.constants)
        commit = copy.commit(commit.parents[0])
    found = []
    for name in sorted(names):
        at_then, at_new = (bool(at.snapshot.names(constant_folder(name))) for at in (then, new))
        if not at_new or tip == base:
            found.append(ConstantDifference(str(name), "", "removed"))
        elif not at_then:
            found.append(ConstantDifference("", str(name), "added"))
        else:
            found += diff(new, f"{name}@{recording.commit}", f"{name}@{tip}", now).constants
    return found


def _constants(store: GitStore, commit_id: str) -> tuple[ConstantName, ...]:
    return store.commit(commit_id).message.constants
