"""Tables of expectations: read line by line, and held against rules."""

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.formats import access_table
from calibvcs.formats.access_table import Expectation
from calibvcs.model.access import Access, Verb
from calibvcs.ops import access as operation

TABLE = b"""
# who    verb   path       branch  answer
ada      write  opal1000/x main    allow   # an expert
guest    write  opal1000/x main    deny
guest    tag    -          main    allow
"""


def test_a_table_is_read() -> None:
    first, second, third = access_table.decode(TABLE, "table")
    assert first == Expectation(3, "ada", Verb.WRITE, "opal1000/x", "main", True)
    assert (second.allowed, third.path) == (False, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it expects nothing"), (b"# only\n\n", "it expects nothing"), (b"\xff", "not UTF-8"),
        (b"\nada write x main", "line 2: it has 4 columns"), (b"ada rite x main allow", "line 1: 'rite' is no verb"),
        (b"ada write x main yes", "'yes' is neither allow nor deny"), (b"@x write x main deny", "line 1: '@x' is not a name of a user"),
        (b"#" * (4 << 20) + b"##", "at most 4194304 are read"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_told(text: bytes, reason: str) -> None:
    with pytest.raises(InvalidDataError, match=reason):
        access_table.decode(text, "table")


def test_answers_that_are_not_expected_are_told() -> None:
    access = Access({"experts": ("ada",), "admins": ()})
    result = operation.test(access, access_table.decode(TABLE, "table"))
    assert (result.expectations, result.passed) == (3, False)
    (failure,) = result.failures
    assert failure.startswith("line 5: expected is allow; no rule lets guest tag the whole repository")
