"""``repository.access``: who may change what, and by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.ops.access import AccessCheck, AccessTest


class AccessVerbs:
    """The rules of access, as they stand in ``.calibvcs/access.toml``.

    They are enforced where the repository lives, by the hook that `calibvcs.api.hosting.install_hook` puts there.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def check(
        self, user: str, verb: str, path: str = "", *, branch: str = "main", at: str | None = None
    ) -> AccessCheck:
        """Tell whether somebody may do something, and which rule says so.

        Parameters
        ----------
        user : str
            Name by which the server knows somebody.
        verb : {"read", "propose", "write", "tag", "admin"}
            What they want to do.
        path : str, optional
            Where; empty is the whole repository.
        branch : str, optional
            On which branch.
        at : str, optional
            Branch, tag, commit or date: the state whose rules are asked.

        Returns
        -------
        AccessCheck
            ``.allowed``, and ``.reason``: the rule that says so, or the rules that allow it to others.

        Raises
        ------
        InvalidOptionError
            If there is no such verb.
        UnknownRevisionError
            If `at` is not there.
        InvalidDocumentError
            If the file of the rules is broken.
        """
        from calibvcs.errors import InvalidOptionError
        from calibvcs.model.access import Verb
        from calibvcs.ops import access
        from calibvcs.store.hooks import makers_of

        verbs = [each.value for each in Verb]
        if verb not in verbs:
            raise InvalidOptionError("verb", verb, f"allowed are {', '.join(verbs)}")
        snapshot = self._session.catalogue(at).snapshot
        makers = makers_of(self._session.store.folder)
        return access.as_check(access.check(snapshot, user, Verb(verb), path, branch, makers))

    def test(self, table: bytes, source: str, *, at: str | None = None) -> AccessTest:
        """Hold the rules against a table of what is expected of them.

        Parameters
        ----------
        table : bytes
            Lines ``USER VERB PATH BRANCH allow|deny``; a path ``-`` is the whole repository, ``#`` begins a comment.
        source : str
            What the table is called in errors, usually its path.
        at : str, optional
            Branch, tag, commit or date: the state whose rules are asked.

        Returns
        -------
        AccessTest
            ``.failures``, one sentence for each answer that is another one than expected.

        Raises
        ------
        InvalidDataError
            If a line of the table is none.
        InvalidDocumentError
            If the file of the rules is broken.
        UnknownRevisionError
            If `at` is not there.
        """
        from calibvcs.formats import access_table
        from calibvcs.ops import access
        from calibvcs.store.hooks import makers_of

        expectations = access_table.decode(table, source)
        makers = makers_of(self._session.store.folder)
        return access.test(access.access_of(self._session.catalogue(at).snapshot, makers), expectations)
