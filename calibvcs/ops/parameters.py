"""``param``: free parameters of a detector, of one of its ctypes, or of the default of a range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from calibvcs.errors import (
    InvalidNameError,
    InvalidOptionError,
    LockedError,
    NothingToChangeError,
    UnknownParameterError,
)
from calibvcs.formats.toml import ctype_toml, detector_toml, meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.names import ConstantReference
from calibvcs.ops import transaction
from calibvcs.ops.dcs.records import TABLE as RESERVED
from calibvcs.ops.reference import locate
from calibvcs.ops.version_states import last_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.model.commits import Person
    from calibvcs.model.detector import Parameters
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store

    Edit: TypeAlias = Callable[[str, dict[str, Any]], dict[str, Any]]

Level: TypeAlias = Literal["detector", "ctype", "constant"]


@dataclass(frozen=True, slots=True)
class ParameterList:
    """Parameters, and the commit that changed them (empty for a mere look).

    Attributes
    ----------
    target : str
        Whose they are: a detector, ``DET/CTYPE``, or ``DET/CTYPE/RANGE@vN``.
    level : {"detector", "ctype", "constant"}
        What that is.
    parameters : mapping
        By name.
    commit : str
        The commit that changed them.
    """

    schema: ClassVar[str] = "calibvcs.param/1"

    target: str
    level: Level
    parameters: Parameters
    commit: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where parameters stand: the file, what they are, and how the file is made of them."""

    target: str
    level: Level
    path: str
    parameters: dict[str, Any]
    encode: Callable[[dict[str, Any]], bytes]
    constants: tuple[ConstantName, ...] = ()
    lock: str | None = None


def get_parameters(catalogue: Catalogue, target: str, keys: Sequence[str], now: float) -> ParameterList:
    """Return parameters.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    target : str
        ``DET``, ``DET/CTYPE`` or ``DET/CTYPE/RANGE[@vN]``; DET may be an alias.
    keys : sequence of str
        Which are wanted; nothing means all.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    ParameterList
        Those that are wanted.

    Raises
    ------
    UnknownParameterError
        If one that is named is not there.
    UnknownDetectorError, UnknownConstantError, UnknownVersionError, InvalidNameError
        If the target is not there, or no name of one.
    """
    place = _place(catalogue, target, now, writing=False)
    found = {key: value for key, value in place.parameters.items() if key != RESERVED}
    for key in keys:
        if key not in found:
            raise UnknownParameterError(place.target, key, tuple(found))
    wanted = {key: found[key] for key in keys} if keys else found
    return ParameterList(place.target, place.level, wanted)


def set_parameters(
    store: Store, author: Person, target: str, values: Parameters, message: str, now: float
) -> ParameterList:
    """Set parameters; others stay.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    target : str
        ``DET``, ``DET/CTYPE`` or ``DET/CTYPE/RANGE``; the parameters of a range are those of its default version.
    values : mapping
        Values by name.
    message : str
        Why; empty for "Set ... of ...".
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    ParameterList
        All that it has now, and the commit.

    Raises
    ------
    InvalidOptionError
        If nothing is to be set, a name is not allowed, or a version is named that is not the default.
    LockedError
        If the default is protected.
    NothingToChangeError
        If they are set so already.
    CalibvcsError
        The other errors as for `get_parameters`.
    """
    for key in values:
        _check_name(key)
    if not values:
        raise InvalidOptionError("parameters", "", "at least one KEY=VALUE is needed")

    def edit(name: str, before: dict[str, Any]) -> dict[str, Any]:
        after = {**before, **values}
        if after == before and all(type(after[key]) is type(before[key]) for key in values):
            raise NothingToChangeError(f"{', '.join(values)} of {name}", "is set so already")
        return after

    return _changed(store, author, target, edit, message or f"Set {', '.join(values)} of {target}", now)


def unset_parameters(
    store: Store, author: Person, target: str, keys: Sequence[str], message: str, now: float
) -> ParameterList:
    """Take parameters away; history keeps them.

    Parameters
    ----------
    store, author, target
        As for `set_parameters`.
    keys : sequence of str
        Their names.
    message, now
        As for `set_parameters`.

    Returns
    -------
    ParameterList
        All that it has now, and the commit.

    Raises
    ------
    UnknownParameterError
        If one of them is not there.
    CalibvcsError
        The other errors as for `set_parameters`.
    """
    for key in keys:
        _check_name(key)
    if not keys:
        raise InvalidOptionError("parameters", "", "at least one KEY is needed")

    def edit(name: str, before: dict[str, Any]) -> dict[str, Any]:
        for key in keys:
            if key not in before:
                raise UnknownParameterError(name, key, tuple(k for k in before if k != RESERVED))
        return {key: value for key, value in before.items() if key not in keys}

    return _changed(store, author, target, edit, message or f"Unset {', '.join(keys)} of {target}", now)


def _check_name(key: str) -> None:
    if not key or key == RESERVED or not key.isprintable():
        allowed = f"a name of printable characters, not {RESERVED!r}, which importers keep for themselves"
        raise InvalidOptionError("parameters", key, allowed)


def _changed(store: Store, author: Person, target: str, edit: Edit, message: str, now: float) -> ParameterList:
    def plan(catalogue: Catalogue) -> transaction.Plan[ParameterList]:
        place = _place(catalogue, target, now, writing=True)
        if place.lock is not None:
            raise LockedError(place.target, place.lock)
        after = edit(place.target, place.parameters)
        shown = {key: value for key, value in after.items() if key != RESERVED}
        edits: dict[str, bytes | str | None] = {place.path: place.encode(after)}
        if place.level == "ctype" and not after:  # the file holds nothing else
            edits[place.path] = None
        found = ParameterList(place.target, place.level, shown)
        return transaction.Plan(edits, Message(message, Action.PARAM, place.constants), found)

    commit, found = transaction.commit(store, author, plan)
    return replace(found, commit=commit)


def _place(catalogue: Catalogue, target: str, now: float, *, writing: bool) -> _Place:
    reference = ConstantReference.parse(target)
    if reference.ctype is None:
        if reference.version:
            raise InvalidNameError("target", target, "DET, DET/CTYPE or DET/CTYPE/RANGE; a detector has no versions")
        return _of_detector(catalogue, reference.detector, now)
    if reference.validity is None:
        if reference.version:
            raise InvalidNameError("target", target, "DET, DET/CTYPE or DET/CTYPE/RANGE; a ctype has no versions")
        return _of_ctype(catalogue, reference.detector, reference.ctype, now)
    return _of_default(catalogue, target, now, writing=writing)


def _of_detector(catalogue: Catalogue, given: str, now: float) -> _Place:
    name = catalogue.resolve(given, now)
    record, path = catalogue.detector(name), layout.detector_file(name)
    return _Place(
        str(name), "detector", path, dict(record.parameters),
        lambda after: detector_toml.encode(replace(record, parameters=after), catalogue.snapshot.read(path)),
    )  # fmt: skip


def _of_ctype(catalogue: Catalogue, given: str, ctype: str, now: float) -> _Place:
    name = catalogue.resolve(given, now)
    if ctype not in catalogue.ctypes(name):
        raise catalogue.unknown_ctype(name, ctype)
    path = layout.ctype_file(name, ctype)
    data = catalogue.snapshot.read(path)
    before = {} if data is None else ctype_toml.decode(data, path)
    return _Place(f"{name}/{ctype}", "ctype", path, before, lambda after: ctype_toml.encode(after, data))


def _of_default(catalogue: Catalogue, target: str, now: float, *, writing: bool) -> _Place:
    store = catalogue.snapshot.store
    found = locate(store, catalogue, target, now)
    default = catalogue.history.default(found.constant)
    current = found.version == (default.name if default else "")
    if not current and writing:
        advice = f"calibvcs default set {found.constant}@{found.version} makes it the default"
        raise InvalidOptionError("param", target, "only the default version of a range can be changed", advice)
    metadata = catalogue.metadata(found.constant)
    if not current:
        older = [version for version in catalogue.history.versions(found.constant) if version.name == found.version]
        metadata = last_metadata(catalogue, found.constant, older)[found.version]
    return _Place(
        found.label,
        "constant",
        f"{layout.constant_folder(found.constant)}/{layout.META_FILE}",
        dict(metadata.parameters),
        lambda after: meta_toml.encode(replace(metadata, parameters=after)),
        (found.constant,),
        metadata.lock_reason if metadata.locked else None,
    )
