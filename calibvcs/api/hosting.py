"""A repository that others push to: its hook, and the check of a push."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidOptionError
from calibvcs.model.pusher import parse_order, pusher_of
from calibvcs.ops.access import access_of
from calibvcs.ops.receiving.receive import PushRefusal, Reception, receive
from calibvcs.ops.receiving.refs import RefUpdate
from calibvcs.store.hooks import install, makers_of, pusher_order
from calibvcs.store.quarantine import IncomingStore, incoming_folder
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from calibvcs.store.hooks import HookInstalled

HOOK_COMMAND = (sys.executable, "-I", "-m", "calibvcs", "hook", "pre-receive")
"""What the hook starts. ``-I``: neither the environment nor the folder of whoever pushes can bring other code in."""

_ZERO = "0" * 40
_LONGEST_LINE, _MOST_LINES = 4096, 100_000


def install_hook(repository: str | Path, makers: Sequence[str] = (), *, keep: bool = False) -> HookInstalled:
    """Put the hook into a repository, so that whoever pushes is held to its rules.

    Parameters
    ----------
    repository : str or Path
        The repository.
    makers : sequence of str, optional
        Names by which those push who made it: they are in the groups ``admins`` and ``experts`` until
        ``.calibvcs/access.toml`` names anybody.
    keep : bool, optional
        Keep a hook of somebody else: it is asked first, and may refuse too.

    Returns
    -------
    HookInstalled
        Where it stands.

    Raises
    ------
    AlreadyExistsError
        If there is a hook of somebody else, and it is not to be kept.
    InvalidOptionError
        If Git looks for hooks in a folder that other repositories use too.
    NoRepositoryError
        If there is no repository.
    """
    return install(Path(repository), HOOK_COMMAND, makers, keep=keep)


def os_user() -> str:
    """Return the user of the operating system that this process belongs to, whatever its environment says.

    Returns
    -------
    str
        The name; the number of a user without one.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def check_push(
    folder: Path, lines: Iterable[str], environment: Mapping[str, str], os_user: str, now: float
) -> Reception:
    """Check what Git hands to its pre-receive hook.

    Parameters
    ----------
    folder : Path
        The repository, which Git makes the current folder of its hooks.
    lines : iterable of str
        ``OLD NEW REF``, one ref a line.
    environment : mapping of str to str
        Variables of the hook.
    os_user : str
        User of the operating system that it runs as.
    now : float
        UNIX seconds.

    Returns
    -------
    Reception
        Why the push is refused, if it is: also where the repository or its rules cannot be read.

    Raises
    ------
    InvalidOptionError
        If the lines are not what Git hands to its hook.
    """
    updates = _updates(lines)
    try:
        with IncomingStore(folder, incoming_folder(environment)) as store:
            pusher = pusher_of(environment, os_user, parse_order(pusher_order(store.folder)))
            access = access_of(Snapshot(store, store.tip()), makers_of(store.folder))
            return receive(store, updates, pusher.name, access, now)
    except CalibvcsError as error:
        return Reception("", 0, 0, (PushRefusal("", "", "", error.problem, error.hint),))


def _updates(lines: Iterable[str]) -> list[RefUpdate]:
    found: list[RefUpdate] = []
    for line in lines:
        parts = line.rstrip("\n").split(" ", 2)
        if len(parts) != 3 or len(line) > _LONGEST_LINE or len(found) == _MOST_LINES:
            raise InvalidOptionError("pre-receive", line[:80], "OLD NEW REF is needed, one ref a line, as Git gives it")
        old, new, ref = parts
        found.append(RefUpdate(ref, None if old == _ZERO else old, None if new == _ZERO else new))
    return found
