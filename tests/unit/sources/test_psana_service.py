from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, InvalidOptionError, NetworkError
from calibvcs.sources.psana_service import PsanaService
from tests.servers.psana_web import Answer, PsanaDatabase, psana_service
from tests.servers.starting import free_port

SHORT = "jungfrau_000003"


@pytest.fixture
def database() -> PsanaDatabase:
    found = PsanaDatabase()
    found.deploy("mfx101332224", SHORT, 1_743_000_000, np.arange(6, dtype=np.float32))
    return found


@pytest.mark.parametrize("form", ["{}/ws", "{}", "{}/ws/", "{}/calib_ws", "{}/ws/calib_ws/", "{}/calib_ws//calib_ws/x"])
def test_every_form_of_the_address(database: PsanaDatabase, form: str) -> None:
    with psana_service(database) as url, PsanaService(form.format(url.removesuffix("/ws"))) as service:
        assert service.databases() == ("cdb_mfx101332224", "cdb_jungfrau_000003")
        assert service.collections("cdb_mfx101332224") == (SHORT,)
        (document,) = service.documents("cdb_mfx101332224", SHORT)
        data = service.payload("cdb_mfx101332224", str(document["id_data"]), 24)
        np.testing.assert_array_equal(np.frombuffer(data, np.float32), np.arange(6))
        assert list(service.documents("cdb_mfx101332224", "epix_000001")) == []


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/ws",
        "http://",
        "http://user:secret@host/ws",
        "http://host:port/ws",
        "http://ho st/",
        "http://höst/",
        "http://h/\n",
    ],
)
def test_addresses_that_cannot_be_used(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="address"):
        PsanaService(address)


def test_nobody_listens() -> None:
    with PsanaService(f"http://127.0.0.1:{free_port()}/ws") as service, pytest.raises(NetworkError, match="refused"):
        service.databases()


def answering(status: int, body: bytes = b"", *headers: tuple[str, str], declared: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if declared is None else declared))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = declared is not None

    return answer


@contextmanager
def asked(database: PsanaDatabase, answer: Answer) -> Iterator[PsanaService]:
    database.answers = dict.fromkeys(("", "cdb_x/c", "cdb_x/gridfs/" + "a" * 24), answer)
    with psana_service(database) as url, PsanaService(url, timeout=0.5, patience=1.0) as service:
        yield service


ASKS: dict[str, Callable[[PsanaService], object]] = {
    "names": lambda service: service.databases(),
    "documents": lambda service: list(service.documents("cdb_x", "c")),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1}', b"[1, 2]", b"null", b"[" * 100_000, b"\xff\xfe", b"9" * 10_000, b'["a", {}]']
)
def test_answers_that_are_none(database: PsanaDatabase, ask: Callable[[PsanaService], object], body: bytes) -> None:
    with asked(database, answering(200, body)) as service, pytest.raises(InvalidDataError, match="the answer is no"):
        ask(service)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_it_stays_with_its_server(database: PsanaDatabase, status: int) -> None:
    elsewhere = answering(status, b"", ("Location", "http://169.254.169.254/latest"))
    with asked(database, elsewhere) as service, pytest.raises(NetworkError, match="sends elsewhere"):
        service.databases()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_errors_of_the_server(database: PsanaDatabase, status: int) -> None:
    with asked(database, answering(status, b"no")) as service, pytest.raises(NetworkError, match=str(status)):
        service.databases()


@pytest.mark.parametrize("status", [404, 500])
def test_data_that_are_not_there(database: PsanaDatabase, status: int) -> None:
    with asked(database, answering(status)) as service, pytest.raises(InvalidDataError, match="not in the database"):
        service.payload("cdb_x", "a" * 24, 100)


def test_more_than_was_expected(database: PsanaDatabase) -> None:
    with asked(database, answering(200, b"x" * 101)) as service, pytest.raises(InvalidDataError, match="101 bytes"):
        service.payload("cdb_x", "a" * 24, 100)


def test_a_length_that_lies_is_not_believed(database: PsanaDatabase) -> None:
    with (
        asked(database, answering(200, b"x" * 10, declared=100)) as service,
        pytest.raises(NetworkError),
    ):
        service.payload("cdb_x", "a" * 24, 100)
    with (
        asked(database, answering(200, b"", declared=1 << 50)) as service,
        pytest.raises(InvalidDataError, match=str(1 << 50)),
    ):
        service.payload("cdb_x", "a" * 24, 100)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
    handler.close_connection = True


def test_an_answer_without_an_end_is_cut(database: PsanaDatabase) -> None:
    with asked(database, endless) as service, pytest.raises(InvalidDataError, match="more than 5000"):
        service.payload("cdb_x", "a" * 24, 5000)


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1)
    handler.close_connection = True


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b"x")
        time.sleep(0.2)
    handler.close_connection = True


@pytest.mark.parametrize("answer", [silent, dripping])
def test_a_server_that_takes_its_time(database: PsanaDatabase, answer: Answer) -> None:
    with asked(database, answer) as service, pytest.raises(NetworkError, match=r"no answer|too slow"):
        service.payload("cdb_x", "a" * 24, 200_000)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(database: PsanaDatabase) -> None:
    def once(handler: BaseHTTPRequestHandler) -> None:
        database.answers.clear()
        answering(200, b"[]")(handler)
        handler.close_connection = True  # without a word

    database.answers["cdb_x"] = once
    with psana_service(database) as url, PsanaService(url) as service:
        assert service.collections("cdb_x") == ()
        time.sleep(0.05)
        assert len(service.databases()) == 2


def test_what_answers_is_no_web_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 10)
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with (
            PsanaService(f"http://127.0.0.1:{listening.getsockname()[1]}") as service,
            pytest.raises(NetworkError),
        ):
            service.databases()
        thread.join()
