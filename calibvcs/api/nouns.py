"""The verbs that begin with a noun: ``detector add``, ``alias ls``, ``run mark``, ``tag create``, ``default set``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError
from calibvcs.model.names import parse_experiment
from calibvcs.model.runs import RunKind, RunReason
from calibvcs.model.times import RunName, parse_end, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum
    from typing import TypeVar

    from calibvcs.api.session import Session
    from calibvcs.model.detector import Parameters
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.alias import AliasList
    from calibvcs.ops.default import Default
    from calibvcs.ops.detector import DetectorList, DetectorResult
    from calibvcs.ops.run import RunList
    from calibvcs.ops.tag import TagList

    E = TypeVar("E", bound=StrEnum)


class DetectorVerbs:
    """Detectors: which there are, and what is recorded of each."""

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
            Detectors it replaced, or that replaced it.
        parameters : mapping, optional
            Free parameters; ``panel_shape = [rows, columns]`` declares panels that are not of full size.
        message : str, optional
            Why.
        dry_run : bool, optional
            Only try.

        Returns
        -------
        DetectorResult
            The record and the commit.

        Raises
        ------
        AlreadyExistsError
            If it is registered already.
        InvalidNameError
            If the name breaks the grammar.
        """
        from calibvcs.ops.detector import DetectorChange, add_detector

        change = DetectorChange(longname, _tuple(segments), predecessor, successor, parameters)
        return add_detector(self._session.writable(dry_run=dry_run), self._session.author(), name, change, message)

    def set(
        self,
        name: str,
        *,
        longname: str | None = None,
        segments: Sequence[str] | None = None,
        predecessor: str | None = None,
        successor: str | None = None,
        parameters: Parameters | None = None,
        message: str = "",
        dry_run: bool = False,
    ) -> DetectorResult:
        """Change the record of a detector; what is not named stays. Parameters are those of `add`.

        Raises
        ------
        UnknownDetectorError
            If it is not registered.
        """
        from calibvcs.ops.detector import DetectorChange, set_detector

        change = DetectorChange(longname, _tuple(segments), predecessor, successor, parameters)
        return set_detector(self._session.writable(dry_run=dry_run), self._session.author(), name, change, message)

    def show(self, name: str, *, at: str | None = None, when: TimeLike | None = None) -> DetectorResult:
        """Return what is recorded of a detector, or of what an alias means at a time (default: now)."""
        from calibvcs.ops.detector import show_detector

        catalogue = self._session.catalogue(at)
        return show_detector(catalogue, name, self._session.seconds(catalogue, when))

    def ls(self, *, at: str | None = None) -> DetectorList:
        """Return all registered detectors."""
        from calibvcs.ops.detector import list_detectors

        return list_detectors(self._session.catalogue(at))


class AliasVerbs:
    """Aliases: dated names for detectors."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        name: str,
        detector: str,
        *,
        begin: TimeLike = 0,
        end: TimeLike | None = None,
        source: str = "",
        message: str = "",
        dry_run: bool = False,
    ) -> AliasList:
        """Let a name mean a detector from `begin` until `end` (not included; None is open).

        Raises
        ------
        OverlapError
            If the name has a meaning already at some second of that time.
        UnknownDetectorError
            If the detector is not registered.
        """
        from calibvcs.ops import alias

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        first, last = parse_time(begin), parse_end(end)
        return alias.add(store, author, name, detector, begin=first, end=last, source=source, message=message)

    def ls(self, *, at: str | None = None) -> AliasList:
        """Return all aliases, sorted by name and begin."""
        from calibvcs.ops import alias

        return alias.ls(self._session.catalogue(at))

    def resolve(self, name: str, when: TimeLike | None = None, *, at: str | None = None) -> AliasList:
        """Return the row that is in force for a name at a time (default: now).

        Raises
        ------
        UnknownDetectorError
            If the name means nothing at that time.
        """
        from calibvcs.ops import alias

        catalogue = self._session.catalogue(at)
        return alias.resolve(catalogue, name, self._session.seconds(catalogue, when))


class RunVerbs:
    """Runs: when they were, and what they were for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def mark(
        self,
        run: str | RunName,
        *,
        kind: str,
        reason: str | None = None,
        message: str,
        begin: TimeLike | None = None,
        end: TimeLike | None = None,
        instrument: str = "",
        dry_run: bool = False,
    ) -> RunList:
        """Write down a run, or more about one that is known.

        Parameters
        ----------
        run : str or RunName
            ``EXPERIMENT:RUN``.
        kind : {"data", "dark", "flat", "charge-injection"}
            What it was taken for.
        reason : {"power-cycled", "temperature", "opportunistic", "looks-wrong", "other"}, optional
            Why it was taken; a dark run needs one.
        message : str
            Comment.
        begin, end : time, optional
            When it was; what is not given stays as it was.
        instrument : str, optional
            Instrument of the experiment.
        dry_run : bool, optional
            Only try.

        Returns
        -------
        RunList
            The run and the commit.

        Raises
        ------
        InvalidOptionError
            If kind or reason is unknown, or a dark run has no reason.
        """
        from calibvcs.ops import run as runs

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        name = run if isinstance(run, RunName) else RunName.parse(run)
        return runs.mark(
            store,
            author,
            name,
            kind=_member(RunKind, "--kind", kind),
            reason=_member(RunReason, "--reason", reason) if reason else None,
            message=message,
            begin=self._seconds(begin),
            end=self._seconds(end),
            instrument=instrument,
        )

    def unmark(self, run: str | RunName, *, message: str = "", dry_run: bool = False) -> RunList:
        """Take a run out of the table; history keeps it.

        Raises
        ------
        UnknownRunError
            If it is not there.
        """
        from calibvcs.ops import run as runs

        name = run if isinstance(run, RunName) else RunName.parse(run)
        return runs.unmark(self._session.writable(dry_run=dry_run), self._session.author(), name, message)

    def ls(self, experiment: str | None = None, *, kind: str | None = None, at: str | None = None) -> RunList:
        """Return the runs of one experiment, or of all; of one kind, where that is asked for."""
        from calibvcs.ops import run as runs

        wanted = _member(RunKind, "--kind", kind) if kind else None
        name = parse_experiment(experiment) if experiment else None
        return runs.ls(self._session.catalogue(at), name, wanted)

    def _seconds(self, given: TimeLike | None) -> float | None:
        return None if given is None else self._session.seconds(self._session.catalogue(), given)


class TagVerbs:
    """Tags: names for the whole set of defaults at a commit."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, *, message: str, at: str | None = None, dry_run: bool = False) -> TagList:
        """Set an annotated tag; it never moves.

        Raises
        ------
        AlreadyExistsError
            If there is a tag of this name.
        EmptyCommentError
            If the message is empty.
        """
        from calibvcs.ops.tag import create_tag

        commit_id = self._session.catalogue(at).snapshot.commit_id or ""
        return create_tag(self._session.writable(dry_run=dry_run), self._session.author(), name, commit_id, message)

    def list(self) -> TagList:
        """Return all tags, sorted by name."""
        from calibvcs.ops.tag import list_tags

        return list_tags(self._session.store)

    def show(self, name: str) -> TagList:
        """Return one tag.

        Raises
        ------
        UnknownTagError
            If there is none of this name.
        """
        from calibvcs.ops.tag import show_tag

        return show_tag(self._session.store, name)


class DefaultVerbs:
    """Defaults: which version of a constant readers get."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def show(self, constant: str, *, at: str | None = None) -> Default:
        """Return the versions of a constant and which one is the default.

        Raises
        ------
        UnknownConstantError
            If it is not there.
        """
        from calibvcs.ops.default import show_default

        catalogue = self._session.catalogue(at)
        return show_default(catalogue, constant, self._session.seconds(catalogue, None))

    def set(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Make a version (``DET/CTYPE/RANGE@vN``) the default again.

        Raises
        ------
        UnknownVersionError
            If there is no such version.
        LockedError
            If the default is protected.
        """
        from calibvcs.ops.default import set_default

        now = self._session.seconds(self._session.catalogue(), None)
        return set_default(self._session.writable(dry_run=dry_run), self._session.author(), constant, message, now)


def _tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _member(kind: type[E], option: str, given: str) -> E:
    try:
        return kind(given)
    except ValueError:
        raise InvalidOptionError(option, given, f"allowed is one of {', '.join(kind)}") from None
