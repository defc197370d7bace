"""Other repositories: their refs, bringing objects from them, and bringing objects and refs to them.

    with open_remote("ssh://host/constants.git") as remote:       # or a path, https://, http://, git://, user@host:path
        remote.refs()                                             -> RemoteRefs(refs, head)
        remote.fetch(store, name="origin", branches=None,         -> Fetched(remote, changed, objects, size, pack,
                     tags=True, squeezed=False, progress=None)               notices)
        remote.fetch_objects(store, ids, progress=None)           -> Fetched
        remote.push(store, updates, progress=None)                -> Pushed(changed, objects, size, said)

``fetch`` brings what the branches of the other repository stand on, with all that it refers to, and then lets
``refs/remotes/NAME/*`` follow, and the tags that are new. With ``squeezed`` all commits and trees come, and no payload.
``fetch_objects`` brings single objects by their ids, all in one request: the payloads that a squeezed clone lacks.
``push`` moves refs there, each from where the caller thinks that it stands; if one stands elsewhere, nothing is pushed
and `BranchMovedError` is raised: fetch, merge, push again. ``progress`` is called with the number of bytes so far; what
it raises (as Ctrl-C does) ends the transfer, and nothing is left behind.

Everywhere objects are on disk and visible before a ref moves, and hashed; but files that are linked, by path, are
hashed when they are first read, as those of any repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self, TypeAlias

from calibvcs.store.remotes.urls import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.urls import Address

Progress: TypeAlias = "Callable[[int], None]"
"""Is given the number of bytes so far."""

TIMEOUT = 60.0
"""Seconds that a server may be silent."""


class RefUpdate(NamedTuple):
    """A ref that moves.

    Attributes
    ----------
    ref : str
        Full name, ``refs/heads/main``.
    old : str or None
        Id that it stands on; None where it does not exist.
    new : str or None
        Id that it will stand on; None where it is taken away.
    """

    ref: str
    old: str | None
    new: str | None


class Notice(NamedTuple):
    """Something that a caller may want to tell.

    Attributes
    ----------
    kind : {"filter-ignored", "tag-differs", "ref-not-moved"}
        What it is about.
    text : str
        What happened, for people.
    """

    kind: Literal["filter-ignored", "tag-differs", "ref-not-moved"]
    text: str


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """The refs of another repository.

    Attributes
    ----------
    refs : mapping of str to str
        Branches and tags by their full names, each with the id it stands on; tags not peeled.
    head : str or None
        Name of the branch that its HEAD stands on; None where that is not known.
    """

    refs: Mapping[str, str]
    head: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought.

    Attributes
    ----------
    remote : RemoteRefs
        The refs of the other repository; empty if only objects were asked for.
    changed : tuple of RefUpdate
        The refs here that moved.
    objects, size : int
        How many objects came, and in how many bytes; linked ones count as objects.
    pack : Path or None
        The pack that they are in; None where none came.
    notices : tuple of Notice
        What else happened.
    """

    remote: RemoteRefs
    changed: tuple[RefUpdate, ...] = ()
    objects: int = 0
    size: int = 0
    pack: Path | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did.

    Attributes
    ----------
    changed : tuple of RefUpdate
        The refs that moved there.
    objects, size : int
        How many objects went, and in how many bytes.
    said : str
        What the other side said meanwhile: its hooks, say.
    """

    changed: tuple[RefUpdate, ...] = ()
    objects: int = 0
    size: int = 0
    said: str = ""


class Remote(Protocol):
    """Another repository."""

    @property
    def address(self) -> Address:
        """Where it is."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def refs(self) -> RemoteRefs:
        """Return its refs.

        Raises
        ------
        NetworkError
            If it cannot be reached.
        NoRepositoryError
            If there is no repository at a path.
        """
        ...

    def fetch(
        self,
        store: GitStore,
        *,
        name: str = "origin",
        branches: Sequence[str] | None = None,
        tags: bool = True,
        squeezed: bool = False,
        progress: Progress | None = None,
    ) -> Fetched:
        """Bring objects from it, and let ``refs/remotes/NAME/*`` follow.

        Parameters
        ----------
        store : GitStore
            Where they come to.
        name : str
            Under which name its branches are kept.
        branches : sequence of str, optional
            Names of the branches that are wanted; without it, all.
        tags : bool
            Whether its tags are wanted.
        squeezed : bool
            Whether payloads stay there. In a repository that is squeezed (`has_promises`) they always do.
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        Fetched
            What came.

        Raises
        ------
        NetworkError
            If it cannot be reached, or hangs up.
        UnknownRevisionError
            If it has no branch of a name.
        DamagedPackError
            If what comes is damaged; nothing of it is kept.
        StorageError, NotWritableError
            If the disk here refuses.
        """
        ...

    def fetch_objects(self, store: GitStore, ids: Collection[str], *, progress: Progress | None = None) -> Fetched:
        """Bring single objects by their ids; those that are here already do not come again.

        Raises
        ------
        NetworkError
            If it cannot be reached, hangs up, lacks one of them, or gives none but whole branches.
        DamagedPackError
            If what comes is damaged; nothing of it is kept.
        StorageError, NotWritableError
            If the disk here refuses.
        """
        ...

    def push(self, store: GitStore, updates: Sequence[RefUpdate], *, progress: Progress | None = None) -> Pushed:
        """Bring objects to it, and move its refs: all of them or none, where it can do that.

        Raises
        ------
        BranchMovedError
            If a ref does not stand where the caller thinks; nothing was changed.
        PushRefusedError
            If a rule, a hook or a setting there refuses.
        NetworkError
            If it cannot be reached, or hangs up; fetch to see whether the refs moved.
        """
        ...


def open_remote(
    given: str,
    *,
    timeout: float = TIMEOUT,
    ssh_command: str = "ssh",
    interactive: bool = True,
) -> Remote:
    """Return another repository by its address; it is contacted when something is asked of it.

    Parameters
    ----------
    given : str
        A path, or a ``file://``, ``ssh://``, ``https://``, ``http://`` or ``git://`` URL, or ``user@host:path``.
    timeout : float
        Seconds that a server may be silent.
    ssh_command : str
        The program that leads to another machine, with its options, as in Git's ``core.sshCommand``.
    interactive : bool
        Whether ssh may ask for a password or a fingerprint.

    Raises
    ------
    InvalidOptionError
        If the address cannot be read, or is hostile.
    """
    address = parse_address(given)
    if address.transport == "path":
        from calibvcs.store.remotes.path import PathRemote

        return PathRemote(address, timeout)
    from calibvcs.store.remotes.network import NetworkRemote  # dulwich and urllib3 take longer than most verbs

    return NetworkRemote(address, timeout, ssh_command, interactive=interactive)


def has_promises(folder: Path) -> bool:
    """Tell whether objects of a repository may be missing because its remote has promised them: it is squeezed.

    Parameters
    ----------
    folder : Path
        Its Git folder.
    """
    from calibvcs.store.configuration import is_true, settings

    try:
        config = settings(folder / "config")
    except (OSError, ValueError):
        return False
    promisors = (value for name, value in config.items() if name.startswith("remote.") and name.endswith(".promisor"))
    return "extensions.partialclone" in config or any(map(is_true, promisors))
