"""``repository.tag``: names for the whole set of defaults at a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.ops.tagging.judging import AcceptedTag
    from calibvcs.ops.tagging.tag import TagList
    from calibvcs.ops.tagging.tag_states import TagStates


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
        NoSigningKeyError, MissingProgramError, SigningFailedError
            If the tag is to be signed, and that does not work; no tag is set.
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
        from calibvcs.ops.tagging.tag import create_tag

        commit_id = self._session.catalogue(at).snapshot.commit_id or ""
        author = self._session.author(tags=True)
        return create_tag(self._session.writable(dry_run=dry_run), author, name, commit_id, message)

    def list(self) -> TagList:
        """Return all tags.

        Returns
        -------
        TagList
            ``.tags``, sorted by name, each with its state and how that came about.

        Raises
        ------
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.tagging.tag import list_tags

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
            ``.tags``, this one alone, its state with all changes, and the check of its signature.

        Raises
        ------
        UnknownTagError
            If there is none of this name.
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.tagging.tag import show_tag

        return show_tag(self._session.store, name, self._session.signatures().of)

    def state(self, name: str) -> TagStates:
        """Return the state of a tag.

        Parameters
        ----------
        name : str
            Name of the tag.

        Returns
        -------
        TagStates
            ``.state``: ``open``, ``testing``, ``validated``, ``published`` or ``invalid``; ``.history``: each change,
            with who made it, when and why.

        Raises
        ------
        UnknownTagError
            If there is none of this name.
        BrokenTagStateError
            If a state was exchanged, taken away or forged.
        BrokenRepositoryError
            If what is read is damaged.

        Examples
        --------
        >>> _ = repository.tag.create("run24-golden", message="Checked on all runs of the week")
        >>> repository.tag.state("run24-golden").state
        'open'
        """
        from calibvcs.ops.tagging.tag_states import sound, states

        return sound(states(self._session.store, name))

    def set_state(self, name: str, state: str, *, comment: str = "", dry_run: bool = False) -> TagStates:
        """Say what the set of a tag is good for.

        A published tag can only become invalid, and an invalid one stays so. All other changes are allowed.

        Parameters
        ----------
        name : str
            Name of the tag.
        state : str
            ``testing``, ``validated``, ``published`` or ``invalid``.
        comment : str, optional
            Why; needed where something is taken back.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        TagStates
            The new state, and each change that led to it.

        Raises
        ------
        UnknownTagError
            If there is no tag of this name.
        TagStateRefusedError, NothingToChangeError
            If the tag cannot go from its state to this one.
        EmptyCommentError
            If something is taken back without a reason.
        InvalidOptionError
            If there is no such state, the tag is a lightweight one, or the comment has what no comment may have.
        NoIdentityError
            If nobody said who the user is.
        NoSigningKeyError, MissingProgramError, SigningFailedError
            If it is to be signed, and that does not work; nothing is changed.
        WriterBusyError, NotWritableError, StorageError
            If another writer or the disk is in the way; nothing is changed.
        BrokenTagStateError, BrokenRepositoryError
            If the states that are there, or what is read, cannot be trusted.

        Examples
        --------
        >>> _ = repository.tag.create("run24-golden", message="Checked on all runs of the week")
        >>> judged = repository.tag.set_state("run24-golden", "validated", comment="Looked at by two people")
        >>> judged.state, judged.history[0].comment
        ('validated', 'Looked at by two people')
        """
        from calibvcs.ops.tagging.judging import set_state

        author = self._session.author(tags=True)
        return set_state(self._session.writable(dry_run=dry_run), author, name, state, comment)

    def accept(self, name: str, *, published: bool = False, signed: bool = False) -> AcceptedTag:
        """Return the commit of a tag if it is what is demanded; what is invalid never is.

        Parameters
        ----------
        name : str
            Name of the tag.
        published : bool, optional
            Whether it has to be published.
        signed : bool, optional
            Whether it has to be signed by a known key; if it has to be published too, then this state as well.

        Returns
        -------
        AcceptedTag
            ``.commit``, ``.state``, and ``.signer`` where a signature was demanded.

        Raises
        ------
        UnknownTagError
            If there is none of this name.
        TagNotAcceptedError
            If it is invalid, or not what is demanded.
        BrokenTagStateError, BrokenRepositoryError
            If its states, or what is read, cannot be trusted.
        InvalidOptionError
            If Git's configuration cannot be understood.
        """
        from calibvcs.ops.tagging.judging import accept

        checker = self._session.signatures().of if signed else None
        return accept(self._session.store, name, published=published, signature=checker)
