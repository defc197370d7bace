"""The worktree and the index of a clone: they follow the branch, and never cost anybody an edit.

The index is held, by Git's own lock file, from before the branch moves until the files stand in their new state, so
that nobody, C Git neither, sees one without the other. What is to be brought up to date is written down before the
branch moves: the next writer finishes the work of one that was killed.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dulwich.index import IndexEntry
from dulwich.objects import ObjectID

from calibvcs.errors import (
    BranchMovedError,
    CalibvcsError,
    DamagedRepositoryError,
    DirtyWorktreeError,
)
from calibvcs.store.durable import disk_errors, make_folders
from calibvcs.store.refs.moving import LockFile
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.worktrees.files import TEMPORARY, WorktreeFiles
from calibvcs.store.worktrees.index_file import (
    blob_of,
    encode_index,
    left_out_entry,
    seen_entry,
    skipped,
    unseen_entry,
)
from calibvcs.store.worktrees.look import Look, look
from calibvcs.store.worktrees.pending import PendingChanges, read_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from calibvcs.store.protocol import ReadableStore
    from calibvcs.store.worktrees.files import Taken
    from calibvcs.store.worktrees.index_file import Entries
    from calibvcs.store.worktrees.pending import Accepted

_PENDING = "calibvcs/pending"


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
    modes : bool, optional
        Whether the mode of a file tells something (``core.fileMode``).

    Attributes
    ----------
    leaves_out : callable
        Tells of a path that is new whether its file is left out: the worktree is sparse.
    """

    def __init__(self, root: Path, control: Path, store: ReadableStore, *, modes: bool = True) -> None:
        self.root = root
        self._pending = PendingChanges(control / _PENDING)
        self._index = control / "index"
        self._store = store
        self._modes = modes
        self.leaves_out: Callable[[str], bool] = lambda _: False
        self._files = WorktreeFiles(root, store, modes=modes)

    def look(self, commit_id: str | None, enter: Callable[[str], bool]) -> Look:
        """Tell what is different between a commit, the index and the files; no lock is taken.

        Parameters
        ----------
        commit_id : str or None
            The commit.
        enter : callable
            Tells of a folder in which the index has nothing whether its files are to be listed one by one.

        Returns
        -------
        Look
            What is different.

        Raises
        ------
        DamagedRepositoryError
            If the index cannot be read.
        """
        tree = self._store.commit(commit_id).tree if commit_id else None
        return look(self.root, self._index, self._store.tree, tree, enter, modes=self._modes)

    @contextmanager
    def taking(self, taken: Mapping[str, Taken]) -> Iterator[None]:
        """Let the commits that are made meanwhile take edits by hand in, instead of being refused for them.

        Parameters
        ----------
        taken : mapping of str to Taken
            Files as they were read; looked at when a commit is made.

        Yields
        ------
        None
            Commits are to be made now.
        """
        self._files.taken = taken
        try:
            yield
        finally:
            self._files.taken = {}

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
            entries, left = self._read_index(), self._pending.notes()
            self._finish(left, entries)
            if self._store.tip() != parent:
                raise BranchMovedError(self._store.branch)
            then = Snapshot(self._store, parent)
            accepted = self._checked({path: then.blob_id(path) for path in paths}, entries)
            note = self._pending.announce(accepted)
            try:
                yield
            except BranchMovedError:
                note.unlink(missing_ok=True)
                raise
            try:
                self._follow(accepted, entries)
                lock.commit(encode_index(entries))
            except (CalibvcsError, OSError) as error:
                why = getattr(error, "strerror", "") or getattr(error, "reason", "") or "the index was taken away"
                reason = f"committed as {self._store.tip()}, but the files could not follow ({why}); the next change"
                raise DamagedRepositoryError(str(self.root), f"{reason} brings them up to date") from error
            for done in (*left, note):
                done.unlink(missing_ok=True)

    def recover(self) -> int:
        """Finish what writers that were killed left undone.

        Returns
        -------
        int
            Number of such writers.
        """
        if not self._pending.notes():
            return 0
        with self._writing() as (_, left):
            return len(left)

    @property
    def merging(self) -> bool:
        """Whether C Git began a merge here, and did not finish it."""
        return self._index.with_name("MERGE_HEAD").exists()

    def pending(self) -> int:
        """Return how many changes have moved the branch, or are about to, and have not brought the files after it."""
        return len(self._pending.notes())

    def restore(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Bring files and index to the state of the branch; what the branch does not have leaves the index only.

        Parameters
        ----------
        paths : iterable of str
            Which files.

        Returns
        -------
        tuple of str
            Those that were not in that state.

        Raises
        ------
        AlreadyExistsError
            If a folder, or something that is none, stands in the way; it is left alone.
        WriterBusyError
            If another program holds the index.
        """
        with self._writing() as (entries, _):
            now = Snapshot(self._store, self._store.tip())
            return tuple([path for path in paths if self._files.restore(path, now, entries)])

    def refresh(self, seen: Look) -> None:
        """Write down which files were found to be clean, so that nobody has to read them again; or let it be."""
        if not seen.clean:
            return
        with suppress(CalibvcsError, OSError), LockFile(self._index, wait=0) as lock:
            entries = self._read_index()
            for path, found in seen.clean.items():
                entry = entries.get(path)
                if isinstance(entry, IndexEntry) and entry.sha == found.sha and not skipped(entry):
                    entries[path] = replace(found, mode=entry.mode, flags=entry.flags)
            lock.commit(encode_index(entries))

    @contextmanager
    def _writing(self) -> Iterator[tuple[Entries, list[Path]]]:
        """Hold the index, finish what killed writers left, and write the entries back as the caller leaves them."""
        with disk_errors(self._index), LockFile(self._index) as lock:
            entries, left = self._read_index(), self._pending.notes()
            self._finish(left, entries)
            yield entries, left
            lock.commit(encode_index(entries))
            for note in left:
                note.unlink(missing_ok=True)

    def _finish(self, notes: Iterable[Path], entries: Entries) -> None:
        for note in notes:
            accepted = read_note(note)
            for folder in {(self.root / path).parent for path in accepted}:
                for half in folder.glob(f"{TEMPORARY}*"):
                    half.unlink(missing_ok=True)
            self._follow(accepted, entries)

    # --- files ------------------------------------------------------------------------------------------------

    def _checked(self, before: Mapping[str, str | None], entries: Entries) -> Accepted:
        """Return what may be replaced, where no edit is in the way but those that were taken."""
        dirty: list[str] = []
        accepted: dict[str, tuple[str | None, ...]] = {}
        for path, committed in before.items():
            entry, taken = entries.get(path.encode()), self._files.taken.get(path)
            content = self._files.content(path, entry)
            if taken is None:
                accepted[path] = (committed,)
                clean = blob_of(entry) == committed and content in {committed, None}
            else:
                accepted[path] = (committed, taken.content, blob_of(entry))
                clean = content == taken.content
            if not clean:
                dirty.append(path)
        if dirty:
            raise DirtyWorktreeError(tuple(sorted(dirty)))
        return accepted

    def _follow(self, accepted: Accepted, entries: Entries) -> None:
        """Bring files to the state of the branch; what somebody edited or staged meanwhile is left alone."""
        now = Snapshot(self._store, self._store.tip())
        for path, old in accepted.items():
            key, file, target = path.encode(), self.root / path, now.blob_id(path)
            entry = entries.get(key)
            if blob_of(entry) not in {*old, target}:
                continue
            content = self._files.content(path, entry)
            edited = content not in {*old, target, None}
            if target is None:
                entries.pop(key, None)
                if not edited:
                    self._files.remove(file)
            elif content is None and isinstance(entry, IndexEntry) and skipped(entry):
                entries[key] = replace(entry, sha=ObjectID(target.encode()))  # a sparse worktree stays one
            elif content is None and entry is None and self.leaves_out(path):
                entries[key] = left_out_entry(target)
            else:
                if content != target and not edited:
                    make_folders(file.parent)
                    self._files.write(file, target)
                entries[key] = unseen_entry(target) if edited else seen_entry(file.stat(), target)

    def _read_index(self) -> Entries:
        return self._files.read_index(self._index)
