"""The verbs that keep a repository well."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.ops.keeping.gc import GcResult
    from calibvcs.ops.keeping.repair import RepairResult

GRACE = "2w"
"""How long an object stays that nothing refers to, as with Git."""


class KeepingVerbs:
    """The verbs of a `Repository` that pack it, and mend what is damaged."""

    _session: Session

    def gc(self, *, grace: str = GRACE, everything: bool = False, dry_run: bool = False) -> GcResult:
        """Pack what is loose, merge packs where there are many, and remove what nobody needs.

        Readers and writers go on meanwhile. Large data are copied as they stand on disk, a window at a time, so little
        memory is needed; and on disk as much room as what is packed takes.

        Parameters
        ----------
        grace : str, optional
            How long an object stays that nothing refers to: ``2w``, ``36h``; at least one hour. Logs of refs, indexes
            and changes that are being made count as references.
        everything : bool, optional
            Whether to write all packs anew, as one, and not only when there are 50.
        dry_run : bool, optional
            Whether to look only.

        Returns
        -------
        GcResult
            ``.packed``, ``.merged``, ``.removed``, ``.kept``; ``.before`` and ``.after``, bytes on disk; ``.damaged``,
            what could not be read and was left as it is.

        Raises
        ------
        InvalidOptionError
            If `grace` is no length of time, or too short.
        WriterBusyError
            If another clean-up, of Git or of calibvcs, is at work.
        BrokenRepositoryError
            If something that is needed is missing or damaged: nothing was changed then.
        StorageError, NotWritableError
            If the disk is full, fails or is read-only: nothing was lost then.
        """
        from calibvcs.model.durations import parse_duration
        from calibvcs.ops.keeping.gc import LEAST_GRACE, gc

        seconds = parse_duration(grace, "--grace", LEAST_GRACE)
        return gc(self._session.store, seconds, everything=everything, dry_run=dry_run)

    def repair(
        self, sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (), *, dry_run: bool = False
    ) -> RepairResult:
        """Read every copy of every object, and bring back what is missing or damaged.

        What comes is hashed before it is believed, and nothing healthy is ever removed. Another copy in the repository
        itself is enough.

        Parameters
        ----------
        sources : str, path or sequence of them, optional
            Other repositories, the best first: names of remotes, addresses or paths.
        dry_run : bool, optional
            Whether to look only; the sources are not asked.

        Returns
        -------
        RepairResult
            ``.brought``, what came back and from where; ``.rewritten`` and ``.indexed``, packs that were mended;
            ``.lost``, what was not found anywhere; ``.sound``, whether there is nothing of that.

        Raises
        ------
        NoRepositoryError, NetworkError
            If a source is not there.
        InvalidOptionError
            If it is no path and no address.
        WriterBusyError
            If a clean-up or another repair is at work.
        StorageError, NotWritableError
            If the disk is full, fails or is read-only: nothing was lost then.
        """
        from calibvcs.ops.keeping.repair import repair

        given = [sources] if isinstance(sources, str | os.PathLike) else sources
        names = [os.fspath(source) for source in given]
        if not all(names):
            raise InvalidOptionError("--from", "", "the name of a remote, an address or a path is needed")
        return repair(self._session.store, names, dry_run=dry_run)
