"""Clients of dulwich for the addresses that are known here; what goes wrong with them is told in our own words."""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from dulwich.client import TraditionalGitClient, Urllib3HttpGitClient
from dulwich.config import StackedConfig
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.protocol import Protocol
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from calibvcs.errors import NetworkError
from calibvcs.store.remotes.channels import Channel
from calibvcs.store.remotes.credentials import known_credentials
from calibvcs.store.remotes.urls import without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from dulwich.client import HTTPResponse
    from dulwich.refs import Ref

    from calibvcs.store.remotes.urls import Address

Client: TypeAlias = "WireClient | HttpClient"

_GIT_PORT = 9418
_KEEP_ALIVE = 15
_NEWEST = 2
_FILTER = b"filter"
_GOOD, _WHO_ARE_YOU, _NOT_THERE = 200, 401, 404
_STATUS = {
    401: "it asks for a user and a password (401)",
    403: "it does not let this user in (403)",
    407: "the proxy asks for a user and a password (407)",
}
_CHECK = "check the address with: git ls-remote {address}"
# What ssh, Git or the server says, and what to do about it.
_ADVICE = (
    ("host key verification failed", "log in once by hand, and compare the fingerprint it shows: ssh {host}"),
    ("permission denied", "the server does not know your key: ssh-add -l shows those you offer; ask its administrator"),
    ("could not resolve", "check the name of the host, and the network"),
    ("name or service not known", "check the name of the host, and the network"),
    ("connection refused", "the server does not listen there: check the host and the port"),
    ("does not appear to be a git repository", "check the path: " + _CHECK),
    ("not exported", "check the path; the server may not serve this repository: " + _CHECK),
    ("not our ref", "the server does not give single objects: git config uploadpack.allowAnySHA1InWant true there"),
    ("no answer within", "repeat later; the server is slow, or the network is"),
    ("timed out", "repeat later; the server is slow, or the network is"),
    ("401", "give a user and a password: git credential approve, or https://USER@HOST/..., as for git itself"),
    ("403", "this user may not do this there; ask the administrator, or: calibvcs propose"),
)


class _RecordingClient:
    """Remembers what the server said it can do."""

    server_capabilities: frozenset[bytes] = frozenset()
    protocol_version: int
    filter_spec: bytes | None = None

    def _negotiate_upload_pack_capabilities(
        self, server_capabilities: set[bytes]
    ) -> tuple[set[bytes], dict[Ref, Ref], bytes | None]:
        self.server_capabilities = frozenset(server_capabilities)
        agreed, symrefs, agent = super()._negotiate_upload_pack_capabilities(server_capabilities)  # type: ignore[misc]
        if self.filter_spec and self.protocol_version < _NEWEST and _FILTER in server_capabilities:
            agreed.add(_FILTER)
        return agreed, symrefs, agent

    @staticmethod
    def _warn_filter_objects() -> None:
        """Say nothing: what was filtered is told by `knows_filters`."""

    def knows_filters(self) -> bool:
        """Tell whether the server leaves objects out if it is asked to; known once it has been asked for its refs."""
        words = (word.strip().split(b"=", 1) for word in self.server_capabilities)
        return any(word[0] == b"fetch" and b"filter" in word[-1].split() for word in words)


class WireClient(_RecordingClient, TraditionalGitClient):
    """A client for ssh, git:// and a Git program on this machine.

    Parameters
    ----------
    address : Address
        Where to.
    timeout : float
        Seconds that the server may be silent.
    ssh_command : str
        The program that leads to another machine, with its options.
    interactive : bool
        Whether ssh may ask for a password or a fingerprint.
    """

    def __init__(self, address: Address, timeout: float, ssh_command: str, *, interactive: bool) -> None:
        super().__init__()
        self._address, self._timeout, self._ssh, self._interactive = address, timeout, ssh_command, interactive
        self._channel: Channel | None = None
        self._protocol: Protocol | None = None

    def knows_filters(self) -> bool:
        """Tell whether the server leaves objects out if it is asked to; known once it has been asked for its refs."""
        return super().knows_filters() or (self.protocol_version < _NEWEST and _FILTER in self.server_capabilities)

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        if self._protocol:
            self._protocol.close()

    def said(self) -> str:
        """Return what ssh or Git said beside the protocol; known when the connection has ended."""
        return self._channel.said() if self._channel else ""

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[Protocol, Callable[[], bool], IO[bytes] | None]:
        path = path if isinstance(path, str) else path.decode()
        command = cmd.decode()
        version = 0 if command == "receive-pack" else protocol_version if protocol_version is not None else _NEWEST
        channel = self._channel = self._opened(command, path, version)
        protocol = self._protocol = _FilteringProtocol(self, channel)
        if self._address.transport == "git":
            host = self._address.host.encode()
            more = f"\0\0version={version}\0".encode() if version else b"\0"
            protocol.send_cmd(b"git-" + cmd, path.encode(), b"host=" + host + more.removesuffix(b"\0"))
        return protocol, channel.can_read, None

    def _opened(self, command: str, path: str, version: int) -> Channel:
        address = self._address
        if address.transport == "git":
            return Channel.to_host(address.host, address.port or _GIT_PORT, self._timeout)
        variables = {"GIT_PROTOCOL": f"version={version}"} if version else {}
        if address.transport == "path":
            return Channel.to_program(["git", command, path], self._timeout, variables)
        path = path.removeprefix("/") if path.startswith("/~") else path
        options = ["ConnectTimeout=" + str(max(1, int(self._timeout))), f"ServerAliveInterval={_KEEP_ALIVE}"]
        options += ["SendEnv=GIT_PROTOCOL"] if version else []
        options += [] if self._interactive else ["BatchMode=yes"]
        words = [*shlex.split(self._ssh), "-x", *(word for option in options for word in ("-o", option))]
        words += ["-p", str(address.port)] if address.port else []
        host = f"{address.user}@{address.host}" if address.user else address.host
        quoted = path.replace("'", "'\\''").replace("!", "'\\!'")
        return Channel.to_program([*words, "--", host, f"git-{command} '{quoted}'"], self._timeout, variables)


class _FilteringProtocol(Protocol):
    """Git's lines; in its oldest protocol, dulwich does not know how to ask for a filter."""

    def __init__(self, client: WireClient, channel: Channel) -> None:
        super().__init__(channel.read, channel.write, channel.close)
        self._client, self._asked = client, False

    def read_pkt_line(self) -> bytes | None:
        line = super().read_pkt_line()
        if line is not None and line.startswith(b"ERR "):
            raise GitProtocolError(line[4:].decode(errors="replace").strip())
        return line

    def write_pkt_line(self, line: bytes | None) -> None:
        if self._client.filter_spec and self._client.protocol_version < _NEWEST:
            if line is None and self._asked:
                super().write_pkt_line(b"filter " + self._client.filter_spec + b"\n")
                self._asked = False
            elif line is not None and line.startswith(b"want ") and b" filter" in line:
                self._asked = True
        super().write_pkt_line(line)


class HttpClient(_RecordingClient, Urllib3HttpGitClient):
    """A client for http and https; proxies and certificates are those of Git's configuration.

    Parameters
    ----------
    address : Address
        Where to.
    timeout : float
        Seconds that the server may be silent.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        url = f"{address.transport}://{host}{f':{address.port}' if address.port else ''}"
        super().__init__(
            url,
            config=StackedConfig(StackedConfig.default_backends()),
            timeout=timeout,
            username=address.user if address.password is not None else None,
            password=address.password,
        )
        self._address, self._root = address, f"{url}/"
        self._login: dict[str, str] = {}
        self._open: list[HTTPResponse] = []

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[HTTPResponse, Callable[[int], bytes]]:
        ours = url.startswith(self._root)  # after a redirect to another host nobody is told who we are
        given = {**(headers or {}), **(self._login if ours else {})}
        response, read = super()._http_request(url, given, data, raise_for_status=False)
        self._open.append(response)
        if response.status == _WHO_ARE_YOU and ours and data is None and not self._login:
            known = known_credentials(self._address)
            if known is not None:
                self._login = make_headers(basic_auth=":".join(known))
                return self._http_request(url, headers, data, raise_for_status)
        if raise_for_status and response.status != _GOOD:
            if response.status == _NOT_THERE:
                raise NotGitRepository
            raise GitProtocolError(_STATUS.get(response.status, f"it answers with status {response.status}"))
        return response, read

    def hang_up(self) -> None:
        """End the connections."""
        for response in self._open:
            response.close()
        self._open.clear()
        self.pool_manager.clear()

    def said(self) -> str:
        """Return what was said beside the protocol: nothing."""
        return ""


@contextmanager
def network_errors(address: Address, client: Client) -> Iterator[None]:
    """Tell in our own words what goes wrong with a server.

    Raises
    ------
    NetworkError
        For everything that dulwich and the libraries below it raise.
    """
    try:
        try:
            yield
        finally:
            client.hang_up()
    except NotGitRepository:
        raise NetworkError(str(address), "there is no Git repository (404)", _CHECK.format(address=address)) from None
    except HangupException as error:
        reason = _reason(client.said()) or _reason("\n".join(map(_text, error.stderr_lines or ())))
        raise _network_error(address, reason or "it hung up in the middle") from None
    except (GitProtocolError, HTTPError, OSError) as error:
        raise _network_error(address, _reason(client.said()) or _reason(str(error)) or repr(error)) from None
    except (AssertionError, IndexError, KeyError, ValueError) as error:
        raise _network_error(address, f"it does not speak Git's protocol ({error})") from None


def _network_error(address: Address, reason: str) -> NetworkError:
    small = reason.lower()
    for words, advice in _ADVICE:
        if words in small:
            return NetworkError(str(address), reason, advice.format(address=address, host=address.host))
    return NetworkError(str(address), reason)


def _reason(said: str) -> str:
    """Return the lines that tell what went wrong, without passwords or control characters."""
    lines = [re.sub(r"[^\x20-\x7e]", "?", line.strip()) for line in without_password(said).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("Warning: Permanently added", "@@@"))]
    return "; ".join(lines[:4])[:500]


def _text(line: object) -> str:
    return line.decode(errors="replace") if isinstance(line, bytes) else str(line)
