"""The public functions: open a repository, make one, look whether all is well."""

from __future__ import annotations

from pathlib import Path

from calibvcs import settings
from calibvcs.api.repository import Repository
from calibvcs.api.sharing import clone
from calibvcs.errors import CalibvcsError, InvalidOptionError
from calibvcs.store.git import GitStore
from calibvcs.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from calibvcs.ops.doctor import Diagnosis
    from calibvcs.ops.init import InitResult
    from calibvcs.store.objects.protocol import Verify

__all__ = ["Repository", "clone", "doctor", "init", "open"]

_VERIFY = ("first", "always", "never")


def open(  # noqa: A001 - calibvcs.open, as in other libraries
    path: str | os.PathLike[str] | None = None, *, verify: Verify = "first", sign: bool | None = None
) -> Repository:
    """Open a repository.

    Parameters
    ----------
    path : str or path, optional
        A worktree, a folder in it, or a bare repository; default is ``$CALIBVCS_REPO``, else the repository around
        the current folder.
    verify : {"first", "always", "never"}, optional
        When large data are held against their hash: when this process reads them for the first time, the default;
        every time; or never. The check sum of what is read from the repository is looked at in any case. Data that are
        mapped from a clean file of the worktree are hashed for ``"always"`` only; if they differ, the repository is
        read.
    sign : bool, optional
        Whether commits and tags that are made are signed with the key of ``user.signingkey``; default is what
        ``commit.gpgsign`` and ``tag.gpgsign`` say. Where the key does not sign, the change is not made.

    Returns
    -------
    Repository
        The open repository; a context manager.

    Raises
    ------
    NoRepositoryError
        If there is none.
    InvalidOptionError
        If `verify` is anything else.
    DamagedRepositoryError
        If Git's own files in it cannot be understood.

    Examples
    --------
    >>> with calibvcs.open("calibvcs-quickstart") as repository:
    ...     len(repository.detector.ls().detectors)
    3
    """
    if verify not in _VERIFY:
        raise InvalidOptionError("verify", str(verify), f"allowed are {', '.join(_VERIFY)}")
    return Repository(GitStore.discover(settings.repository_path(path), verify=verify), sign=sign)


def init(path: str | os.PathLike[str], *, bare: bool = False, name: str = "") -> InitResult:
    """Make a repository with its first commit.

    Parameters
    ----------
    path : str or path
        Folder; it is made where it does not exist.
    bare : bool, optional
        Whether it has no worktree, as a central repository.
    name : str, optional
        Its name; default is that of the folder.

    Returns
    -------
    InitResult
        Where it is, its name, and its first commit.

    Raises
    ------
    AlreadyExistsError
        If there is a Git repository already, or, for one without worktree, any file.
    NoIdentityError
        If nobody said who the user is.
    InvalidOptionError
        If the name has control characters.
    NotWritableError, StorageError
        If the disk refuses.

    Examples
    --------
    >>> made = calibvcs.init("constants", name="mfx")
    >>> with calibvcs.open("constants") as repository:
    ...     repository.commit == made.commit
    True
    """
    from calibvcs.model.commits import clean_comment
    from calibvcs.ops.init import init as first_commit
    from calibvcs.store.initialise import initialise

    folder = Path(path).expanduser()
    author = settings.author(None)
    title = name.strip() or folder.resolve().name.removesuffix(".git")
    clean_comment(f"repository {title}")  # a name that no commit can hold is told before anything is made,
    if author.signer:  # ... and so is a key that does not sign
        author.signer(b"")
    with initialise(folder, bare=bare) as store:
        return first_commit(store, author, title, bare=bare)


def doctor(path: str | os.PathLike[str] | None = None) -> Diagnosis:
    """Look at identity, repository, format, disk and versions, and tell how to mend what is wrong.

    Parameters
    ----------
    path : str or path, optional
        As for `open`.

    Returns
    -------
    Diagnosis
        ``.sound``, whether nothing keeps the user from working; ``.checks``, each with what was found and how to mend
        it. A repository that is missing or broken is one of them, not an error that is raised.
    """
    from calibvcs.ops.doctor import doctor as examine

    try:
        store: GitStore | CalibvcsError = GitStore.discover(settings.repository_path(path))
    except CalibvcsError as error:
        store = error
    folder = None if isinstance(store, CalibvcsError) else store.folder
    who = settings.identity(folder)
    diagnosis = examine(store, (who.name, who.email, who.source), __version__)
    if isinstance(store, GitStore):
        store.close()
    return diagnosis
