"""What became of every constant, commit by commit: its versions, and which of them is the default."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.model import layout
from calibvcs.model.commits import Action
from calibvcs.model.names import ConstantName
from calibvcs.store.journal import Line, Touch
from calibvcs.store.objects.trees import changed_files
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from calibvcs.model.commits import Commit
    from calibvcs.store.journal import Journal
    from calibvcs.store.protocol import ReadableStore

_RECORDS = (layout.DETECTOR_FILE, layout.ALIASES_FILE, layout.CTYPE_FILE)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a constant: its number, and the commit that added it."""

    constant: ConstantName
    number: int
    commit: Commit

    @property
    def name(self) -> str:
        """``v1``, ``v2``, ..."""
        return f"v{self.number}"


@dataclass(frozen=True, slots=True)
class Thread:
    """What became of one constant: number of its versions, those since the journal ends, and the default."""

    count: int
    added: tuple[Version, ...]
    default: Version | None


class Threads:
    """The constants as they stand after some commit, on top of what a journal knows.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    journal : Journal or None
        What is known of older commits.
    threads : dict, optional
        What is known since.
    """

    def __init__(
        self, store: ReadableStore, journal: Journal | None, threads: dict[ConstantName, Thread] | None = None
    ) -> None:
        self._store = store
        self.journal = journal
        self.changed: dict[ConstantName, Thread] = threads or {}

    def copy(self) -> Threads:
        """Return the same, to go on from."""
        return Threads(self._store, self.journal, dict(self.changed))

    def of(self, constant: ConstantName) -> Thread:
        """Return what became of a constant."""
        thread = self.changed.get(constant)
        if thread is None and self.journal:
            count, default = self.journal.standing(str(constant))
            thread = self.changed[constant] = Thread(count, (), Version(constant, *default) if default else None)
        return thread or Thread(0, (), None)

    def versions(self, constant: ConstantName) -> tuple[Version, ...]:
        """Return all versions of a constant, v1 first."""
        older = self.journal.versions(str(constant)) if self.journal else []
        return (*(Version(constant, number, commit) for number, commit in older), *self.of(constant).added)

    def take_in(self, commit: Commit, *, closed: bool) -> Line:
        """Go on by one commit, and return what it did."""
        message = commit.message
        action = message.action.value if message.action else None
        constants, settled = dict.fromkeys(message.constants), set[ConstantName]()
        if len(commit.parents) > 1:
            settled = self._settle(commit)
        records: tuple[str, ...] = ()
        if message.action in {None, Action.MERGE}:  # what a merge has of its own is told by its files only
            by_hand, constants = self._made_by_hand(commit)
            action = action or by_hand
        elif message.action is Action.ADD:
            for constant in constants:
                self._add(constant, commit)
        elif message.action is Action.RESTORE:
            for constant in constants:
                self._restore(constant, commit, message.restored)
        if not constants:
            changed = set.intersection(*self._changed(commit))
            records = tuple(sorted(path for path in changed if path.rpartition("/")[2] in _RECORDS))
        touches = tuple(self._touch(constant, commit) for constant in {**constants, **dict.fromkeys(settled)})
        versions = tuple((touch.constant, f"v{touch.version}" if touch.version else "") for touch in touches)
        return Line(commit, closed, action, versions[: len(constants)], touches, records)

    def _touch(self, constant: ConstantName, commit: Commit) -> Touch:
        thread = self.of(constant)
        default = thread.default
        added = bool(thread.added) and thread.added[-1].commit is commit
        return Touch(str(constant), default.number if default else 0, default.commit.id if default else "", added)

    def _add(self, constant: ConstantName, commit: Commit) -> None:
        thread = self.of(constant)
        new = Version(constant, thread.count + 1, commit)
        self.changed[constant] = Thread(new.number, (*thread.added, new), new)

    def _set_default(self, constant: ConstantName, default: Version | None) -> None:
        self.changed[constant] = replace(self.of(constant), default=default)

    def _restore(self, constant: ConstantName, commit: Commit, restored: str) -> None:
        named = [version for version in self.versions(constant) if version.commit.id == restored]
        if named:
            self._set_default(constant, named[0])
        else:  # the history was rewritten: go by the data
            self._go_by_data(constant, payload_blob(self._store, commit.id, constant))

    def _go_by_data(self, constant: ConstantName, blob: str | None) -> bool:
        """Let the newest version with these data be the default; tell whether there is one."""
        default = self.of(constant).default
        if blob is None:
            self._set_default(constant, None)
            return True
        if default is None or payload_blob(self._store, default.commit.id, constant) != blob:
            same = [
                version
                for version in self.versions(constant)
                if payload_blob(self._store, version.commit.id, constant) == blob
            ]
            if not same:
                return False
            self._set_default(constant, same[-1])
        return True

    def _settle(self, commit: Commit) -> set[ConstantName]:
        """Find the default of every constant whose data a merge chose from one of its sides, and return these."""
        settled = set()
        for path in set.union(*self._changed(commit)):
            constant = constant_of(path)
            if constant and path.rpartition("/")[2] in layout.PAYLOAD_FILES:
                self._go_by_data(constant, payload_blob(self._store, commit.id, constant))
                settled.add(constant)
        return settled

    def _changed(self, commit: Commit) -> list[set[str]]:
        """Return the files that differ from each parent."""
        trees: list[str | None] = [self._store.commit(parent).tree for parent in commit.parents]
        return [set(changed_files(self._store.tree, tree, commit.tree)) for tree in trees or [None]]

    def _made_by_hand(self, commit: Commit) -> tuple[str | None, dict[ConstantName, None]]:
        """Take in a commit without trailers, by the files in which it differs from all its parents."""
        touched: dict[ConstantName, bool] = {}
        for path in set.intersection(*self._changed(commit)):
            constant = constant_of(path)
            if constant:
                touched[constant] = touched.get(constant, False) or path.rpartition("/")[2] in layout.PAYLOAD_FILES
        action: Action | None = None
        for constant in (constant for constant, data in touched.items() if data):
            blob = payload_blob(self._store, commit.id, constant)
            if not self._go_by_data(constant, blob):
                self._add(constant, commit)
                action = Action.ADD
            elif blob is not None and action is None:
                action = Action.RESTORE
        return action.value if action else None, dict.fromkeys(sorted(touched))


def payload_blob(store: ReadableStore, commit_id: str, constant: ConstantName) -> str | None:
    """Return the id of the data of a constant at a commit; None where there are none."""
    names = Snapshot(store, commit_id).names(layout.constant_folder(constant))
    return next((names[file].id for file in layout.PAYLOAD_FILES if file in names), None)


def constant_of(path: str) -> ConstantName | None:
    """Return the constant that a file belongs to, or None; foreign files of any depth belong to none."""
    try:
        return layout.constant_of(path)
    except CalibvcsError:
        return None
