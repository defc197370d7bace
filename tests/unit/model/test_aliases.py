"""Aliases: at one time a name means one detector."""

import pytest

from calibvcs.errors import OverlapError
from calibvcs.model.aliases import Alias, add_alias, resolve_alias
from calibvcs.model.names import DetectorName
from calibvcs.model.validity import Validity


def row(alias: str, detector: str, validity: str) -> Alias:
    return Alias(alias, DetectorName.parse(detector), Validity.parse(validity))


TABLE = (row("front", "epix100-1", "0-10"), row("front", "epix100-2", "20-end"), row("back", "epix100-2", "0-20"))


@pytest.mark.parametrize(
    ("alias", "time", "detector"),
    [
        ("front", 0, "epix100-1"),
        ("front", 9.99, "epix100-1"),
        ("front", 10, None),  # the gap
        ("front", 19.99, None),
        ("front", 20, "epix100-2"),
        ("front", 2**32 - 1, "epix100-2"),
        ("back", 19, "epix100-2"),
        ("back", 20, None),
        ("Front", 0, None),
        ("side", 0, None),
    ],
)
def test_an_alias_means_what_it_meant_at_that_time(alias: str, time: float, detector: str | None) -> None:
    meant = resolve_alias(TABLE, alias, time)
    assert (meant and str(meant)) == detector


@pytest.mark.parametrize("validity", ["10-20", "10-11", "15-20"])
def test_an_alias_may_fill_a_gap(validity: str) -> None:
    new = row("front", "epix100-3", validity)
    assert new in add_alias(TABLE, new)


@pytest.mark.parametrize("validity", ["0-end", "9-11", "19-21", "20-end", "0-1", "30-40", "5-6"])
def test_an_alias_that_has_a_meaning_already_is_refused(validity: str) -> None:
    with pytest.raises(OverlapError) as caught:
        add_alias(TABLE, row("front", "epix100-3", validity))
    assert f"epix100-3 ({validity})" in caught.value.problem
    assert "front -> epix100-" in caught.value.problem


def test_the_same_row_twice_is_refused() -> None:
    with pytest.raises(OverlapError):
        add_alias(TABLE, TABLE[0])


def test_a_detector_may_have_many_aliases() -> None:
    assert len(add_alias(TABLE, row("side", "epix100-2", "0-end"))) == 4


def test_rows_are_ordered_by_alias_and_begin() -> None:
    rows = add_alias(iter(TABLE), row("front", "epix100-3", "10-20"))
    assert [(r.alias, r.validity.begin) for r in rows] == [("back", 0), ("front", 0), ("front", 10), ("front", 20)]


def test_a_row_is_shown_with_its_time() -> None:
    assert str(TABLE[1]) == "front -> epix100-2 (20-end)"
