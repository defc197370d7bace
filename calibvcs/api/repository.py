"""The public object: a `Repository` has a method for every verb.

Operations are imported when they are called: a verb that only reads names must not pay for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from calibvcs import settings
from calibvcs.api.nouns import AliasVerbs, DefaultVerbs, DetectorVerbs, RunVerbs, TagVerbs
from calibvcs.api.session import Session
from calibvcs.model.metadata import Origin
from calibvcs.model.times import parse_end, parse_time

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibvcs.model.detector import Parameters
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.add import AddResult
    from calibvcs.ops.choosing import Chosen
    from calibvcs.ops.default import Default
    from calibvcs.ops.diff import Diff
    from calibvcs.ops.get import Constant
    from calibvcs.ops.log import Log
    from calibvcs.ops.ls import Listing
    from calibvcs.ops.show import Shown
    from calibvcs.ops.verify import Verification
    from calibvcs.ops.why import Why
    from calibvcs.store.git import GitStore


class Repository:
    """An open repository of constants; make one with `calibvcs.open` or `calibvcs.init`.

    Attributes
    ----------
    detector, alias, run, tag, default
        The verbs that begin with a noun: ``repository.detector.add(...)``, ``repository.tag.create(...)``.

    Examples
    --------
    >>> repository = calibvcs.open("constants")
    >>> pedestals = repository.get("jungfrau-000003", "pedestals", "2026-11-02T10:00:00Z")
    >>> pedestals.data.shape, pedestals.version, pedestals.meta.unit
    ((3, 1, 512, 1024), 'v2', 'ADU')
    """

    def __init__(self, store: GitStore) -> None:
        self._session = Session(store)
        self.detector = DetectorVerbs(self._session)
        self.alias = AliasVerbs(self._session)
        self.run = RunVerbs(self._session)
        self.tag = TagVerbs(self._session)
        self.default = DefaultVerbs(self._session)

    @property
    def location(self) -> str:
        """Where it is."""
        return self._session.store.location

    @property
    def commit(self) -> str:
        """Id of the newest commit."""
        return self._session.catalogue().snapshot.commit_id or ""

    def close(self) -> None:
        """Give files and maps back."""
        self._session.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Repository {self.location} at {(self._session.store.tip() or 'no commit')[:12]}>"

    # --- reading ----------------------------------------------------------------------------------------------

    def get(self, detector: str, ctype: str, when: TimeLike, *, at: str | None = None) -> Constant:
        """Return the constant in force.

        Parameters
        ----------
        detector : str
            Detector or alias; an alias is resolved at the time asked for.
        ctype : str
            Calibration type, for example ``pedestals``.
        when : time
            UNIX seconds, ISO 8601, datetime, datetime64, psana event or 64-bit stamp, or ``EXPERIMENT:RUN``.
        at : str, optional
            Branch, tag, commit or date: the state of the repository to read. Default: the newest commit.

        Returns
        -------
        Constant
            ``.data`` (read-only array, or text), ``.meta``, ``.validity``, ``.version``, ``.commit``.

        Raises
        ------
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        UnknownDetectorError, UnknownConstantError, UnknownRunError, UnknownRevisionError
            If something that is named is not there.
        DamagedObjectError
            If the data are missing or damaged.
        """
        from calibvcs.ops.get import get

        catalogue = self._session.catalogue(at)
        return get(catalogue, detector, ctype, self._session.seconds(catalogue, when))

    def choose(
        self, detector: str, ctype: str, when: TimeLike, *, at: str | None = None, output: str | None = None
    ) -> Chosen:
        """Return which constant is in force and why; with `output`, write its data there, byte for byte.

        Parameters
        ----------
        detector, ctype, when, at
            As for `get`.
        output : str, optional
            File to be written; ``-`` is standard output.

        Returns
        -------
        Chosen
            Name, version, commit, form and reason, without the data.

        Raises
        ------
        CalibvcsError
            As for `get`; an existing file is only replaced as a whole.
        """
        from calibvcs.ops.choosing import choose, write

        catalogue = self._session.catalogue(at)
        chosen = choose(catalogue, detector, ctype, self._session.seconds(catalogue, when))
        return chosen if output is None else write(catalogue, chosen, output)

    def why(self, detector: str, ctype: str, when: TimeLike, *, at: str | None = None) -> Why:
        """Return the candidates for a time in order, each with the reason it won or lost. Parameters as for `get`."""
        from calibvcs.ops.why import why

        catalogue = self._session.catalogue(at)
        return why(catalogue, detector, ctype, self._session.seconds(catalogue, when))

    def ls(self, pattern: str | None = None, *, at: str | None = None, valid_at: TimeLike | None = None) -> Listing:
        """Return the constants that a glob over ``DET/CTYPE/RANGE`` matches.

        Parameters
        ----------
        pattern : str, optional
            Glob; missing parts match everything.
        at : str, optional
            Branch, tag, commit or date.
        valid_at : time, optional
            Only what a reader gets for this time.

        Returns
        -------
        Listing
            One row a constant.
        """
        from calibvcs.ops.ls import ls

        catalogue = self._session.catalogue(at)
        moment = None if valid_at is None else self._session.seconds(catalogue, valid_at)
        return ls(catalogue, pattern, now=self._session.seconds(catalogue, None), valid_at=moment)

    def show(self, constant: str, *, at: str | None = None) -> Shown:
        """Return metadata, provenance and statistics of ``DET/CTYPE/RANGE[@VERSION]``.

        Raises
        ------
        UnknownConstantError, UnknownVersionError
            If it is not there.
        """
        from calibvcs.ops.show import show

        catalogue = self._session.catalogue(at)
        return show(catalogue, constant, self._session.seconds(catalogue, None))

    def log(
        self,
        pattern: str | None = None,
        *,
        author: str = "",
        since: TimeLike | None = None,
        until: TimeLike | None = None,
        grep: str = "",
        limit: int | None = None,
        at: str | None = None,
    ) -> Log:
        """Return what was changed, newest first.

        Parameters
        ----------
        pattern : str, optional
            Glob over ``DET/CTYPE/RANGE``.
        author : str, optional
            Text in name or e-mail address of the author.
        since, until : time, optional
            Bounds of the author's time.
        grep : str, optional
            Regular expression searched in the messages.
        limit : int, optional
            Most commits to return.
        at : str, optional
            Branch, tag, commit or date to begin from.

        Returns
        -------
        Log
            One entry a commit.
        """
        from calibvcs.ops.log import LogFilter, log

        catalogue = self._session.catalogue(at)
        bounds = [None if moment is None else self._session.seconds(catalogue, moment) for moment in (since, until)]
        wanted = LogFilter(author, bounds[0], bounds[1], grep, limit)
        return log(catalogue, pattern, wanted, self._session.seconds(catalogue, None))

    def diff(self, a: str, b: str) -> Diff:
        """Compare two versions, ranges, detectors, revisions or dates, or a file and a constant; b minus a.

        Raises
        ------
        InvalidOptionError
            If the two are not of one kind.
        """
        from calibvcs.ops.diff import diff

        catalogue = self._session.catalogue()
        return diff(catalogue, a, b, self._session.seconds(catalogue, None))

    def verify(self, *, deep: bool = False, at: str | None = None) -> Verification:
        """Check format, names, metadata against data, required ctypes, gaps; `deep` also every payload ever stored."""
        from calibvcs.ops.verify import verify

        return verify(self._session.unchecked(at), deep=deep)

    # --- writing ----------------------------------------------------------------------------------------------

    def add(
        self,
        detector: str,
        ctype: str,
        data: NDArray[Any] | str | os.PathLike[str],
        *,
        begin: TimeLike | None = None,
        end: TimeLike | None = None,
        message: str,
        experiment: str = "",
        run: int | None = None,
        run_end: int | None = None,
        source: str = "",
        unit: str = "",
        convention: str = "",
        parameters: Parameters | None = None,
        inputs: Sequence[str] = (),
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> AddResult:
        """Add a constant; it becomes the default of its range.

        Parameters
        ----------
        detector, ctype : str
            Detector or alias, and calibration type.
        data : ndarray, str or path
            The array; or text (a string with a line end); or the path of a ``.npy``, text array or geometry file.
        begin, end : time, optional
            Validity, the end not included, None for open. Without a begin, `experiment` and `run` give it.
        message : str
            Why.
        experiment, run, run_end, source
            Where the data were taken: experiment, run, last run they are meant for, free text.
        unit, convention : str, optional
            Unit, and how to apply the values; default is what is usual for the ctype.
        parameters : mapping, optional
            Free parameters.
        inputs : sequence of str, optional
            Files that the data were made from; size and SHA-256 are recorded.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same.
        dry_run : bool, optional
            Only try.

        Returns
        -------
        AddResult
            Constant, version, commit, blob and changes against the previous default.

        Raises
        ------
        GateRefusedError
            If the data look wrong.
        InvalidDataError
            If the data are not what the ctype holds.
        LockedError
            If the default is protected.
        """
        from calibvcs.ops import payload as payloads
        from calibvcs.ops.add import NewConstant, add

        if isinstance(data, str) and "\n" in data:
            payload = payloads.from_text(data.encode(), ctype, "text")
        elif isinstance(data, str) or hasattr(data, "__fspath__"):
            payload = payloads.from_file(str(data), ctype)
        else:
            payload = payloads.from_array(data)
        new = NewConstant(
            detector=detector,
            ctype=ctype,
            payload=payload,
            begin=None if begin is None else parse_time(begin),
            end=parse_end(end),
            origin=Origin(experiment, run, run_end, source),
            unit=unit,
            convention=convention,
            parameters=parameters or {},
            provenance=settings.provenance(tuple(command), tuple(payloads.input_file(path) for path in inputs)),
        )
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return add(store, author, [new], message, force_reason=force_reason)

    def add_manifest(
        self,
        path: str,
        *,
        message: str = "",
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> AddResult:
        """Add the constants that a manifest lists, all in one commit.

        Parameters
        ----------
        path : str
            A TOML file; see ``docs/formats/manifest.md``.
        message : str, optional
            Why; default is the message of the manifest.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same.
        dry_run : bool, optional
            Only try.

        Returns
        -------
        AddResult
            One entry a constant.

        Raises
        ------
        InvalidDocumentError
            If the manifest cannot be understood.
        CalibvcsError
            As for `add`.
        """
        from calibvcs.ops.add import add
        from calibvcs.ops.manifest import read_manifest

        manifest = read_manifest(path, settings.provenance(tuple(command)))
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return add(store, author, manifest.constants, message or manifest.message, force_reason=force_reason)

    def lock(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Protect the default of a constant: changes are refused, with this message, until it is unlocked."""
        return self._state("lock", constant, message, dry_run=dry_run)

    def unlock(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Take the protection of a default away."""
        return self._state("unlock", constant, message, dry_run=dry_run)

    def withdraw(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Mark the default of a range as bad: readers skip the range until another version becomes its default."""
        return self._state("withdraw", constant, message, dry_run=dry_run)

    def _state(self, verb: str, constant: str, message: str, *, dry_run: bool) -> Default:
        from calibvcs.ops import default

        change = {"lock": default.lock, "unlock": default.unlock, "withdraw": default.withdraw}[verb]
        now = self._session.seconds(self._session.catalogue(), None)
        return change(self._session.writable(dry_run=dry_run), self._session.author(), constant, message, now)
