"""Whether a Git folder is set up for arrays, and whether dead writers left locks behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OLD = 60.0
_NO_DELTA = "*.npy -delta"


def missing_settings(folder: Path) -> tuple[str, ...]:
    """Return the commands that bring the settings in which `initialise` would have left a Git folder."""
    attributes = folder / "info" / "attributes"
    text = attributes.read_text(encoding="utf-8", errors="replace") if attributes.is_file() else ""
    return () if _NO_DELTA in text.splitlines() else (f"echo '{_NO_DELTA}' >> {attributes}",)


def old_locks(folder: Path) -> Iterator[tuple[Path, float]]:
    """Yield the lock files that are older than a writer ever needs, each with its age in seconds."""
    for lock in [*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")]:
        try:
            age = time.time() - lock.stat().st_mtime
        except FileNotFoundError:
            continue
        if age > _OLD:
            yield lock, age
