"""``repository.default``: which version of a constant readers get."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.ops.default import Default


class DefaultVerbs:
    """Defaults: which version of a constant readers get.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def show(self, constant: str, *, at: str | None = None) -> Default:
        """Return the versions of a constant, and which one is the default.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE``; DET may be an alias, and the range may be left out where there is only one.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Default
            ``.versions``, v1 first; ``.version``, the default; ``.locked`` and ``.withdrawn`` with their reasons.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError
            If it is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        UnknownRevisionError
            If `at` is not there.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.default import show_default

        return show_default(self._session.catalogue(at), constant, self._session.now())

    def set(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Make a version the default again; no version is lost, and none is made.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE@vN``; DET may be an alias.
        message : str
            Why.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        Default
            Versions and state afterwards; ``.commit``, the commit that changed the default.

        Raises
        ------
        UnknownVersionError, UnknownConstantError, UnknownDetectorError
            If it is not there.
        NothingToChangeError
            If that version is the default already, and not withdrawn.
        LockedError
            If the default is protected.
        EmptyCommentError
            If the message is empty.
        InvalidNameError
            If the name cannot be read, or names no range or no version.
        InvalidOptionError
            If the message has control characters or lines that look like trailers of calibvcs, or HEAD stands on no
            branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If the data of that version or something else that is read is missing or damaged, or in a format that
            this program does not know.
        """
        from calibvcs.ops.default import set_default

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return set_default(store, author, constant, message, self._session.now())
