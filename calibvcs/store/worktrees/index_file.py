"""Git's index as entries: what Git knows of every file of a worktree, and what ``stat`` told of it at that moment."""

from __future__ import annotations

import hashlib
import io
import stat as modes
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dulwich.index import (
    EXTENDED_FLAG_INTEND_TO_ADD,
    EXTENDED_FLAG_SKIP_WORKTREE,
    FLAG_EXTENDED,
    FLAG_VALID,
    IndexChecksumWriter,
    IndexEntry,
    UnsupportedIndexFormat,
    index_entry_from_stat,
    read_index_dict_with_version,
    write_index_dict,
)
from dulwich.objects import ObjectID

from calibvcs.errors import DamagedRepositoryError
from calibvcs.store.protocol import FILE_MODE, TreeEntry

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from dulwich.index import ConflictedIndexEntry

Entry: TypeAlias = "IndexEntry | ConflictedIndexEntry | None"
Entries: TypeAlias = "dict[bytes, IndexEntry | ConflictedIndexEntry]"

EXECUTABLE_MODE = 0o100755

_CHECKSUM = 20
_SECOND = 1_000_000_000
_LOW = 0xFFFFFFFF


class IndexFile(NamedTuple):
    """An index as it was read.

    Attributes
    ----------
    entries : dict
        By path, as bytes.
    written : int
        When the file was last written, nanoseconds; 0 where there is none.
    """

    entries: Entries
    written: int

    def racy(self, entry: IndexEntry) -> bool:
        """Tell whether a file may have changed after its entry was made, in the same tick of the clock."""
        return entry.mtime >= divmod(self.written, _SECOND)  # type: ignore[operator]


def read_index(path: Path, root: Path) -> IndexFile:
    """Read an index of version 2, 3 or 4.

    Parameters
    ----------
    path : Path
        The file; a missing one is empty.
    root : Path
        The worktree, for messages.

    Returns
    -------
    IndexFile
        What it holds.

    Raises
    ------
    DamagedRepositoryError
        If it is damaged, or of a kind that is not known here (split, or with folders in the place of their files).
    """
    try:
        written = path.stat().st_mtime_ns
        data = path.read_bytes()
    except FileNotFoundError:
        return IndexFile({}, 0)
    if hashlib.sha1(data[:-_CHECKSUM], usedforsecurity=False).digest() != data[-_CHECKSUM:] != bytes(_CHECKSUM):
        raise DamagedRepositoryError(str(root), "the index is damaged: its checksum is wrong")
    stream = io.BytesIO(data)
    try:
        entries = read_index_dict_with_version(stream)[0]
    except (AssertionError, UnsupportedIndexFormat, ValueError) as error:
        raise DamagedRepositoryError(str(root), f"the index cannot be read: {error}") from None
    if len(data) - stream.tell() > _CHECKSUM:  # an extension that must not be passed over
        reason = "the index is split or sparse: git update-index --no-split-index, git sparse-checkout disable"
        raise DamagedRepositoryError(str(root), reason)
    return IndexFile(entries, written)


def encode_index(entries: Entries) -> bytes:
    """Return the bytes of an index without extensions: the tree cache in one would be out of date."""
    buffer = io.BytesIO()
    writer = IndexChecksumWriter(buffer)
    write_index_dict(writer, entries)
    writer.write_checksum()
    return buffer.getvalue()


def blob_of(entry: Entry) -> str | None:
    """Return the id of the content that an entry stands for; None where there is none, or more than one."""
    return entry.sha.decode() if isinstance(entry, IndexEntry) else None


def staged_of(entry: Entry) -> TreeEntry | None:
    """Return what the next commit of C Git would hold for an entry; None where it would hold nothing."""
    if not isinstance(entry, IndexEntry) or entry.extended_flags & EXTENDED_FLAG_INTEND_TO_ADD:
        return None
    return TreeEntry(entry.mode, entry.sha.decode())


def skipped(entry: Entry) -> bool:
    """Tell whether a file is left out of a sparse worktree."""
    return isinstance(entry, IndexEntry) and bool(entry.extended_flags & EXTENDED_FLAG_SKIP_WORKTREE)


def assumed_unchanged(entry: Entry) -> bool:
    """Tell whether the user asked Git not to look at a file (``git update-index --assume-unchanged``)."""
    return isinstance(entry, IndexEntry) and bool(entry.flags & FLAG_VALID)


def unchanged(entry: IndexEntry, found: os.stat_result) -> bool:
    """Tell whether ``stat`` tells of a file what it told when its entry was made."""
    return (
        entry.mtime == divmod(found.st_mtime_ns, _SECOND)
        and entry.ctime == divmod(found.st_ctime_ns, _SECOND)
        and entry.size & _LOW == found.st_size & _LOW
        and entry.ino & _LOW == found.st_ino & _LOW
    )


def seen_entry(found: os.stat_result, blob: str, mode: int = FILE_MODE) -> IndexEntry:
    """Return the entry of a file that was seen to hold a blob."""
    return index_entry_from_stat(found, blob.encode(), mode)


def unseen_entry(blob: str) -> IndexEntry:
    """Return an entry that makes Git look at the file itself, and call it modified."""
    return IndexEntry((0, 0), (0, 0), 0, 0, FILE_MODE, 0, 0, 0, ObjectID(blob.encode()))


def left_out_entry(blob: str, mode: int = FILE_MODE) -> IndexEntry:
    """Return the entry of a file that is not checked out on purpose: the worktree is sparse."""
    flags = FLAG_EXTENDED, EXTENDED_FLAG_SKIP_WORKTREE
    return IndexEntry((0, 0), (0, 0), 0, 0, mode, 0, 0, 0, ObjectID(blob.encode()), *flags)


def file_mode(found: os.stat_result) -> int:
    """Return the mode that Git has for a plain file."""
    return EXECUTABLE_MODE if found.st_mode & modes.S_IXUSR else FILE_MODE
