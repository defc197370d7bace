"""Trees: walking them, and the new trees that follow from edits of single files."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.tree_splicing import TreeBytes
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TreeReader: TypeAlias = "Callable[[str], Mapping[str, TreeEntry]]"

_NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # the empty tree: Git knows it, and need not have it on disk


def walk(read: TreeReader, tree_id: str, prefix: str = "") -> Iterator[tuple[str, TreeEntry]]:
    """Yield every file below a tree with its path, in Git's order, without opening any."""
    for name, entry in read(tree_id).items():
        if entry.is_tree:
            yield from walk(read, entry.id, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", entry


def find(read: TreeReader, tree_id: str, path: str) -> TreeEntry | None:
    """Return what a path names below a tree, or None."""
    entry: TreeEntry | None = TreeEntry(TREE_MODE, tree_id)
    for name in path.split("/") if path else ():
        if entry is None or not entry.is_tree:
            return None
        entry = read(entry.id).get(name)
    return entry


def changed_files(read: TreeReader, old: str | None, new: str | None, prefix: str = "") -> Iterator[str]:
    """Yield the paths of the files that differ between two trees; equal subtrees are not opened."""
    if old == new:
        return
    before = dict((read(old) if old else {}).items())
    after = dict((read(new) if new else {}).items())
    for name in sorted({name for name, _ in before.items() ^ after.items()}):
        a, b = before.get(name), after.get(name)
        path = f"{prefix}{name}"
        if (a and not a.is_tree) or (b and not b.is_tree):
            yield path
        yield from changed_files(read, a.id if a and a.is_tree else None, b.id if b and b.is_tree else None, f"{path}/")


def edited(
    read: Callable[[str], bytes], tree_id: str | None, edits: Mapping[str, str | None]
) -> tuple[str, dict[str, bytes]]:
    """Apply edits to a tree; of the trees on the way, only the entries that change are looked at.

    Parameters
    ----------
    read : callable
        Returns the bytes of a tree by its id.
    tree_id : str or None
        Tree to start from; None for an empty one.
    edits : mapping of path to blob id
        Files to be set; None takes a file away, and a folder with its last file.

    Returns
    -------
    tuple of str and dict
        Id of the new tree, and the bytes of every tree that was made, by id.

    Raises
    ------
    DamagedObjectError
        If a tree on the way is missing or no tree.
    """
    made: dict[str, bytes] = {}
    root = _edit_folder(read, tree_id, {tuple(path.split("/")): blob for path, blob in edits.items()}, made)
    if root is None:
        root = _NOTHING
        made[root] = b""
    return root, made


def _edit_folder(
    read: Callable[[str], bytes],
    tree_id: str | None,
    edits: Mapping[tuple[str, ...], str | None],
    made: dict[str, bytes],
) -> str | None:
    tree = TreeBytes(b"" if tree_id in {None, _NOTHING} else read(tree_id), tree_id or "")
    changes: dict[str, TreeEntry | None] = {}
    below: dict[str, dict[tuple[str, ...], str | None]] = {}
    for (name, *rest), blob in edits.items():
        if rest:
            below.setdefault(name, {})[tuple(rest)] = blob
        elif blob is not None:
            changes[name] = TreeEntry(FILE_MODE, blob)
        elif (present := tree.find(name)) and not present.is_tree:
            changes[name] = None
    for name, inner in below.items():
        present = changes[name] if name in changes else tree.find(name)
        folder = _edit_folder(read, present.id if present and present.is_tree else None, inner, made)
        if folder is not None:
            changes[name] = TreeEntry(TREE_MODE, folder)
        elif present and present.is_tree:
            changes[name] = None
    data = tree.changed(changes)
    if not data:
        return None
    new_id = object_id("tree", [data])
    if new_id != tree_id:
        made[new_id] = data
    return new_id
