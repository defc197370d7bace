"""``repository.detector``: which detectors there are, and what is recorded of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.api import given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.detector import Parameters
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.detector import DetectorChange, DetectorList, DetectorResult


class DetectorVerbs:
    """Detectors: which there are, and what is recorded of each.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        name: str,
        *,
        longname: str | None = None,
        segments: Sequence[str] | None = None,
        predecessor: str | None = None,
        successor: str | None = None,
        predecessor_until: TimeLike | None = None,
        successor_since: TimeLike | None = None,
        parameters: Parameters | None = None,
        message: str = "",
        dry_run: bool = False,
    ) -> DetectorResult:
        """Register a detector.

        Parameters
        ----------
        name : str
            ``<dettype>-<detid>``, for example ``jungfrau-000003``.
        longname : str, optional
            The DAQ's unique id, as psana shows it.
        segments : sequence of str, optional
            Ids of the panels in the order of the segment axis; arrays are then checked against their number.
        predecessor, successor : str, optional
            Registered detector that it replaced, or that replaced it.
        predecessor_until, successor_since : time, optional
            Until when the predecessor was in use, and since when the successor is.
        parameters : mapping, optional
            Free parameters; ``panel_shape = [rows, columns]`` declares panels that are not of full size.
        message : str, optional
            Why; default is "Register ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        DetectorResult
            ``.detector``, the record; ``.commit``, the commit that made it.

        Raises
        ------
        AlreadyExistsError
            If it is registered already.
        InvalidNameError
            If a name breaks the grammar.
        UnknownDetectorError
            If predecessor or successor is not registered.
        InvalidOptionError
            If it would follow itself, a parameter cannot be stored, the message has control characters or lines that
            look like trailers of calibvcs, or HEAD stands on no branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> result = repository.detector.add("epix100-000008", segments=["0000000008-0000000001"])
        >>> str(result.detector.name), result.detector.segments
        ('epix100-000008', ('0000000008-0000000001',))
        """
        from calibvcs.ops.detector import add_detector

        change = _change(
            longname, segments, predecessor, successor, parameters, until=predecessor_until, since=successor_since
        )
        return add_detector(self._session.writable(dry_run=dry_run), self._session.author(), name, change, message)

    def set(
        self,
        name: str,
        *,
        longname: str | None = None,
        segments: Sequence[str] | None = None,
        predecessor: str | None = None,
        successor: str | None = None,
        predecessor_until: TimeLike | None = None,
        successor_since: TimeLike | None = None,
        parameters: Parameters | None = None,
        message: str = "",
        dry_run: bool = False,
    ) -> DetectorResult:
        """Change the record of a detector; what is not named stays.

        Parameters
        ----------
        name : str
            Detector; no alias.
        longname, segments, predecessor, successor, predecessor_until, successor_since : optional
            As for `add`.
        parameters : mapping, optional
            Parameters to be set; others stay.
        message : str, optional
            Why; default is "Change the record of ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        DetectorResult
            ``.detector``, the record as it is now; ``.commit``, the commit that changed it.

        Raises
        ------
        UnknownDetectorError
            If it, its predecessor or its successor is not registered.
        InvalidNameError
            If a name breaks the grammar.
        InvalidOptionError
            If nothing would change, it would follow itself, a parameter cannot be stored, the message has control
            characters or lines that look like trailers of calibvcs, or HEAD stands on no branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.detector import set_detector

        change = _change(
            longname, segments, predecessor, successor, parameters, until=predecessor_until, since=successor_since
        )
        return set_detector(self._session.writable(dry_run=dry_run), self._session.author(), name, change, message)

    def show(self, name: str, *, at: str | None = None, when: TimeLike | None = None) -> DetectorResult:
        """Return what is recorded of a detector.

        Parameters
        ----------
        name : str
            Detector or alias.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.
        when : time, optional
            When an alias is to be resolved; default is now.

        Returns
        -------
        DetectorResult
            ``.detector``, the record; ``.ctypes``, the ctypes that it has constants of; ``.aliases``, what it is or
            was called.

        Raises
        ------
        UnknownDetectorError
            If no detector has this name, and no alias at that time.
        UnknownRevisionError, UnknownRunError
            If `at` or the run in `when` is not there.
        InvalidNameError, InvalidTimeError
            If the name or the time cannot be read.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.detector import show_detector

        catalogue = self._session.catalogue(at)
        return show_detector(catalogue, name, self._session.seconds_or_now(catalogue, when))

    def ls(self, *, at: str | None = None) -> DetectorList:
        """Return all registered detectors.

        Parameters
        ----------
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        DetectorList
            ``.detectors``, one record a detector, sorted by name.

        Raises
        ------
        UnknownRevisionError
            If `at` is not there.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.detector import list_detectors

        return list_detectors(self._session.catalogue(at))


def _change(
    longname: str | None,
    segments: Sequence[str] | None,
    predecessor: str | None,
    successor: str | None,
    parameters: Parameters | None,
    *,
    until: TimeLike | None,
    since: TimeLike | None,
) -> DetectorChange:
    from calibvcs.model.times import parse_time
    from calibvcs.ops.detector import DetectorChange

    panels = None if segments is None else given.texts("segments", segments)
    return DetectorChange(
        longname,
        panels,
        predecessor,
        successor,
        given.parameters(parameters),
        None if until is None else parse_time(until),
        None if since is None else parse_time(since),
    )
