"""Errors of what lies around: access (6), the repository itself (7), the disk (9)."""

from __future__ import annotations

from calibvcs.errors.root import CalibvcsError


class AccessError(CalibvcsError):
    """The user may not do this."""

    exit_code = 6


class NotWritableError(AccessError):
    """A place on disk cannot be written or read by this user."""

    path: str
    reason: str

    says = "no access to {path!r}: {reason}; nothing was changed"
    advises = "ask the owner of the repository, or work in a clone of your own: git clone REPOSITORY PATH"


class BrokenRepositoryError(CalibvcsError):
    """The repository is not what it should be."""

    exit_code = 7


class DamagedRepositoryError(BrokenRepositoryError):
    """A file that Git needs (configuration, index, refs) cannot be understood."""

    path: str
    reason: str

    says = "{path}: {reason}"
    advises = "see what git says: git -C {path} status; git fsck"


class NotCalibvcsError(BrokenRepositoryError):
    """A Git repository, but not one of constants."""

    path: str
    commit: str = ""

    says = "{path!r} is a Git repository but holds no .calibvcs/repository.toml (commit {commit:.12})"
    advises = "use a repository made with calibvcs init, or another --at"


class UnsupportedFormatError(BrokenRepositoryError):
    """The repository was written in a format that this program does not know."""

    given: str
    supported: int = 1

    says = "the repository has format {given}; this program reads format {supported}"
    advises = "upgrade: pip install --upgrade calibvcs"


class InvalidDocumentError(BrokenRepositoryError):
    """A metadata file of the repository cannot be understood."""

    path: str
    reason: str

    says = "{path}: {reason}"
    advises = "calibvcs verify lists all such files; git log -p -- {path} shows what changed it"


class DamagedObjectError(BrokenRepositoryError):
    """A Git object is missing or damaged."""

    object_id: str
    reason: str
    path: str = ""

    says = "object {object_id}: {reason}"
    advises = "calibvcs repair --from REMOTE brings it back from another clone: a remote, an address or a path"


class ShallowHistoryError(BrokenRepositoryError):
    """The history of a clone was cut off by Git: what came before some commit is not in it."""

    commit: str

    says = "commit {commit} is not in this clone, which Git made shallow: versions and history cannot be told"
    advises = "git fetch --unshallow brings the rest; Repository.get in Python works without it"


class StorageError(CalibvcsError):
    """The disk is full or fails."""

    exit_code = 9

    path: str
    reason: str
    needed: int = 0

    says = "cannot write {path!r}: {reason} ({needed} bytes were to be written); nothing was changed"
    advises = "free some space or check the disk (calibvcs doctor), then repeat"
