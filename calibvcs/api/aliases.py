"""``repository.alias``: dated names for detectors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from calibvcs.model.times import parse_end, parse_time

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.alias import AliasList
    from calibvcs.ops.alias_tables import AliasesTaken, AliasText


class AliasVerbs:
    """Aliases: dated names for detectors.

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
        detector: str,
        *,
        begin: TimeLike = 0,
        end: TimeLike | None = None,
        source: str = "",
        message: str = "",
        dry_run: bool = False,
    ) -> AliasList:
        """Let a name mean a detector from one time to another.

        Parameters
        ----------
        name : str
            The alias, for example ``front``.
        detector : str
            Registered detector that it means.
        begin : time, optional
            When it begins to mean that, to the whole second before; default is always.
        end : time, optional
            When it ends, to the whole second behind, itself not included; default is open.
        source : str, optional
            Name of the source in the DAQ.
        message : str, optional
            Why; default is "Let ... mean ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        AliasList
            ``.aliases``, the new row alone; ``.commit``, the commit that made it.

        Raises
        ------
        OverlapError
            If the name has a meaning already at some second of that time.
        AlreadyExistsError
            If a detector has this name.
        UnknownDetectorError, UnknownRunError
            If the detector, or a run that stands for a time, is not there.
        InvalidNameError, InvalidTimeError, InvalidRangeError
            If a name or a time cannot be read, or the end does not lie behind the begin.
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
        from calibvcs.ops import alias

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        first, last = parse_time(begin), parse_end(end)
        return alias.add(store, author, name, detector, begin=first, end=last, source=source, message=message)

    def ls(self, *, at: str | None = None) -> AliasList:
        """Return all aliases.

        Parameters
        ----------
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        AliasList
            ``.aliases``, one row a name and time, sorted by name and begin.

        Raises
        ------
        UnknownRevisionError
            If `at` is not there.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.
        """
        from calibvcs.ops import alias

        return alias.ls(self._session.catalogue(at))

    def resolve(self, name: str, when: TimeLike | None = None, *, at: str | None = None) -> AliasList:
        """Return the row that is in force for a name.

        Parameters
        ----------
        name : str
            Alias; a detector's own name means that detector.
        when : time, optional
            When it is to be resolved; default is now.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        AliasList
            ``.aliases``, that row alone: its ``.detector`` is what the name means.

        Raises
        ------
        UnknownDetectorError
            If the name means nothing at that time.
        UnknownRevisionError, UnknownRunError
            If `at` or the run in `when` is not there.
        InvalidNameError, InvalidTimeError
            If the name or the time cannot be read.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> str(repository.alias.resolve("front", "2026-02-14").aliases[0].detector)
        'jungfrau-000001'
        """
        from calibvcs.ops import alias

        catalogue = self._session.catalogue(at)
        return alias.resolve(catalogue, name, self._session.seconds_or_now(catalogue, when))

    def import_als(
        self, path: str | os.PathLike[str], *, detector: str = "", message: str = "", dry_run: bool = False
    ) -> AliasesTaken:
        """Take over an alias table in text, ``<alias> <source> <begin> <end>`` a line.

        Parameters
        ----------
        path : str or path
            The file.
        detector : str, optional
            Registered detector that all rows mean; default is what the sources name, see ``docs/parameters.md``.
        message : str, optional
            Why; default is "Take over the aliases of ...".
        dry_run : bool, optional
            Whether to try only: everything is checked, nothing is changed.

        Returns
        -------
        AliasesTaken
            ``.added``, new rows; ``.known``, how many were here already; ``.passed_over``, what could not be taken,
            with the reasons; ``.commit``, empty where nothing was new.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the file cannot be read, or is no such table.
        CalibvcsError
            The other errors as for `add`, but for those of single rows, which are passed over.
        """
        from calibvcs.ops.alias_tables import import_als

        store, author = self._session.writable(dry_run=dry_run), self._session.author()
        return import_als(store, author, os.fspath(path), detector, message)

    def export_als(self, dettype: str, *, at: str | None = None) -> AliasText:
        """Return the aliases of a detector type as a table in text.

        Parameters
        ----------
        dettype : str
            Detector type, for example ``jungfrau``.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        AliasText
            ``.text``, the table; `import_als` reads it again.

        Raises
        ------
        InvalidOptionError
            If there are no aliases of this type.
        InvalidNameError, UnknownRevisionError
            If the name is none of a detector type, or `at` is not there.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> repository.alias.export_als("jungfrau").text.splitlines()[-1]
        'front jungfrau 1767225600 end'
        """
        from calibvcs.ops.alias_tables import export_als

        return export_als(self._session.catalogue(at), dettype)
