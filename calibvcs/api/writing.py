"""The verbs that change constants.

Operations are imported when they are called: a verb that touches no array must not pay for numpy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from calibvcs import settings
from calibvcs.api import given
from calibvcs.errors import InvalidDataError
from calibvcs.model.commits import Action
from calibvcs.model.names import parse_experiment
from calibvcs.model.times import parse_end, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibvcs.api.session import Session
    from calibvcs.model.detector import Parameters
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.add import AddResult
    from calibvcs.ops.default import Default
    from calibvcs.ops.payload import Payload


class WritingVerbs:
    """The verbs of a `Repository` that change constants."""

    _session: Session

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
        inputs: Sequence[str | os.PathLike[str]] = (),
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> AddResult:
        """Add a constant; it becomes the default of its range.

        Parameters
        ----------
        detector : str
            Detector or alias; an alias is resolved at the begin of the range.
        ctype : str
            Calibration type, for example ``pedestals``.
        data : ndarray, str or path
            An array in the shape and dtype of the ctype, usually ([gain,] [segment,] row, column) and float32; any
            order of axes in memory and of bytes is taken, C order and little endian are stored. Or text, which is a
            str with a line end in it; or the path of a ``.npy``, text array or geometry file.
        begin : time, optional
            Begin of the validity, to the whole second before. Without it, `experiment` and `run` give the begin, and
            `run_end` the end.
        end : time, optional
            End of the validity, to the whole second behind, itself not included; default is open.
        message : str
            Why.
        experiment : str, optional
            Experiment in which the data were taken.
        run : int, optional
            Run in which they were taken.
        run_end : int, optional
            Last run, included, that they are meant for.
        source : str, optional
            Where they come from, free text.
        unit : str, optional
            Unit of the values; default is that of the ctype, such as ADU for pedestals.
        convention : str, optional
            How to apply the values; default is what is usual for the ctype, such as ``subtract``.
        parameters : mapping, optional
            Free parameters: numbers, text, and lists and mappings of these.
        inputs : sequence of str or path, optional
            Files that the data were made from; path, size and SHA-256 are recorded.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same; it goes into the commit.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        AddResult
            ``.constants``, one entry: name, version, id of the data, changes against the constant that was in force
            before (in the unit of the constant), warnings and forced refusals of the gate; ``.commit``.

        Raises
        ------
        GateRefusedError
            If the data look wrong, or are those of the default; all reasons are listed.
        InvalidDataError
            If the data are no array, text or file that can be stored, or no geometry where the ctype holds one.
        LockedError
            If the default of the range is protected.
        EmptyCommentError
            If the message is empty.
        InvalidOptionError
            If there is no begin, a parameter or run number cannot be stored, the message has control characters or
            lines that look like trailers of calibvcs, or HEAD stands on no branch.
        InvalidNameError, InvalidTimeError, InvalidRangeError
            If a name or a time cannot be read, or the end does not lie behind the begin.
        UnknownDetectorError, UnknownRunError, MissingFileError
            If the detector, a run that stands for a time, or a file is not there.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> dark = repository.get("opal1000-000002", "pedestals", "mfx000126:7").data + 3
        >>> result = repository.add("opal1000-000002", "pedestals", dark, begin="2026-03-01", message="Dark run 20")
        >>> str(result.constants[0].constant), result.constants[0].version
        ('opal1000-000002/pedestals/1772323200-end', 'v1')
        >>> round(result.constants[0].changes.median, 3)
        3.0
        """
        from calibvcs.model.metadata import Origin
        from calibvcs.ops import payload as payloads
        from calibvcs.ops.add import add
        from calibvcs.ops.new_constant import NewConstant

        new = NewConstant(
            detector=detector,
            ctype=ctype,
            payload=_payload(data, ctype),
            begin=None if begin is None else parse_time(begin),
            end=parse_end(end),
            origin=Origin(
                parse_experiment(experiment) if experiment else "",
                given.number("run", run),
                given.number("run_end", run_end),
                source,
            ),
            unit=unit,
            convention=convention,
            parameters=given.parameters(parameters),
            provenance=settings.provenance(
                given.texts("command", command),
                tuple(payloads.input_file(path) for path in given.texts("inputs", inputs)),
            ),
        )
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return add(store, author, [new], message, force_reason=force_reason.strip())

    def add_manifest(
        self,
        path: str | os.PathLike[str],
        *,
        message: str = "",
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> AddResult:
        """Add the constants that a manifest lists, all in one commit.

        Parameters
        ----------
        path : str or path
            A TOML file; see ``docs/formats/manifest.md``. The files that it names are looked for in its own folder.
        message : str, optional
            Why; default is the message of the manifest.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same; it goes into the commit.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        AddResult
            As for `add`, one entry a constant, in the order of the manifest.

        Raises
        ------
        MissingFileError
            If the manifest or a file that it names cannot be read.
        InvalidDocumentError
            If the manifest cannot be understood.
        CalibvcsError
            As for `add`, and if two rows are for the same range; then none of them is added.
        """
        from calibvcs.ops.add import add
        from calibvcs.ops.manifest import read_manifest

        manifest = read_manifest(os.fspath(path), settings.provenance(given.texts("command", command)))
        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        why = message or manifest.message
        return add(store, author, manifest.constants, why, force_reason=force_reason.strip())

    def lock(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Protect the default of a constant: changes are refused, with this message, until it is unlocked.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE``; DET may be an alias, and the range may be left out where there is only one.
        message : str
            Why; it is shown to whoever is refused.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        Default
            Versions and state afterwards; ``.commit``, the commit that locked it.

        Raises
        ------
        NothingToChangeError
            If it is locked already.
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If it is not there.
        EmptyCommentError
            If the message is empty.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidOptionError
            If it names a version that is not the default, the message has control characters or lines that look like
            trailers of calibvcs, or HEAD stands on no branch.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way; nothing is committed.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        return self._set_state(Action.LOCK, constant, message, dry_run=dry_run)

    def unlock(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Take the protection of a default away.

        Parameters
        ----------
        constant, message, dry_run
            As for `lock`.

        Returns
        -------
        Default
            Versions and state afterwards; ``.commit``, the commit that unlocked it.

        Raises
        ------
        NothingToChangeError
            If it is not locked.
        CalibvcsError
            The other errors as for `lock`.
        """
        return self._set_state(Action.UNLOCK, constant, message, dry_run=dry_run)

    def withdraw(self, constant: str, *, message: str, dry_run: bool = False) -> Default:
        """Mark the default of a range as bad: readers skip the range until another version becomes its default.

        Parameters
        ----------
        constant, message, dry_run
            As for `lock`.

        Returns
        -------
        Default
            Versions and state afterwards; ``.commit``, the commit that withdrew it.

        Raises
        ------
        NothingToChangeError
            If it is withdrawn already.
        LockedError
            If the default is protected.
        CalibvcsError
            The other errors as for `lock`.
        """
        return self._set_state(Action.WITHDRAW, constant, message, dry_run=dry_run)

    def _set_state(self, action: Action, constant: str, message: str, *, dry_run: bool) -> Default:
        from calibvcs.ops.default import set_state

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return set_state(store, author, constant, message, self._session.now(), action)


def _payload(data: NDArray[Any] | str | os.PathLike[str], ctype: str) -> Payload:
    from calibvcs.ops import payload as payloads

    if isinstance(data, str) and "\n" in data:
        return payloads.from_text(data.encode(errors="surrogatepass"), ctype, "text")
    if isinstance(data, str | os.PathLike):
        return payloads.from_file(os.fspath(data), ctype)
    if not hasattr(data, "dtype"):
        reason = f"{type(data).__name__} is no array; allowed is an ndarray, text with a line end, or a path"
        raise InvalidDataError("data", reason, "numpy.asarray(data, dtype) makes an array of lists")
    return payloads.from_array(data)
