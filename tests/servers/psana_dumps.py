"""The same databases written into files: an archive and a folder as mongodump writes them, and files of ``cdb get``."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.servers.psana_web import Document, PsanaDatabase, identity

PIECE = 255 * 1024
SEPARATOR = b"\xff\xff\xff\xff"
MAGIC = bytes.fromhex("6de29981")
_IDS = {"_id", "files_id"}


def bson(document: dict[str, Any]) -> bytes:
    """Return a document as MongoDB writes it: ids as ObjectId, numbers as they are small, bytes as binary data."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: Any) -> bytes:
    key = name.encode() + b"\0"
    match value:
        case str() if name in _IDS:
            return b"\x07" + key + bytes.fromhex(value)
        case str():
            raw = value.encode() + b"\0"
            return b"\x02" + key + struct.pack("<i", len(raw)) + raw
        case bool():
            return b"\x08" + key + bytes([value])
        case int() if abs(value) < 1 << 31:
            return b"\x10" + key + struct.pack("<i", value)
        case int():
            return b"\x12" + key + struct.pack("<q", value)
        case float():
            return b"\x01" + key + struct.pack("<d", value)
        case bytes():
            return b"\x05" + key + struct.pack("<i", len(value)) + b"\0" + value
        case dict():
            return b"\x03" + key + bson(value)
        case list():
            return b"\x04" + key + bson({str(number): inner for number, inner in enumerate(value)})
        case None:
            return b"\x0a" + key
    raise TypeError(value)


def collections(database: PsanaDatabase) -> Iterator[tuple[str, str, list[Document]]]:
    """Return every collection with its documents, those of the data too."""
    for name, found in database.documents.items():
        yield from ((name, collection, documents) for collection, documents in found.items())
        files, chunks = [], []
        for number, (data, raw) in enumerate(database.data.get(name, {}).items()):
            files.append({"_id": data, "length": len(raw), "chunkSize": PIECE, "md5": "0" * 32})
            for n, place in enumerate(range(0, len(raw), PIECE)):
                piece = identity(1, f"{name} {number} {n}")
                chunks.append({"_id": piece, "files_id": data, "n": n, "data": raw[place : place + PIECE]})
        yield name, "fs.files", files
        yield name, "fs.chunks", chunks


def write_archive(database: PsanaDatabase, path: Path) -> Path:
    """Write what ``mongodump --archive`` writes; collections are mixed, as several threads would do it."""
    found = list(collections(database))
    head = bson({"concurrent_collections": 4, "version": "0.1", "server_version": "4.0.3", "tool_version": "100.9.4"})
    about = [bson({"db": db, "collection": name, "metadata": "{}", "size": 0}) for db, name, _ in found]
    parts = [MAGIC, head, *about, SEPARATOR]
    left = {(db, name): [bson(document) for document in documents] for db, name, documents in found}
    while left:
        for (db, name), documents in list(left.items()):
            some, left[db, name] = documents[:2], documents[2:]
            if some:
                parts += [bson({"db": db, "collection": name, "EOF": False, "CRC": 0}), *some, SEPARATOR]
            else:
                del left[db, name]
                parts += [bson({"db": db, "collection": name, "EOF": True, "CRC": 1 << 40}), SEPARATOR]
    path.write_bytes(b"".join(parts))
    return path


def write_folder(database: PsanaDatabase, folder: Path) -> Path:
    """Write what ``mongodump -o`` writes."""
    for db, name, documents in collections(database):
        (folder / db).mkdir(parents=True, exist_ok=True)
        (folder / db / f"{name}.bson").write_bytes(b"".join(map(bson, documents)))
        (folder / db / f"{name}.metadata.json").write_text("{}")
    return folder


def write_files(database: PsanaDatabase, folder: Path) -> Path:
    """Write what ``cdb get`` writes for every document that has data."""
    folder.mkdir()
    for db, name, documents in collections(database):
        for document in documents if "." not in name and db != "cdb_detnames" else ():
            stem = folder / f"clb-{db}-{name}-r{document['run']:04d}-{document['ctype']}-{document['_id'][:12]}"
            lines = (f"{key:>12}: {document[key]}" for key in sorted(document))
            stem.with_name(f"{stem.name}.meta").write_text("\n".join(lines))
            raw = database.data[db][document["id_data"]]
            if document["data_type"] == "ndarray":
                shape = [int(length) for length in document["data_shape"].strip("()").split(",") if length.strip()]
                np.save(stem.with_name(f"{stem.name}.npy"), np.frombuffer(raw, document["data_dtype"]).reshape(shape))
            else:
                stem.with_name(f"{stem.name}.data").write_bytes(raw)
    return folder
