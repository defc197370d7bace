"""Lock files as text: read as written, and what is hostile in them is refused."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.errors import InvalidDataError
from calibvcs.formats.lock_file_text import SIZE_LIMIT, decode, encode, is_json
from calibvcs.model.lock_file import LockedConstant, LockFile, lock_file
from calibvcs.model.names import ConstantName

ID = "0123456789" * 4


def locked(name: str, file: str = "data.npy", **other: Any) -> LockedConstant:
    constant = ConstantName.parse(name)
    path = f"{constant.detector.dettype}/{name}/{file}"
    one = LockedConstant(constant, "v3", ID, ID[::-1], path, "a" * 40, "b" * 40, 4096, "float32", (3, 2, 8))
    return replace(one, **other)


def example() -> LockFile:
    rows = [
        locked("jungfrau-000003/pedestals/1700000000-end"),
        locked("jungfrau-000003/geometry/0-5", "geometry.txt", dtype="text", shape=(), size=0, version="", added=""),
    ]
    return lock_file('mfx "central"', "/data/const\u00e4nts", ID, "2026-02-03T10:00:00Z", rows)


@pytest.mark.parametrize("as_json", [False, True], ids=["TOML", "JSON"])
def test_what_is_written_is_read(as_json: bool) -> None:
    data = encode(example(), as_json=as_json)
    assert data == encode(example(), as_json=as_json)
    assert decode(data, "used") == example()


def test_both_forms_say_the_same() -> None:
    toml, plain = tomllib.loads(encode(example()).decode()), json.loads(encode(example(), as_json=True))
    assert toml == plain
    assert list(plain) == ["format", "repository", "url", "commit", "date", "digest", "citation", "constants"]
    assert plain["citation"] == example().citation
    assert [row["begin"] for row in plain["constants"]] == [0, 1700000000]
    assert [row.get("end") for row in plain["constants"]] == [5, None]


def test_the_name_tells_the_form() -> None:
    assert is_json("used.JSON")
    assert not is_json("used.toml")
    assert not is_json("json")


def changed(**values: Any) -> bytes:
    content = json.loads(encode(example(), as_json=True))
    content["constants"] = [{**content["constants"][1], **values}]
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "values",
    [
        {"path": "../../etc/passwd"},
        {"path": "/etc/passwd"},
        {"path": "jungfrau/jungfrau-000003/pedestals/1700000000-end/../data.npy"},
        {"path": "jungfrau/jungfrau-000003/pedestals/1700000000-end/meta.toml"},
        {"path": "jungfrau/jungfrau-000003/pedestals/0-end/data.npy"},
        {"constant": "../../pedestals/0-end"},
        {"constant": 5},
        {"blob": "--upload-pack=x"},
        {"blob": "a" * 39},
        {"meta": "A" * 40},
        {"commit": "HEAD"},
        {"added": ""},
        {"size": -1},
        {"size": 1 << 60},
        {"size": True},
        {"begin": 7},
        {"end": 1700000001},
        {"shape": [1.5]},
        {"dtype": None},
    ],
    ids=str,
)
def test_what_is_hostile_or_wrong_is_refused(values: dict[str, Any]) -> None:
    decode(changed(), "used.json")
    with pytest.raises(InvalidDataError) as caught:
        decode(changed(**values), "used.json")
    assert caught.value.source == "used.json"
    assert "lock-file write" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"{}", b"format = 2", b"format = 1", b"\xff\xfe", b"{" * 100_000, b'{"format": 1' + b"1" * 5000 + b"}",
        b" " * (SIZE_LIMIT + 1), b'format = "1"', b'{"format": 1, "constants": 5}',
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_is_no_lock_file_is_told(data: bytes) -> None:
    with pytest.raises(InvalidDataError):
        decode(data, "used")


@settings(max_examples=300)
@given(st.integers(0, 5000), st.integers(0, 255), st.booleans())
def test_no_changed_byte_does_any_harm(place: int, byte: int, as_json: bool) -> None:
    data = bytearray(encode(example(), as_json=as_json))
    data[place % len(data)] = byte
    try:
        found = decode(bytes(data), "used")
    except InvalidDataError:
        return
    for one in found.constants:
        assert one.path.startswith(f"{one.constant.detector.dettype}/{one.constant}/")
        assert ".." not in one.path
