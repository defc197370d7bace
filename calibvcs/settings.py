"""What the surroundings say: the environment and Git's configuration. Nothing else reads them."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidTimeError, NoIdentityError
from calibvcs.version import __version__

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.metadata import InputFile, Provenance

REPOSITORY_VARIABLE = "CALIBVCS_REPO"


class Identity(NamedTuple):
    """Who the user is, as far as anybody said; empty where nobody did."""

    name: str
    email: str
    source: str


def repository_path(given: str | os.PathLike[str] | None) -> Path:
    """Return where to look for the repository: as given, else ``$CALIBVCS_REPO``, else the current folder."""
    return Path(given or os.environ.get(REPOSITORY_VARIABLE) or Path.cwd()).expanduser()


def identity(git_folder: Path | None) -> Identity:
    """Return the author's identity: Git's environment variables first, then its configuration."""
    name, email = (os.environ.get(f"GIT_AUTHOR_{part}", "") for part in ("NAME", "EMAIL"))
    if name and email:
        return Identity(name, email, "environment")
    from calibvcs.store.identity import configured_identity

    configured_name, configured_email = configured_identity(git_folder)
    return Identity(name or configured_name, email or configured_email, "git config")


def author(git_folder: Path | None) -> Person:
    """Return who makes a change, as ``git commit`` would have it.

    Parameters
    ----------
    git_folder : Path or None
        Git folder of the repository.

    Returns
    -------
    Person
        Author and committer; their dates come from ``GIT_AUTHOR_DATE`` and ``GIT_COMMITTER_DATE`` where these are set.

    Raises
    ------
    NoIdentityError
        If name or e-mail address are not known.
    """
    from calibvcs.model.commits import Person  # whoever only reads needs no name, and does not wait for this

    who = identity(git_folder)
    if not who.name.strip() or not who.email.strip():
        raise NoIdentityError
    return Person(
        who.name,
        who.email,
        os.environ.get("GIT_COMMITTER_NAME") or who.name,
        os.environ.get("GIT_COMMITTER_EMAIL") or who.email,
        clock,
        _date("GIT_AUTHOR_DATE"),
        _date("GIT_COMMITTER_DATE"),
    )


def clock() -> tuple[int, int]:
    """Return UNIX seconds and minutes east of UTC."""
    now = time.time()
    return int(now), time.localtime(now).tm_gmtoff // 60


def provenance(command: tuple[str, ...], inputs: tuple[InputFile, ...] = ()) -> Provenance:
    """Return what is recorded of this program run and the files it used."""
    import getpass
    import platform

    from calibvcs.model.metadata import Provenance

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return Provenance(command, f"calibvcs {__version__}", user, platform.node(), inputs)


def _date(variable: str) -> tuple[int, int] | None:
    given = os.environ.get(variable)
    if not given:
        return None
    seconds, _, zone = given.removeprefix("@").partition(" ")
    if seconds.isdigit() and len(seconds) > 8:
        sign = -1 if zone.startswith("-") else 1
        digits = zone.lstrip("+-")
        return int(seconds), sign * (int(digits[:2]) * 60 + int(digits[2:4])) if len(
            digits
        ) == 4 and digits.isdigit() else 0
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidTimeError(given, f"{variable} is no date that is understood") from None
    moment = moment.astimezone() if moment.tzinfo is None else moment
    offset = moment.utcoffset()
    return int(moment.timestamp()), int(offset.total_seconds() // 60) if offset else 0
