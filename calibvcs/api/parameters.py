"""``repository.param``: free parameters of detectors, ctypes and ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.api import given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.detector import Parameters
    from calibvcs.ops.parameters import ParameterList


class ParameterVerbs:
    """Free parameters of detectors, ctypes and ranges.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, target: str, keys: Sequence[str] = (), *, at: str | None = None) -> ParameterList:
        """Return parameters.

        Parameters
        ----------
        target : str
            ``DET``, ``DET/CTYPE``, or ``DET/CTYPE/RANGE[@vN]``; DET may be an alias. An older version has those that it
            had when it was the default for the last time.
        keys : sequence of str, optional
            Which are wanted; default is all.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        ParameterList
            ``.parameters``, values by name; ``.target``, whose they are.

        Raises
        ------
        UnknownParameterError
            If one that is named is not there.
        UnknownDetectorError, UnknownConstantError, UnknownVersionError, UnknownRevisionError
            If the target or `at` is not there.
        InvalidNameError
            If the target is no name of a detector, ctype or range.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.parameters import get_parameters

        wanted = given.texts("keys", keys)
        return get_parameters(self._session.catalogue(at), target, wanted, self._session.now())

    def set(self, target: str, values: Parameters, *, message: str = "", dry_run: bool = False) -> ParameterList:
        """Set parameters; others stay.

        Parameters
        ----------
        target : str
            ``DET``, ``DET/CTYPE`` or ``DET/CTYPE/RANGE``; the parameters of a range are those of its default version.
        values : mapping
            Values by name: bool, int, float, str, dates, and lists and mappings of these.
        message : str, optional
            Why; default is "Set ... of ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        ParameterList
            ``.parameters``, all that the target has now; ``.commit``, the commit that set them.

        Raises
        ------
        UnknownDetectorError, UnknownConstantError, UnknownVersionError
            If the target is not there.
        InvalidNameError
            If the target is no name of a detector, ctype or range.
        InvalidOptionError
            If a value cannot be stored, a name is not allowed, a version is named that is not the default, the message
            has control characters or lines that look like trailers of calibvcs, or HEAD stands on no branch.
        LockedError
            If the default is protected.
        NothingToChangeError
            If they are set so already.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> changed = repository.param.set("opal1000-000002/pedestals", {"exposure": 0.5}, message="By the log")
        >>> changed.parameters, repository.param.get("opal1000-000002/pedestals").parameters
        ({'exposure': 0.5}, {'exposure': 0.5})
        """
        from calibvcs.ops.parameters import set_parameters

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return set_parameters(store, author, target, given.parameters(values), message, self._session.now())

    def unset(self, target: str, keys: Sequence[str], *, message: str = "", dry_run: bool = False) -> ParameterList:
        """Take parameters away; history keeps them.

        Parameters
        ----------
        target : str
            As for `set`.
        keys : sequence of str
            Their names.
        message, dry_run
            As for `set`.

        Returns
        -------
        ParameterList
            ``.parameters``, all that the target has now; ``.commit``, the commit that took them away.

        Raises
        ------
        UnknownParameterError
            If one of them is not there.
        CalibvcsError
            The other errors as for `set`.
        """
        from calibvcs.ops.parameters import unset_parameters

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return unset_parameters(store, author, target, given.texts("keys", keys), message, self._session.now())
