"""``lock-file write``: the exact set of constants that an analysis used, in a file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from calibvcs.errors import InvalidDataError, MissingFileError, UnknownConstantError
from calibvcs.formats import lock_file_text
from calibvcs.model import layout
from calibvcs.model.lock_file import LockedConstant, LockFile, lock_file
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import locate, select
from calibvcs.store.durable import disk_errors, write_file
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.names import ConstantName


@dataclass(frozen=True, slots=True)
class LockFileWritten:
    """A lock file that was written.

    Attributes
    ----------
    path : str
        Where it is.
    constants, bytes : int
        How many constants it names, and how large their data are.
    commit, digest, citation : str
        The commit that was looked at, the digest of the set, and the line that cites it.
    """

    schema: ClassVar[str] = "calibvcs.lock-file-written/1"

    path: str
    constants: int
    bytes: int
    commit: str
    digest: str
    citation: str


class Used(NamedTuple):
    """A constant at a commit."""

    catalogue: Catalogue
    name: ConstantName


def matching(catalogue: Catalogue, pattern: str | None, now: float, *, valid_at: float | None = None) -> Iterator[Used]:
    """Yield the constants of a pattern that a reader can get; those that are withdrawn are left out.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    pattern : str or None
        Glob over ``DET/CTYPE/RANGE``; None matches all.
    now : float
        When an alias is to be resolved if `valid_at` is not given, UNIX seconds.
    valid_at : float, optional
        Only what a reader gets for this time, UNIX seconds.

    Raises
    ------
    UnknownConstantError
        If there is none.
    """
    found = False
    for name in select(catalogue, pattern, now if valid_at is None else valid_at):
        if valid_at is None:
            chosen = not catalogue.metadata(name).withdrawn
        else:
            chosen = catalogue.in_force(name.detector, name.ctype, valid_at) == name
        if chosen:
            found = True
            yield Used(catalogue, name)
    if not found:
        raise UnknownConstantError(pattern or "*")


def named(catalogue: Catalogue, given: str, now: float) -> Used:
    """Return the constant that ``DET/CTYPE/RANGE[@VERSION]`` means. Raises as `locate`."""
    located = locate(catalogue.snapshot.store, catalogue, given, now)
    return Used(Catalogue(Snapshot(catalogue.snapshot.store, located.commit_id)), located.constant)


def make(catalogue: Catalogue, used: Iterable[Used], url: str) -> LockFile:
    """Return the lock file of some constants.

    Parameters
    ----------
    catalogue : Catalogue
        The state of the repository that is named in the citation.
    used : iterable of Used
        The constants, each with the commit that it was read at.
    url : str
        Where the repository is, without a password.

    Returns
    -------
    LockFile
        The set with its digest.

    Raises
    ------
    DamagedObjectError, NotHereError
        If data are missing or damaged; as much as their size has to be known.
    """
    commit = catalogue.snapshot.commit
    constants = [_locked(one.catalogue, one.name) for one in used]
    return lock_file(catalogue.settings.name, url, commit.id, as_text(commit.committer.time), constants)


def write(locked: LockFile, path: str) -> LockFileWritten:
    """Write a lock file; it appears whole or not at all. Its name tells the form: ``.json``, else TOML.

    Raises
    ------
    NotWritableError, StorageError
        If the disk refuses.
    """
    data = lock_file_text.encode(locked, as_json=lock_file_text.is_json(path))
    if len(data) > lock_file_text.SIZE_LIMIT:
        reason = f"{len(locked.constants)} constants make a lock file of {len(data)} bytes, which is not read again"
        raise InvalidDataError(path, reason, "name fewer, by a pattern or by --time")
    with disk_errors(path, len(data)):
        write_file(Path(path).resolve(), [data])
    size = sum(one.size for one in locked.constants)
    return LockFileWritten(path, len(locked.constants), size, locked.commit, locked.digest, locked.citation)


def read(path: str) -> LockFile:
    """Read a lock file.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    InvalidDataError
        If it is no lock file.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(lock_file_text.SIZE_LIMIT + 1)
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None
    return lock_file_text.decode(data, path)


def _locked(catalogue: Catalogue, name: ConstantName) -> LockedConstant:
    file, entry = catalogue.payload(name)
    folder = layout.constant_folder(name)
    meta, version = catalogue.metadata(name), catalogue.history.default(name)
    return LockedConstant(
        constant=name,
        version=version.name if version else "",
        commit=catalogue.snapshot.commit_id or "",
        added=version.commit.id if version else "",
        path=f"{folder}/{file}",
        blob=entry.id,
        meta=catalogue.snapshot.blob_id(f"{folder}/{layout.META_FILE}") or "",
        size=catalogue.snapshot.store.blob_head(entry.id, 0)[1],
        dtype=meta.dtype,
        shape=meta.shape,
    )
