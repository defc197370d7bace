"""A folder of files in the layout of the format becomes one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.ops import transaction
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.verify import verify
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from calibvcs.model.commits import Person
    from calibvcs.store.protocol import Store

_SUFFIXES = (".toml", ".npy", ".txt")


def import_tree(store: Store, author: Person, folder: Path, message: str) -> str:
    """Commit the constants, detectors and tables that a folder holds.

    Parameters
    ----------
    store : Store
        Where to; may be empty.
    author : Person
        Who does it.
    folder : Path
        A tree in format 1; other files in it are passed over.
    message : str
        Why.

    Returns
    -------
    str
        Id of the commit.

    Raises
    ------
    InvalidDataError
        If the tree breaks the format; nothing is committed then.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    edits: dict[str, bytes | str | None] = {
        name: path.read_bytes() for path in paths if _belongs(name := path.relative_to(folder).as_posix())
    }
    _check(author, edits, str(folder))
    names = sorted({constant for path in edits if (constant := layout.constant_of(path)) is not None})

    def plan(_: Catalogue) -> transaction.Plan[None]:
        return transaction.Plan(edits, Message(message, Action.ADD, tuple(names)), None)

    return transaction.commit(store, author, plan)[0]


def _belongs(path: str) -> bool:
    return path == layout.ATTRIBUTES_FILE or (path.endswith(_SUFFIXES) and "/" in path)


def _check(author: Person, edits: Mapping[str, bytes | str | None], source: str) -> None:
    trial = MemoryStore()
    blobs = {path: trial.put_blob([new]) for path, new in edits.items() if isinstance(new, bytes)}
    tip = trial.commit_edits(None, blobs, "trial\n", *author.sign())
    found = verify(Catalogue(Snapshot(trial, tip)))
    errors = [finding for finding in found.findings if finding.level == "error"]
    if errors:
        reason = "; ".join(f"{finding.path}: {finding.text}" for finding in errors[:3])
        raise InvalidDataError(source, f"it is no tree in format 1: {reason}", "see docs/formats/repository-v1.md")
