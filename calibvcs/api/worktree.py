"""The verbs of a worktree: what was edited by hand, taking it in, taking it back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.api import given
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.ops.worktree.commit_edits import EditsCommitted
    from calibvcs.ops.worktree.edit_selection import Named
    from calibvcs.ops.worktree.restore_edits import Restored
    from calibvcs.ops.worktree.worktree_status import WorktreeStatus


class WorktreeVerbs:
    """The verbs of a `Repository` for files that were edited by hand."""

    _session: Session

    def status(self) -> WorktreeStatus:
        """Tell what was edited in the worktree, and how far the branch is from the one on the remote.

        No lock is taken, and files that are as Git's index says are not read.

        Returns
        -------
        WorktreeStatus
            ``.edits``, one a constant or other file that differs from the newest commit, with why `commit_edits` would
            refuse it; ``.left``, files that are none of the format; ``.remote``, for each detector how many constants
            differ on either side; ``.clean``.

        Raises
        ------
        InvalidOptionError
            If the repository is bare.
        BrokenRepositoryError
            If what is read is damaged, or Git's index is of a kind that is not known here.

        Examples
        --------
        >>> repository.status().edits
        ()
        """
        from calibvcs.ops.worktree.worktree_status import status

        return status(self._session.store)

    def commit_edits(
        self,
        paths: Sequence[str | os.PathLike[str]] = (),
        *,
        message: str,
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> EditsCommitted:
        """Commit what was edited by hand in the worktree, through the gate of `add`.

        A ``meta.toml`` that is missing is made; what one leaves out is completed. Files that are written in another
        way than calibvcs writes them are replaced, by rename.

        Parameters
        ----------
        paths : sequence of str or path, optional
            What is meant: paths, seen from the current folder or from the worktree, or ``DET[/CTYPE[/RANGE]]``; DET may
            be an alias. Of a constant all edited files are meant. Default is everything.
        message : str
            Why.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same; it goes into the commit.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        EditsCommitted
            ``.constants`` with new data, as for `add`; ``.edited``, what changed beside data; ``.left``, files that are
            none of the format; ``.commit``.

        Raises
        ------
        NothingToCommitError
            If nothing was edited.
        RemovedConstantError
            If files were taken away: there is no deletion.
        GateRefusedError
            If data look wrong; all reasons are listed.
        LockedError
            If the default of a range is protected.
        InvalidDataError
            If a file cannot be understood, or is a symbolic link or executable.
        OverlapError, UnknownDetectorError, AlreadyExistsError
            If a name would mean two detectors, or one that is not there; or a merge of C Git is not finished.
        UnknownConstantError
            If something that is named is neither edited nor in the newest commit.
        EmptyCommentError
            If the message is empty.
        InvalidOptionError
            If the repository is bare, the message has control characters, or HEAD stands on no branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited meanwhile, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.worktree.commit_edits import Wish, commit_edits
        from calibvcs.ops.worktree.worktree_status import worktree_of

        worktree = worktree_of(self._session.store, "commit")
        wish = Wish(
            names=self._named(paths, worktree.root),
            message=message,
            provenance=settings.provenance(given.texts("command", command)),
            now=self._session.now(),
            force_reason=force_reason.strip(),
        )
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return commit_edits(store, worktree, author, wish)

    def restore(
        self, paths: Sequence[str | os.PathLike[str]] = (), *, everything: bool = False, dry_run: bool = False
    ) -> Restored:
        """Bring files of the worktree back to the newest commit, by rename; what was edited in them is gone then.

        Files that the commit does not have are never deleted.

        Parameters
        ----------
        paths : sequence of str or path, optional
            What is meant, as for `commit_edits`; of a constant a single file may be named.
        everything : bool, optional
            Whether everything is meant.
        dry_run : bool, optional
            Whether to tell only what would be brought back.

        Returns
        -------
        Restored
            ``.files``, what is again as committed; ``.kept``, what the commit does not have.

        Raises
        ------
        InvalidOptionError
            If neither `paths` nor `everything` is given, or both; or the repository is bare.
        UnknownConstantError
            If something that is named is neither edited nor in the newest commit.
        ConflictError, NotWritableError, StorageError
            If something else stands in the way, or another program holds Git's index.
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.worktree.restore_edits import restore_edits
        from calibvcs.ops.worktree.worktree_status import worktree_of

        worktree = worktree_of(self._session.store, "restore")
        names = self._named(paths, worktree.root)
        if bool(names) == everything:
            shown = " ".join(name.given for name in names)
            raise InvalidOptionError("restore", shown, "name what is to be restored, or give --all")
        return restore_edits(worktree, self._session.catalogue(), names, self._session.now(), dry_run=dry_run)

    @staticmethod
    def _named(paths: Sequence[str | os.PathLike[str]], root: Path) -> tuple[Named, ...]:
        from calibvcs.ops.worktree.edit_selection import Named

        top = root.resolve()
        names = []
        for text in given.texts("paths", paths):
            here = Path(os.path.normpath(Path.cwd() / text))
            place = here.parent.resolve() / here.name  # a link is meant itself, not what it leads to
            path = place.relative_to(top).as_posix() if place.is_relative_to(top) else None
            names.append(Named(text, "" if path == "." else path))
        return tuple(names)
