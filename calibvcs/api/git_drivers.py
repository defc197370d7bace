"""What the drivers of C Git call, and how they are set up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibvcs.api.session import Session
    from calibvcs.ops.diff import Diff
    from calibvcs.ops.git_drivers import GitDrivers

NO_FILE = "/dev/null"
"""What Git gives in the place of a file that one side has not got."""


class GitDriverVerbs:
    """The verbs of a `Repository` for C Git."""

    _session: Session

    def install_git_drivers(self) -> GitDrivers:
        """Let C Git show constants in words, and refuse to merge arrays, in this repository.

        The configuration of the repository gets the drivers, and ``info/attributes`` says for which files they are.
        Nothing is committed.

        Returns
        -------
        GitDrivers
            The files and the entries.

        Raises
        ------
        MissingProgramError
            If C Git is not there.
        NotWritableError, StorageError
            If a file cannot be written.
        """
        from calibvcs.ops.git_drivers import install

        return install(self._session.store.folder)

    def remove_git_drivers(self) -> GitDrivers:
        """Take the drivers away; what else stands in these files stays.

        Returns
        -------
        GitDrivers
            The files.

        Raises
        ------
        MissingProgramError, NotWritableError, StorageError
            As for `install_git_drivers`.
        """
        from calibvcs.ops.git_drivers import uninstall

        return uninstall(self._session.store.folder)

    def diff_files(self, a: str | os.PathLike[str], b: str | os.PathLike[str], path: str) -> Diff:
        """Compare two files that are both meant to stand at one path of the repository, by their numbers.

        Parameters
        ----------
        a, b : str or path
            Two arrays, geometries, files of metadata, or other texts.
        path : str
            The path, which tells detector and ctype.

        Returns
        -------
        Diff
            ``b`` minus ``a``.

        Raises
        ------
        MissingFileError, InvalidDataError, InvalidDocumentError
            If one cannot be read.
        """
        from calibvcs.ops.diff import diff_files

        return diff_files(self._session.catalogue(), os.fspath(a), os.fspath(b), path)


def install_git_drivers_globally(*, remove: bool = False) -> GitDrivers:
    """Set the drivers up in the configuration of the user, for all repositories, or take them away there.

    Each repository says itself for which of its files they are: those that calibvcs made name the one for ``.npy``.

    Parameters
    ----------
    remove : bool, optional
        Whether they are taken away.

    Returns
    -------
    GitDrivers
        The entries.

    Raises
    ------
    MissingProgramError
        If C Git is not there.
    NotWritableError
        If the file cannot be written.
    """
    from calibvcs.ops.git_drivers import install, uninstall

    return uninstall(None) if remove else install(None)
