"""Where the data of a constant come from: the commits that changed them, found by a walk over trees alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.model import layout
from calibvcs.model.times import as_text
from calibvcs.ops.last_change import last_change

if TYPE_CHECKING:
    from calibvcs.model.commits import Commit
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import ReadableStore, TreeEntry


class Origin(NamedTuple):
    """A commit that changed the data of a constant.

    Attributes
    ----------
    commit : Commit
        The commit.
    blob : str
        Id of the data that it brought.
    parents : tuple of str
        Those of its parents that have the constant, with other data.
    """

    commit: Commit
    blob: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """A commit that changed data, as it is shown.

    Attributes
    ----------
    commit, version, action, author, date, comment : str
        Its id, the default version afterwards, what it did (add, restore, ...; ``change`` where it was made by hand),
        who, when, and the first line of why.
    """

    commit: str
    version: str
    action: str
    author: str
    date: str
    comment: str


class Origins:
    """The changes of the data of one constant.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    name : ConstantName
        The constant.
    """

    def __init__(self, store: ReadableStore, name: ConstantName) -> None:
        self._store = store
        self._path = layout.constant_folder(name).split("/")
        self._known: dict[str, str | None] = {}
        self._below: dict[tuple[int, str], str | None] = {}

    def of(self, commit_id: str) -> Origin:
        """Return the commit that brought the data that a commit has, through merges on the way where nothing changed.

        Raises
        ------
        DamagedObjectError
            If a commit or tree on the way is missing or damaged.
        """
        commit = last_change(self._store.commit, commit_id, self._blob)
        parents = tuple(parent for parent in commit.parents if self._blob(parent) is not None)
        return Origin(commit, self._blob(commit.id) or "", parents)

    def _blob(self, commit_id: str) -> str | None:
        if commit_id not in self._known:
            root = self._store.tree(self._store.commit(commit_id).tree)
            entry = root.get(self._path[0])
            self._known[commit_id] = self._find(1, entry.id) if entry and entry.is_tree else None
        return self._known[commit_id]

    def _find(self, depth: int, tree_id: str) -> str | None:
        """Return the id of the data below a tree; what was found is known, since most commits leave the tree alone."""
        key = depth, tree_id
        if key not in self._below:
            names = self._store.tree(tree_id)
            if depth == len(self._path):
                found = next((names[file].id for file in layout.PAYLOAD_FILES if file in names), None)
            else:
                entry: TreeEntry | None = names.get(self._path[depth])
                found = self._find(depth + 1, entry.id) if entry and entry.is_tree else None
            self._below[key] = found
        return self._below[key]


def changed_by(catalogue: Catalogue, name: ConstantName, commits: set[str]) -> dict[str, ChangedBy]:
    """Return some commits that changed a constant as they are shown, by their ids."""
    found: dict[str, ChangedBy] = {}
    for event in catalogue.history.events(str(name)):
        if event.commit.id in commits:
            versions = dict(event.versions)
            found[event.commit.id] = _shown(event.commit, versions.get(str(name), ""), event.action)
        if len(found) == len(commits):
            return found
    # A merge that settled on data of neither side is named by no list of constants.
    return found | {
        commit: _shown(catalogue.snapshot.store.commit(commit), "", None) for commit in commits - found.keys()
    }


def _shown(commit: Commit, version: str, action: str | None) -> ChangedBy:
    author = commit.author
    return ChangedBy(commit.id, version, action or "change", author.name, as_text(author.time), commit.message.subject)
