"""Constants that another store kept, with their history: each version becomes a commit of its own time and author."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import NothingToChangeError
from calibvcs.formats.toml import detector_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.detector import Detector
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.names import DetectorName
from calibvcs.model.times import as_text
from calibvcs.model.validity import TIME_LIMIT
from calibvcs.ops import transaction
from calibvcs.ops.add import add
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.default import set_default
from calibvcs.ops.new_constant import NewConstant
from calibvcs.store.objects.encoding import clean_person, object_id
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from calibvcs.model.commits import Person
    from calibvcs.model.detector import Parameters
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.detector import DetectorChange
    from calibvcs.ops.history import History
    from calibvcs.ops.payload import Payload
    from calibvcs.store.protocol import Store

_UTC = 0
_NO_ADDRESS = re.compile(r"[^a-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_OWN_TRAILER = re.compile(r"(?im)^(?=Calibvcs-[a-z]+[ \t]*:)")


@dataclass(frozen=True, slots=True)
class Kept:
    """One version as another store kept it.

    Attributes
    ----------
    constant : ConstantName
        Detector, ctype and range.
    load : callable
        Reads the data when their turn comes, so that one payload at a time is in memory.
    comment : str
        Why it was made, as that store has it; what a commit cannot say is replaced, and an empty one tells the source.
    time : int or None
        When it was made, UNIX seconds; None where nobody knows. Times that no commit can have count as unknown.
    author : tuple of str or None
        Name and e-mail address of who made it; None where nobody knows. An empty address becomes one that tells so.
    default : bool
        Whether it is the version that readers of that store got.
    origin, unit, convention, parameters, provenance
        As in `NewConstant`.
    """

    constant: ConstantName
    load: Callable[[], Payload]
    comment: str
    time: int | None = None
    author: tuple[str, str] | None = None
    default: bool = True
    origin: Origin = field(default_factory=Origin)
    unit: str = ""
    convention: str = ""
    parameters: Parameters = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def new(self, payload: Payload) -> NewConstant:
        """Return what is to be added."""
        return NewConstant(
            detector=str(self.constant.detector),
            ctype=self.constant.ctype,
            payload=payload,
            begin=None,
            origin=self.origin,
            unit=self.unit,
            convention=self.convention,
            parameters=self.parameters,
            provenance=self.provenance,
            validity=self.constant.validity,
        )


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What was taken over.

    Attributes
    ----------
    source : str
        Where from.
    detectors : tuple of str
        Detectors that were registered for it.
    added : tuple of str
        New versions, ``DET/CTYPE/RANGE@vN``.
    known : tuple of str
        Constants whose data were versions here already; nothing was done for them.
    defaults : tuple of str
        Versions that became the default again, since they were the default there.
    passed_over : tuple of str
        What was not taken, each with the reason.
    commit : str
        Newest commit afterwards.
    """

    schema: ClassVar[str] = "calibvcs.import/1"

    source: str
    detectors: tuple[str, ...]
    added: tuple[str, ...]
    known: tuple[str, ...]
    defaults: tuple[str, ...]
    passed_over: tuple[str, ...]
    commit: str


def take_over(
    store: Store,
    author: Person,
    source: str,
    versions: Sequence[Kept],
    detectors: Mapping[DetectorName, DetectorChange] | None = None,
    passed_over: Iterable[str] = (),
) -> TakenOver:
    """Take over versions, oldest first, each as a commit; taking over the same again changes nothing.

    The gate judges them, but does not refuse: they were in force, and history tells what it found.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it: the committer, and the author where none is known.
    source : str
        Where from, for messages.
    versions : sequence of Kept
        The versions of every constant in the order in which they were made.
    detectors : mapping, optional
        What is known of the detectors; those that are not here yet are registered, in one commit, with the detectors
        that they replaced or that replaced them.
    passed_over : iterable of str, optional
        What the reader of the source left out, each with the reason; it is only handed on.

    Returns
    -------
    TakenOver
        What was added, and what was here already.

    Raises
    ------
    LockedError
        If a default here is protected; nothing was changed for its constant, and nothing after it.
    InvalidDataError
        If data cannot be read; the versions before them stay.
    """
    source = sound_comment(source, "another store")
    registered = register(store, author, source, detectors or {})
    standing = {name: _Standing(store, name) for name in dict.fromkeys(version.constant for version in versions)}
    added: list[str] = []
    known: dict[str, None] = {}
    for kept in _in_order(versions):
        name, payload = kept.constant, kept.load()
        version = standing[name].next_with(payload)
        if version:
            known[str(name)] = None
        else:
            reason = f"taken over from {source}"
            comment = sound_comment(kept.comment, f"Take over from {source}")
            made = add(store, _person(author, kept), [kept.new(payload)], comment, force_reason=reason)
            version = made.constants[0].version
            added.append(f"{name}@{version}")
            standing[name].changed = True
        standing[name].newest = version
        if kept.default:
            standing[name].default = version
    defaults = tuple(_defaults(store, author, source, standing))
    return TakenOver(source, registered, tuple(added), tuple(known), defaults, tuple(passed_over), store.tip() or "")


def sound_comment(text: str, otherwise: str) -> str:
    """Return a comment of another store as a commit can have it.

    Parameters
    ----------
    text : str
        The comment.
    otherwise : str
        What is said where it is empty.

    Returns
    -------
    str
        The same, with spaces for control characters, and lines that look like our trailers set in.
    """
    return _OWN_TRAILER.sub("> ", _CONTROL.sub(" ", text.replace("\r\n", "\n"))).strip() or otherwise


def _in_order(versions: Sequence[Kept]) -> list[Kept]:
    """Sort by time, but keep the versions of each constant in their order, whatever their clocks said."""
    dated = {kept.constant for kept in versions if _time(kept) is not None}
    latest: dict[ConstantName, float] = {}
    moments: list[float] = []
    for kept in versions:
        before = latest.get(kept.constant, float("-inf" if kept.constant in dated else "inf"))
        time = _time(kept)
        latest[kept.constant] = before if time is None else max(before, time)
        moments.append(latest[kept.constant])
    return [versions[number] for number in sorted(range(len(versions)), key=moments.__getitem__)]


def _time(kept: Kept) -> int | None:
    return kept.time if kept.time is not None and 0 <= kept.time < TIME_LIMIT else None


class _Standing:
    """What is here of one constant, and how far the versions of the source are known.

    Parameters
    ----------
    store : Store
        Here.
    name : ConstantName
        The constant.
    """

    def __init__(self, store: Store, name: ConstantName) -> None:
        history = Catalogue(Snapshot(store, store.tip())).history
        self._versions = [(version.name, history.blob(version)) for version in history.versions(name)]
        self.changed = False
        self.default = self.newest = ""

    def next_with(self, payload: Payload) -> str:
        """Return the next version with these data, "" for none; the same data may be made again later."""
        if not self._versions:
            return ""
        blob = object_id("blob", payload.buffers)
        for index, (version, data) in enumerate(self._versions):
            if data == blob:
                del self._versions[: index + 1]
                return version
        return ""


def _address(name: str) -> str:
    """Return what stands for an e-mail address that nobody knows: Git's own checks want one."""
    return f"{_NO_ADDRESS.sub('.', name.lower()).strip('.-') or 'somebody'}@unknown.invalid"


def _person(author: Person, kept: Kept) -> Person:
    name, email = (clean_person(_CONTROL.sub(" ", part)) for part in kept.author or ("", ""))
    time = _time(kept)
    return author._replace(
        name=name or author.name,
        email=(email or _address(name)) if name else author.email,
        author_date=author.author_date if time is None else (time, _UTC),
    )


def register(
    store: Store, author: Person, source: str, known: Mapping[DetectorName, DetectorChange]
) -> tuple[str, ...]:
    """Register what is not here yet, all at once: detectors that replaced each other know each other.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it; its time is that of the registration.
    source : str
        Where from, for the message.
    known : mapping
        What is known of the detectors.

    Returns
    -------
    tuple of str
        Those that were registered, and the detectors that they replaced or that replaced them; sorted.
    """
    created = as_text(author.sign()[0].time)

    def plan(catalogue: Catalogue) -> transaction.Plan[tuple[str, ...]]:
        here = set(catalogue.detectors)
        new = {name: _record(name, change, created) for name, change in known.items() if name not in here}
        for name in list(new):
            for other in filter(None, (new[name].predecessor, new[name].successor)):
                neighbour = DetectorName.parse(other)
                if neighbour not in here:
                    new.setdefault(neighbour, Detector(neighbour, created=created))
        names = tuple(sorted(map(str, new)))
        if not new:
            raise NothingToChangeError("detectors", "are registered already")
        edits = {layout.detector_file(name): detector_toml.encode(record) for name, record in new.items()}
        what = names[0] if len(names) == 1 else f"{len(names)} detectors"
        return transaction.Plan(edits, Message(f"Register {what}, as {source} has it", Action.DETECTOR), names)

    try:
        return transaction.commit(store, author, plan)[1]
    except NothingToChangeError:
        return ()


def _record(name: DetectorName, change: DetectorChange, created: str) -> Detector:
    others = (str(DetectorName.parse(other)) if other else "" for other in (change.predecessor, change.successor))
    predecessor, successor = ("" if other == str(name) else other for other in others)
    return Detector(
        name, change.longname or "", change.segments or (), predecessor, successor, created, change.parameters or {}
    )


def _defaults(store: Store, author: Person, source: str, standing: Mapping[ConstantName, _Standing]) -> Iterator[str]:
    """Let the defaults of the source be defaults here, where it brought something new, or was broken off before."""
    for name, state in standing.items():
        history = Catalogue(Snapshot(store, store.tip())).history
        default = history.default(name)
        if not state.default or (default is not None and default.name == state.default):
            continue
        if state.changed or (default is not None and default.name == state.newest and not _decided(history, name)):
            wanted = f"{name}@{state.default}"
            set_default(store, author, wanted, f"Take over the default of {source}", author.sign()[1].time)
            yield wanted


def _decided(history: History, name: ConstantName) -> bool:
    """Tell whether somebody chose the default of a constant here."""
    events = history.events(str(name))
    return any(event.action == Action.RESTORE and str(name) in dict(event.versions) for event in events)
