"""What is different between a commit, the index and the files of a worktree; no lock is taken, nothing is written.

A file of which ``stat`` tells what the index says is not opened.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dulwich.index import IndexEntry

from calibvcs.store.durable import TEMPORARY as WHOLE_TEMPORARY
from calibvcs.store.objects.file_content import SOMETHING_ELSE, content_id
from calibvcs.store.protocol import FILE_MODE, TreeEntry
from calibvcs.store.worktrees.files import TEMPORARY
from calibvcs.store.worktrees.index_file import (
    EXECUTABLE_MODE,
    assumed_unchanged,
    blob_of,
    file_mode,
    read_index,
    seen_entry,
    skipped,
    staged_of,
    unchanged,
)
from calibvcs.store.worktrees.staged_changes import staged_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from calibvcs.store.objects.trees import TreeReader
    from calibvcs.store.worktrees.index_file import Entry, IndexFile

UNREAD = "not read"
"""In place of an id: the content differs from what the index says, and nobody had to read it to know."""

_GIT = ".git"
_NOT_WHOLE = (TEMPORARY, WHOLE_TEMPORARY)
_SECOND = 1_000_000_000
_CERTAIN = 2 * _SECOND


class LookedAt(NamedTuple):
    """One path that is not the same in commit, index and worktree, or no plain file.

    Attributes
    ----------
    path : str
        Path in the worktree, parts separated by ``/``; a folder that was not looked into ends in ``/``.
    committed, staged : TreeEntry or None
        What commit and index have there.
    content : str or None
        Id of what the file holds, `UNREAD` or `SOMETHING_ELSE`; None where there is no file.
    found : stat_result or None
        What ``stat`` told of it.
    trouble : str
        Why it can be in no commit: what it is instead of a plain file; empty for a plain one.
    """

    path: str
    committed: TreeEntry | None
    staged: TreeEntry | None
    content: str | None
    found: os.stat_result | None = None
    trouble: str = ""

    @property
    def is_staged(self) -> bool:
        """Whether the index differs from the commit."""
        return self.staged != self.committed

    @property
    def is_edited(self) -> bool:
        """Whether the file differs from the index."""
        return self.content != (self.staged.id if self.staged else None) or bool(self.trouble)


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes
    ----------
    files : tuple of LookedAt
        What is not the same everywhere, sorted by path.
    unmerged : tuple of str
        Paths that a merge of C Git left in conflict.
    looked : int
        When, nanoseconds.
    clean : mapping of bytes to IndexEntry
        Entries of files that had to be read to know that they are clean.
    """

    files: tuple[LookedAt, ...]
    unmerged: tuple[str, ...]
    looked: int
    clean: Mapping[bytes, IndexEntry] = field(default_factory=dict)


def look(
    root: Path,
    index: Path,
    read: TreeReader,
    tree: str | None,
    enter: Callable[[str], bool],
    *,
    modes: bool = True,
) -> Look:
    """Compare commit, index and worktree.

    Parameters
    ----------
    root : Path
        The worktree.
    index : Path
        The index file.
    read : callable
        Returns the names in a tree by its id.
    tree : str or None
        Tree of the commit.
    enter : callable
        Tells of a folder in which the index has nothing whether its files are to be listed one by one.
    modes : bool, optional
        Whether the mode of a file tells something (``core.fileMode``).

    Returns
    -------
    Look
        What is different.

    Raises
    ------
    DamagedRepositoryError
        If the index cannot be read.
    DamagedObjectError
        If a tree is missing or damaged.
    """
    return _Looking(root, read_index(index, root), modes=modes).compare(read, tree, enter)


class _Looking:
    def __init__(self, root: Path, index: IndexFile, *, modes: bool) -> None:
        self._root, self._index, self._modes = root, index, modes
        self._looked = time.time_ns()
        self._clean: dict[bytes, IndexEntry] = {}

    def compare(self, read: TreeReader, tree: str | None, enter: Callable[[str], bool]) -> Look:
        entries = {os.fsdecode(path): entry for path, entry in self._index.entries.items()}
        unmerged = {path for path, entry in entries.items() if blob_of(entry) is None}
        on_disk: dict[str, os.stat_result] = {}
        _add_files(str(self._root), _folders_of(entries), enter, "", on_disk)
        committed = dict(staged_changes(read, tree, entries))
        changed = []
        for path in sorted({*entries, *on_disk, *committed} - unmerged):
            entry = entries.get(path)
            staged = staged_of(entry)
            before = committed.get(path) if path in committed else staged
            content, trouble = self._content(path, entry, before, on_disk.get(path))
            one = LookedAt(path, before, staged, content, on_disk.get(path), trouble)
            if one.is_staged or one.is_edited:
                changed.append(one)
        settled = divmod(self._looked - _CERTAIN, _SECOND)
        clean = {path: entry for path, entry in self._clean.items() if entry.mtime < settled}  # type: ignore[operator]
        return Look(tuple(changed), tuple(sorted(unmerged)), self._looked, clean)

    def _content(
        self, path: str, entry: Entry, before: TreeEntry | None, found: os.stat_result | None
    ) -> tuple[str | None, str]:
        """Return what a file holds, and why it can be in no commit."""
        known = blob_of(entry)
        if found is None:
            return (known if skipped(entry) else None), ""
        if not stat.S_ISREG(found.st_mode):
            return SOMETHING_ELSE, _kind(found.st_mode)
        if assumed_unchanged(entry):
            return known, ""
        content = self._read(path, entry, before, found)
        mode = file_mode(found) if self._modes else FILE_MODE
        kept = isinstance(entry, IndexEntry) and entry.mode == mode and content == known
        return content, "it is executable" if mode == EXECUTABLE_MODE and not kept else ""

    def _read(self, path: str, entry: Entry, before: TreeEntry | None, found: os.stat_result) -> str:
        if not isinstance(entry, IndexEntry):
            return content_id(self._root / path) if before else UNREAD
        if unchanged(entry, found) and not self._index.racy(entry):
            return entry.sha.decode()
        staged = staged_of(entry)
        if entry.size and found.st_size != entry.size and staged == before:
            return UNREAD
        content = content_id(self._root / path)
        if content == blob_of(entry):
            self._clean[os.fsencode(path)] = seen_entry(found, content)
        return content


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "it is a symbolic link"
    return "it is a folder of others" if stat.S_ISDIR(mode) else "it is no plain file"


def _folders_of(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _add_files(
    root: str, tracked: Collection[str], enter: Callable[[str], bool], prefix: str, found: dict[str, os.stat_result]
) -> None:
    """Collect what stands in a folder; one that is not to be looked into has a ``/`` at its end."""
    try:
        with os.scandir(f"{root}/{prefix}") as names:
            entries = list(names)
    except OSError:  # it went away, or may not be read: what is in it is missing
        return
    if prefix and any(entry.name == _GIT for entry in entries):
        found[prefix] = os.lstat(f"{root}/{prefix}")
        return
    for entry in entries:
        path = prefix + entry.name
        if path == _GIT:  # a folder, or the file of a linked worktree
            continue
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(seen.st_mode):
            if not entry.name.startswith(_NOT_WHOLE):
                found[path] = seen
        elif path in tracked or enter(path):
            _add_files(root, tracked, enter, f"{path}/", found)
        elif any(files for _, _, files in os.walk(entry.path)):  # Git sees no empty folders
            found[f"{path}/"] = seen
