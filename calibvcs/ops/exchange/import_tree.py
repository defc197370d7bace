"""A folder of files in the layout of the format becomes one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, InvalidDataError, LockedError, MissingFileError, NothingToChangeError
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.ops import transaction
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.verify import verify
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from calibvcs.model.commits import Person
    from calibvcs.store.protocol import Store

_SUFFIXES = (".toml", ".npy", ".txt")
_MOST_FILES = 1_000_000
_MOST_BYTES = 8 << 30


@dataclass(frozen=True, slots=True)
class ImportedTree:
    """What came from a folder.

    Attributes
    ----------
    source : str
        The folder.
    constants : tuple of str
        Constants that are new, or have new data or metadata.
    files : int
        Number of files that were new or different.
    passed_over : tuple of str
        Files that are no part of the format, or that the repository has as its own.
    commit : str
        The commit.
    """

    schema: ClassVar[str] = "calibvcs.import.tree/1"

    source: str
    constants: tuple[str, ...]
    files: int
    passed_over: tuple[str, ...]
    commit: str


def import_tree(store: Store, author: Person, folder: Path, message: str) -> ImportedTree:
    """Commit the constants, detectors and tables that a folder holds.

    Parameters
    ----------
    store : Store
        Where to; may be empty.
    author : Person
        Who does it.
    folder : Path
        A tree in format 1, complete in itself; other files in it, and links, are passed over. Settings of the
        repository in it (``.calibvcs/``) count only where there is no commit yet.
    message : str
        Why; empty for "Take over ...".

    Returns
    -------
    ImportedTree
        What is new, and the commit.

    Raises
    ------
    MissingFileError
        If the folder cannot be read.
    InvalidDataError
        If the tree breaks the format; nothing is committed then.
    AlreadyExistsError
        If a detector, an alias table or a run table is here already, and another one.
    LockedError
        If a default that would change is protected.
    NothingToChangeError
        If everything is here already.
    """
    found, passed_over = _content(folder)
    _check(author, found, str(folder))
    said = message.strip() or f"Take over the tree {folder.resolve().name}"
    own: list[str] = []

    def plan(catalogue: Catalogue) -> transaction.Plan[tuple[str, ...]]:
        begun = catalogue.snapshot.commit_id is not None
        own[:] = [path for path in found if begun and _is_own(path)]
        edits: dict[str, bytes | str | None] = {
            path: data
            for path, data in found.items()
            if path not in own and not (begun and catalogue.snapshot.blob_id(path) == object_id("blob", [data]))
        }
        if not edits:
            raise NothingToChangeError(str(folder), "is here already")
        names = {constant: None for path in sorted(edits) if (constant := layout.constant_of(path)) is not None}
        for path in edits:
            if begun and layout.constant_of(path) is None and catalogue.snapshot.blob_id(path) is not None:
                advice = "take it out of the folder, or make the change with calibvcs detector, alias or run"
                raise AlreadyExistsError("record", path, advice)
        for name in names:
            present = catalogue.snapshot.names(layout.constant_folder(name)) if begun else {}
            state = catalogue.metadata(name) if present else None
            if state and state.locked:
                raise LockedError(str(name), state.lock_reason)
            edits |= {
                f"{layout.constant_folder(name)}/{file}": None
                for file in layout.PAYLOAD_FILES
                if file in present and f"{layout.constant_folder(name)}/{file}" not in found
            }
        return transaction.Plan(edits, Message(said, Action.ADD, tuple(names)), tuple(edits))

    commit, edited = transaction.commit(store, author, plan)
    constants = dict.fromkeys(str(name) for path in edited if (name := layout.constant_of(path)))
    kept = [f"{path}: the repository has its own" for path in own]
    return ImportedTree(str(folder), tuple(constants), len(edited), (*passed_over, *kept), commit)


def _content(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    found: dict[str, bytes] = {}
    passed_over: list[str] = []
    size = 0
    if not folder.is_dir():
        raise MissingFileError(str(folder), "no such folder")
    try:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir() or name.startswith(".git/"):
                continue
            if path.is_symlink() or not path.is_file() or not _belongs(name):
                passed_over.append(f"{name}: no file of the format")
                continue
            size += path.stat().st_size
            if size > _MOST_BYTES or len(found) >= _MOST_FILES:
                reason = f"more than {_MOST_BYTES} bytes or {_MOST_FILES} files"
                raise InvalidDataError(str(folder), reason, "take it in detector by detector")
            found[name] = path.read_bytes()
    except OSError as error:
        raise MissingFileError(str(error.filename or folder), error.strerror or str(error)) from None
    return found, passed_over


def _belongs(path: str) -> bool:
    return path == layout.ATTRIBUTES_FILE or (path.endswith(_SUFFIXES) and "/" in path)


def _is_own(path: str) -> bool:
    return path == layout.ATTRIBUTES_FILE or path.startswith(f"{layout.REPOSITORY_FILE.partition('/')[0]}/")


def _check(author: Person, edits: Mapping[str, bytes], source: str) -> None:
    trial = MemoryStore()
    blobs = {path: trial.put_blob([new]) for path, new in edits.items()}
    tip = trial.commit_edits(None, blobs, "trial\n", *author.sign())
    found = verify(Catalogue(Snapshot(trial, tip)))
    errors = [finding for finding in found.findings if finding.level == "error"]
    if errors:
        reason = "; ".join(f"{finding.path}: {finding.text}" for finding in errors[:3])
        raise InvalidDataError(source, f"it is no tree in format 1: {reason}", "see docs/formats/repository-v1.md")
