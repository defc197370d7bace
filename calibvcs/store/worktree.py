"""The worktree and the index of a clone: they follow the branch, and never cost anybody an edit.

A commit is made without the worktree; afterwards the files it changed are brought up to date. What is to be brought up
to date is announced before the branch moves, so that the next writer finishes the work of one that was killed.
"""

from __future__ import annotations

import io
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dulwich.errors import ChecksumMismatch
from dulwich.index import (
    IndexChecksumWriter,
    IndexEntry,
    index_entry_from_stat,
    read_index_dict_with_version,
    write_index_dict,
)

from calibvcs.errors import DamagedRepositoryError, DirtyWorktreeError
from calibvcs.store.durable import disk_errors, make_folders, write_file
from calibvcs.store.objects import object_id
from calibvcs.store.protocol import FILE_MODE
from calibvcs.store.refs import LockFile
from calibvcs.store.trees import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dulwich.index import ConflictedIndexEntry
    from dulwich.repo import Repo

    from calibvcs.store.protocol import ReadableStore, TreeEntry

_PENDING = "calibvcs/pending"
Entries: TypeAlias = "dict[bytes, IndexEntry | ConflictedIndexEntry]"


class Worktree:
    """The checked-out files of a repository.

    Parameters
    ----------
    repo : dulwich.repo.Repo
        The repository.
    store : ReadableStore
        Its objects.
    """

    def __init__(self, repo: Repo, store: ReadableStore) -> None:
        self._root = Path(repo.path)
        self._folder = Path(repo.controldir())
        self._index = Path(repo.index_path())
        self._store = store
        self._index_written = 0

    def check_clean(self, paths: Iterable[str]) -> None:
        """Make sure that no edit made by hand stands where a change is going to be made.

        Raises
        ------
        DirtyWorktreeError
            If a file differs from the index, or the index from the branch.
        """
        entries = self._read_index()
        dirty = []
        for path in paths:
            committed = self._committed(path)
            indexed = _blob(entries.get(path.encode()))
            if indexed != (committed.id if committed else None) or self._edited(path, entries.get(path.encode())):
                dirty.append(path)
        if dirty:
            raise DirtyWorktreeError(tuple(sorted(dirty)))

    def announce(self, paths: Iterable[str]) -> Path:
        """Write down which files will have to follow the branch; the caller removes the note when they did."""
        folder = self._folder / _PENDING
        with disk_errors(folder):
            make_folders(folder)
            note = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
            write_file(note, [json.dumps(sorted(paths)).encode()])
        return note

    def follow(self, paths: Iterable[str]) -> None:
        """Bring files and index to the state of the branch; a file that was edited meanwhile is left alone."""
        with disk_errors(self._index), LockFile(self._index) as lock:
            entries = self._read_index()
            for path in paths:
                self._follow(path, entries)
            lock.commit(_encode_index(entries))

    def recover(self) -> int:
        """Finish what writers that were killed left undone.

        Returns
        -------
        int
            Number of such writers.
        """
        folder = self._folder / _PENDING
        notes = [note for note in folder.glob("*.json") if not _alive(note)] if folder.is_dir() else []
        for note in notes:
            with suppress(FileNotFoundError, ValueError):
                self.follow(json.loads(note.read_text(encoding="utf-8")))
            note.unlink(missing_ok=True)
        return len(notes)

    def _follow(self, path: str, entries: Entries) -> None:
        key, file, target = path.encode(), self._root / path, self._committed(path)
        edited = self._edited(path, entries.get(key)) and self._hash(file) != (target.id if target else None)
        if target is None:
            entries.pop(key, None)
            if not edited:
                self._remove(file)
            return
        if not edited and self._hash(file) != target.id:
            make_folders(file.parent)
            write_file(file, [self._store.blob(target.id)])
        # An entry of size and time 0 makes Git look at the file itself, and call it modified.
        stat = os.stat_result((FILE_MODE, *[0] * 9)) if edited else file.stat()
        entries[key] = index_entry_from_stat(stat, target.id.encode(), FILE_MODE)

    def _committed(self, path: str) -> TreeEntry | None:
        tip = self._store.tip()
        return find(self._store.tree, self._store.commit(tip).tree, path) if tip else None

    def _edited(self, path: str, entry: IndexEntry | ConflictedIndexEntry | None) -> bool:
        """Tell whether a file has content that the index does not know; a deleted file has none."""
        file = self._root / path
        if not file.exists():
            return False
        if not isinstance(entry, IndexEntry):
            return True
        stat = file.stat()
        mtime = entry.mtime if isinstance(entry.mtime, tuple) else (int(entry.mtime), 0)
        same = entry.size == stat.st_size & 0xFFFFFFFF and mtime == divmod(stat.st_mtime_ns, 1_000_000_000)
        if same and stat.st_mtime_ns < self._index_written:  # as in Git: a file as new as the index may still differ
            return False
        return self._hash(file) != entry.sha.decode()

    def _hash(self, file: Path) -> str | None:
        try:
            return object_id("blob", [file.read_bytes()])
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self._root:
                break
            with suppress(OSError):
                folder.rmdir()

    def _read_index(self) -> Entries:
        try:
            self._index_written = self._index.stat().st_mtime_ns
            data = self._index.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return read_index_dict_with_version(io.BytesIO(data))[0]
        except (AssertionError, ChecksumMismatch, ValueError) as error:
            raise DamagedRepositoryError(str(self._index), f"the index cannot be read: {error}") from None


def _blob(entry: IndexEntry | ConflictedIndexEntry | None) -> str | None:
    return entry.sha.decode() if isinstance(entry, IndexEntry) else None


def _encode_index(entries: Entries) -> bytes:
    """Return the bytes of an index without extensions: the tree cache in one would be out of date."""
    buffer = io.BytesIO()
    writer = IndexChecksumWriter(buffer)
    write_index_dict(writer, entries)
    writer.write_checksum()
    return buffer.getvalue()


def _alive(note: Path) -> bool:
    try:
        os.kill(int(note.name.partition("-")[0]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
