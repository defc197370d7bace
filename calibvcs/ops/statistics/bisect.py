"""``bisect``: the version with which a user's own test of the data turns, found by halves."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import InvalidOptionError, MissingProgramError
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.diff import diff
from calibvcs.ops.reference import locate
from calibvcs.store.durable import disk_errors
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.ops.diff import ConstantDifference
    from calibvcs.ops.threads import Version

Verdict = Literal["good", "bad", "skip"]

PLACEHOLDER = "{}"
_SKIP, _LAST_BAD = 125, 127
_BLOCK = 1 << 20
_STANDARD_ERROR = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One version that was tested.

    Attributes
    ----------
    version, commit, author, date, comment : str
        Which one, and who added it when and why, the first line of it.
    verdict : {"good", "bad", "skip"}
        What the command said.
    status : int
        Its exit status.
    """

    version: str
    commit: str
    author: str
    date: str
    comment: str
    verdict: Verdict
    status: int


@dataclass(frozen=True, slots=True)
class Bisection:
    """Where a test turns.

    Attributes
    ----------
    constant : str
        Its name.
    command : tuple of str
        The test.
    steps : tuple of Step
        What was tested, in this order.
    found : Step or None
        The version with which the test turned: the newer one of two neighbours of which one is good and one is bad.
        None where versions that had to be skipped lie between.
    before : Step
        The newest version on the other side of the turn.
    turned : {"bad", "good"}
        What the test says from there on.
    candidates : tuple of str
        Where nothing was found: the versions of which one is it.
    difference : ConstantDifference or None
        What is different in `found` from the version before, in numbers.
    """

    schema: ClassVar[str] = "calibvcs.bisect/1"

    constant: str
    command: tuple[str, ...]
    steps: tuple[Step, ...]
    found: Step | None
    before: Step
    turned: Verdict
    candidates: tuple[str, ...] = ()
    difference: ConstantDifference | None = None


def bisect(
    catalogue: Catalogue,
    given: str,
    now: float,
    run: str | Sequence[str],
    *,
    good: str | None = None,
    bad: str | None = None,
    report: Callable[[Step], None] | None = None,
) -> Bisection:
    """Find the version with which a test turns.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE``; the range may be left out where there is only one.
    now : float
        When an alias is to be resolved, UNIX seconds.
    run : str or sequence of str
        The test: a program and its arguments, taken apart as a shell does, but run without one. The path of a file
        with the data is put in the place of ``{}``, or behind the last argument. Exit status 0 is good, 125 skips the
        version, all others up to 127 are bad.
    good, bad : str, optional
        Versions that are known to be on either side; default are the first and the last one. Both are tested first.
    report : callable, optional
        Is told every version that was tested.

    Returns
    -------
    Bisection
        The version, and what is different in it.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    InvalidOptionError
        If the command cannot be read, ended with another status, or does not tell the ends apart.
    MissingProgramError
        If it cannot be started.
    """
    command = _command(run)
    if "@" in given:
        raise InvalidOptionError("constant", given, "all versions are looked at", "name the ends: --good vN --bad vM")
    name = locate(catalogue.snapshot.store, catalogue, given, now).constant
    known = catalogue.history.versions(name)
    newest = known[-1].name if known else ""
    ends = [catalogue.history.version(name, good or "v1"), catalogue.history.version(name, bad or newest)]
    older, newer = sorted(version.number for version in ends)
    with tempfile.TemporaryDirectory(prefix="calibvcs-bisect-") as folder:
        test = _Test(catalogue, command, Path(folder), report)
        for version, wanted in zip(ends, ("good", "bad"), strict=True):
            step = test(version)
            if step.verdict != wanted:
                raise _wrong_end(version, wanted, step)
        versions = {version.number: version for version in known}
        turned = test(versions[newer]).verdict
        low, high, skipped = older, newer, set[int]()
        while (left := [n for n in range(low + 1, high) if n in versions and n not in skipped]) != []:
            middle = min(left, key=lambda n: (abs(2 * n - low - high), n))
            verdict = test(versions[middle]).verdict
            if verdict == "skip":
                skipped.add(middle)
            elif verdict == turned:
                high = middle
            else:
                low = middle
    between = [n for n in range(low + 1, high + 1) if n in versions]
    before, after = test(versions[low]), test(versions[high])
    if len(between) > 1:
        candidates = tuple(versions[n].name for n in between)
        return Bisection(str(name), command, tuple(test.steps), None, before, turned, candidates)
    difference = diff(catalogue, f"{name}@{before.version}", f"{name}@{after.version}", now).constants[0]
    return Bisection(str(name), command, tuple(test.steps), after, before, turned, difference=difference)


class _Test:
    """Runs the command on versions, on each one once, and on equal data once."""

    def __init__(
        self, catalogue: Catalogue, command: tuple[str, ...], folder: Path, report: Callable[[Step], None] | None
    ) -> None:
        self._store, self._command, self._folder, self._report = catalogue.snapshot.store, command, folder, report
        self._status: dict[str, int] = {}
        self._known: dict[int, Step] = {}

    @property
    def steps(self) -> list[Step]:
        """What was tested, in this order."""
        return list(self._known.values())

    def __call__(self, version: Version) -> Step:
        if version.number not in self._known:
            file, entry = Catalogue(Snapshot(self._store, version.commit.id)).payload(version.constant)
            if entry.id not in self._status:
                self._status[entry.id] = self._run(version, file, entry.id)
            step = _step(version, self._status[entry.id])
            self._known[version.number] = step
            if self._report:
                self._report(step)
        return self._known[version.number]

    def _run(self, version: Version, file: str, blob: str) -> int:
        path = self._folder / f"{version.constant.ctype}-{version.name}{Path(file).suffix}"
        with disk_errors(path, self._store.blob_head(blob, 0)[1]), path.open("wb") as data:
            data.writelines(self._store.blob_blocks(blob, 0, _BLOCK))
        words = [word.replace(PLACEHOLDER, str(path)) for word in self._command]
        words += [] if any(PLACEHOLDER in word for word in self._command) else [str(path)]
        try:
            # What it prints is no result of ours: it goes where messages go.
            status = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=_STANDARD_ERROR).returncode
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise MissingProgramError(words[0], reason, "give --run a program on the path, or its path") from error
        finally:
            path.unlink(missing_ok=True)
        if not 0 <= status <= _LAST_BAD:
            ended = f"it ended with {status} on {version.name}" if status > 0 else f"signal {-status} ended it"
            allowed = f"{ended}; 0 is good, {_SKIP} skips a version, 1 to {_LAST_BAD} is bad"
            raise InvalidOptionError("--run", shlex.join(self._command), allowed, "nothing was changed")
        return status


def _command(run: str | Sequence[str]) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(run)) if isinstance(run, str) else tuple(run)
    except ValueError as error:
        raise InvalidOptionError("--run", str(run), f"it cannot be taken apart: {error}") from None
    if not words:
        raise InvalidOptionError("--run", "", "a program is needed", "for example --run 'python check.py'")
    return words


def _step(version: Version, status: int) -> Step:
    commit = version.commit
    verdict: Verdict = "good" if status == 0 else "skip" if status == _SKIP else "bad"
    date = as_text(commit.author.time)
    return Step(version.name, commit.id, commit.author.name, date, commit.message.subject, verdict, status)


def _wrong_end(version: Version, wanted: str, step: Step) -> InvalidOptionError:
    said = "skips it" if step.verdict == "skip" else f"says it is {step.verdict}"
    reason = f"the command {said} (exit status {step.status}), so that there is no turn to be found"
    advice = "name a version on each side with --good vN and --bad vM; calibvcs trend shows the numbers of all"
    return InvalidOptionError(f"--{wanted}", version.name, reason, advice)
