"""Versions: what became of every constant, commit by commit.

A version of a constant is a commit that added its data: one that says so in its trailers, or one made by hand that
changed the file. v1 is the oldest. A commit that brings old data back makes no new version, nor does one that takes the
constant away, nor a merge whose outcome stands on one of its sides.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, UnknownVersionError
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.names import ConstantName, parse_version
from calibvcs.store.snapshot import Snapshot
from calibvcs.store.trees import changed_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.model.commits import Commit
    from calibvcs.store.protocol import ReadableStore


_LONGEST_STEP = 100


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
class Event:
    """One commit and what it did.

    Attributes
    ----------
    commit : Commit
        The commit.
    message : Message
        Its message, read.
    action : Action or None
        What it did; for a commit made by hand, as far as its files tell; None where it neither added nor restored data.
    versions : mapping of ConstantName to str
        The constants it touched, each with the version that was the default afterwards ("" where it has none).
    """

    commit: Commit
    message: Message
    action: Action | None
    versions: Mapping[ConstantName, str]


@dataclass(frozen=True, slots=True)
class _Thread:
    versions: tuple[Version, ...] = ()
    default: Version | None = None


class History:
    """Everything that led to one commit.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    commit_id : str or None
        The newest commit to look at.
    before : History, optional
        What is known already: where this history goes on from it, only the commits since are read.
    """

    def __init__(self, store: ReadableStore, commit_id: str | None, before: History | None = None) -> None:
        self._store = store
        self.commit_id = commit_id
        since = _since(store, commit_id, before.commit_id) if before and commit_id else None
        known: tuple[Event, ...] = ()
        self._threads: dict[ConstantName, _Thread] = {}
        if since is not None and before is not None:
            self._threads, known = dict(before._threads), before.events
        newest_first = since if since is not None else list(_by_date(store, commit_id)) if commit_id else []
        self.events: tuple[Event, ...] = (*[self._event(commit) for commit in reversed(newest_first)][::-1], *known)

    def versions(self, constant: ConstantName) -> tuple[Version, ...]:
        """Return the versions of a constant, v1 first."""
        thread = self._threads.get(constant)
        return thread.versions if thread else ()

    def default(self, constant: ConstantName) -> Version | None:
        """Return the version that is the default at the newest commit; None where history knows none."""
        thread = self._threads.get(constant)
        return thread.default if thread else None

    def version(self, constant: ConstantName, given: str) -> Version:
        """Return a version by ``vN``, or by the beginning of its commit id.

        Raises
        ------
        UnknownVersionError
            If the constant has no such version.
        """
        known = self.versions(constant)
        number = parse_version(given)
        for version in known:
            if version.number == number or (len(given) >= 4 and version.commit.id.startswith(given)):
                return version
        raise UnknownVersionError(str(constant), given, tuple(version.name for version in known))

    def blob(self, version: Version) -> str | None:
        """Return the id of the data of a version."""
        return _payload_blob(self._store, version.commit.id, version.constant)

    def _event(self, commit: Commit) -> Event:
        message = commit.message
        action, constants = message.action, message.constants
        if len(commit.parents) > 1:
            self._settle(commit)
        if action is None:
            action, constants = self._made_by_hand(commit)
        elif action in {Action.ADD, Action.RESTORE}:
            for constant in constants:
                if action is Action.ADD:
                    self._add(constant, commit)
                else:
                    self._restore(constant, commit, message.restored)
        versions = {constant: self._name(constant) for constant in constants}
        return Event(commit, message, action, versions)

    def _thread(self, constant: ConstantName) -> _Thread:
        return self._threads.get(constant, _Thread())

    def _add(self, constant: ConstantName, commit: Commit) -> None:
        versions = self._thread(constant).versions
        new = Version(constant, len(versions) + 1, commit)
        self._threads[constant] = _Thread((*versions, new), new)

    def _set_default(self, constant: ConstantName, default: Version | None) -> None:
        self._threads[constant] = _Thread(self._thread(constant).versions, default)

    def _restore(self, constant: ConstantName, commit: Commit, restored: str) -> None:
        named = [version for version in self._thread(constant).versions if version.commit.id == restored]
        if named:
            self._set_default(constant, named[0])
        else:  # the history was rewritten: go by the data
            self._go_by_data(constant, _payload_blob(self._store, commit.id, constant))

    def _go_by_data(self, constant: ConstantName, blob: str | None) -> bool:
        """Let the newest version with these data be the default; tell whether there is one."""
        thread = self._thread(constant)
        if blob is None:
            self._set_default(constant, None)
            return True
        if thread.default is None or self.blob(thread.default) != blob:
            same = [version for version in thread.versions if self.blob(version) == blob]
            if not same:
                return False
            self._set_default(constant, same[-1])
        return True

    def _settle(self, commit: Commit) -> None:
        """Find the default of every constant whose data a merge chose from one of its sides."""
        for path in set.union(*self._changed(commit)):
            constant = constant_of(path)
            if constant and path.rpartition("/")[2] in layout.PAYLOAD_FILES:
                self._go_by_data(constant, _payload_blob(self._store, commit.id, constant))

    def _changed(self, commit: Commit) -> list[set[str]]:
        """Return the files that differ from each parent."""
        trees: list[str | None] = [self._store.commit(parent).tree for parent in commit.parents]
        return [set(changed_files(self._store.tree, tree, commit.tree)) for tree in trees or [None]]

    def _name(self, constant: ConstantName) -> str:
        default = self.default(constant)
        return default.name if default else ""

    def _made_by_hand(self, commit: Commit) -> tuple[Action | None, tuple[ConstantName, ...]]:
        """Take in a commit without trailers, by the files in which it differs from all its parents."""
        touched: dict[ConstantName, bool] = {}
        for path in set.intersection(*self._changed(commit)):
            constant = constant_of(path)
            if constant:
                touched[constant] = touched.get(constant, False) or path.rpartition("/")[2] in layout.PAYLOAD_FILES
        action = None
        for constant in (constant for constant, data in touched.items() if data):
            blob = _payload_blob(self._store, commit.id, constant)
            if not self._go_by_data(constant, blob):
                self._add(constant, commit)
                action = Action.ADD
            elif blob is not None and action is None:
                action = Action.RESTORE
        return action, tuple(sorted(touched))


def _since(store: ReadableStore, tip: str, known: str | None) -> list[Commit] | None:
    """Return the commits made one after another since a known one, newest first; None where it is not as simple."""
    commits: list[Commit] = []
    while tip != known:
        commit = store.commit(tip)
        if len(commit.parents) != 1 or len(commits) == _LONGEST_STEP:
            return None
        commits.append(commit)
        tip = commit.parents[0]
    return commits


def _by_date(store: ReadableStore, tip: str) -> Iterator[Commit]:
    """Yield the commits that led to one, newest first, no commit before one that was made on it."""
    commits: dict[str, Commit] = {}
    waiting, children = [tip], dict.fromkeys([tip], 0)
    while waiting:
        commit = store.commit(waiting.pop())
        commits[commit.id] = commit
        for parent in commit.parents:
            children[parent] = children.get(parent, 0) + 1
            if parent not in commits and children[parent] == 1:
                waiting.append(parent)
    ready = [(-commits[tip].committer.time, 0, tip)]
    order = 0
    while ready:
        commit = commits[heapq.heappop(ready)[2]]
        yield commit
        for parent in commit.parents:
            children[parent] -= 1
            if children[parent] == 0:
                order += 1
                heapq.heappush(ready, (-commits[parent].committer.time, order, parent))


def _payload_blob(store: ReadableStore, commit_id: str, constant: ConstantName) -> str | None:
    names = Snapshot(store, commit_id).names(layout.constant_folder(constant))
    return next((names[file].id for file in layout.PAYLOAD_FILES if file in names), None)


def constant_of(path: str) -> ConstantName | None:
    """Return the constant that a file belongs to, or None; foreign files of any depth belong to none."""
    try:
        return layout.constant_of(path)
    except CalibvcsError:
        return None
