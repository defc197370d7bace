"""Single files of a worktree: what they hold, and how they are brought to what a commit has."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dulwich.index import IndexEntry
from dulwich.objects import ObjectID

from calibvcs.errors import AlreadyExistsError
from calibvcs.store.durable import make_folders, write_file
from calibvcs.store.objects.file_content import SOMETHING_ELSE, content_id
from calibvcs.store.protocol import FILE_MODE
from calibvcs.store.worktrees.index_file import (
    EXECUTABLE_MODE,
    IndexFile,
    blob_of,
    file_mode,
    read_index,
    seen_entry,
    skipped,
    unchanged,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from calibvcs.store.protocol import ReadableStore
    from calibvcs.store.snapshot import Snapshot
    from calibvcs.store.worktrees.index_file import Entries, Entry

TEMPORARY = ".calibvcs-worktree-"
"""How the name of a file of the worktree begins that is not whole yet."""

_BLOCK = 1 << 20
_CERTAIN = 2_000_000_000
"""Nanoseconds after which a file that looks unchanged is so: some clocks tick in seconds."""


class Taken(NamedTuple):
    """A file edited by hand, as it was when it was read for a commit.

    Attributes
    ----------
    content : str or None
        Id of its content; None where there was no file.
    found : stat_result or None
        What ``stat`` told of it before it was read.
    looked : int
        When that was, nanoseconds.
    """

    content: str | None = None
    found: os.stat_result | None = None
    looked: int = 0

    def still(self, found: os.stat_result) -> bool:
        """Tell whether a file is certain to be the same as then, without being read."""
        then = self.found
        if then is None or max(then.st_mtime_ns, then.st_ctime_ns) > self.looked - _CERTAIN:
            return False
        return same_file(then, found)


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Tell whether ``stat`` tells the same of two files, as far as it shows that one of them was written."""
    return all(
        getattr(one, name) == getattr(other, name) for name in ("st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
    )


class WorktreeFiles:
    """The files of a worktree, one by one; whoever changes them holds the index.

    Parameters
    ----------
    root : Path
        Where they are.
    store : ReadableStore
        What they are to hold.
    modes : bool
        Whether the mode of a file tells something (``core.fileMode``).

    Attributes
    ----------
    taken : mapping of str to Taken
        Files that were read for a commit, by path.
    """

    def __init__(self, root: Path, store: ReadableStore, *, modes: bool) -> None:
        self._root, self._store, self._modes = root, store, modes
        self._index = IndexFile({}, 0)
        self.taken: Mapping[str, Taken] = {}

    def read_index(self, path: Path) -> Entries:
        """Return the entries of the index. Raises as `calibvcs.store.worktrees.index_file.read_index`."""
        self._index = read_index(path, self._root)
        entries = self._index.entries
        for key, entry in entries.items():  # in a newer index, what is racy would no longer look so
            if isinstance(entry, IndexEntry) and self._index.racy(entry):
                content = content_id(self._root / os.fsdecode(key))
                entries[key] = entry if content == blob_of(entry) else replace(entry, mtime=(0, 0))
        return entries

    def content(self, path: str, entry: Entry) -> str | None:
        """Return the id of what a file holds; None where there is no file."""
        try:
            found = (self._root / path).lstat()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            return SOMETHING_ELSE
        if not stat.S_ISREG(found.st_mode):
            return SOMETHING_ELSE
        if isinstance(entry, IndexEntry) and unchanged(entry, found) and not self._index.racy(entry):
            return blob_of(entry)
        taken = self.taken.get(path)
        return taken.content if taken and taken.still(found) else content_id(self._root / path)

    def write(self, file: Path, blob: str, mode: int = 0o666) -> None:
        """Put a blob in the place of a file, by rename: a program that has the old one mapped keeps it."""
        write_file(file, self._store.blob_blocks(blob, 0, _BLOCK), mode=mode, prefix=TEMPORARY)

    def remove(self, file: Path) -> None:
        """Take a file away, and the folders that are empty without it."""
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self._root:
                break
            with suppress(OSError):
                folder.rmdir()

    def restore(self, path: str, now: Snapshot, entries: Entries) -> bool:
        """Bring a file and its entry to what a commit has; tell whether they were not there already.

        A file that the commit does not have stays, and leaves the index.

        Raises
        ------
        AlreadyExistsError
            If something that is no plain file stands in the way.
        """
        key, file, wanted, entry = path.encode(), self._root / path, now.entry(path), entries.get(path.encode())
        if wanted is None or wanted.mode not in {FILE_MODE, EXECUTABLE_MODE}:
            return wanted is None and entries.pop(key, None) is not None
        staged, content = blob_of(entry), self.content(path, entry)
        if content is None and isinstance(entry, IndexEntry) and skipped(entry):
            entries[key] = replace(entry, sha=ObjectID(wanted.id.encode()))
            return staged != wanted.id
        right = content == wanted.id and (not self._modes or file_mode(file.lstat()) == wanted.mode)
        if not right:
            self._check_way(path)
            make_folders(file.parent)
            self.write(file, wanted.id, 0o777 if wanted.mode == EXECUTABLE_MODE else 0o666)
        entries[key] = seen_entry(file.stat(), wanted.id, wanted.mode)
        return not right or staged != wanted.id

    def _check_way(self, path: str) -> None:
        """Refuse to write where a file stands for a folder, a folder for a file, or a link leads out of here."""
        advice = "move it away, then repeat"
        *folders, _ = path.split("/")
        place = self._root
        for folder in folders:
            place /= folder
            if place.is_symlink() or (place.exists() and not place.is_dir()):
                raise AlreadyExistsError("something else than a folder", str(place), advice)
        file = self._root / path
        if file.is_dir() and not file.is_symlink():
            raise AlreadyExistsError("a folder in the place of the file", str(file), advice)
