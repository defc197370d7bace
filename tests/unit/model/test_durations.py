"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidOptionError
from calibvcs.model.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("2w", 1209600), ("36h", 129600), ("90m", 5400), ("1 d", 86400), ("0s", 0), ("10S", 10)]
)
def test_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text, "--grace") == seconds


@pytest.mark.parametrize("text", ["", "2", "w", "2 weeks", "-1d", "1.5h", "now", "99999999999s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        parse_duration(text, "--grace")
    assert "--grace" in str(caught.value)


def test_it_may_be_too_short() -> None:
    assert parse_duration("1h", "--grace", 3600) == 3600
    with pytest.raises(InvalidOptionError, match="at least 1 h"):
        parse_duration("59m", "--grace", 3600)
