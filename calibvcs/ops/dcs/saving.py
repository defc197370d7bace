"""What a script changed of a detector by the DCS interface, as commits: as few as the rules of versions allow.

New versions and what is noted beside them make one commit; a second new version of the same range, a default that goes
back, and a withdrawal need one each. Where there are several, all of them are tried in memory first, so that a refusal
comes before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from calibvcs.errors import LockedError, NothingToChangeError, UnknownVersionError
from calibvcs.formats.dcs.dcs_hdf5 import Notes
from calibvcs.formats.toml import meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.metadata import Provenance
from calibvcs.ops import transaction
from calibvcs.ops.candidate import Candidate, State
from calibvcs.ops.dcs.new_records import noted, record_edits
from calibvcs.ops.dcs.ranges import range_table
from calibvcs.ops.dcs.records import TABLE, parameters_of
from calibvcs.ops.default import set_default
from calibvcs.ops.new_constant import NewConstant
from calibvcs.ops.worktree.hand_made_records import with_records
from calibvcs.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from calibvcs.model.commits import Person
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.dcs.difference import Difference, NewVersion
    from calibvcs.ops.payload import Payload
    from calibvcs.store.protocol import Store

    Step = Callable[[Store], str]


@dataclass(frozen=True)
class Wish:
    """What is to be saved, and how.

    Attributes
    ----------
    message : str
        Why.
    data : mapping
        Payloads of the new versions: by ctype, range and number, as the interface names them.
    provenance : Provenance
        What is recorded of this program run.
    force_reason : str
        Why data that the gate refuses are right all the same; empty lets the gate decide.
    now : float
        The time of this moment, UNIX seconds.
    """

    message: str
    data: Mapping[tuple[str, str, int], Payload]
    provenance: Provenance = field(default_factory=Provenance)
    force_reason: str = ""
    now: float = 0.0


def save(store: Store, author: Person, difference: Difference, wish: Wish) -> str:
    """Commit what was changed.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    difference : Difference
        What was changed.
    wish : Wish
        Why, and the data.

    Returns
    -------
    str
        Id of the last commit; that of the tip where nothing was changed.

    Raises
    ------
    GateRefusedError, LockedError, EmptyCommentError, UnknownDetectorError
        As for `add` and `default set`; nothing was written.
    InvalidOptionError
        If something was changed that a repository cannot take.
    """
    Message(wish.message).encode()
    if difference.is_empty:
        return store.tip() or ""
    rehearsed = _steps(author, difference, wish)
    if len(rehearsed) > 1:
        rehearsal = MemoryStore(store)
        for step in rehearsed:
            step(rehearsal)
    return [step(store) for step in _steps(author, difference, wish)][-1]


def _steps(author: Person, difference: Difference, wish: Wish) -> list[Step]:
    """Return the commits that are to be made, in their order."""
    saving = _Saving(author, difference, wish)
    rounds = difference.rounds
    first = [()] if difference.records and not rounds else rounds[:1]
    return [
        *([partial(saving.note, before=True)] if difference.noted_before else []),
        *(partial(saving.add, new=new, records=True) for new in first),
        *(partial(saving.add, new=new, records=False) for new in rounds[1:]),
        *(partial(saving.restore, constant=constant, number=n) for constant, n in difference.defaults.items()),
        *([partial(saving.note, before=False)] if difference.noted_after else []),
        *([saving.withdraw] if difference.withdrawn else []),
    ]


class _Saving:
    """One save: makes its commits one after the other."""

    def __init__(self, author: Person, difference: Difference, wish: Wish) -> None:
        self._author, self._difference, self._wish = author, difference, wish
        self._added: dict[tuple[ConstantName, int], str] = {}

    def add(self, store: Store, new: tuple[NewVersion, ...], *, records: bool) -> str:
        """Commit new versions, and records where that is asked for."""
        written: dict[tuple[str, str, int], str] = {}

        def plan(catalogue: Catalogue) -> transaction.Plan[None]:
            beside = record_edits(catalogue, self._difference, self._author) if records else {}
            edits: dict[str, bytes | str | None] = {**beside}
            state = State(with_records(catalogue, beside))
            forced = False
            for one in new:
                candidate = Candidate(state, self._new(catalogue, one), force=bool(self._wish.force_reason))
                candidate.check()
                if one.key not in written:
                    written[one.key] = store.put_blob(self._wish.data[one.key].buffers)
                self._added[one.constant, one.version.number] = candidate.version(written[one.key])
                forced |= bool(candidate.verdict.refusals)
                edits.update(candidate.edits(written[one.key]))
            if not edits:
                raise NothingToChangeError(str(self._difference.detector), "is recorded so already")
            reason = self._wish.force_reason if forced else ""
            names = tuple(one.constant for one in new)
            action = Action.ADD if new else self._difference.action
            return transaction.Plan(edits, Message(self._wish.message, action, names, forced=reason), None)

        try:
            return transaction.commit(store, self._author, plan)[0]
        except NothingToChangeError:  # somebody else wrote the same meanwhile
            return store.tip() or ""

    def _new(self, catalogue: Catalogue, one: NewVersion) -> NewConstant:
        number = one.version.number
        more: dict[str, object] = {}
        if number != catalogue.history.count(one.constant) + 1:
            more["version"] = number
        if one.version.tsprod is not None:
            more["tsprod"] = one.version.tsprod
        if kept := range_table(replace(one.of_range, versdef=0, notes=Notes())):
            more["range"] = kept
        parameters: dict[str, Any] = parameters_of(one.version.notes, more)
        if not parameters[TABLE]:
            del parameters[TABLE]
        return NewConstant(
            str(one.constant.detector),
            one.constant.ctype,
            self._wish.data[one.key],
            one.constant.validity.begin,
            one.constant.validity.end,
            parameters=parameters,
            provenance=self._wish.provenance,
            validity=one.constant.validity,
        )

    def restore(self, store: Store, constant: ConstantName, number: int) -> str:
        """Commit that a version is the default again."""
        name = self._added.get((constant, number)) or self._difference.names.get((constant, number))
        if name is None:
            raise UnknownVersionError(str(constant), f"v{number}", ())
        default = set_default(store, self._author, f"{constant}@{name}", self._wish.message, self._wish.now)
        return default.commit

    def note(self, store: Store, *, before: bool) -> str:
        """Commit what is noted of versions that are the default."""
        changes = self._difference.noted_before if before else self._difference.noted_after

        def plan(catalogue: Catalogue) -> transaction.Plan[None]:
            edits: dict[str, bytes | str | None] = {}
            for change in changes:
                metadata = catalogue.metadata(change.constant)
                if metadata.locked:
                    raise LockedError(str(change.constant), metadata.lock_reason)
                after = noted(metadata.parameters, change.before.notes, change.after.notes)
                if change.before.tsprod != change.after.tsprod:
                    table = dict(after.get(TABLE, {}))
                    table.pop("tsprod", None)
                    if change.after.tsprod is not None:
                        table["tsprod"] = change.after.tsprod
                    after[TABLE] = table
                path = f"{layout.constant_folder(change.constant)}/{layout.META_FILE}"
                edits[path] = meta_toml.encode(replace(metadata, parameters=after))
            names = tuple(change.constant for change in changes)
            return transaction.Plan(edits, Message(self._wish.message, Action.PARAM, names), None)

        return transaction.commit(store, self._author, plan)[0]

    def withdraw(self, store: Store) -> str:
        """Commit that ranges are withdrawn."""
        subject = Message(self._wish.message).subject

        def plan(catalogue: Catalogue) -> transaction.Plan[None]:
            edits: dict[str, bytes | str | None] = {}
            for constant in self._difference.withdrawn:
                metadata = catalogue.metadata(constant)
                if metadata.locked:
                    raise LockedError(str(constant), metadata.lock_reason)
                path = f"{layout.constant_folder(constant)}/{layout.META_FILE}"
                edits[path] = meta_toml.encode(metadata.withdraw(subject))
            message = Message(self._wish.message, Action.WITHDRAW, self._difference.withdrawn)
            return transaction.Plan(edits, message, None)

        return transaction.commit(store, self._author, plan)[0]
