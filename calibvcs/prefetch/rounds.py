"""One round: find the run, compare files and repository, write what changed, survive what goes wrong."""

from __future__ import annotations

import enum
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import calibvcs
from calibvcs.errors import CalibvcsError
from calibvcs.prefetch.latest import Found
from calibvcs.prefetch.log_lines import log
from calibvcs.prefetch.metrics import Metrics, write_metrics
from calibvcs.prefetch.updating import bring_up_to_date
from calibvcs.sources.xtc2_file_names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.api.repository import Repository
    from calibvcs.prefetch.latest import LatestRun
    from calibvcs.prefetch.recipe import Recipe

_LONGEST_ID = 60
_T = TypeVar("_T")


class State(enum.Enum):
    """How a round ended."""

    UPDATED = "updated"
    CURRENT = "current"
    WAITING = "waiting"
    FAILED = "failed"


class Rounds:
    """The rounds of one prefetcher, and what it remembers from one to the next.

    Parameters
    ----------
    recipe : Recipe
        What it was asked to do.
    look : callable
        Returns what is found where runs are looked for.

    Attributes
    ----------
    metrics : Metrics
        How things stand.
    run : LatestRun or None
        The run that was found last; it stays while its folder is not there.
    """

    def __init__(self, recipe: Recipe, look: Callable[[], Found]) -> None:
        self.metrics = Metrics()
        self.run: LatestRun | None = None
        self._recipe = recipe
        self._look = look
        self._found = Found(None)
        self._saying: set[str] = set()
        self._said: set[str] = set()
        self._written = False
        self._folders: tuple[Path, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no file is just being begun that would tell more of the run, or of a newer one."""
        return not self._found.beginning and (self.run is None or self.run.complete)

    def watched(self) -> tuple[Path, ...]:
        """Return the folders in which something new is a reason for a round: of files, and of branches."""
        return (*(() if self._recipe.xtc_dir is None else (self._recipe.xtc_dir,)), *self._folders)

    def concerns(self, path: str, *, grows: bool) -> bool:
        """Tell whether a file that changed is a reason for a round.

        The file of a run that goes on grows all the time; once it has told its run, it has nothing more to tell, and
        neither have later chunks and small data.

        Parameters
        ----------
        path : str
            The file.
        grows : bool
            Whether it was there before, and still is.

        Returns
        -------
        bool
            Whether to look.
        """
        name = Path(path)
        if name.suffix == ".xtc2":
            hint = parse_file_name(name.name)
            first = hint is None or not (hint.small or hint.chunk)
            return first and not (grows and name.name in self._found.known)
        return name.name == "packed-refs" or (name.parent.name == "heads" and name.suffix != ".lock")

    def make(self) -> State:
        """Make one round.

        Returns
        -------
        State
            How it ended. Nothing that goes wrong is raised: it is in the log, and the next round tries again.
        """
        now, began, errors = self.metrics, time.monotonic(), self.metrics.errors
        self._said, self._saying = self._saying, set()
        state = self._guarded(self._attempt) or State.FAILED
        failed = now.errors > errors
        now.rounds += 1
        now.last_round = time.time()
        now.duration = time.monotonic() - began
        now.stale = state in {State.FAILED, State.WAITING}
        if not now.stale:
            now.last_success = now.last_round
        if state is State.UPDATED:
            now.updates += 1
            now.last_update = now.last_round
        if (path := self._recipe.metrics_file) is not None:
            self._guarded(lambda: write_metrics(path, now))
        return State.FAILED if failed else state

    def _attempt(self) -> State:
        run = self._find()
        if run is None:
            return State.WAITING
        with calibvcs.open(self._recipe.repo) as repository:
            self._folders = _branches(Path(repository.location))
            if self._recipe.pull:
                self._guarded(lambda: self._pull(repository))
            return self._update(repository, run)

    def _find(self) -> LatestRun | None:
        """Return the run that is wanted: the latest one, else the one of the round before."""
        self._found = self._guarded(self._look) or Found(None)
        self.metrics.passed_over = self._found.counts
        for one in self._found.passed_over:
            level = logging.WARNING if one.state == "broken" else logging.INFO
            self._once(f"passed over {one.path}: {one.state}: {one.reason}", f"{one.path} {one.state}", level)
        if self._found.trouble:
            self._once(self._found.trouble)
        found = self._found.run
        if found is not None and found != self.run:
            log.info("run %s: %s", found, ", ".join(map(" ".join, _shown(found))) or "no detectors")
            self.run = found
        if self.run is None:
            self._once("no usable run yet", level=logging.INFO)
        return self.run

    def _pull(self, repository: Repository) -> None:
        log.debug("pulled: %s", repository.pull().kind)

    def _update(self, repository: Repository, run: LatestRun) -> State:
        done = bring_up_to_date(repository, self._recipe, run, check=self._written or self._recipe.check_first)
        for note in done.notes:
            self._once(note)
        self._written = True
        now = self.metrics
        now.experiment, now.run, now.begin, now.detectors = run.experiment, run.run, run.begin, run.unique_ids
        now.commit, now.repository = done.commit, repository.location
        if not done.written:
            log.debug("nothing to do: the files are what the repository says for run %s", run)
            return State.CURRENT
        why = f": {'; '.join(done.differences)}" if done.differences else ""
        log.info("wrote %s for run %s from commit %s%s", self._recipe.output_dir, run, done.commit[:12], why)
        return State.UPDATED

    def _guarded(self, attempt: Callable[[], _T]) -> _T | None:
        """Return what an attempt gives; log what goes wrong, count it, and return None."""
        try:
            return attempt()
        except CalibvcsError as error:
            log.error("%s", f"{error.problem} ({error.hint})" if error.hint else error.problem)
        except (OSError, MemoryError) as error:
            log.error("%s: %s", type(error).__name__, error)
        except Exception:  # noqa: BLE001 - the prefetcher survives faults too; the log tells where they are
            log.exception("a fault of calibvcs; the next round tries again")
        self.metrics.errors += 1
        return None

    def _once(self, line: str, key: str = "", level: int = logging.WARNING) -> None:
        """Log a line; if the round before had the same to say, only for those who want to know everything."""
        known = (key or line) in self._said | self._saying
        self._saying.add(key or line)
        log.log(logging.DEBUG if known else level, "%s", line)


def _shown(run: LatestRun) -> list[tuple[str, str]]:
    """Return detectors and their unique ids, which may be of thousands of characters."""
    ids = run.unique_ids.items()
    return [(name, one if len(one) <= _LONGEST_ID else f"{one[: _LONGEST_ID - 3]}...") for name, one in ids]


def _branches(location: Path) -> tuple[Path, ...]:
    """Return the folders in which a new commit shows: that of the branches, and that of packed refs."""
    git = location / ".git" if (location / ".git").is_dir() else location
    return (git, git / "refs" / "heads")
