"""``lock-file restore``: the data of a set of constants, bit for bit, in a folder or as the defaults of a clone."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import (
    AlreadyExistsError,
    InvalidDataError,
    LockedError,
    MissingFileError,
    NothingToChangeError,
    UnknownRevisionError,
)
from calibvcs.model.commits import Action, Message
from calibvcs.model.layout import META_FILE, PAYLOAD_FILES
from calibvcs.ops import transaction
from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_file
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.model.lock_file import LockedConstant, LockFile
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import ReadableStore, Store

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class LockFileRestored:
    """What `lock-file restore` did.

    Attributes
    ----------
    target : str
        The folder, or the clone.
    constants : tuple of str
        What was restored; in a clone only what was not the default already.
    files, bytes : int
        How many files were written, and how large they are; 0 for a clone.
    commits : tuple of str
        The commits that were made in a clone, oldest first.
    digest : str
        Digest of the set.
    """

    schema: ClassVar[str] = "calibvcs.lock-file-restored/1"

    target: str
    constants: tuple[str, ...]
    files: int
    bytes: int
    commits: tuple[str, ...]
    digest: str


def restore(store: ReadableStore, locked: LockFile, source: str, folder: Path) -> LockFileRestored:
    """Write the files of a set into a folder, in the layout of the repository, with a copy of the lock file.

    Parameters
    ----------
    store : ReadableStore
        The repository; a squeezed clone brings what it lacks.
    locked : LockFile
        The set.
    source : str
        Path of its file.
    folder : Path
        It does not exist, or is empty; it appears with all files or not at all.

    Returns
    -------
    LockFileRestored
        What was written.

    Raises
    ------
    InvalidDataError
        If the lock file was edited, or names a range twice.
    UnknownRevisionError
        If a commit of the set is not in the repository.
    DamagedObjectError, NotHereError
        If data are missing or damaged.
    AlreadyExistsError
        If something is in the folder.
    NotWritableError, StorageError
        If the disk refuses.
    """
    _sound(store, locked, source)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError("folder with files", str(folder), "choose an empty or new folder")
    target = folder.resolve()
    size = sum(one.size for one in locked.constants)
    with disk_errors(target, size):
        make_folders(target.parent)
        made = target.with_name(f".{target.name}-{os.getpid()}-{os.urandom(6).hex()}")
        made.mkdir()
        try:
            written = sum(_written(store, one, made) for one in locked.constants)
            write_file(made / Path(source).name, [_copy(source)])
            made.replace(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        sync_folder(target.parent)
    names = tuple(str(one.constant) for one in locked.constants)
    return LockFileRestored(str(folder), names, 2 * len(names) + 1, written, (), locked.digest)


def restore_into(store: Store, author: Person, locked: LockFile, source: str, message: str) -> LockFileRestored:
    """Make the constants of a set the defaults of a clone, by one commit for each commit that they came from.

    Parameters
    ----------
    store : Store
        The clone; its history has the commits of the set.
    author : Person
        Who does it.
    locked : LockFile
        The set.
    source : str
        Path of its file.
    message : str
        Why; empty names the file and the digest.

    Returns
    -------
    LockFileRestored
        What was changed.

    Raises
    ------
    InvalidDataError
        If the lock file was edited, or names a range twice.
    UnknownRevisionError
        If a commit of the set is not in the clone.
    LockedError
        If a default that would have to change is protected.
    NothingToChangeError
        If all of them are the defaults already.
    DamagedObjectError, NotHereError
        If data are missing or damaged; nothing is committed then.
    """
    _sound(store, locked, source)
    for one in locked.constants:
        for blob in (one.blob, one.meta):
            store.blob_head(blob, 0)  # brings what a squeezed clone lacks, before anything is changed
    why = message.strip() or f"Restore the set of {Path(source).name}\n\n{locked.citation}"
    changed: list[str] = []
    commits: list[str] = []
    for commit_id, group in groupby(sorted(locked.constants, key=lambda one: one.commit), lambda one: one.commit):
        members = tuple(group)

        def plan(
            catalogue: Catalogue, members: tuple[LockedConstant, ...] = members, commit_id: str = commit_id
        ) -> transaction.Plan[list[str]]:
            edits: dict[str, bytes | str | None] = {}
            different = [one for one in members if not _stands(catalogue, one)]
            for one in different:
                edits.update(_edits(catalogue, one))
            if not edits:
                raise NothingToChangeError(f"the set of {source}", "is the default already")
            names = tuple(one.constant for one in different)
            return transaction.Plan(
                edits, Message(why, Action.RESTORE, names, commit_id), [str(name) for name in names]
            )

        try:
            commit, names = transaction.commit(store, author, plan)
        except NothingToChangeError:
            continue
        commits.append(commit)
        changed += names
    if not commits:
        raise NothingToChangeError(f"the set of {source}", "is the default already")
    return LockFileRestored(store.location, tuple(sorted(changed)), 0, 0, tuple(commits), locked.digest)


def _sound(store: ReadableStore, locked: LockFile, source: str) -> None:
    """Refuse what cannot be restored as it is cited; the data come from the commits, not from loose ids."""
    if locked.digest != locked.expected_digest:
        reason = f"it was edited: its digest is {locked.digest}, its content has {locked.expected_digest}"
        raise InvalidDataError(source, reason, "take the copy that was cited")
    named = Counter(one.path for one in locked.constants)
    twice = next((path for path, times in named.items() if times > 1), None)
    if twice:
        raise InvalidDataError(source, f"it has {twice} twice, with different data", "split it into two lock files")
    for one in locked.constants:
        if store.kind(one.commit) != "commit":
            reason = f"{one.constant} is of a commit that {store.location} does not have; calibvcs pull may bring it"
            raise UnknownRevisionError(one.commit, reason=reason)
        then = Snapshot(store, one.commit)
        if (then.blob_id(one.path), then.blob_id(f"{one.folder}/{META_FILE}")) != (one.blob, one.meta):
            reason = f"commit {one.commit} has other data in {one.folder}"
            raise InvalidDataError(source, reason, "calibvcs lock-file check tells what differs")


def _written(store: ReadableStore, one: LockedConstant, folder: Path) -> int:
    total = 0
    for path, blob in ((one.path, one.blob), (f"{one.folder}/{META_FILE}", one.meta)):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, store.blob_blocks(blob, 0, _BLOCK))
        total += file.stat().st_size
    return total


def _copy(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise MissingFileError(source, error.strerror or str(error)) from None


def _stands(catalogue: Catalogue, one: LockedConstant) -> bool:
    return catalogue.snapshot.blob_id(one.path) == one.blob and not catalogue.metadata(one.constant).withdrawn


def _edits(catalogue: Catalogue, one: LockedConstant) -> dict[str, bytes | str | None]:
    names = catalogue.snapshot.names(one.folder)
    if META_FILE in names:
        current = catalogue.metadata(one.constant)
        if current.locked:
            raise LockedError(str(one.constant), current.lock_reason)
    edits: dict[str, bytes | str | None] = {f"{one.folder}/{file}": None for file in PAYLOAD_FILES if file in names}
    return {**edits, one.path: one.blob, f"{one.folder}/{META_FILE}": one.meta}
