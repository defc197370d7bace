"""``repository.bundle``: history, and the data of some detectors, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from calibvcs.api.session import Session
    from calibvcs.ops.keeping.bundle import BundleCheck, BundleResult, Unbundled


class BundleVerbs:
    """Bundles: one file that goes where no network goes. They are Git's own.

    Parameters
    ----------
    session : Session
        The open repository.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, path: str | os.PathLike[str], detectors: Sequence[str] = ()) -> BundleResult:
        """Write all branches and tags, with all history and all metadata, into one file.

        Parameters
        ----------
        path : str or path
            The file; it must not exist.
        detectors : sequence of str, optional
            Names, aliases or globs of the detectors whose data go with it, every version there ever was; default is
            all. ``git clone`` takes a complete bundle, ``git bundle unbundle`` a partial one too.

        Returns
        -------
        BundleResult
            ``.refs``, ``.objects``, ``.bytes``, ``.partial``.

        Raises
        ------
        AlreadyExistsError
            If there is such a file.
        UnknownDetectorError
            If a detector is not registered.
        NotHereError
            If data that belong into it were left out of this clone.
        BrokenRepositoryError
            If something that belongs into it is missing or damaged.
        StorageError, NotWritableError
            If the disk is full, fails or is read-only. With every error, no file is left.
        """
        from calibvcs.ops.keeping.bundle import create

        return create(self._session.catalogue(), self._session.store, Path(path), detectors)

    def verify(self, path: str | os.PathLike[str]) -> BundleCheck:
        """Read a bundle to its end, and tell whether it can be taken in here.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        BundleCheck
            ``.fits``, ``.refs``, ``.objects``, ``.partial``.

        Raises
        ------
        MissingFileError
            If it cannot be read.
        DamagedPackError
            If it is no bundle, or damaged.
        """
        from calibvcs.ops.keeping.bundle import check

        return check(self._session.store, Path(path))

    def unbundle(self, path: str | os.PathLike[str], *, name: str | None = None) -> Unbundled:
        """Take a bundle in: its objects, its branches as ``refs/remotes/NAME/*``, and the tags that are new.

        Parameters
        ----------
        path : str or path
            The file.
        name : str, optional
            Under which name its branches are kept; default is the name of the file.

        Returns
        -------
        Unbundled
            ``.objects``, ``.moved``, ``.notices``.

        Raises
        ------
        MissingFileError
            If the file cannot be read.
        DamagedPackError
            If it is no bundle or damaged, or needs what is not here; nothing was changed then.
        InvalidNameError
            If the name cannot be that of a remote.
        StorageError, NotWritableError
            If the disk is full, fails or is read-only.
        """
        from calibvcs.ops.keeping.bundle import unbundle

        return unbundle(self._session.store, Path(path), name)


def unbundle_anew(path: str | os.PathLike[str], repository: str | os.PathLike[str]) -> Unbundled:
    """Make a bare repository of a bundle; it appears whole or not at all.

    Parameters
    ----------
    path : str or path
        The file.
    repository : str or path
        Where; nothing may be there.

    Returns
    -------
    Unbundled
        ``.repository``, ``.objects``, ``.partial``.

    Raises
    ------
    AlreadyExistsError
        If something is there.
    MissingFileError
        If the file cannot be read.
    DamagedPackError
        If it is no bundle or damaged, or continues a history that it does not hold.
    StorageError, NotWritableError
        If the disk is full, fails or is read-only.
    """
    from calibvcs.ops.keeping.bundle import unbundle_anew as anew

    return anew(Path(repository), Path(path))
