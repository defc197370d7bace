"""``repository.tag``: names for the whole set of defaults at a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.ops.tag import TagList


class TagVerbs:
    """Tags: names for the whole set of defaults at a commit.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, *, message: str, at: str | None = None, dry_run: bool = False) -> TagList:
        """Set an annotated tag; it never moves.

        Parameters
        ----------
        name : str
            Name of the tag, for example ``run24-golden``; parts may be joined by ``/``.
        message : str
            Why.
        at : str, optional
            Branch, tag, commit or date that it names; default is the newest commit.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        TagList
            ``.tags``, the new one alone, with the number of constants in its set.

        Raises
        ------
        AlreadyExistsError
            If there is a tag or branch of this name.
        EmptyCommentError
            If the message is empty.
        InvalidNameError
            If the name breaks the grammar.
        InvalidOptionError
            If the message has control characters or lines that look like trailers of calibvcs.
        UnknownRevisionError
            If `at` is not there.
        NoIdentityError
            If nobody said who the user is.
        WriterBusyError, NotWritableError, StorageError
            If another writer or the disk is in the way; no tag is set.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> repository.tag.create("run24-golden", message="Checked on all runs of the week").tags[0].constants
        12
        >>> repository.get("front", "pedestals", "2026-02-14", at="run24-golden").version
        'v1'
        """
        from calibvcs.ops.tag import create_tag

        commit_id = self._session.catalogue(at).snapshot.commit_id or ""
        return create_tag(self._session.writable(dry_run=dry_run), self._session.author(), name, commit_id, message)

    def list(self) -> TagList:
        """Return all tags.

        Returns
        -------
        TagList
            ``.tags``, sorted by name.

        Raises
        ------
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.tag import list_tags

        return list_tags(self._session.store)

    def show(self, name: str) -> TagList:
        """Return one tag.

        Parameters
        ----------
        name : str
            Name of the tag.

        Returns
        -------
        TagList
            ``.tags``, this one alone.

        Raises
        ------
        UnknownTagError
            If there is none of this name.
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.tag import show_tag

        return show_tag(self._session.store, name)
