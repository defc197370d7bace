"""The worktree and the index of a clone: they follow the branch, and never cost anybody an edit.

The index is held, by Git's own lock file, from before the branch moves until the files stand in their new state, so
that nobody, C Git neither, sees one without the other. What is to be brought up to date is written down before the
branch moves: the next writer finishes the work of one that was killed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from dulwich.index import (
    EXTENDED_FLAG_SKIP_WORKTREE,
    IndexChecksumWriter,
    IndexEntry,
    UnsupportedIndexFormat,
    index_entry_from_stat,
    read_index_dict_with_version,
    write_index_dict,
)
from dulwich.objects import ObjectID

from calibvcs.errors import BranchMovedError, CalibvcsError, DamagedRepositoryError, DirtyWorktreeError
from calibvcs.store.durable import disk_errors, make_folders, write_file
from calibvcs.store.objects import object_id
from calibvcs.store.protocol import FILE_MODE
from calibvcs.store.refs import LockFile
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dulwich.index import ConflictedIndexEntry

    from calibvcs.store.protocol import ReadableStore

_PENDING = "calibvcs/pending"
_TEMPORARY = ".calibvcs-worktree-"
_CHECKSUM = 20
_SOMETHING_ELSE = "something else"
Entries: TypeAlias = "dict[bytes, IndexEntry | ConflictedIndexEntry]"


class Worktree:
    """The checked-out files of a repository.

    Parameters
    ----------
    root : Path
        Where the files are.
    control : Path
        The Git folder of this worktree, where its index is.
    store : ReadableStore
        Its objects.
    """

    def __init__(self, root: Path, control: Path, store: ReadableStore) -> None:
        self._root = root
        self._folder = control / _PENDING
        self._index = control / "index"
        self._store = store
        self._index_written = 0

    @contextmanager
    def following(self, parent: str | None, paths: Iterable[str]) -> Iterator[None]:
        """Hold the index while the caller moves the branch, then bring index and files after it.

        Parameters
        ----------
        parent : str or None
            Commit that the branch stands on.
        paths : iterable of str
            The files that will change.

        Yields
        ------
        None
            The branch is to be moved now.

        Raises
        ------
        WriterBusyError
            If another program holds the index; the branch was not moved.
        BranchMovedError
            If the branch does not stand on the parent; it was not moved.
        DirtyWorktreeError
            If a file differs from the index, or the index from the branch; it was not moved.
        DamagedRepositoryError
            If the index cannot be read, and the branch was not moved; or if it was, but the files cannot follow.
        """
        with disk_errors(self._index), LockFile(self._index) as lock:
            entries, left = self._read_index(), self._notes()
            self._finish(left, entries)
            if self._store.tip() != parent:
                raise BranchMovedError(self._store.branch)
            then = Snapshot(self._store, parent)
            before = {path: then.blob_id(path) for path in paths}
            self._check_clean(before, entries)
            note = self._announce(before)
            try:
                yield
            except BranchMovedError:
                note.unlink(missing_ok=True)
                raise
            try:
                self._follow(before, entries)
                lock.commit(_encode_index(entries))
            except (CalibvcsError, OSError) as error:
                why = getattr(error, "strerror", "") or getattr(error, "reason", "") or "the index was taken away"
                reason = f"committed as {self._store.tip()}, but the files could not follow ({why}); the next change"
                raise DamagedRepositoryError(str(self._root), f"{reason} brings them up to date") from error
            for done in (*left, note):
                done.unlink(missing_ok=True)

    def recover(self) -> int:
        """Finish what writers that were killed left undone.

        Returns
        -------
        int
            Number of such writers.
        """
        if not self._notes():
            return 0
        with disk_errors(self._index), LockFile(self._index) as lock:
            entries, left = self._read_index(), self._notes()
            self._finish(left, entries)
            lock.commit(_encode_index(entries))
            for note in left:
                note.unlink(missing_ok=True)
        return len(left)

    # --- notes of what has to follow --------------------------------------------------------------------------

    def _announce(self, before: Mapping[str, str | None]) -> Path:
        make_folders(self._folder)
        note = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.json"
        write_file(note, [json.dumps(before, sort_keys=True).encode()])
        return note

    def _notes(self) -> list[Path]:
        """Return the notes of others, whole or not: whoever holds the index knows that they are dead."""
        return sorted(self._folder.iterdir()) if self._folder.is_dir() else []

    def _finish(self, notes: Iterable[Path], entries: Entries) -> None:
        for note in notes:
            try:
                before = dict(json.loads(note.read_bytes()).items())
            except (FileNotFoundError, ValueError, AttributeError):  # half a note is one of a change not made
                continue
            for folder in {(self._root / path).parent for path in before}:
                for half in folder.glob(f"{_TEMPORARY}*"):
                    half.unlink(missing_ok=True)
            self._follow(before, entries)

    # --- files ------------------------------------------------------------------------------------------------

    def _check_clean(self, before: Mapping[str, str | None], entries: Entries) -> None:
        dirty = []
        for path, committed in before.items():
            entry = entries.get(path.encode())
            if _blob(entry) != committed or self._content(path, entry) not in {committed, None}:
                dirty.append(path)
        if dirty:
            raise DirtyWorktreeError(tuple(sorted(dirty)))

    def _follow(self, before: Mapping[str, str | None], entries: Entries) -> None:
        """Bring files to the state of the branch; what somebody edited or staged meanwhile is left alone."""
        now = Snapshot(self._store, self._store.tip())
        for path, old in before.items():
            key, file, target = path.encode(), self._root / path, now.blob_id(path)
            entry = entries.get(key)
            if _blob(entry) not in {old, target}:
                continue
            content = self._content(path, entry)
            edited = content not in {old, target, None}
            if target is None:
                entries.pop(key, None)
                if not edited:
                    self._remove(file)
            elif content is None and isinstance(entry, IndexEntry) and _skipped(entry):
                entries[key] = replace(entry, sha=ObjectID(target.encode()))  # a sparse worktree stays one
            else:
                if content != target and not edited:
                    make_folders(file.parent)
                    write_file(file, [self._store.blob(target)], prefix=_TEMPORARY)
                blob = ObjectID(target.encode())
                entries[key] = _unseen(blob) if edited else index_entry_from_stat(file.stat(), blob, FILE_MODE)

    def _content(self, path: str, entry: IndexEntry | ConflictedIndexEntry | None) -> str | None:
        """Return the id of what a file holds; None where there is no file."""
        try:
            stat = (self._root / path).stat()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            return _SOMETHING_ELSE
        if isinstance(entry, IndexEntry):
            known = index_entry_from_stat(stat, entry.sha, entry.mode, entry.flags, entry.extended_flags)
            if _seen(known) == _seen(entry) and not self._racy(entry):
                return _blob(entry)
        return self._hash(self._root / path)

    def _racy(self, entry: IndexEntry) -> bool:
        """Tell whether a file may have changed after its entry was made, in the same tick of the clock."""
        return entry.mtime >= divmod(self._index_written, 1_000_000_000)  # type: ignore[operator]

    def _hash(self, file: Path) -> str:
        try:
            return object_id("blob", [file.read_bytes()])
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return _SOMETHING_ELSE

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self._root:
                break
            with suppress(OSError):
                folder.rmdir()

    # --- the index --------------------------------------------------------------------------------------------

    def _read_index(self) -> Entries:
        try:
            self._index_written = self._index.stat().st_mtime_ns
            data = self._index.read_bytes()
        except FileNotFoundError:
            return {}
        if hashlib.sha1(data[:-_CHECKSUM], usedforsecurity=False).digest() != data[-_CHECKSUM:] != bytes(_CHECKSUM):
            raise DamagedRepositoryError(str(self._root), "the index is damaged: its checksum is wrong")
        stream = io.BytesIO(data)
        try:
            entries = read_index_dict_with_version(stream)[0]
        except (AssertionError, UnsupportedIndexFormat, ValueError) as error:
            raise DamagedRepositoryError(str(self._root), f"the index cannot be read: {error}") from None
        if len(data) - stream.tell() > _CHECKSUM:  # an extension that must not be passed over
            reason = "the index is split or sparse: git update-index --no-split-index, git sparse-checkout disable"
            raise DamagedRepositoryError(str(self._root), reason)
        for key, entry in entries.items():  # in a newer index, what is racy would no longer look so
            if isinstance(entry, IndexEntry) and self._racy(entry):
                content = self._hash(self._root / os.fsdecode(key))
                entries[key] = entry if content == _blob(entry) else replace(entry, mtime=(0, 0))
        return entries


def _blob(entry: IndexEntry | ConflictedIndexEntry | None) -> str | None:
    return entry.sha.decode() if isinstance(entry, IndexEntry) else None


def _skipped(entry: IndexEntry) -> bool:
    return bool(entry.extended_flags & EXTENDED_FLAG_SKIP_WORKTREE)


def _seen(entry: IndexEntry) -> tuple[object, ...]:
    return entry.mtime, entry.ctime, entry.size & 0xFFFFFFFF, entry.ino & 0xFFFFFFFF


def _unseen(blob: ObjectID) -> IndexEntry:
    """Return an entry that makes Git look at the file itself, and call it modified."""
    return IndexEntry((0, 0), (0, 0), 0, 0, FILE_MODE, 0, 0, 0, blob)


def _encode_index(entries: Entries) -> bytes:
    """Return the bytes of an index without extensions: the tree cache in one would be out of date."""
    buffer = io.BytesIO()
    writer = IndexChecksumWriter(buffer)
    write_index_dict(writer, entries)
    writer.write_checksum()
    return buffer.getvalue()
