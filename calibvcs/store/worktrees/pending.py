"""Notes of what has to follow a branch: who finds one with the index in hand finishes what its writer left undone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypeAlias

from calibvcs.store.durable import make_folders, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Accepted: TypeAlias = "Mapping[str, tuple[str | None, ...]]"
"""By path, the contents that may make room for that of the branch; None is no file."""


class PendingChanges:
    """The notes in a folder.

    Parameters
    ----------
    folder : Path
        Where they are; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def announce(self, accepted: Accepted) -> Path:
        """Write down, durably, which files are going to change, and return the note."""
        make_folders(self._folder)
        note = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.json"
        said = {path: one[0] if len(one) == 1 else one for path, one in accepted.items()}
        write_file(note, [json.dumps(said, sort_keys=True).encode()])
        return note

    def notes(self) -> list[Path]:
        """Return all notes, whole or not; to whoever holds the index, those of others are of the dead."""
        return sorted(self._folder.iterdir()) if self._folder.is_dir() else []


def read_note(note: Path) -> Accepted:
    """Return what a note says; nothing where it is half a note, which is one of a change that was not made."""
    try:
        said = dict(json.loads(note.read_bytes()).items())
    except (FileNotFoundError, ValueError, AttributeError):
        return {}
    return {path: tuple(one) if isinstance(one, list) else (one,) for path, one in said.items()}
