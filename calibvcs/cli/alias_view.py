"""How alias tables that come in or go out look as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.alias_tables import AliasesTaken, AliasText


def taken(result: AliasesTaken) -> Iterator[str]:
    """Show what an import took over."""
    yield from (f"added {row}" for row in result.added)
    yield from (f"passed over {told}" for told in result.passed_over)
    commit = f" (commit {result.commit[:10]})" if result.commit else ""
    yield f"{len(result.added)} new, {result.known} here already, {len(result.passed_over)} passed over{commit}"


def table(result: AliasText) -> Iterator[str]:
    """Show a table as it stands in a file."""
    yield from result.text.splitlines()
