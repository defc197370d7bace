"""The pages that show what was measured: every table stands between two marks of its name, and is replaced there."""

from __future__ import annotations

from pathlib import Path

from tests.bench.results import Measured, Table

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "benchmarks.md", DOCS / "growth.md")
SUMMARY = "targets"


def write(measured: Measured) -> None:
    """Write every table, and the summary of all targets, into the pages.

    Raises
    ------
    SystemExit
        If no page has the marks of a table.
    """
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    results = [(result.name, result.lines()) for result in measured]
    for name, lines in [*results, (SUMMARY, summary(list(measured.tables.values())))]:
        page = next((page for page, text in texts.items() if _marks(name)[0] in text and _marks(name)[1] in text), None)
        if page is None:
            raise SystemExit(f"no page has the marks {' ... '.join(_marks(name))}")
        texts[page] = replaced(texts[page], name, lines)
    for page, text in texts.items():
        page.write_text(text, encoding="utf-8")


def replaced(text: str, name: str, lines: list[str]) -> str:
    """Return a text with other lines between two marks."""
    begin, end = _marks(name)
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{tail}"


def summary(tables: list[Table]) -> list[str]:
    """Return the lines of the table of all targets."""
    lines = ["| table | what | target | measured |", "|---|---|---|---|"]
    for table in tables:
        lines += [
            f"| {table.name} | {target.row.removeprefix('calibvcs: ')} | {target.wanted(table.rows)} "
            f"| {target.outcome(table.rows)} |"
            for target in table.targets
        ]
    met = [target.met(table.rows) for table in tables for target in table.targets]
    return [f"{sum(m is True for m in met)} of {len(met)} are met.", "", *lines]


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"
