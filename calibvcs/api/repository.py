"""The public object: a `Repository` has a method for every verb."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from calibvcs.api.exchange_calibdir import CalibdirVerbs
from calibvcs.api.exchange_hdf5 import Hdf5Verbs
from calibvcs.api.exchange_psana import PsanaVerbs
from calibvcs.api.exporting_shm import ShmVerbs
from calibvcs.api.getting import GettingVerbs
from calibvcs.api.git_drivers import GitDriverVerbs
from calibvcs.api.keeping import KeepingVerbs
from calibvcs.api.plotting import PlottingVerbs
from calibvcs.api.proposing import ProposingVerbs
from calibvcs.api.provenance import ProvenanceVerbs
from calibvcs.api.reading import ReadingVerbs
from calibvcs.api.session import Session
from calibvcs.api.sharing import SharingVerbs
from calibvcs.api.statistics import StatisticsVerbs
from calibvcs.api.worktree import WorktreeVerbs
from calibvcs.api.writing import WritingVerbs

if TYPE_CHECKING:
    from calibvcs.api.access import AccessVerbs
    from calibvcs.api.aliases import AliasVerbs
    from calibvcs.api.bundles import BundleVerbs
    from calibvcs.api.dcs import DcsVerbs
    from calibvcs.api.defaults import DefaultVerbs
    from calibvcs.api.detectors import DetectorVerbs
    from calibvcs.api.lock_files import LockFileVerbs
    from calibvcs.api.parameters import ParameterVerbs
    from calibvcs.api.runs import RunVerbs
    from calibvcs.api.tags import TagVerbs
    from calibvcs.store.git import GitStore


class Repository(
    GettingVerbs,
    ReadingVerbs,
    WritingVerbs,
    WorktreeVerbs,
    SharingVerbs,
    ProposingVerbs,
    KeepingVerbs,
    ShmVerbs,
    Hdf5Verbs,
    PsanaVerbs,
    CalibdirVerbs,
    StatisticsVerbs,
    ProvenanceVerbs,
    GitDriverVerbs,
    PlottingVerbs,
):
    """An open repository of constants.

    `calibvcs.open` makes one. It is a context manager; readers take no lock, and any number of programs may have the
    same repository open and change it. Every verb sees the newest commit, unless it is asked for another one.

    Parameters
    ----------
    store : GitStore
        The Git repository.
    sign : bool, optional
        Whether what is written is signed; default is what Git's configuration says.

    Examples
    --------
    ``calibvcs quickstart`` makes the repository of the examples.

    >>> import calibvcs
    >>> with calibvcs.open("calibvcs-quickstart") as repository:
    ...     pedestals = repository.get("jungfrau-000001", "pedestals", "2026-02-14T12:00:00Z")
    >>> pedestals.data.shape, pedestals.version, pedestals.meta.unit
    ((3, 2, 32, 64), 'v1', 'ADU')
    """

    def __init__(self, store: GitStore, *, sign: bool | None = None) -> None:
        self._session = Session(store, sign=sign)

    @cached_property
    def detector(self) -> DetectorVerbs:
        """Detectors.

        Returns
        -------
        DetectorVerbs
            ``add``, ``set``, ``show``, ``ls``.
        """
        from calibvcs.api.detectors import DetectorVerbs

        return DetectorVerbs(self._session)

    @cached_property
    def alias(self) -> AliasVerbs:
        """Dated names for detectors.

        Returns
        -------
        AliasVerbs
            ``add``, ``ls``, ``resolve``, ``import_als``, ``export_als``.
        """
        from calibvcs.api.aliases import AliasVerbs

        return AliasVerbs(self._session)

    @cached_property
    def param(self) -> ParameterVerbs:
        """Free parameters of detectors, ctypes and ranges.

        Returns
        -------
        ParameterVerbs
            ``get``, ``set``, ``unset``.
        """
        from calibvcs.api.parameters import ParameterVerbs

        return ParameterVerbs(self._session)

    @cached_property
    def run(self) -> RunVerbs:
        """The run tables of experiments.

        Returns
        -------
        RunVerbs
            ``mark``, ``unmark``, ``ls``.
        """
        from calibvcs.api.runs import RunVerbs

        return RunVerbs(self._session)

    @cached_property
    def tag(self) -> TagVerbs:
        """Names for the whole set of defaults at a commit.

        Returns
        -------
        TagVerbs
            ``create``, ``list``, ``show``, ``state``, ``set_state``, ``accept``.
        """
        from calibvcs.api.tags import TagVerbs

        return TagVerbs(self._session)

    @cached_property
    def access(self) -> AccessVerbs:
        """Who may change what.

        Returns
        -------
        AccessVerbs
            ``check``, ``test``.
        """
        from calibvcs.api.access import AccessVerbs

        return AccessVerbs(self._session)

    @cached_property
    def dcs(self) -> DcsVerbs:
        """Detectors as the Detector Calibration Store has them; `calibvcs.dcs.DCStore` is made of it.

        Returns
        -------
        DcsVerbs
            ``read``, ``save``, ``seconds``.
        """
        from calibvcs.api.dcs import DcsVerbs

        return DcsVerbs(self._session)

    @cached_property
    def default(self) -> DefaultVerbs:
        """The version of a constant that readers get.

        Returns
        -------
        DefaultVerbs
            ``show``, ``set``.
        """
        from calibvcs.api.defaults import DefaultVerbs

        return DefaultVerbs(self._session)

    @cached_property
    def bundle(self) -> BundleVerbs:
        """History, and the data of some detectors, in one file.

        Returns
        -------
        BundleVerbs
            ``create``, ``verify``, ``unbundle``.
        """
        from calibvcs.api.bundles import BundleVerbs

        return BundleVerbs(self._session)

    @cached_property
    def lock_file(self) -> LockFileVerbs:
        """The exact set of constants that an analysis used.

        Returns
        -------
        LockFileVerbs
            ``make``, ``write``, ``check``, ``restore``, ``restore_defaults``.
        """
        from calibvcs.api.lock_files import LockFileVerbs

        return LockFileVerbs(self._session)

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
