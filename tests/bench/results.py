"""What was measured, and what was wanted: tables with a time or a size a row, and targets that are met or not."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Row:
    """One way to do a thing: seconds (or bytes) of every round."""

    name: str
    values: tuple[float, ...]
    unit: str = "s"

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Target:
    """What a row should reach: an absolute limit, or one relative to another row.

    Attributes
    ----------
    row : str
        The row that is judged.
    limit : float
        At most so many seconds or bytes; with `of`, at most so many times that row; with `of` and `faster`, that row
        takes at least so many times as long.
    of : str
        The other row.
    faster : bool
        As above.
    label : str
        Short name of the other row, for the text.
    """

    row: str
    limit: float
    of: str = ""
    faster: bool = False
    label: str = ""

    def reached(self, rows: Sequence[Row]) -> float | None:
        """Return what was reached, in the terms of the limit; None where a row was not measured."""
        medians = {row.name: row.median for row in rows}
        if self.row not in medians or (self.of and self.of not in medians):
            return None
        if not self.of:
            return medians[self.row]
        this, other = medians[self.row], medians[self.of]
        return other / this if self.faster else this / other

    def met(self, rows: Sequence[Row]) -> bool | None:
        """Tell whether it is met; None where a row was not measured."""
        reached = self.reached(rows)
        if reached is None:
            return None
        return reached >= self.limit if self.faster else reached <= self.limit

    def wanted(self, rows: Sequence[Row]) -> str:
        """Return what is wanted, as text."""
        if not self.of:
            return f"≤ {shown(self.limit, self._unit(rows))}"
        other = self.label or self.of
        return f"≥ {self.limit:.4g} x as fast as {other}" if self.faster else f"≤ {self.limit:.4g} x {other}"

    def outcome(self, rows: Sequence[Row]) -> str:
        """Return what was reached and whether that is enough, as text."""
        reached = self.reached(rows)
        if reached is None:
            return "not measured"
        number = f"{reached:.3g} x" if self.of else shown(reached, self._unit(rows))
        return f"{number}, {'met' if self.met(rows) else '**not met**'}"

    def _unit(self, rows: Sequence[Row]) -> str:
        return next((row.unit for row in rows if row.name == self.row), "s")


@dataclass(frozen=True)
class Table:
    """Ways to do one thing, taken in turn in one run.

    Attributes
    ----------
    name : str
        What the marks in the document are called.
    about : str
        What was measured on what data.
    rows : tuple of Row
        The ways.
    base : str
        The row that is 1.00 in the column of ratios; "" is no such column.
    targets : tuple of Target
        What some rows should reach.
    missing : tuple of str
        What could not be measured here, and why.
    machine : str
        Where it was measured, and when.
    """

    name: str
    about: str
    rows: tuple[Row, ...]
    base: str = ""
    targets: tuple[Target, ...] = ()
    missing: tuple[str, ...] = ()
    machine: str = ""

    def lines(self) -> list[str]:
        """Return the table in Markdown."""
        head = ["way", "median", "min .. max", *(["ratio"] if self.base else []), *(["target"] if self.targets else [])]
        lines = [f"{self.about}. {self.machine}.", "", _line(head), _line(["---"] * len(head))]
        base = next((row.median for row in self.rows if row.name == self.base), None)
        for row in self.rows:
            targets = [target for target in self.targets if target.row == row.name]
            cells = [
                f"**{row.name}**" if row.name.startswith("calibvcs") else row.name,
                shown(row.median, row.unit),
                f"{shown(min(row.values), row.unit)} .. {shown(max(row.values), row.unit)}"
                if len(row.values) > 1
                else "",
            ]
            if self.base:
                cells.append(f"{row.median / base:.2f}" if base else "")
            if self.targets:
                cells.append("<br>".join(f"{t.wanted(self.rows)}: {t.outcome(self.rows)}" for t in targets))
            lines.append(_line(cells))
        if self.missing:
            lines += ["", "Not measured here: " + "; ".join(self.missing) + "."]
        return lines


@dataclass(frozen=True)
class Sheet:
    """A table that is no comparison of ways: a head, and cells of text."""

    name: str
    about: str
    head: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    machine: str = ""

    def lines(self) -> list[str]:
        """Return the table in Markdown."""
        head = [f"{self.about}. {self.machine}.", "", _line(self.head), _line(["---"] * len(self.head))]
        return [*head, *map(_line, self.cells)]


@dataclass
class Measured:
    """Everything that was measured last, kept between runs, so that one section can be measured anew."""

    tables: dict[str, Table] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = MEASURED) -> Measured:
        """Read what was kept; nothing where there is no file."""
        if not path.exists():
            return cls()
        kept = json.loads(path.read_text(encoding="utf-8"))
        tables = [
            Table(
                **{
                    **table,
                    "rows": tuple(Row(row["name"], tuple(row["values"]), row["unit"]) for row in table["rows"]),
                    "targets": tuple(Target(**target) for target in table["targets"]),
                    "missing": tuple(table["missing"]),
                }
            )
            for table in kept["tables"]
        ]
        sheets = [
            Sheet(**{**s, "head": tuple(s["head"]), "cells": tuple(map(tuple, s["cells"]))}) for s in kept["sheets"]
        ]
        return cls({table.name: table for table in tables}, {sheet.name: sheet for sheet in sheets})

    def save(self, path: Path = MEASURED) -> None:
        """Keep it."""
        kept = {
            "tables": [asdict(_rounded(self.tables[name])) for name in sorted(self.tables)],
            "sheets": [asdict(self.sheets[name]) for name in sorted(self.sheets)],
        }
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def add(self, result: Table | Sheet) -> None:
        """Put a result in, in the place of the one of that name."""
        if isinstance(result, Table):
            self.tables[result.name] = result
        else:
            self.sheets[result.name] = result

    def __iter__(self) -> Iterator[Table | Sheet]:
        yield from self.tables.values()
        yield from self.sheets.values()


def _rounded(table: Table) -> Table:
    rows = (Row(row.name, tuple(float(f"{v:.4g}") for v in row.values), row.unit) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def shown(value: float, unit: str) -> str:
    """Return a number with its unit, for people."""
    if unit == "B":
        for factor, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
            if abs(value) >= factor:
                return f"{value / factor:.3g} {name}" if abs(value) < 999.5 * factor else f"{value / factor:.0f} {name}"
        return f"{value:.0f} B"
    if value >= 1:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if abs(value) >= 1e-3 else f"{value * 1e6:.3g} us"
