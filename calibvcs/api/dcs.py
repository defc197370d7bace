"""``repository.dcs``: a detector as the Detector Calibration Store has it, for `calibvcs.dcs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calibvcs import settings
from calibvcs.api import given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from calibvcs.api.session import Session
    from calibvcs.formats.dcs.dcs_hdf5 import DcsFile
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.dcs.content import Stored


class DcsVerbs:
    """A detector as the Detector Calibration Store has it.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, detector: str, *, at: str | None = None) -> Stored:
        """Return a detector, with every version of its constants that are not withdrawn; no data are read.

        Parameters
        ----------
        detector : str
            Detector or alias, which is resolved now; one that is not registered yet is empty.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Stored
            ``.file``, what there is; ``.data(ctype, range, version)`` reads data, an array or the bytes of a text.

        Raises
        ------
        UnknownRevisionError
            If `at` is not there.
        InvalidNameError
            If the name can be none of a detector.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.dcs.content import read_detector

        return read_detector(self._session.catalogue(at), detector, self._session.now())

    def save(
        self,
        before: Stored,
        after: DcsFile,
        data: Mapping[tuple[str, str, int], NDArray[Any] | str],
        *,
        message: str,
        command: Sequence[str] = (),
        force_reason: str = "",
        dry_run: bool = False,
    ) -> str:
        """Commit what was changed of a detector: in one commit where the rules of versions allow it.

        Parameters
        ----------
        before : Stored
            As `read` returned it.
        after : DcsFile
            As it is to be. What is not in it any more is withdrawn; history keeps it.
        data : mapping
            Data of the new versions: by ctype, range and number.
        message : str
            Why.
        command : sequence of str, optional
            Command line that is recorded.
        force_reason : str, optional
            Why data that the gate refuses are right all the same.
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        str
            Id of the last commit that was made; that of the tip where nothing was changed.

        Raises
        ------
        GateRefusedError, InvalidDataError
            If data look wrong, or cannot be stored.
        LockedError
            If a default is protected.
        EmptyCommentError
            If the message is empty.
        UnknownDetectorError
            If predecessor or successor is not registered.
        InvalidOptionError
            If something was changed that a repository cannot take.
        NoIdentityError
            If nobody said who the user is.
        ConflictError, NotWritableError, StorageError
            If another writer, a file edited by hand in the worktree, or the disk is in the way.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.model.names import DetectorName
        from calibvcs.ops import payload as payloads
        from calibvcs.ops.dcs.difference import Difference
        from calibvcs.ops.dcs.saving import Wish, save

        payload = {
            key: payloads.from_text(value.encode(errors="surrogatepass"), key[0].lower(), "text")
            if isinstance(value, str)
            else payloads.from_array(value)
            for key, value in data.items()
        }
        difference = Difference(DetectorName.parse(before.detector), before.file, after, before.names)
        wish = Wish(
            message,
            payload,
            settings.provenance(given.texts("command", command)),
            force_reason.strip(),
            self._session.now(),
        )
        return save(self._session.writable(dry_run=dry_run), self._session.author(), difference, wish)

    def seconds(self, when: TimeLike) -> float:
        """Return a time as UNIX seconds; a run is looked up in the run table.

        Parameters
        ----------
        when : time
            Any kind of time that a `Repository` takes.

        Returns
        -------
        float
            UNIX seconds.

        Raises
        ------
        InvalidTimeError
            If it is no time.
        UnknownRunError
            If it is a run whose begin is not known.
        """
        return self._session.seconds(self._session.catalogue(), when)
