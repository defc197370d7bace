"""``repository.run``: when the runs of an experiment were, and what they were for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError
from calibvcs.model.names import parse_experiment
from calibvcs.model.runs import RunKind, RunReason
from calibvcs.model.times import RunName

if TYPE_CHECKING:
    from enum import StrEnum
    from typing import TypeVar

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.run import RunList

    E = TypeVar("E", bound=StrEnum)


class RunVerbs:
    """Runs: when they were, and what they were for.

    Parameters
    ----------
    session : Session
        The open repository.
    """

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
            Comment of the run and of the commit.
        begin, end : time, optional
            When it was, to the whole second before and behind; what is not given stays as it was.
        instrument : str, optional
            Instrument of the experiment; what is not given stays as it was.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        RunList
            ``.runs``, this run alone, times in UNIX seconds; ``.commit``, the commit that wrote it down.

        Raises
        ------
        InvalidOptionError
            If kind or reason is unknown, a dark run has no reason, the message has control characters or lines that
            look like trailers of calibvcs, or HEAD stands on no branch.
        EmptyCommentError
            If the message is empty.
        InvalidNameError, InvalidTimeError, InvalidRangeError
            If the experiment, the run or a time cannot be read, or the end does not lie behind the begin.
        UnknownRunError
            If another run stands for a time, and is not there.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> marked = repository.run.mark(
        ...     "mfx000126:12",
        ...     kind="dark",
        ...     reason="power-cycled",
        ...     begin="2026-02-01T00:00:00Z",
        ...     end="2026-02-01T00:05:00Z",
        ...     message="Dark run after a power cycle",
        ... )
        >>> marked.runs[0].begin, marked.runs[0].end
        (1769904000, 1769904300)
        """
        from calibvcs.ops import run as runs

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return runs.mark(
            store,
            author,
            _name(run),
            kind=_member(RunKind, "--kind", kind),
            reason=_member(RunReason, "--reason", reason) if reason else None,
            message=message,
            begin=self._seconds(begin),
            end=self._seconds(end),
            instrument=instrument,
        )

    def unmark(self, run: str | RunName, *, message: str = "", dry_run: bool = False) -> RunList:
        """Take a run out of the table; history keeps it.

        Parameters
        ----------
        run : str or RunName
            ``EXPERIMENT:RUN``.
        message : str, optional
            Why; default is "Unmark run ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        RunList
            ``.runs``, the run as it was; ``.commit``, the commit that took it out.

        Raises
        ------
        UnknownRunError
            If it is not there.
        InvalidNameError, InvalidTimeError
            If the experiment breaks the grammar, or the run is not of the form ``EXPERIMENT:RUN``.
        InvalidOptionError
            If the message has control characters or lines that look like trailers of calibvcs, or HEAD stands on no
            branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops import run as runs

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return runs.unmark(store, author, _name(run), message)

    def ls(self, experiment: str | None = None, *, kind: str | None = None, at: str | None = None) -> RunList:
        """Return the runs that are known.

        Parameters
        ----------
        experiment : str, optional
            Only the runs of this experiment.
        kind : {"data", "dark", "flat", "charge-injection"}, optional
            Only the runs that were taken for this.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        RunList
            ``.runs``, sorted by experiment and run, times in UNIX seconds; none for an experiment nobody marked runs
            of.

        Raises
        ------
        InvalidOptionError
            If the kind is unknown.
        InvalidNameError
            If the experiment breaks the grammar.
        UnknownRevisionError
            If `at` is not there.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops import run as runs

        wanted = _member(RunKind, "--kind", kind) if kind else None
        name = parse_experiment(experiment) if experiment else None
        return runs.ls(self._session.catalogue(at), name, wanted)

    def _seconds(self, given: TimeLike | None) -> float | None:
        return None if given is None else self._session.seconds(self._session.catalogue(), given)


def _name(run: str | RunName) -> RunName:
    return run if isinstance(run, RunName) else RunName.parse(run)


def _member(kind: type[E], option: str, given: str) -> E:
    try:
        return kind(given)
    except ValueError:
        raise InvalidOptionError(option, given, f"allowed is one of {', '.join(kind)}") from None
