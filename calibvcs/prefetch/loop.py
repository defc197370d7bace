"""The prefetcher: rounds at an interval, or when something new is there, until it is told to stop."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from calibvcs.prefetch.following import ShmemFollower
from calibvcs.prefetch.latest import look_for_latest
from calibvcs.prefetch.log_lines import log
from calibvcs.prefetch.rounds import Rounds, State
from calibvcs.prefetch.stopping import Stopped, Stopping
from calibvcs.prefetch.watching import Sleeper
from calibvcs.sources.runs import RunFolder
from calibvcs.version import __version__

if TYPE_CHECKING:
    from calibvcs.prefetch.recipe import Recipe

_GOOD: Final = frozenset({State.UPDATED, State.CURRENT})
_FIRST_RETRY: Final = 5.0
_SOON: Final = 10.0
_MOST_DOUBLINGS: Final = 20


def prefetch(recipe: Recipe, *, once: bool = False) -> bool:
    """Keep the files for psana what the repository says, for the latest run.

    It is called in the main thread. SIGTERM and SIGINT end the process within a second; what is being written by then
    never appears, and the files that were there stay.

    Parameters
    ----------
    recipe : Recipe
        What is to be done.
    once : bool, optional
        Whether to stop after the first round; with a live server, after the first one that knows a run.

    Returns
    -------
    bool
        Whether the files are what the repository says, as far as the last round knows.

    Raises
    ------
    MissingProgramError
        If a live server is to be followed, and psana is not there.
    """
    sleeper = Sleeper()
    follower = ShmemFollower(recipe.shmem, recipe.xtc_dir, sleeper.wake) if recipe.shmem else None
    folder = RunFolder(recipe.xtc_dir or Path(), recipe.experiment or None)
    rounds = Rounds(recipe, follower.found if follower else partial(look_for_latest, folder))
    where = f"the server {recipe.shmem}" if recipe.shmem else recipe.xtc_dir
    log.info("calibvcs %s: runs of %s, files in %s", __version__, where, recipe.output_dir)
    with Stopping(exit_code=1 if once else 0) as stopping:
        try:
            if recipe.watch and not once:
                sleeper.start(rounds.watched, rounds.concerns)
            if follower:
                follower.start()
            return _rounds_until(rounds, sleeper, stopping, recipe, once=once)
        except Stopped as stopped:
            log.info("stopped by %s", stopped)
            if follower:
                follower.stop()
            stopping.end()
        finally:
            sleeper.stop()
            if follower:
                follower.stop()


def _rounds_until(rounds: Rounds, sleeper: Sleeper, stopping: Stopping, recipe: Recipe, *, once: bool) -> bool:
    interval, failures, began = 60 * recipe.minutes, 0, time.monotonic()
    while True:
        state = rounds.make()
        stopping.check()
        patient = recipe.shmem is not None and state is State.WAITING and time.monotonic() - began < interval
        if once and not patient:
            return state in _GOOD
        failures = failures + 1 if state is State.FAILED else 0
        sleeper.sleep(pause(interval, failures, complete=rounds.complete))
        stopping.check()


def pause(interval: float, failures: int, *, complete: bool) -> float:
    """Return how long to sleep.

    Parameters
    ----------
    interval : float
        What was asked for, seconds; it is never longer than that.
    failures : int
        How many rounds have failed in a row: the first ones are repeated soon.
    complete : bool
        Whether no run is just beginning.

    Returns
    -------
    float
        Seconds.
    """
    if failures:
        return min(interval, _FIRST_RETRY * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
    return interval if complete else min(interval, _SOON)
