"""The public object: a `Repository` has a method for every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from calibvcs.api.aliases import AliasVerbs
from calibvcs.api.defaults import DefaultVerbs
from calibvcs.api.detectors import DetectorVerbs
from calibvcs.api.reading import ReadingVerbs
from calibvcs.api.runs import RunVerbs
from calibvcs.api.session import Session
from calibvcs.api.tags import TagVerbs
from calibvcs.api.writing import WritingVerbs

if TYPE_CHECKING:
    from calibvcs.store.git import GitStore


class Repository(ReadingVerbs, WritingVerbs):
    """An open repository of constants.

    `calibvcs.open` makes one. It is a context manager; readers take no lock, and any number of programs may have the
    same repository open and change it. Every verb sees the newest commit, unless it is asked for another one.

    Parameters
    ----------
    store : GitStore
        The Git repository.

    Attributes
    ----------
    detector : DetectorVerbs
        Detectors: ``add``, ``set``, ``show``, ``ls``.
    alias : AliasVerbs
        Dated names for detectors: ``add``, ``ls``, ``resolve``.
    run : RunVerbs
        The run tables of experiments: ``mark``, ``unmark``, ``ls``.
    tag : TagVerbs
        Names for the whole set of defaults at a commit: ``create``, ``list``, ``show``.
    default : DefaultVerbs
        The version of a constant that readers get: ``show``, ``set``.

    Examples
    --------
    ``calibvcs quickstart`` makes the repository of the examples.

    >>> import calibvcs
    >>> with calibvcs.open("calibvcs-quickstart") as repository:
    ...     pedestals = repository.get("jungfrau-000001", "pedestals", "2026-02-14T12:00:00Z")
    >>> pedestals.data.shape, pedestals.version, pedestals.meta.unit
    ((3, 2, 32, 64), 'v1', 'ADU')
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
        """Path of the worktree, or of the bare repository.

        Returns
        -------
        str
            The path.
        """
        return self._session.store.location

    @property
    def commit(self) -> str:
        """Id of the newest commit.

        Returns
        -------
        str
            40 hex digits.

        Raises
        ------
        UnknownRevisionError
            If there is no commit.
        BrokenRepositoryError
            If that commit is damaged, none of ours, or in a format that this program does not know.
        """
        return self._session.catalogue().snapshot.commit_id or ""

    def close(self) -> None:
        """Give files and maps back; whatever was read stays valid."""
        self._session.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Repository {self.location} at {(self._session.store.tip() or 'no commit')[:12]}>"
