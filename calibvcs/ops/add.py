"""``add``: new data become the default of their range, once the gate lets them pass."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidOptionError
from calibvcs.model.commits import Action, Message
from calibvcs.ops import transaction
from calibvcs.ops.candidate import Candidate, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.commits import Person
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.candidate import Changes
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.new_constant import NewConstant
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Added:
    """One constant that was added."""

    constant: ConstantName
    version: str
    commit: str
    blob: str
    changes: Changes | None
    warnings: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddResult:
    """What `add` did."""

    schema: ClassVar[str] = "calibvcs.add/1"

    constants: tuple[Added, ...]
    commit: str


def add(
    store: Store, author: Person, constants: Sequence[NewConstant], message: str, *, force_reason: str = ""
) -> AddResult:
    """Add constants, all in one commit; each becomes the default of its range.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who adds them.
    constants : sequence of NewConstant
        What is to be added; no two for the same range.
    message : str
        Why.
    force_reason : str, optional
        Why data that the gate refuses are right all the same; empty lets the gate decide.

    Returns
    -------
    AddResult
        Constant, version, commit and changes of each.

    Raises
    ------
    GateRefusedError
        If the data look wrong; all reasons are listed.
    LockedError
        If the default of the range is protected.
    UnknownDetectorError, InvalidRangeError, InvalidOptionError, EmptyCommentError
        If the request itself is not in order.
    """
    written: dict[int, str] = {}

    def plan(catalogue: Catalogue) -> transaction.Plan[tuple[Added, ...]]:
        state = State(catalogue)
        edits: dict[str, bytes | str | None] = {}
        added: dict[ConstantName, Added] = {}
        for number, new in enumerate(constants):
            candidate = Candidate(state, new, force=bool(force_reason))
            name = candidate.constant
            if name in added:
                raise InvalidOptionError("constant", str(name), "it is named twice in one change")
            candidate.check()
            if number not in written:
                written[number] = store.put_blob(new.payload.buffers)
            blob = written[number]
            version = candidate.version(blob)
            forced = tuple(map(str, candidate.verdict.refusals))
            added[name] = Added(name, version, "", blob, candidate.changes, candidate.verdict.warnings, forced)
            edits.update(candidate.edits(blob))
        reason = force_reason if any(one.forced for one in added.values()) else ""
        return transaction.Plan(edits, Message(message, Action.ADD, tuple(added), forced=reason), tuple(added.values()))

    Message(message).encode()  # an empty comment is told before arrays are read
    with store.batch() if len(constants) > 1 else nullcontext():
        commit, added = transaction.commit(store, author, plan)
    return AddResult(tuple(replace(one, commit=commit) for one in added), commit)
