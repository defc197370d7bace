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
    from collections.abc import Mapping

    from calibvcs.model.commits import Person, Signer
    from calibvcs.model.metadata import InputFile, Provenance
    from calibvcs.store.remotes.remote import Remote
    from calibvcs.store.signatures.settings import SigningSettings

REPOSITORY_VARIABLE = "CALIBVCS_REPO"

_STARTS_PROGRAMS = (".program", ".defaultkeycommand")


class Identity(NamedTuple):
    """Who the user is, as far as anybody said; empty where nobody did."""

    name: str
    email: str
    source: str


def repository_path(given: str | os.PathLike[str] | None) -> Path:
    """Return where to look for the repository: as given, else ``$CALIBVCS_REPO``, else the current folder."""
    return Path(given or os.environ.get(REPOSITORY_VARIABLE) or Path.cwd()).expanduser()


def remote(url: str) -> Remote:
    """Return another repository, reached as the surroundings say: ``GIT_SSH_COMMAND``, ``GIT_TERMINAL_PROMPT``.

    Parameters
    ----------
    url : str
        Its address.

    Returns
    -------
    Remote
        It is contacted when something is asked of it.

    Raises
    ------
    InvalidOptionError
        If the address cannot be read, or is hostile.
    """
    from calibvcs.store.remotes.remote import open_remote  # most verbs stay at home

    ssh = os.environ.get("GIT_SSH_COMMAND") or os.environ.get("GIT_SSH") or "ssh"
    return open_remote(url, ssh_command=ssh, interactive=os.environ.get("GIT_TERMINAL_PROMPT") != "0")


def proposer(address_user: str | None) -> str:
    """Return the name under which somebody proposes: as told, else as he logs in there, else as he does here.

    Parameters
    ----------
    address_user : str or None
        User in the address of the other repository.

    Returns
    -------
    str
        ``CALIBVCS_USER``, that user, or the user of the operating system.
    """
    return os.environ.get("CALIBVCS_USER") or address_user or _os_user()


def environment() -> Mapping[str, str]:
    """Return the variables that Git gives to a hook."""
    return os.environ


def is_offline() -> bool:
    """Tell whether nothing is to be brought from elsewhere: ``CALIBVCS_OFFLINE`` is set."""
    return os.environ.get("CALIBVCS_OFFLINE", "0") not in {"", "0"}


def identity(git_folder: Path | None) -> Identity:
    """Return the author's identity: Git's environment variables first, then its configuration."""
    name, email = (os.environ.get(f"GIT_AUTHOR_{part}", "") for part in ("NAME", "EMAIL"))
    if name and email:
        return Identity(name, email, "environment")
    from calibvcs.store.identity import configured_identity

    configured_name, configured_email = configured_identity(git_folder)
    return Identity(name or configured_name, email or configured_email, "git config")


def author(git_folder: Path | None, *, sign: bool | None = None, tags: bool = False) -> Person:
    """Return who makes a change, as ``git commit`` would have it.

    Parameters
    ----------
    git_folder : Path or None
        Git folder of the repository.
    sign : bool, optional
        Whether the change is signed; default is what ``commit.gpgsign`` says.
    tags : bool, optional
        Whether tags are set, not commits made: ``tag.gpgsign`` is the default then.

    Returns
    -------
    Person
        Author and committer; their dates come from ``GIT_AUTHOR_DATE`` and ``GIT_COMMITTER_DATE`` where these are set.

    Raises
    ------
    NoIdentityError
        If name or e-mail address are not known.
    InvalidOptionError, DamagedRepositoryError
        If Git's configuration cannot be understood.
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
        _signer(git_folder, who, sign=sign, tags=tags),
    )


def signing(git_folder: Path | None) -> SigningSettings:
    """Return what Git's configuration says of signatures.

    Parameters
    ----------
    git_folder : Path or None
        Git folder of the repository; its configuration counts more than that of the user, and this one more than that
        of the system. If it belongs to somebody else, it does not say which programs are started.

    Returns
    -------
    SigningSettings
        Keys, programs, and whose keys are known.

    Raises
    ------
    InvalidOptionError, DamagedRepositoryError
        If the configuration cannot be understood.
    """
    from calibvcs.store.configuration import layered
    from calibvcs.store.signatures.settings import signing_settings

    config = dict(layered(_configuration_files()))
    if git_folder:
        own = git_folder / "config"
        told = layered([own])
        trusted = not own.exists() or own.stat().st_uid in {os.geteuid(), 0}
        config.update({name: text for name, text in told.items() if trusted or not name.endswith(_STARTS_PROGRAMS)})
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdigit() else 0):
        key, value = (os.environ.get(f"GIT_CONFIG_{part}_{number}", "") for part in ("KEY", "VALUE"))
        section, _, rest = key.partition(".")
        middle, dot, name = rest.rpartition(".")
        config[f"{section.lower()}.{middle}{dot}{name.lower()}"] = value
    return signing_settings(config)


def _configuration_files() -> list[Path]:
    system = os.environ.get("GIT_CONFIG_SYSTEM", "" if "GIT_CONFIG_NOSYSTEM" in os.environ else "/etc/gitconfig")
    user = os.environ.get("GIT_CONFIG_GLOBAL")
    home = Path.home()
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    users = [folder / "git" / "config", home / ".gitconfig"] if user is None else [Path(user)] if user else []
    return [*([Path(system)] if system else []), *users]


def _signer(git_folder: Path | None, who: Identity, *, sign: bool | None, tags: bool) -> Signer | None:
    if sign is False:
        return None
    found = signing(git_folder)
    if not (sign or (found.tags if tags else found.commits)):
        return None
    from calibvcs.store.signatures.signing import signer

    name, email = (os.environ.get(f"GIT_COMMITTER_{part}", "") for part in ("NAME", "EMAIL"))
    return signer(found, f"{name or who.name} <{email or who.email}>")


def clock() -> tuple[int, int]:
    """Return UNIX seconds and minutes east of UTC."""
    now = time.time()
    return int(now), time.localtime(now).tm_gmtoff // 60


def provenance(command: tuple[str, ...], inputs: tuple[InputFile, ...] = ()) -> Provenance:
    """Return what is recorded of this program run and the files it used."""
    import platform

    from calibvcs.model.metadata import Provenance

    return Provenance(command, f"calibvcs {__version__}", _os_user(), platform.node(), inputs)


def _os_user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


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
