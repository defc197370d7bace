"""Documents with rows, cut and put together."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import toml_rows

TEXT = '# Head\na = 1\n\n# Above\n[[runs]] # beside\nrun = 1\n\n[[ runs ]]\nrun = 2\ntext = """\n[[runs]]"""\n# End\n'


def test_what_is_cut_is_put_together_as_it_was() -> None:
    head, rows = toml_rows.read(TEXT.encode(), "x.toml", "runs")
    assert head == b"# Head\na = 1"
    assert [row.values for row in rows] == [{"run": 1}, {"run": 2, "text": "[[runs]]"}]
    assert [row.text[:9] for row in rows] == ["# Above\n[", "[[ runs ]"]
    assert str(rows[0]) == "run = 1"
    assert toml_rows.write(head, rows).decode() == TEXT


@pytest.mark.parametrize("text", ["", "a = 1\n", "# Nothing\n"])
def test_a_document_without_rows_is_all_head(text: str) -> None:
    head, rows = toml_rows.read(text.encode(), "x.toml", "runs")
    assert (head.decode(), rows) == (text.strip(), ())
    assert toml_rows.write(head, rows).decode() == text


@pytest.mark.parametrize(
    "text", ["runs = [{run = 1}]", "[[runs]]\nrun = 1\n[a]\nb = 1\n", '[["runs"]]\nrun = 1\n', "runs = ", "[[runs]]\nrun = '''\n[[runs]]\n'''\n"]
)  # fmt: skip
def test_what_cannot_be_cut_is_told(text: str) -> None:
    with pytest.raises(InvalidDocumentError):
        toml_rows.read(text.encode(), "x.toml", "runs")


def test_rows_are_equal_where_they_say_the_same() -> None:
    def row(text: str) -> toml_rows.Row:
        (found,) = toml_rows.read(f"[[runs]]\n{text}".encode(), "x.toml", "runs")[1]
        return found

    assert row("a = 1\nb = 2") == row("# why\nb = 2\na = 1")
    assert row("a = 1") != row("a = 1.0")
    assert row("a = 1") != row("a = true")
    assert row("a = 1") != {"a": 1}
