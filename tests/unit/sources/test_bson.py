from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.sources import bson
from tests.servers.psana_dumps import bson as encode

DOCUMENT: dict[str, Any] = {
    "_id": "67e412245d33c5d053195feb", "run": 7, "long": 1 << 40, "time": 1.5, "text": "käse", "none": None, "yes": True,
    "data": b"\x00\x01\xff", "list": [1, "two", {"three": 3}], "table": {"a": {"b": "c"}},
}  # fmt: skip


def decoded(raw: bytes) -> dict[str, object]:
    return bson.decode(memoryview(raw), "dump")


def test_values() -> None:
    found = decoded(encode(DOCUMENT))
    data = found.pop("data")
    assert isinstance(data, memoryview)
    assert bytes(data) == DOCUMENT["data"]
    assert found == {key: value for key, value in DOCUMENT.items() if key != "data"}


def element(kind: int, payload: bytes) -> bytes:
    body = bytes([kind]) + b"x\0" + payload
    return struct.pack("<i", len(body) + 5) + body + b"\0"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (element(0x09, struct.pack("<q", 1000)), 1000),
        (element(0x11, b"\1" * 8), None),
        (element(0x13, b"\1" * 16), None),
        (element(0x06, b""), None),
        (element(0x0D, struct.pack("<i", 3) + b"f(\0"), None),
    ],
    ids=["date", "stamp", "decimal", "undefined", "code"],
)
def test_other_types(raw: bytes, value: object) -> None:
    assert decoded(raw) == {"x": value}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\5\0\0\0",
        b"\6\0\0\0\0",
        b"\5\0\0\0\1",
        element(0x02, struct.pack("<i", 1 << 30) + b"a\0"),
        element(0x02, struct.pack("<i", -1) + b"a\0"),
        element(0x02, struct.pack("<i", 0)),
        element(0x02, struct.pack("<i", 2) + b"ab"),
        element(0x03, struct.pack("<i", 100) + b"\0"),
        element(0x05, struct.pack("<i", 1 << 30) + b"\0"),
        element(0x07, b"\1" * 11),
        element(0x10, b"\1"),
        element(0x0B, b"a\0b\0"),
        element(0x99, b""),
        struct.pack("<i", 8) + b"\x10xx\0",
    ],
)
def test_damage_is_told(raw: bytes) -> None:
    with pytest.raises(InvalidDataError, match="dump"):
        decoded(raw)


def test_depth_has_a_limit() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100):
        nested = {"a": nested}
    with pytest.raises(InvalidDataError, match="deep"):
        decoded(encode(nested))


def test_sequence_of_documents() -> None:
    raw = encode({"a": 1}) + encode({"b": 2}) + b"\xff\xff\xff\xff" + b"more"
    found = list(bson.documents(memoryview(raw), "dump"))
    assert [bson.decode(document, "dump") for _, document in found] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("raw", [b"\5", b"\4\0\0\0", b"\6\0\0\0\0", struct.pack("<i", 1 << 30), struct.pack("<i", -2)])
def test_a_length_that_leads_out_of_the_file(raw: bytes) -> None:
    with pytest.raises(InvalidDataError):
        list(bson.documents(memoryview(raw), "dump"))


def test_mutations_are_read_or_refused() -> None:
    raw, chance = encode(DOCUMENT), random.Random(5)
    refused = 0
    for _ in range(2000):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            decoded(bytes(changed[: chance.choice([len(changed), chance.randrange(len(changed))])]))
        except InvalidDataError:
            refused += 1
    assert refused > 1000
