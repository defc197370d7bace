"""Addresses of other repositories: read once, hostile ones refused, passwords never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from calibvcs.errors import InvalidOptionError

Transport: TypeAlias = Literal["path", "ssh", "git", "http", "https"]
"""How a repository is reached."""

_SCHEMES: dict[str, Transport] = {
    "file": "path",
    "ssh": "ssh",
    "git+ssh": "ssh",
    "ssh+git": "ssh",
    "git": "git",
    "http": "http",
    "https": "https",
}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_USER_AND_HOST = re.compile(r"(?:([^@/]*)@)?(\[[0-9A-Fa-f:.%]+\]|[^/:@\[\]]*):(.*)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)|[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*")
_USER = re.compile(r"[A-Za-z0-9_.+@\\%-]+")
_PASSWORD = re.compile(r"(?<=//)([^/@]*)@")
_ALLOWED = "a path, file://, ssh://, user@host:path, https://, http:// or git:// is allowed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where another repository is.

    Attributes
    ----------
    transport : {"path", "ssh", "git", "http", "https"}
        How it is reached.
    path : str
        Where it is there; on this machine for ``path``.
    host : str
        Name or IP address; empty for a path.
    port : int, optional
        Port, where it is not the usual one.
    user : str, optional
        Who logs in.
    password : str, optional
        What was given as password; it is never shown.
    """

    transport: Transport
    path: str
    host: str = ""
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.path if self.transport == "path" else f"{self.transport}://{self._user_at()}{self.place}"

    @property
    def place(self) -> str:
        """Host, port and path, as they stand in a URL, without user or password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        path = self.path if self.path.startswith("/") else f"/~/{self.path}".replace("/~/~", "/~")
        return f"{host}{port}{path}"

    def _user_at(self) -> str:
        return f"{quote(self.user, safe='')}@" if self.user else ""


def parse_address(given: str) -> Address:
    """Read the address of a repository.

    Parameters
    ----------
    given : str
        As a person or Git's configuration has it.

    Returns
    -------
    Address
        Its parts.

    Raises
    ------
    InvalidOptionError
        If it is of no form that is known, or would be taken for an option or a command by some program.
    """
    if not given.strip() or not given.isprintable():
        _refuse(given, "it is empty, or holds control characters")
    if _HELPER.match(given):
        _refuse(given, "it would start a program on this machine")
    url = _URL.fullmatch(given)
    if url:
        return _from_url(given, url[1].lower())
    if ":" in given.partition("/")[0]:
        match = _USER_AND_HOST.fullmatch(given)
        if match is None:
            _refuse(given, "it cannot be read (a path with a colon begins with ./)")
        user, host, path = match.groups()
        return _checked(given, Address("ssh", path, host.strip("[]"), user=user))
    if given.startswith("-"):
        _refuse(given, "a path must not begin with '-'")
    return Address("path", given)


def without_password(text: str) -> str:
    """Return a text, as a message of a library, without user and password in the URLs that it holds."""
    return _PASSWORD.sub("", text)


def _from_url(given: str, scheme: str) -> Address:
    transport = _SCHEMES.get(scheme)
    if transport is None:
        _refuse(given, f"the transport {scheme!r} is not known")
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        _refuse(given, str(error))
    if transport == "path":
        if parts.netloc not in {"", "localhost"} or not parts.path:
            _refuse(given, "a file:// address has no host, and an absolute path")
        return Address("path", unquote(given.split("://", 1)[1].removeprefix(parts.netloc)))
    if parts.query or parts.fragment:
        _refuse(given, "it has a query or a fragment")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    path = unquote(parts.path) if transport == "ssh" else parts.path
    if password and transport not in {"http", "https"}:
        _refuse(given, f"{transport} takes no password in an address")
    return _checked(given, Address(transport, path or "/", parts.hostname or "", port, user, password))


def _checked(given: str, address: Address) -> Address:
    if not _HOST.fullmatch(address.host):
        _refuse(given, f"{address.host!r} is no name of a host")
    if address.user is not None and (not _USER.fullmatch(address.user) or address.user.startswith("-")):
        _refuse(given, f"{address.user!r} is no name of a user")
    if not address.path.isprintable() or not address.path or address.path.startswith("-"):
        _refuse(given, "its path is empty, begins with '-' or holds control characters")
    return address


def _refuse(given: str, reason: str) -> NoReturn:
    advice = "git remote -v shows the addresses that are known here"
    raise InvalidOptionError("remote", without_password(given), f"{reason}; {_ALLOWED}", advice) from None
