"""The files of a clone: those of a commit that are wanted; the rest is known to the index, and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.store.durable import disk_errors, make_folders, write_file
from calibvcs.store.refs.moving import LockFile
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.worktrees.files import WorktreeFiles
from calibvcs.store.worktrees.index_file import blob_of, encode_index, left_out_entry, skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from calibvcs.store.protocol import ReadableStore


def check_out(
    root: Path, control: Path, store: ReadableStore, commit_id: str, wanted: Callable[[str], bool]
) -> tuple[int, int]:
    """Bring the worktree to a commit, with the files that are wanted and no others.

    A file that was edited by hand stays, wanted or not.

    Parameters
    ----------
    root, control : Path
        The worktree, and its Git folder.
    store : ReadableStore
        The repository; it has the content of what is wanted.
    commit_id : str
        The commit.
    wanted : callable
        Tells of a path whether its file is to be there.

    Returns
    -------
    tuple of int
        How many files were written, and how many were taken away.

    Raises
    ------
    WriterBusyError
        If another program holds the index.
    AlreadyExistsError
        If something that is no plain file stands in the way.
    NotWritableError, StorageError
        If the disk refuses.
    """
    index, now = control / "index", Snapshot(store, commit_id)
    files = WorktreeFiles(root, store, modes=True)
    written = gone = 0
    with disk_errors(index), LockFile(index) as lock:
        entries = files.read_index(index)
        for path, found in now.files():
            key = path.encode()
            entry = entries.get(key)
            if wanted(path):
                if skipped(entry):
                    del entries[key]
                written += files.restore(path, now, entries)
            elif files.content(path, entry) in {found.id, None}:
                if entry is not None and not skipped(entry) and blob_of(entry) == found.id:
                    gone += (root / path).exists()
                    files.remove(root / path)
                entries[key] = left_out_entry(found.id, found.mode)
        lock.commit(encode_index(entries))
    return written, gone


def write_patterns(folder: Path, paths: Iterable[str]) -> None:
    """Tell C Git which files are checked out, in its own words (``info/sparse-checkout``).

    Parameters
    ----------
    folder : Path
        The Git folder.
    paths : iterable of str
        Files; those of one folder become one line.
    """
    lines = sorted({f"/{path}\n" for path in paths})
    with disk_errors(folder):
        make_folders(folder / "info")
        write_file(folder / "info" / "sparse-checkout", ["".join(lines).encode()])
