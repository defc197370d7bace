"""Where lost objects may be found: another repository on this machine, or one behind a server."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from calibvcs.errors import NetworkError
from calibvcs.store.opening import locate
from calibvcs.store.remotes.remote import open_remote
from calibvcs.store.remotes.settings import configured_remote
from calibvcs.store.remotes.urls import parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Remote
    from calibvcs.store.upkeep.repairing import Source


@dataclass(frozen=True, slots=True)
class NearbyRepository:
    """A repository on this machine: its own files are read.

    Attributes
    ----------
    name : str
        What the user called it.
    folder : Path
        Its ``objects``.
    """

    name: str
    folder: Path

    @contextmanager
    def objects(self, wanted: Mapping[str, bool]) -> Iterator[Path]:  # noqa: ARG002 - all it has is there
        """Yield its ``objects``."""
        yield self.folder


@dataclass(frozen=True, slots=True)
class DistantRepository:
    """A repository behind a server: what is wanted comes into a folder of its own first, and is checked there.

    Attributes
    ----------
    name : str
        What the user called it.
    remote : Remote
        The way to it.
    here : Path
        An ``objects`` folder; the one for what comes is made in it, so that a clean-up finds it if we are killed.
    """

    name: str
    remote: Remote
    here: Path

    @contextmanager
    def objects(self, wanted: Mapping[str, bool]) -> Iterator[Path]:
        """Yield a folder with what came."""
        from calibvcs.store.initialise import initialise  # dulwich makes it

        folder = Path(mkdtemp(prefix="tmp_repair_", dir=self.here))
        try:
            with initialise(folder / "found.git", bare=True) as store, self.remote as remote:
                if not all(wanted.values()):
                    remote.fetch(store, name="found", squeezed=True)
                self._ask(remote, store, [one for one, by_id in wanted.items() if by_id])
                yield store.folder / "objects"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _ask(remote: Remote, store: GitStore, ids: list[str]) -> None:
        try:
            remote.fetch_objects(store, ids)
        except NetworkError:
            if len(ids) < 2:
                return
            for one in ids:  # it may lack only some of them
                with suppress(NetworkError):
                    remote.fetch_objects(store, [one])


def source_of(given: str, folder: Path) -> Source:
    """Return where lost objects may be found.

    Parameters
    ----------
    given : str
        Name of a remote, address or path.
    folder : Path
        The Git folder of the repository that lacks them.

    Returns
    -------
    Source
        What can be asked for them; it is contacted then.

    Raises
    ------
    InvalidOptionError
        If it is no address.
    NoRepositoryError
        If there is no repository at a path.
    DamagedRepositoryError
        If that cannot be opened.
    """
    known = configured_remote(folder, given)
    url = known.url if known else given
    address = parse_address(url)
    if address.transport == "path":
        return NearbyRepository(given, locate(Path(address.path)).common / "objects")
    return DistantRepository(given, open_remote(url), folder / "objects")
