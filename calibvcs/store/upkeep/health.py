"""Whether a Git folder is set up for arrays, and whether dead writers left locks behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from calibvcs.store.configuration import is_true, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OLD = 60.0
_NO_DELTA = "*.npy -delta"
# Without these, clones of a bare repository take ten times as long, or cannot be squeezed.
_HOSTING = (
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("transfer.unpackLimit", "1"),
    ("pack.compression", "0"),
)


def missing_settings(folder: Path) -> tuple[str, ...]:
    """Return the commands that bring the settings in which `initialise` would have left a Git folder."""
    attributes = folder / "info" / "attributes"
    text = attributes.read_text(encoding="utf-8", errors="replace") if attributes.is_file() else ""
    commands = [] if _NO_DELTA in text.splitlines() else [f"echo '{_NO_DELTA}' >> {attributes}"]
    try:
        config = settings(folder / "config")
    except (OSError, ValueError):  # it is told elsewhere
        return tuple(commands)
    if is_true(config.get("core.bare", "")):
        commands += [f"git -C {folder} config {name} {value}" for name, value in _HOSTING if name.lower() not in config]
    return tuple(commands)


def old_locks(folder: Path) -> Iterator[tuple[Path, float]]:
    """Yield the lock files that are older than a writer ever needs, each with its age in seconds."""
    for lock in [*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")]:
        try:
            age = time.time() - lock.stat().st_mtime
        except FileNotFoundError:
            continue
        if age > _OLD:
            yield lock, age
