"""How long a writer tries again whom others were faster than: long, not in step with them, and not for ever."""

from __future__ import annotations

import random
import time

from calibvcs.errors import BranchMovedError

SECONDS = 120.0
"""How long a change is tried again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25


class Patience:
    """The patience of one change.

    Parameters
    ----------
    branch : str
        The branch that it is for.
    """

    def __init__(self, branch: str) -> None:
        self._branch = branch
        self._deadline, self._pause, self._overtaken = time.monotonic() + SECONDS, _FIRST_PAUSE, 0

    def overtaken(self) -> None:
        """Wait a while after somebody else moved the branch first; writers that wait at random do not move in step.

        Raises
        ------
        BranchMovedError
            If that has gone on for `SECONDS`.
        """
        self._overtaken += 1
        if time.monotonic() > self._deadline:
            raise BranchMovedError(self._branch, self._overtaken) from None
        time.sleep(random.uniform(0, self._pause))  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
