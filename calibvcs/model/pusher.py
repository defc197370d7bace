"""Who pushes: the name that the server around Git gave, by an order that its administrator sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError, InvalidOptionError
from calibvcs.model.access import parse_user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OS_USER = "os"
DEFAULT_ORDER = ("CALIBVCS_USER", "GL_USERNAME", "REMOTE_USER", OS_USER)
"""Our own variable, then those of GitLab (and alike) and of web servers, then the user of the operating system."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Pusher(NamedTuple):
    """Somebody who pushes.

    Attributes
    ----------
    name : str
        The name; empty where nobody gave one.
    source : str
        Where it comes from: a variable of the environment, or ``os``.
    """

    name: str
    source: str


def parse_order(text: str) -> tuple[str, ...]:
    """Return the order that ``calibvcs.pusher`` of the repository's configuration sets.

    Parameters
    ----------
    text : str
        Names of variables, and ``os``, with blanks or commas between them; empty for the order by default.

    Returns
    -------
    tuple of str
        The names; what is not listed is never asked.

    Raises
    ------
    InvalidOptionError
        If one is no name of a variable.
    """
    names = tuple(text.replace(",", " ").split())
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise InvalidOptionError("calibvcs.pusher", name, f"names of variables and '{OS_USER}' are allowed")
    return names or DEFAULT_ORDER


def pusher_of(environment: Mapping[str, str], os_user: str, order: Sequence[str] = DEFAULT_ORDER) -> Pusher:
    """Return who pushes: the first in the order that names somebody.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process that the server started.
    os_user : str
        User of the operating system that it runs as.
    order : sequence of str, optional
        Variables, and ``os``, in the order in which they are asked.

    Returns
    -------
    Pusher
        The name and where it comes from; without a name where nobody gave one, or one that cannot be.
    """
    for source in order:
        given = os_user if source == OS_USER else environment.get(source, "")
        if given:
            try:
                return Pusher(parse_user(given), source)
            except CalibvcsError:  # whom the administrator trusts first is not made up for by the next
                return Pusher("", source)
    return Pusher("", "")
