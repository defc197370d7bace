"""``lock-file check``: whether a repository still has a set of constants, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import CalibvcsError, NotHereError
from calibvcs.formats import npy
from calibvcs.model.layout import ARRAY_FILE, META_FILE
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.lock_file import LockedConstant, LockFile
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import ReadableStore

Status = Literal["ok", "unknown commit", "different", "missing", "damaged"]
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class CheckedConstant:
    """What became of one constant of the set.

    Attributes
    ----------
    constant, version : str
        Its name and version, as the file has them.
    status : {"ok", "unknown commit", "different", "missing", "damaged"}
        Whether the data are there, and the same.
    reason : str
        What is wrong, if anything is.
    now : str
        What readers get in its place today; empty where that is the same. It is told, and is no difference.
    """

    constant: str
    version: str
    status: Status
    reason: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class LockFileCheck:
    """What `lock-file check` found.

    Attributes
    ----------
    path : str
        The lock file.
    same : bool
        Whether all is there as the file says.
    digest, citation : str
        Digest of the set as the file has it, and the line that cites it.
    problems : tuple of str
        What is wrong with the file as a whole.
    constants : tuple of CheckedConstant
        One entry a constant.
    """

    schema: ClassVar[str] = "calibvcs.lock-file-check/1"

    path: str
    same: bool
    digest: str
    citation: str
    problems: tuple[str, ...]
    constants: tuple[CheckedConstant, ...]


def check(catalogue: Catalogue, locked: LockFile, path: str) -> LockFileCheck:
    """Compare a lock file with a repository; all data are read, and held against their hash.

    Parameters
    ----------
    catalogue : Catalogue
        The repository as it is today.
    locked : LockFile
        The set.
    path : str
        Path of its file, for the result.

    Returns
    -------
    LockFileCheck
        What differs, constant by constant.
    """
    problems = []
    if locked.digest != locked.expected_digest:
        problems.append(f"the file was edited: its digest is {locked.digest}, its content has {locked.expected_digest}")
    if locked.repository != catalogue.settings.name:
        problems.append(f"it names the repository {locked.repository!r}, this one is {catalogue.settings.name!r}")
    rows = tuple(_checked(catalogue, one) for one in locked.constants)
    same = not problems and all(row.status == "ok" for row in rows)
    return LockFileCheck(path, same, locked.digest, locked.citation, tuple(problems), rows)


def _checked(catalogue: Catalogue, one: LockedConstant) -> CheckedConstant:
    status, reason = _state(catalogue.snapshot.store, one)
    return CheckedConstant(str(one.constant), one.version, status, reason, _now(catalogue, one))


def _state(store: ReadableStore, one: LockedConstant) -> tuple[Status, str]:
    try:
        if store.kind(one.commit) != "commit":
            return "unknown commit", f"commit {one.commit} is not in this repository"
        then = Snapshot(store, one.commit)
        for path, wanted in ((one.path, one.blob), (f"{one.folder}/{META_FILE}", one.meta)):
            found = then.blob_id(path)
            if found != wanted:
                return "different", f"{path} is {found or 'not there'} at commit {one.commit}, not {wanted}"
        return _data(store, one)
    except NotHereError as error:
        return "missing", error.problem
    except CalibvcsError as error:
        return "damaged", error.problem


def _data(store: ReadableStore, one: LockedConstant) -> tuple[Status, str]:
    size = store.blob_head(one.blob, 0)[1]
    if size != one.size:
        return "different", f"the data have {size} bytes, not {one.size}"
    store.blob(one.meta)
    for _ in store.blob_blocks(one.blob, 0, _BLOCK):
        pass
    if one.path.endswith(ARRAY_FILE):
        head = store.blob_head(one.blob, min(size, npy.HEAD_SIZE))[0]
        header = npy.read_header(head, size, one.path)
        if (header.dtype, header.shape) != (one.dtype, one.shape):
            return "different", f"the data are {header.dtype} {header.shape}, not {one.dtype} {one.shape}"
    return "ok", ""


def _now(catalogue: Catalogue, one: LockedConstant) -> str:
    """Tell what stands in the place of a constant today; trouble in today's state is no trouble of the set."""
    try:
        meta = catalogue.metadata(one.constant)
        if meta.withdrawn:
            return f"withdrawn: {meta.withdrawn_reason}" if meta.withdrawn_reason else "withdrawn"
        if catalogue.payload(one.constant)[1].id == one.blob:
            return ""
        version = catalogue.history.default(one.constant)
    except CalibvcsError:
        return "not there any more"
    return f"{version.name if version else 'another version'} is the default"
