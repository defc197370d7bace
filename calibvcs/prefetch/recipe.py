"""What a prefetcher was asked to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calibvcs.api.exporting_shm import ACCEPTABLE
from calibvcs.errors import InvalidOptionError

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where psana looks
MINUTES: Final = 5.0
_LONGEST: Final = 7 * 24 * 60.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which runs are followed, and what is written for them where.

    Attributes
    ----------
    repo : str or None
        The repository; None is the one of the surroundings.
    experiment : str
        Only runs of this experiment; empty is any.
    xtc_dir : Path or None
        Where runs are looked for.
    shmem : str or None
        Name of a psana shared-memory server to follow in place of files.
    output_dir : Path
        Where the files for psana are written.
    minutes : float
        Time between two rounds, minutes.
    caches : tuple of str
        Detectors for which the cache of the image geometry is written too.
    skip : tuple of str
        Detectors whose constants are not wanted; ``all`` is all of them.
    check_first : bool
        Whether the first round after a start leaves files alone that are what they should be; later rounds always do.
    watch : bool
        Whether new files and commits are reacted to at once.
    pull : bool
        Whether each round brings new commits from the repository that this clone came from.
    at : str or None
        Branch, tag, commit or date to read; None is the newest commit.
    accept : tuple of str
        What the tag `at` has to be: ``published``, ``signed``.
    mode : int
        Permissions of the files.
    metrics_file : Path or None
        Where metrics are written.
    """

    repo: str | None = None
    experiment: str = ""
    xtc_dir: Path | None = None
    shmem: str | None = None
    output_dir: Path = SHARED_MEMORY
    minutes: float = MINUTES
    caches: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    check_first: bool = False
    watch: bool = False
    pull: bool = False
    at: str | None = None
    accept: tuple[str, ...] = ()
    mode: int = 0o644
    metrics_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what no round could do.

        Raises
        ------
        InvalidOptionError
            If nothing says where runs come from, the interval is none, or a tag is to be accepted and none is named.
        """
        if self.xtc_dir is None and self.shmem is None:
            advice = "give --xtc-dir FOLDER, or --shmem ID of a live psana server"
            raise InvalidOptionError("--xtc-dir", "", "nothing says where to look for runs", advice)
        if not (math.isfinite(self.minutes) and 0 < self.minutes <= _LONGEST):
            allowed = f"minutes between 0 and {_LONGEST:.0f} are allowed; 0.5 is half a minute"
            raise InvalidOptionError("--interval", f"{self.minutes:g}", allowed)
        for one in self.accept:
            if one not in ACCEPTABLE:
                raise InvalidOptionError("--accept", one, f"allowed are {', '.join(ACCEPTABLE)}")
        if self.accept and self.at is None:
            raise InvalidOptionError(
                "--accept", ", ".join(self.accept), "it goes with the name of a tag", "give --at TAG"
            )
