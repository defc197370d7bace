"""The benchmark itself: turns, checks, targets, and the pages that it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import arrays, document
from tests.bench.harness import Way, WrongResultError, difference, measure
from tests.bench.results import Measured, Row, Sheet, Table, Target, shown

ROWS = (Row("floor", (1.0, 2.0, 3.0)), Row("ours", (2.0, 4.0, 3.0)), Row("slow", (30.0, 40.0, 20.0)))
TABLE = Table(
    "write", "Some data", ROWS, "floor",
    (Target("ours", 1.5, "floor"), Target("ours", 20, "slow", faster=True), Target("ours", 2.5), Target("ours", 1, "absent")),
)  # fmt: skip


def test_ways_are_taken_in_turn_and_the_first_round_does_not_count() -> None:
    taken: list[str] = []
    ways = {
        name: Way(
            lambda name=name: taken.append(name), lambda _: True, lambda name=name: taken.append(f"before {name}")
        )
        for name in ("a", "b")
    }
    rows = measure(ways, 2)
    assert taken == ["before a", "a", "before b", "b"] * 2 + ["before b", "b", "before a", "a"]
    assert [(row.name, len(row.values)) for row in rows] == [("a", 2), ("b", 2)]


def test_a_result_that_is_wrong_once_stops_the_benchmark() -> None:
    results = iter([1, 1, 2, 1])
    with pytest.raises(WrongResultError, match="'counts'"):
        measure({"counts": Way(lambda: next(results), lambda found: found == 1)}, 3)


def test_targets_are_relative_or_absolute_and_need_their_rows() -> None:
    relative, faster, absolute, absent = TABLE.targets
    assert (relative.reached(ROWS), relative.met(ROWS)) == (1.5, True)
    assert (faster.reached(ROWS), faster.met(ROWS)) == (10, False)
    assert (absolute.reached(ROWS), absolute.met(ROWS)) == (3, False)
    assert (absent.reached(ROWS), absent.met(ROWS)) == (None, None)
    assert relative.wanted(ROWS) == "≤ 1.5 x floor"
    assert faster.outcome(ROWS) == "10 x, **not met**"
    assert absolute.wanted(ROWS) == "≤ 2.5 s"
    assert absent.outcome(ROWS) == "not measured"


def test_a_difference_is_taken_round_by_round() -> None:
    assert difference("more", list(ROWS), "slow", "ours") == Row("more", (28.0, 36.0, 17.0))


def test_a_table_shows_medians_spread_ratio_and_targets() -> None:
    lines = replace(TABLE, machine="A machine", missing=("dvc is not installed",)).lines()
    assert lines[0] == "Some data. A machine."
    assert lines[4] == "| floor | 2 s | 1 s .. 3 s | 1.00 |  |"
    assert lines[5].startswith("| ours | 3 s | 2 s .. 4 s | 1.50 | ≤ 1.5 x floor: 1.5 x, met<br>")
    assert lines[-1] == "Not measured here: dvc is not installed."


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5, "s", "2.5 s"),
        (0.0123, "s", "12.3 ms"),
        (4.56e-5, "s", "45.6 us"),
        (201_326_720, "B", "201 MB"),
        (12, "B", "12 B"),
    ],
)
def test_numbers_have_a_unit_that_fits(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    measured = Measured()
    sheet = Sheet("growth", "Sizes", ("kind", "size"), (("mask", "1 MB"),), "A machine")
    measured.add(TABLE)
    measured.add(sheet)
    measured.save(tmp_path / "kept.json")
    kept = Measured.load(tmp_path / "kept.json")
    assert kept.tables == {"write": TABLE}
    assert kept.sheets == {"growth": sheet}
    assert not list(Measured.load(tmp_path / "absent.json"))


def test_a_page_is_replaced_between_the_marks_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Before\n<!-- targets -->\nold\n<!-- /targets -->\nBetween\n<!-- write -->\nold\n<!-- /write -->\nAfter\n"
    )
    monkeypatch.setattr(document, "PAGES", (page,))
    measured = Measured()
    measured.add(TABLE)
    document.write(measured)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("Before\n<!-- targets -->\n1 of 4 are met.\n")
    assert "\n".join(TABLE.lines()) in text
    assert text.endswith("<!-- /write -->\nAfter\n")
    measured.add(replace(TABLE, name="other"))
    with pytest.raises(SystemExit, match="<!-- other -->"):
        document.write(measured)


def test_two_arrays_are_the_same_only_bit_for_bit() -> None:
    array = arrays.pedestals((2, 3), 1)
    assert arrays.same(array.copy(), array)
    assert not arrays.same(array.astype(np.float64), array)
    assert not arrays.same(array.reshape(3, 2), array)
    assert not arrays.same(np.nextafter(array, np.float32(np.inf)), array)
    assert not arrays.same(np.array([0.0], np.float32), np.array([-0.0], np.float32))
    assert not arrays.same(None, array)
