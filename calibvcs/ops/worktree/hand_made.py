"""An edited constant as something that can be added, or as new metadata; what the person left out is completed."""

from __future__ import annotations

import stat
from dataclasses import replace
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidDataError, InvalidDocumentError, LockedError, MissingFileError
from calibvcs.formats.toml import meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action
from calibvcs.model.metadata import Metadata, Provenance
from calibvcs.ops import payload as payloads
from calibvcs.ops.new_constant import NewConstant
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.worktrees.files import Taken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Payload
    from calibvcs.ops.worktree.edits import EditedConstant
    from calibvcs.store.worktrees.look import LookedAt

DOCUMENT_BYTES = 4 << 20
"""How large a TOML file may be."""

_NEAR = 100


class Read(NamedTuple):
    """A file by hand: its bytes, and what it was when it was read."""

    data: bytes
    taken: Taken


class NewMetadata(NamedTuple):
    """Metadata that were edited beside data that stay.

    Attributes
    ----------
    data : bytes
        The file as it is to be committed.
    action : Action or None
        The verb that would have done the same; None where there is none.
    """

    data: bytes
    action: Action | None


def read_small(root: Path, path: str, looked: int, limit: int = DOCUMENT_BYTES) -> Read:
    """Read a file of the worktree.

    Raises
    ------
    InvalidDataError
        If it is too large.
    MissingFileError
        If it cannot be read.
    """
    try:
        found = (root / path).lstat()
        if not stat.S_ISREG(found.st_mode):
            raise InvalidDataError(path, "it is no plain file")
        with (root / path).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None
    if len(data) > limit:
        raise InvalidDataError(path, f"it has more than {limit} bytes")
    return Read(data, Taken(object_id("blob", [data]), found, looked))


def read_data(root: Path, one: LookedAt, constant: ConstantName) -> Payload:
    """Read the data of an edited constant, in the format that the name of the file promises.

    Raises
    ------
    InvalidDataError
        If they are not in this format.
    MissingFileError
        If they cannot be read.
    """
    file = one.path.rpartition("/")[2]
    try:
        if file == layout.ARRAY_FILE:
            return payloads.from_npy(str(root / one.path))
        text = read_small(root, one.path, 0, payloads.SIZE_LIMIT).data
        return payloads.from_text(text, constant.ctype, one.path)
    except InvalidDataError as error:
        raise InvalidDataError(one.path, error.reason, error.advice) from None


def new_constant(
    catalogue: Catalogue, edited: EditedConstant, payload: Payload, meta: bytes | None, provenance: Provenance
) -> tuple[NewConstant, tuple[str, ...]]:
    """Return an edited constant as `add` takes it, and warnings.

    What ``meta.toml`` says counts, where somebody wrote it for these data. One that is still that of the data before,
    or of another range, tells unit, use and parameters; what it tells of where data come from is not true of these.

    Parameters
    ----------
    catalogue : Catalogue
        The commit.
    edited : EditedConstant
        The constant.
    payload : Payload
        Its new data.
    meta : bytes or None
        Its ``meta.toml``; None where there is none.
    provenance : Provenance
        What is recorded of this program run.

    Returns
    -------
    NewConstant
        What is to be added.
    tuple of str
        What was not taken over.

    Raises
    ------
    InvalidDataError
        If ``meta.toml`` cannot be read, or tells another form than the data have.
    """
    name = edited.name
    new = NewConstant(
        str(name.detector), name.ctype, payload, name.validity.begin, name.validity.end,
        provenance=provenance, validity=name.validity,
    )  # fmt: skip
    if meta is None:
        return new, ()
    said = _decode(meta, name, (payload.dtype, payload.shape))
    new = replace(new, unit=said.unit, convention=said.convention, parameters=said.parameters)
    states = tuple(word for word, is_so in (("locked", said.locked), ("withdrawn", said.withdrawn)) if is_so)
    if object_id("blob", [meta]) in _known(catalogue, name):
        return new, _not_taken(states) if edited.state == "new" else ()
    before = _before(catalogue, name)
    forms = {(payload.dtype, payload.shape), *((one.dtype, one.shape) for one in before)}
    if (said.dtype, said.shape) not in forms:
        told, found = f"{said.dtype} {said.shape}", f"{payload.dtype} {payload.shape}"
        advice = "correct it, or leave dtype, shape and dims out"
        raise InvalidDataError(_path(name), f"it says {told}, the data are {found}", advice)
    if said.provenance not in {Provenance(), *(one.provenance for one in before)}:
        own = said.provenance
        provenance = replace(provenance, command=own.command or provenance.command, inputs=own.inputs)
    return replace(new, origin=said.origin, provenance=provenance), _not_taken(states)


def new_metadata(catalogue: Catalogue, name: ConstantName, meta: bytes, subject: str) -> NewMetadata:
    """Check metadata that were edited beside data that stay.

    Parameters
    ----------
    catalogue : Catalogue
        The commit.
    name : ConstantName
        The constant.
    meta : bytes
        Its ``meta.toml``.
    subject : str
        First line of the comment: the reason of a state that comes without one.

    Returns
    -------
    NewMetadata
        What is to be committed.

    Raises
    ------
    LockedError
        If the constant is locked, and this is not taken away alone.
    InvalidDataError
        If the file cannot be read, or is not that of these data.
    """
    before = catalogue.metadata(name)
    said = _decode(meta, name, (before.dtype, before.shape))
    said = replace(said, dims=said.dims or before.dims)
    if (said.dtype, said.shape, len(said.dims)) != (before.dtype, before.shape, len(before.dims)):
        told, found = (f"{one.dtype} {one.shape} {one.dims}" for one in (said, before))
        raise InvalidDataError(_path(name), f"it says {told}, the data are {found}", "correct it")
    if said.locked and not said.lock_reason:
        said = said.lock(subject)
    if said.withdrawn and not said.withdrawn_reason:
        said = said.withdraw(subject)
    if before.locked and said != before.unlock():
        raise LockedError(str(name), before.lock_reason)
    if before.withdrawn and not said.withdrawn:
        advice = f"calibvcs default set {name}@vN -m WHY makes a version the default again"
        raise InvalidDataError(_path(name), "a withdrawn constant does not come back by an edit", advice)
    actions = {
        Action.UNLOCK: before.unlock(),
        Action.LOCK: before.lock(said.lock_reason),
        Action.WITHDRAW: before.withdraw(said.withdrawn_reason),
    }
    action = next((action for action, after in actions.items() if after == said != before), None)
    return NewMetadata(meta if _is_complete(meta, said) else meta_toml.encode(said), action)


def _decode(meta: bytes, name: ConstantName, form: tuple[str, tuple[int, ...]]) -> Metadata:
    path = _path(name)
    try:
        return meta_toml.decode(meta, path, form=form)
    except InvalidDocumentError as error:
        raise InvalidDataError(path, error.reason, "correct it, or take it away: it is made anew then") from None


def _is_complete(meta: bytes, said: Metadata) -> bool:
    try:
        return meta_toml.decode(meta, "") == said
    except InvalidDocumentError:
        return False


def _known(catalogue: Catalogue, name: ConstantName) -> set[str]:
    """Return the ids of the metadata of a constant, and of the ranges nearest to its own, which it may be a copy of."""
    ranges = catalogue.ranges(name.detector, name.ctype)
    near = nsmallest(_NEAR, ranges, key=lambda other: abs(other.begin - name.validity.begin))
    found = (catalogue.snapshot.blob_id(_path(replace(name, validity=validity))) for validity in near)
    return {one for one in found if one}


def _before(catalogue: Catalogue, name: ConstantName) -> Sequence[Metadata]:
    """Return the metadata of the default; nothing where there is none."""
    data = catalogue.snapshot.read(_path(name))
    return [] if data is None else [meta_toml.decode(data, _path(name))]


def _path(name: ConstantName) -> str:
    return f"{layout.constant_folder(name)}/{layout.META_FILE}"


def _not_taken(states: tuple[str, ...]) -> tuple[str, ...]:
    verbs = {"locked": "lock", "withdrawn": "withdraw"}
    again = "is a change of its own"
    return tuple(f"{layout.META_FILE} says {s}; new data are not: calibvcs {verbs[s]} {again}" for s in states)
