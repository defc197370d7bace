"""How a constant of an overlay looks as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.exchange.overlay import Overlaid


def overlaid(result: Overlaid) -> Iterator[str]:
    """Show which file of an overlay was chosen and why, in two lines."""
    form = f"{result.dtype} {'x'.join(map(str, result.shape))}".rstrip()
    where = f", written to {result.output}" if result.output else ""
    yield f"{result.detector}/{result.ctype}  {form}  overlay {result.path}{where}"
    files = "1 file" if result.considered == 1 else f"{result.considered} files"
    yield f"because: {result.reason} ({files} looked at for run {result.run})"
