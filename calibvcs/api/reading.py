"""The verbs that look: what is there, how it came about, how it differs, and whether it is sound.

Operations are imported when they are called: a verb that only reads names must not pay for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.diff import Diff
    from calibvcs.ops.log import Log
    from calibvcs.ops.ls import Listing
    from calibvcs.ops.show import Shown
    from calibvcs.ops.verify import Verification


class ReadingVerbs:
    """The verbs of a `Repository` that look."""

    _session: Session

    def ls(self, pattern: str | None = None, *, at: str | None = None, valid_at: TimeLike | None = None) -> Listing:
        """Return the constants that are there.

        Parameters
        ----------
        pattern : str, optional
            Glob over ``DET/CTYPE/RANGE`` with ``*``, ``?`` and ``[...]``; DET may be an alias; missing parts match
            everything.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.
        valid_at : time, optional
            Only what a reader gets for this time, which also resolves an alias.

        Returns
        -------
        Listing
            ``.constants``, one row a constant, sorted by detector, ctype and range: name, validity in UNIX seconds,
            default version and its commit, dtype, shape, size of the file in bytes, state; ``.at``, the commit.

        Raises
        ------
        UnknownDetectorError, UnknownConstantError
            If a detector or ctype without wildcards is not there.
        UnknownRunError, UnknownRevisionError
            If the run in `valid_at`, or `at`, is not there.
        InvalidNameError, InvalidTimeError
            If the pattern or the time cannot be read.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.ls import ls

        catalogue = self._session.catalogue(at)
        moment = None if valid_at is None else self._session.seconds(catalogue, valid_at)
        return ls(catalogue, pattern, now=self._session.now(), valid_at=moment)

    def show(self, constant: str, *, at: str | None = None) -> Shown:
        """Return everything that is known of one version of a constant.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE[@VERSION]``; DET may be an alias, the range may be left out where there is only one,
            VERSION is ``vN`` or a revision, and the default without it.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Shown
            Version, author and comment; ``.meta``, metadata and provenance; ``.segments``, statistics of each gain
            range and segment, in the unit of the constant; for text ``.panels`` or ``.text``.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError
            If it is not there.
        UnknownRevisionError
            If `at` or VERSION is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidDataError
            If the data, committed by hand, are not what their file name promises.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.show import show

        return show(self._session.catalogue(at), constant, self._session.now())

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
        signatures: bool = False,
    ) -> Log:
        """Return what was changed, newest first.

        Parameters
        ----------
        pattern : str, optional
            Glob over ``DET/CTYPE/RANGE``; DET may be an alias; a detector alone also shows changes of its record.
            Default is everything.
        author : str, optional
            Text in name or e-mail address of the author, upper and lower case alike.
        since, until : time, optional
            Bounds of the author's time, both included.
        grep : str, optional
            Regular expression searched in the messages, upper and lower case alike.
        limit : int, optional
            Most commits to return; default is all.
        at : str, optional
            Branch, tag, commit or date to begin from; default is the newest commit.
        signatures : bool, optional
            Whether to check the signature of each.

        Returns
        -------
        Log
            ``.commits``, one entry a commit: id, author, ISO 8601 date, action, subject and body, and the constants
            it touched with their version; the tags that stand on it with their states; its signature.

        Raises
        ------
        UnknownDetectorError
            If a detector without wildcards is not there.
        UnknownRunError, UnknownRevisionError
            If a run that stands for a time, or `at`, is not there.
        InvalidNameError, InvalidTimeError, InvalidOptionError
            If the pattern, a time, or the regular expression cannot be read.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> [(entry.action, entry.subject) for entry in repository.log("jungfrau-000001/pedestals").commits]
        [('add', 'Dark run 12 after a power cycle'), ('add', 'Take over the example constants')]
        """
        from calibvcs.ops.log import LogFilter, log

        catalogue = self._session.catalogue(at)
        bounds = [None if moment is None else self._session.seconds(catalogue, moment) for moment in (since, until)]
        wanted = LogFilter(author, bounds[0], bounds[1], grep, limit)
        return log(catalogue, pattern, wanted, self._session.now(), self._session.signatures() if signatures else None)

    def diff(self, a: str, b: str) -> Diff:
        """Compare two things of one kind by their numbers, b minus a.

        Parameters
        ----------
        a, b : str
            Two constants (``DET/CTYPE/RANGE[@VERSION]``); two ctypes (``DET/CTYPE``) or detectors, at a revision with
            ``@REVISION``; two revisions or dates of the whole repository; or a file and a constant. A path that
            begins with ``.``, ``/`` or ``~`` is a file. A file that ends in ``.h5`` or ``.hdf5`` is compared as a
            whole, as `diff_hdf5` does.

        Returns
        -------
        Diff
            ``.same``; ``.constants``, what differs: arrays per gain range and segment in the unit of the constant,
            geometries per panel in um and degrees, metadata entry by entry; ``.files``, other files that differ.

        Raises
        ------
        InvalidOptionError
            If the two are not of one kind.
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError, MissingFileError
            If something that is named is not there.
        InvalidNameError
            If a name leaves open which range is meant.
        InvalidDataError
            If a file is no array or text of that ctype.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.

        Examples
        --------
        >>> difference = repository.diff(
        ...     "jungfrau-000001/pedestals/1767225600-end", "jungfrau-000001/pedestals/1769904000-end"
        ... )
        >>> segments = difference.constants[0].array.segments
        >>> [(one.gain, one.segment, one.changed, one.median, one.max_abs) for one in segments if one.changed]
        [(0, 1, 2048, 2.0, 2.0), (2, 0, 40, 0.0, 25.5)]
        """
        from calibvcs.formats.dcs.dcs_hdf5 import is_dcs_file

        if is_dcs_file(a) or is_dcs_file(b):
            from calibvcs.ops.dcs.diff_hdf5 import diff_hdf5

            return diff_hdf5(self._session.catalogue(), a, b, self._session.now())
        from calibvcs.ops.diff import diff

        return diff(self._session.catalogue(), a, b, self._session.now())

    def verify(
        self,
        *,
        deep: bool = False,
        at: str | None = None,
        signatures: bool = False,
        require: bool = False,
        since: str | None = None,
    ) -> Verification:
        """Check that the repository keeps the promises of its format.

        Looked at are format, names, metadata against data, required ctypes, gaps, ranges that no time chooses, and
        the states of tags.

        Parameters
        ----------
        deep : bool, optional
            Whether to read every payload that was ever stored too: its hash, form and values.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.
        signatures : bool, optional
            Whether to check the signatures of all commits up to there, and of all annotated tags.
        require : bool, optional
            Whether each of them has to be signed by a known key.
        since : str, optional
            Commit, tag or date up to which no signature is looked at, such as the last commit that nobody signed.

        Returns
        -------
        Verification
            ``.sound``, whether there is no error; ``.findings``, errors first, then warnings; ``.signatures``, how
            many are good, bad, of unknown keys, and missing. Damage is a finding, not an error that is raised.

        Raises
        ------
        UnknownRevisionError
            If `at` or `since` is not there.
        InvalidOptionError, DamagedRepositoryError
            If Git's configuration cannot be understood.
        """
        from calibvcs.ops.tagging.signed_history import verify_signed

        session = self._session
        old = session.unchecked(since).snapshot.commit_id if since else None
        checker = session.signatures() if signatures or require else None
        return verify_signed(session.unchecked(at), checker, deep=deep, require=require, since=old)
