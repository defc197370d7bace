"""The verbs that tell what a constant was made from, and make it again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from calibvcs.api.session import Session
    from calibvcs.ops.provenance.provenance import ProvenanceChain
    from calibvcs.ops.provenance.recorded import Recording
    from calibvcs.ops.provenance.rerun import Rerun

_LIMIT = 3600.0


class ProvenanceVerbs:
    """The verbs of a `Repository` that look at where constants come from."""

    _session: Session

    def provenance(self, constant: str, *, at: str | None = None) -> ProvenanceChain:
        """Return what a constant was made from, and what that was made from.

        Inputs are recorded by ``add(..., inputs=[...])`` with size and SHA-256. An input whose content the repository
        had before is one of its constants, whatever the file was called; the chain goes on with that.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE[@VERSION]``; DET may be an alias, the range may be left out where there is only one,
            VERSION is ``vN`` or a revision, and the default without it.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        ProvenanceChain
            ``.chain``, the constant with commit, command line, software, user and host; its ``.inputs``, files and
            constants, each of which has inputs again.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If something that is named is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> repository.provenance("jungfrau-000001/pedestals/1769904000-end").chain.comment
        'Dark run 12 after a power cycle'
        """
        from calibvcs.ops.provenance.provenance import provenance

        return provenance(self._session.catalogue(at), constant, self._session.now())

    def recorded(self, commit: str, *, folder: str | os.PathLike[str] | None = None) -> Recording:
        """Return the command lines that were recorded with a commit, and whether their inputs are still the same.

        Parameters
        ----------
        commit : str
            Branch, tag or commit.
        folder : str or path, optional
            Where relative paths begin; default is the current folder.

        Returns
        -------
        Recording
            ``.commands``, each with its constants and inputs.

        Raises
        ------
        UnknownRevisionError
            If there is no such commit.
        BrokenRepositoryError
            If what is read is damaged.
        """
        from calibvcs.ops.provenance.recorded import recorded

        return recorded(self._session.store, commit, _folder(folder))

    def rerun(
        self,
        commit: str,
        *,
        confirm: Callable[[Recording], bool],
        folder: str | os.PathLike[str] | None = None,
        time_limit: float = _LIMIT,
    ) -> Rerun | None:
        """Repeat the commands that were recorded with a commit, in a scratch repository, and compare what comes out.

        The commands came from the repository, and whoever could write to it may have written anything: they are run
        only where `confirm` says so, without a shell. The scratch repository has the history up to the commit before,
        and knows no way back: a ``calibvcs`` that is run, or a program that takes ``CALIBVCS_REPO``, writes there.

        Parameters
        ----------
        commit : str
            Branch, tag or commit.
        confirm : callable
            Is given what was recorded; whether it is run.
        folder : str or path, optional
            Where the commands are run; default is the current folder.
        time_limit : float, optional
            Seconds that each of them may take; then it is ended, with whatever it started.

        Returns
        -------
        Rerun or None
            ``.verdict`` and, for every constant, the difference in numbers; None where `confirm` said no.

        Raises
        ------
        UnknownRevisionError
            If there is no such commit.
        InvalidOptionError
            If nothing was recorded with it, it cannot be repeated, or the time limit is none.
        MissingProgramError
            If a program cannot be started.
        BrokenRepositoryError, NotHereError
            If data are damaged, or missing here and not to be had elsewhere.
        NotWritableError, StorageError
            If there is no room for the scratch repository.
        """
        from calibvcs.ops.provenance.rerun import rerun

        if not (math.isfinite(time_limit) and time_limit > 0):
            raise InvalidOptionError("time_limit", str(time_limit), "a number of seconds is needed")
        recording, store = self.recorded(commit, folder=folder), self._session.store
        if not confirm(recording):
            return None
        who = settings.identity(store.folder)
        identity = {"NAME": who.name or "calibvcs rerun", "EMAIL": who.email or "rerun@localhost"}
        names = {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in identity.items()}
        return rerun(
            store,
            recording,
            folder=_folder(folder),
            environment={**names, **settings.environment()},
            limit=time_limit,
            now=self._session.now(),
        )


def _folder(given: str | os.PathLike[str] | None) -> Path:
    folder = Path.cwd() if given is None else Path(given).expanduser()
    if not folder.is_dir():
        raise InvalidOptionError("folder", str(folder), "it is no folder", "name the folder where the command was run")
    return folder
