"""Plain documents: the very bytes of tomlkit, or none."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.formats.toml import meta_toml, toml_document, toml_plain
from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance

PLAIN = st.text("abcXYZ019 _-.,:;/'+(){}[]#=äµ\u00a0", max_size=12)
TEXT = PLAIN | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
KEYS = st.text("abz09_-", min_size=1, max_size=6) | TEXT
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)
SIMPLE = NUMBERS | TEXT
LISTS = st.lists(SIMPLE, max_size=4)
ROWS = st.lists(st.dictionaries(KEYS, SIMPLE, min_size=1, max_size=3), min_size=1, max_size=3)
TABLES = st.dictionaries(KEYS, SIMPLE | LISTS | ROWS, max_size=5)
DOCUMENTS = st.dictionaries(KEYS, SIMPLE | LISTS | TABLES | ROWS, max_size=5)


@given(DOCUMENTS)
def test_it_is_what_tomlkit_writes(values: dict[str, Any]) -> None:
    text = toml_plain.dumps(values)
    if text is not None:
        assert text == tomlkit.dumps(values)
        assert tomllib.loads(text) == values


METADATA = st.builds(
    Metadata,
    dtype=st.sampled_from(["float32", "text"]),
    shape=st.lists(st.integers(0, 2048), max_size=4).map(tuple),
    dims=st.lists(PLAIN, max_size=4).map(tuple),
    unit=PLAIN,
    origin=st.builds(Origin, PLAIN, st.none() | st.integers(0, 99), st.none() | st.integers(0, 99), PLAIN),
    provenance=st.builds(
        Provenance, st.lists(PLAIN, max_size=3).map(tuple), PLAIN, PLAIN, PLAIN,
        st.lists(st.builds(InputFile, PLAIN.filter(bool), st.integers(0, 9), st.just("ab")), max_size=3).map(tuple),
    ),
    parameters=st.dictionaries(st.text("ab_", min_size=1, max_size=3), NUMBERS | PLAIN | st.lists(NUMBERS), max_size=4),
    locked=st.booleans(),
    lock_reason=PLAIN,
)  # fmt: skip


@given(METADATA)
def test_usual_metadata_are_plain(metadata: Metadata) -> None:
    data = meta_toml.encode(metadata)
    infinite = any(part in data.decode() for part in (" inf", " -inf", "[inf", "[-inf"))
    values = tomllib.loads(data.decode())
    assert infinite or toml_plain.dumps(values) == data.decode() == tomlkit.dumps(values)
    assert meta_toml.decode(data, "meta.toml") == metadata


def test_what_is_not_plain_is_left_to_tomlkit() -> None:
    for value in ('"', "\\", "\n", "\x7f", "\u2028", float("inf"), {"a": {"b": 1}}, None, [{"a": 1}]):
        assert toml_plain.dumps({"x": value}) is None
    assert toml_plain.dumps({"a b": 1}) is None
    assert toml_plain.dumps({}) == ""
    assert toml_document.write({"parameters": {"d": {"x": 1}}}) == b"[parameters.d]\nx = 1\n"
