"""What the history of constants forbids: deletion, changes of what is locked, messages that say what was not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.formats.toml import meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message, clean_comment
from calibvcs.ops.receiving.content import Problem
from calibvcs.ops.threads import constant_of
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.receiving.raw_objects import RawCommit
    from calibvcs.ops.receiving.tree_changes import Touch
    from calibvcs.store.quarantine import IncomingStore

_DOCUMENT_BYTES = 4 << 20


def named_paths(text: str) -> list[str]:
    """Return the folders of the constants that a commit message names, as if the commit changed them."""
    return [layout.constant_folder(constant) for constant in Message.parse(text).constants]


def check_removals(touches: Sequence[Touch], snapshot: Snapshot) -> Iterator[Problem]:
    """Yield what a commit took away though there is no deletion.

    Parameters
    ----------
    touches : sequence of Touch
        What the commit changed.
    snapshot : Snapshot
        The commit.

    Yields
    ------
    Problem
        One for each path; a data file that made room for one of another kind is none.
    """
    for touch in touches:
        if touch.after is not None:
            continue
        constant = constant_of(touch.path)
        if constant is None or not snapshot.names(layout.constant_folder(constant)):
            advice = "there is no deletion: calibvcs withdraw marks what is bad, and history keeps it"
            yield Problem(touch.path, "it is taken away", advice)


def check_locks(
    touches: Sequence[Touch], snapshot: Snapshot, parents: Sequence[Snapshot], store: IncomingStore
) -> Iterator[Problem]:
    """Yield the constants that a commit changed though they are locked in one of its parents.

    While a default is locked its data and its withdrawal stay; only the lock itself may be taken away.
    """
    constants = {constant: None for touch in touches if (constant := constant_of(touch.path)) is not None}
    for constant in constants:
        now = _metadata(snapshot, constant, store)
        data = _data(snapshot, constant)
        for parent in parents:
            then = _metadata(parent, constant, store)
            if then is None or not then.locked:
                continue
            if data != _data(parent, constant) or now is None or now.withdrawn != then.withdrawn:
                advice = f"calibvcs unlock {constant} -m WHY first, in a commit of its own"
                yield Problem(layout.constant_folder(constant), f"it is locked: {then.lock_reason}", advice)
                break


def check_message(
    commit: RawCommit, touches: Sequence[Touch], snapshot: Snapshot, store: IncomingStore
) -> Iterator[Problem]:
    """Yield what is wrong with the message of a commit: empty, or its trailers say what the commit did not do.

    History is told by the trailers: whoever could let them lie could change which version of a constant is the default.
    """
    message = Message.parse(commit.text)
    try:
        clean_comment(message.comment)
    except CalibvcsError as error:
        yield Problem("", error.problem, error.hint)
    if message.action in {None, Action.MERGE}:  # history goes by the files of these
        return
    named = set(message.constants)
    for constant in message.constants:
        if _data(snapshot, constant) is None:
            yield Problem(layout.constant_folder(constant), "the message names it, and it is not there")
    changed = {
        found: None
        for touch in touches
        if touch.path.rpartition("/")[2] in layout.PAYLOAD_FILES and (found := constant_of(touch.path)) is not None
    }
    adds = message.action in {Action.ADD, Action.RESTORE}
    for constant in changed:
        if not adds or constant not in named:
            reason = f"its data change, and the message (Calibvcs-Action: {message.action}) does not say so"
            yield Problem(layout.constant_folder(constant), reason, "name it in a Calibvcs-Constant of an add")
    if message.action is Action.RESTORE:
        yield from _restored(message, snapshot, store)


def _restored(message: Message, snapshot: Snapshot, store: IncomingStore) -> Iterator[Problem]:
    try:
        if store.kind(message.restored) != "commit":
            return  # history was rewritten: it goes by the data
        for constant in message.constants:
            then, now = _data(Snapshot(store, message.restored), constant), _data(snapshot, constant)
            if then is not None and then != now:
                reason = f"its data are not those of commit {message.restored[:12]}, which the message restores"
                yield Problem(layout.constant_folder(constant), reason)
    except CalibvcsError as error:
        yield Problem("", error.problem)


def _data(snapshot: Snapshot, constant: ConstantName) -> tuple[str, str] | None:
    """Return name and blob of the data of a constant."""
    names = snapshot.names(layout.constant_folder(constant))
    return next(((file, names[file].id) for file in layout.PAYLOAD_FILES if file in names), None)


def _metadata(snapshot: Snapshot, constant: ConstantName, store: IncomingStore) -> Metadata | None:
    path = f"{layout.constant_folder(constant)}/{layout.META_FILE}"
    try:
        blob = snapshot.blob_id(path)
        return meta_toml.decode(store.content(blob, _DOCUMENT_BYTES)[1], path) if blob else None
    except CalibvcsError:  # told where the file came in
        return None
