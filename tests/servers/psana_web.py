"""A stand-in for the web service of psana's calibration database: what a client asks of it, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

Document = dict[str, Any]
Answer = Callable[[BaseHTTPRequestHandler], None]


def identity(second: int, seed: str) -> str:
    """Return an id as MongoDB makes it: four bytes of seconds, eight others."""
    return f"{second:08x}{hashlib.sha256(seed.encode()).hexdigest()[:16]}"


@dataclass
class PsanaDatabase:
    """Databases, collections and documents, and the data by their ids; made by `deploy` as psana's tools make them.

    Attributes
    ----------
    documents : dict
        Database to collection to documents.
    data : dict
        Database to id to bytes.
    requests : list of str
        Paths that were asked for.
    answers : dict
        Path behind ``calib_ws`` to what is answered in place of the truth.
    """

    documents: dict[str, dict[str, list[Document]]] = field(default_factory=dict)
    data: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def name(self, short: str, long: str) -> None:
        """Give a detector its short name."""
        document = {"_id": identity(1, short), "long": long, "short": short, "seqnumber": 1, "time_sec": 1.5}
        self.documents.setdefault("cdb_detnames", {}).setdefault(short.partition("_")[0], []).append(document)

    def add(self, database: str, short: str, made: int, value: np.ndarray | str | bytes, **fields: Any) -> Document:
        """Put one document and its data into one database; bytes are data of type 'any'."""
        raw = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else value.tobytes()
        seed = f"{database} {short} {made} {len(self.data.get(database, {}))}"
        data = identity(made, f"data {seed}")
        document: Document = {
            "_id": identity(made, seed), "id_data": data, "id_data_exp": 0, "id_doc_exp": 0, "detector": short,
            "shortname": short, "experiment": "mfx101332224", "run": 0, "run_end": "end", "ctype": "pedestals",
            "comment": "Dark run", "uid": "ghopper", "host": "psana01", "cwd": "/tmp", "version": "V2021-10-08",
            "extpars": json.dumps({"content": "extended parameters", "command": "jungfrau_dark_proc -r 7"}),
            "data_type": "any",
        }  # fmt: skip
        if isinstance(value, str):
            document |= {"data_type": "str", "data_size": str(len(value))}
        elif isinstance(value, np.ndarray):
            document |= {
                "data_type": "ndarray", "data_dtype": str(value.dtype), "data_shape": str(value.shape),
                "data_size": str(value.size), "data_ndim": str(value.ndim),
            }  # fmt: skip
        document |= fields
        self.documents.setdefault(database, {}).setdefault(short, []).append(document)
        self.data.setdefault(database, {})[data] = raw
        return document

    def deploy(self, experiment: str, short: str, made: int, value: np.ndarray | str, **fields: Any) -> Document:
        """Deploy a constant: into the database of the experiment, and a copy a second later into the detector's."""
        first = self.add(f"cdb_{experiment}", short, made, value, experiment=experiment, **fields)
        origin = {"id_data_exp": first["id_data"], "id_doc_exp": first["_id"]}
        self.add(f"cdb_{short}", short, made + 1, value, experiment=experiment, **fields, **origin)
        return first


@contextmanager
def psana_service(database: PsanaDatabase) -> Iterator[str]:
    """Serve a database; gives the address, as ``LCLS_CALIB_HTTP`` has it."""

    class Handler(_Handler):
        held = database

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is no trouble of the server

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}/ws"
        finally:
            listening.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    held: PsanaDatabase
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass

    def do_GET(self) -> None:
        segments = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        asked = segments[len(segments) - segments[::-1].index("calib_ws") :] if "calib_ws" in segments else None
        if asked is None:
            return self.send(404, b"")
        self.held.requests.append("/".join(asked))
        if "/".join(asked) in self.held.answers:
            return self.held.answers["/".join(asked)](self)
        match asked:
            case []:
                return self.send_json(list(self.held.documents))
            case [database] if database.startswith("cdb_"):
                return self.send_json([*self.held.documents.get(database, {}), "fs.files", "fs.chunks"])
            case [database, "gridfs", data] if data in self.held.data.get(database, {}):
                return self.send(200, self.held.data[database][data], "application/octet-stream")
            case [_, "gridfs", _]:
                return self.send(500, b"no such data")
            case [database, collection] if database.startswith("cdb_"):
                return self.send_json(self.held.documents.get(database, {}).get(collection, []))
            case _:
                return self.send(405, b"")

    def send_json(self, value: object) -> None:
        self.send(200, json.dumps(value).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
