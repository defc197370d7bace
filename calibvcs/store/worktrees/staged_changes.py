"""Where the index has something else than a commit.

The id that a folder of the index would have as a tree is computed from its entries: a tree of the commit that has the
same id need not be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from calibvcs.store.objects.encoding import encode_tree, object_id
from calibvcs.store.protocol import TREE_MODE, TreeEntry
from calibvcs.store.worktrees.index_file import staged_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.store.objects.trees import TreeReader
    from calibvcs.store.worktrees.index_file import Entry

    Folder: TypeAlias = "dict[str, TreeEntry | Folder]"


def staged_changes(
    read: TreeReader, tree: str | None, entries: Mapping[str, Entry]
) -> Iterator[tuple[str, TreeEntry | None]]:
    """Yield the paths of which the index has something else than a commit, with what the commit has.

    Parameters
    ----------
    read : callable
        Returns the names in a tree by its id.
    tree : str or None
        Tree of the commit.
    entries : mapping of str to Entry
        The index, by path.

    Yields
    ------
    tuple of str and TreeEntry or None
        In no order.

    Raises
    ------
    DamagedObjectError
        If a tree is missing or damaged.
    """
    top: Folder = {}
    for path, entry in entries.items():
        staged = staged_of(entry)
        if staged is not None:
            *folders, name = path.split("/")
            folder = top
            for part in folders:
                folder = folder.setdefault(part, {})  # type: ignore[assignment]
            folder[name] = staged
    yield from _differences(read, tree, _Staged.of(top), "")


class _Staged(NamedTuple):
    """A folder as the next commit of C Git would have it."""

    id: str
    names: Mapping[str, TreeEntry]
    below: Mapping[str, _Staged]

    @classmethod
    def of(cls, folder: Folder) -> _Staged:
        below = {name: cls.of(inner) for name, inner in folder.items() if isinstance(inner, dict)}
        names = {name: one for name, one in folder.items() if isinstance(one, TreeEntry)}
        names |= {name: TreeEntry(TREE_MODE, one.id) for name, one in below.items()}
        return cls(object_id("tree", [encode_tree(names)]), names, below)


def _differences(
    read: TreeReader, tree: str | None, staged: _Staged | None, prefix: str
) -> Iterator[tuple[str, TreeEntry | None]]:
    if staged is not None and tree == staged.id:
        return
    before = read(tree) if tree else {}
    after = staged.names if staged else {}
    for name in {*before, *after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        path = f"{prefix}{name}"
        if (old and not old.is_tree) or (new and not new.is_tree):
            yield path, old if old and not old.is_tree else None
        if (old and old.is_tree) or (new and new.is_tree):
            below = staged.below.get(name) if staged else None
            yield from _differences(read, old.id if old and old.is_tree else None, below, f"{path}/")
