"""``default``, ``lock``, ``unlock`` and ``withdraw``: which version of a constant readers get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import DamagedObjectError, InvalidOptionError, LockedError, NothingToChangeError
from calibvcs.formats.toml import meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message, clean_comment
from calibvcs.model.times import as_text
from calibvcs.ops import transaction
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import locate, locate_version
from calibvcs.ops.version_states import last_metadata
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.model.commits import Person
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a constant, and whether it is the default."""

    version: str
    commit: str
    author: str
    date: str
    comment: str
    blob: str
    default: bool


@dataclass(frozen=True, slots=True)
class Default:
    """The versions of a constant and its state.

    Attributes
    ----------
    constant : str
        Its name.
    version : str
        The version that is the default.
    locked, withdrawn : bool
        State; the reasons stand in `lock_reason` and `withdrawn_reason`.
    versions : tuple of VersionRow
        v1 first.
    commit : str
        The commit that changed it; empty for a mere look.
    """

    schema: ClassVar[str] = "calibvcs.default/1"

    constant: str
    version: str
    locked: bool
    lock_reason: str
    withdrawn: bool
    withdrawn_reason: str
    versions: tuple[VersionRow, ...]
    commit: str = ""


def show_default(catalogue: Catalogue, given: str, now: float) -> Default:
    """Return the versions of a constant and which one is the default.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE``.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Default
        Its versions and state.

    Raises
    ------
    UnknownConstantError
        If it is not there.
    """
    return _show(catalogue, locate(catalogue.snapshot.store, catalogue, given, now).constant)


def set_default(store: Store, author: Person, given: str, message: str, now: float) -> Default:
    """Make an older or newer version the default again; no version is lost, and none is made.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    given : str
        ``DET/CTYPE/RANGE@vN``.
    message : str
        Why.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Default
        State afterwards.

    Raises
    ------
    UnknownVersionError
        If there is no such version.
    LockedError
        If the default is protected.
    NothingToChangeError
        If that version is the default already, and not withdrawn.
    """

    def plan(catalogue: Catalogue) -> transaction.Plan[ConstantName]:
        version = locate_version(catalogue, given, now)
        constant = version.constant
        current = catalogue.metadata(constant)
        if current.locked:
            raise LockedError(str(constant), current.lock_reason)
        default = catalogue.history.default(constant)
        if default == version and not current.withdrawn:
            raise NothingToChangeError(f"{constant}@{version.name}", "is the default already")
        then = Catalogue(Snapshot(store, version.commit.id))
        file, entry = then.payload(constant)
        if store.kind(entry.id) != "blob":
            raise DamagedObjectError(entry.id, "it is missing", f"{constant}@{version.name}")
        folder = layout.constant_folder(constant)
        edits: dict[str, bytes | str | None] = {f"{folder}/{f}": None for f in layout.PAYLOAD_FILES}
        edits[f"{folder}/{file}"] = entry.id
        metadata = last_metadata(catalogue, constant, [version])[version.name]
        edits[f"{folder}/{layout.META_FILE}"] = meta_toml.encode(metadata)
        edits = {
            path: new
            for path, new in edits.items()
            if new or path.rpartition("/")[2] in catalogue.snapshot.names(folder)
        }
        restored = Message(message, Action.RESTORE, (constant,), restored=version.commit.id)
        return transaction.Plan(edits, restored, constant)

    return _changed(store, author, plan)


def set_state(store: Store, author: Person, given: str, message: str, now: float, action: Action) -> Default:
    """Lock, unlock or withdraw the default of a constant.

    A locked default is protected: ``add``, ``default set`` and ``withdraw`` refuse, and show the message. A withdrawn
    one is bad: readers skip the range until another version becomes its default.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    given : str
        ``DET/CTYPE/RANGE``.
    message : str
        Why.
    now : float
        When an alias is to be resolved, UNIX seconds.
    action : {Action.LOCK, Action.UNLOCK, Action.WITHDRAW}
        What is to be done.

    Returns
    -------
    Default
        State afterwards.

    Raises
    ------
    NothingToChangeError
        If it is so already.
    LockedError
        If a locked default is to be withdrawn.
    InvalidOptionError
        If an older version is named: only the default has a state.
    """

    def plan(catalogue: Catalogue) -> transaction.Plan[ConstantName]:
        found = locate(store, catalogue, given, now)
        default = catalogue.history.default(found.constant)
        if found.version != (default.name if default else ""):
            raise InvalidOptionError(
                action.value, given, "only the default of a constant has a state, no older version"
            )
        metadata = _STATES[action](found.constant, catalogue.metadata(found.constant), subject)
        path = f"{layout.constant_folder(found.constant)}/{layout.META_FILE}"
        return transaction.Plan(
            {path: meta_toml.encode(metadata)}, Message(message, action, (found.constant,)), found.constant
        )

    subject = Message(clean_comment(message)).subject
    return _changed(store, author, plan)


def _lock(constant: ConstantName, metadata: Metadata, reason: str) -> Metadata:
    if metadata.locked:
        raise NothingToChangeError(str(constant), f"is locked already ({metadata.lock_reason})")
    return metadata.lock(reason)


def _unlock(constant: ConstantName, metadata: Metadata, _: str) -> Metadata:
    if not metadata.locked:
        raise NothingToChangeError(str(constant), "is not locked")
    return metadata.unlock()


def _withdraw(constant: ConstantName, metadata: Metadata, reason: str) -> Metadata:
    if metadata.locked:
        raise LockedError(str(constant), metadata.lock_reason)
    if metadata.withdrawn:
        raise NothingToChangeError(str(constant), f"is withdrawn already ({metadata.withdrawn_reason})")
    return metadata.withdraw(reason)


_STATES = {Action.LOCK: _lock, Action.UNLOCK: _unlock, Action.WITHDRAW: _withdraw}


def _changed(store: Store, author: Person, plan: Callable[[Catalogue], transaction.Plan[ConstantName]]) -> Default:
    commit, constant = transaction.commit(store, author, plan)
    return replace(_show(Catalogue(Snapshot(store, commit)), constant), commit=commit)


def _show(catalogue: Catalogue, constant: ConstantName) -> Default:
    metadata = catalogue.metadata(constant)
    known = catalogue.history
    default = known.default(constant)
    rows = tuple(
        VersionRow(
            version.name,
            version.commit.id,
            version.commit.author.name,
            as_text(version.commit.author.time),
            version.commit.message.subject,
            known.blob(version) or "",
            version == default,
        )
        for version in known.versions(constant)
    )
    return Default(
        str(constant),
        default.name if default else "",
        metadata.locked,
        metadata.lock_reason,
        metadata.withdrawn,
        metadata.withdrawn_reason,
        rows,
    )
