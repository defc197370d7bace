"""The web service of psana's calibration database, read over HTTP: documents as JSON, data as bytes.

One connection is kept as long as the server keeps it. Whatever comes is bounded in size and in time, and the client
stays with the server that it was given: an answer that points elsewhere is an error.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from calibvcs.errors import InvalidDataError, InvalidOptionError, NetworkError
from calibvcs.sources.psana_store import PREFIX
from calibvcs.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from calibvcs.sources.psana_store import Fields

_SERVICE: Final = "calib_ws"
_LARGEST_JSON: Final = 256 << 20
_BLOCK: Final = 1 << 20
_SLOWEST: Final = 16 << 10
_TRIES: Final = 2
_ADVICE: Final = "give the address of the service, for example https://pswww.slac.stanford.edu/ws"


class PsanaService:
    """A psana calibration web service.

    Parameters
    ----------
    address : str
        ``http://HOST[:PORT][/PATH]`` or https; everything behind a part ``calib_ws`` of the path is left out, and
        where there is no such part it is added.
    timeout : float, optional
        Seconds without a byte after which the server is given up.
    patience : float, optional
        Seconds that an answer may take, and a second more for each 16 KiB of it.

    Attributes
    ----------
    name : str
        Its address.
    is_remote : bool
        True.

    Raises
    ------
    InvalidOptionError
        If the address cannot be used.
    """

    is_remote = True

    def __init__(self, address: str, *, timeout: float = 30.0, patience: float = 120.0) -> None:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise InvalidOptionError("address", address, str(error), _ADVICE) from None
        sound = address.isascii() and address.isprintable() and " " not in address
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None or not sound:
            allowed = "http://HOST[:PORT][/PATH] or https://... is allowed, without user and password"
            raise InvalidOptionError("address", address, allowed, _ADVICE)
        segments = [segment for segment in parts.path.split("/") if segment]
        if _SERVICE in segments:
            segments = segments[: len(segments) - segments[::-1].index(_SERVICE)]
        else:
            segments.append(_SERVICE)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._base = "/" + "/".join(segments)
        self._timeout, self._patience = timeout, patience
        self._connection: http.client.HTTPConnection | None = None
        self.name = f"{parts.scheme}://{parts.netloc}{self._base}"

    def databases(self) -> tuple[str, ...]:
        """Return the names of the databases.

        Raises
        ------
        NetworkError
            If the server cannot be reached, or answers with an error.
        InvalidDataError
            If the answer is no list of names.
        """
        return tuple(name for name in self._names("") if name.startswith(PREFIX))

    def collections(self, database: str) -> tuple[str, ...]:
        """Return the names of the collections of a database, but for those that hold data; errors as `databases`."""
        return tuple(name for name in self._names(quote(database, safe="")) if "." not in name)

    def documents(self, database: str, collection: str) -> Iterator[Fields]:
        """Return the documents of a collection; errors as `databases`."""
        where = f"{quote(database, safe='')}/{quote(collection, safe='')}"
        found = self._json(where)
        if not isinstance(found, list) or not all(isinstance(document, dict) for document in found):
            raise InvalidDataError(f"{self.name}/{where}", "the answer is no list of documents", _ADVICE)
        return iter(found)

    def payload(self, database: str, identity: str, largest: int) -> bytes:
        """Return data; errors as `databases`, and InvalidDataError where they are not there or too large."""
        where = f"{quote(database, safe='')}/gridfs/{quote(identity, safe='')}"
        return self._get(where, largest, missing="its data are not in the database")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _names(self, where: str) -> list[str]:
        found = self._json(where)
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise InvalidDataError(f"{self.name}/{where}", "the answer is no list of names", _ADVICE)
        return found

    def _json(self, where: str) -> Any:
        answer = self._get(where, _LARGEST_JSON)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise InvalidDataError(f"{self.name}/{where}", "the answer is no JSON", _ADVICE) from None

    def _get(self, where: str, largest: int, missing: str = "") -> bytes:
        """Return what the server answers; a connection that it closed meanwhile is made anew once."""
        for attempt in range(_TRIES):
            fresh = self._connection is None
            try:
                return self._answer(where, largest, missing)
            except (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected) as error:
                self._close()
                if fresh or attempt + 1 == _TRIES:
                    raise self._failed(f"the server hung up ({error})") from None
            except TimeoutError:
                self._close()
                raise self._failed(f"no answer within {self._timeout:g} seconds") from None
            except ssl.SSLCertVerificationError as error:
                self._close()
                raise self._failed(f"its certificate is not accepted: {error.verify_message}") from None
            except (OSError, http.client.HTTPException) as error:
                self._close()
                said = getattr(error, "strerror", None) or str(error) or type(error).__name__
                raise self._failed(str(said)) from None
            except InvalidDataError:
                self._close()  # the rest of the answer is not read
                raise
        raise self._failed("the server hung up")

    def _answer(self, where: str, largest: int, missing: str) -> bytes:
        end = time.monotonic() + self._patience
        connection = self._connected()
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"calibvcs/{__version__}"}
        connection.request("GET", f"{self._base}/{where}", headers=headers)
        answer = connection.getresponse()
        source = f"{self.name}/{where}"
        if answer.status != http.client.OK:
            raise self._refused(answer, source, missing)
        declared = answer.length
        if declared is not None and declared > largest:
            raise InvalidDataError(source, f"the answer has {declared} bytes; expected are at most {largest}")
        blocks: list[bytes] = []
        size = 0
        while block := answer.read1(min(_BLOCK, largest + 1 - size)):  # what is there, so that time is looked at
            blocks.append(block)
            size += len(block)
            if size > largest:
                raise InvalidDataError(source, f"the answer has more than {largest} bytes")
            if time.monotonic() > end + size / _SLOWEST:
                self._close()
                raise self._failed(f"it is too slow: {size} bytes within {self._patience:g} seconds")
        if declared is not None and size != declared:
            raise http.client.IncompleteRead(b"", declared - size)
        answer.close()  # the answer alone: the connection stays for the next one
        if answer.will_close:
            self._close()
        return b"".join(blocks)

    def _refused(self, answer: http.client.HTTPResponse, source: str, missing: str) -> NetworkError | InvalidDataError:
        self._close()
        if missing and answer.status in {404, 500}:  # LCLS answers 500 where there are no such data
            return InvalidDataError(source, f"{missing} (the server answers {answer.status})")
        said = f"{answer.status} {answer.reason}"[:100]
        if 300 <= answer.status < 400:
            return self._failed(f"it sends elsewhere ({said}): {str(answer.getheader('Location'))[:100]!r}")
        return self._failed(f"{source[len(self.name) :] or '/'} is answered with {said}")

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failed(self, reason: str) -> NetworkError:
        return NetworkError(self.name, reason)
