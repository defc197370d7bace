"""Documents taken apart into entries, and written again."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import toml_entries
from calibvcs.formats.toml.toml_entries import Leaf

TEXT = b'# Head\na = 1\nd = 2020-01-01\n\n[parameters]\nb = "x" # beside\n[parameters.c]\nd = [1, 2]\n[empty]\n'


def test_every_value_stands_under_the_keys_that_lead_to_it() -> None:
    entries = toml_entries.read(TEXT, "x.toml")
    assert {keys: leaf.value for keys, leaf in entries.items()} == {
        ("a",): 1, ("d",): "2020-01-01", ("parameters", "b"): "x", ("parameters", "c", "d"): [1, 2], ("empty",): {}
    }  # fmt: skip
    assert str(entries["parameters", "b"]) == "'x'"


def test_what_does_not_change_keeps_its_comments() -> None:
    entries = toml_entries.read(TEXT, "x.toml")
    assert toml_entries.write(entries, TEXT, "x.toml") == TEXT
    del entries["a",]
    entries["parameters", "e"] = Leaf(2.5)
    written = toml_entries.write(entries, TEXT, "x.toml")
    assert toml_entries.read(written, "x.toml") == entries
    assert b"# Head" in written
    assert b'b = "x" # beside' in written


def test_a_table_that_is_emptied_is_gone() -> None:
    written = toml_entries.write({("a",): Leaf(1)}, b"a = 1\n[parameters]\nb = 1\n", "x.toml")
    assert written.split() == [b"a", b"=", b"1"]


def test_values_are_equal_where_they_are_written_alike() -> None:
    assert Leaf([1, {"a": 2}]) == Leaf([1, {"a": 2}])
    assert Leaf(1) != Leaf(1.0)
    assert Leaf(1) != Leaf(True)
    assert Leaf(1) != 1


def test_a_value_where_another_one_has_a_table_is_told() -> None:
    toml_entries.check_together("x.toml", [("a", "b")], [("a", "c"), ("d",)])
    with pytest.raises(InvalidDocumentError, match=r"a\.b is a value and a table"):
        toml_entries.check_together("x.toml", [("a", "b")], [("a", "b", "c")])


def test_what_cannot_be_stored_is_told() -> None:
    with pytest.raises(InvalidDocumentError):
        toml_entries.write({("a",): Leaf(object())}, b"", "x.toml")
    with pytest.raises(InvalidDocumentError):
        toml_entries.write({("a",): Leaf("")}, b"", "x.toml")
