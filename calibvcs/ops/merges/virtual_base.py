"""What two sides that have merged each other crosswise started from: their common ancestors, merged into one tree.

Where the ancestors are in conflict, a mark stands that equals nothing, so that the sides have to agree there or are in
conflict, too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDocumentError
from calibvcs.model.three_way import Judge, Rules
from calibvcs.ops.merges.content import merge_content
from calibvcs.store.objects.trees import changed_files
from calibvcs.store.protocol import FILE_MODE, TreeEntry
from calibvcs.store.refs.merge_base import merge_bases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.model.commits import Commit
    from calibvcs.ops.merges.three_trees import Trees

MOST_MERGES = 200
"""Merges of ancestors that are made for one; past these, the mark stands wherever ancestors differ."""


def virtual_base(trees: Trees, read: Callable[[str], Commit], bases: Sequence[str]) -> str | None:
    """Return the tree that two sides started from.

    Parameters
    ----------
    trees : Trees
        Where to read; what is made stays in there.
    read : callable
        Returns a commit by its id.
    bases : sequence of str
        Their best common ancestors.

    Returns
    -------
    str or None
        Id of a tree; where there is but one ancestor, of its own. None where there is none.

    Raises
    ------
    DamagedObjectError
        If a commit, a tree or a record is missing or damaged.
    """
    return _Ancestors(trees, read).joined(tuple(bases))


class _Ancestors:
    def __init__(self, trees: Trees, read: Callable[[str], Commit]) -> None:
        self._trees = trees
        self._read = cache(read)
        self._known: dict[tuple[str, ...], str | None] = {}
        self._merges = 0

    def joined(self, bases: tuple[str, ...]) -> str | None:
        """Return all of some commits as one tree; where these have merged each other crosswise, by their ancestors."""
        if bases not in self._known:
            tree = self._read(bases[0]).tree if bases else None
            for number, other in enumerate(bases[1:], 1):
                tree = self._join(tree or "", bases[:number], other)
            self._known[bases] = tree
        return self._known[bases]

    def _join(self, tree: str, joined: tuple[str, ...], other: str) -> str:
        their_tree = self._read(other).tree
        self._merges += 1
        if self._merges > MOST_MERGES:
            return _marked(self._trees, tree, their_tree)
        base = self.joined(merge_bases(self._read, joined, [other]))
        try:
            return _merged(self._trees, base, tree, their_tree)
        except InvalidDocumentError:  # something that the format does not know, long ago: not to be judged now
            return _marked(self._trees, tree, their_tree)


def _merged(trees: Trees, base: str | None, ours: str, theirs: str) -> str:
    judge = Judge(Rules(), lambda _: None)
    content = merge_content(trees, base, ours, theirs, judge)
    edits = {path: trees.keep(new) if isinstance(new, bytes) else new for path, new in content.edits.items()}
    for path in {path for conflict in judge.open for path in conflict.paths}:
        mark = TreeEntry(FILE_MODE, _mark(trees, path, ours, theirs))
        edits |= trees.exchange(path, trees.find(ours, path), mark)
    return trees.edited(ours, edits)


def _marked(trees: Trees, ours: str, theirs: str) -> str:
    paths = list(changed_files(trees.names, ours, theirs))
    return trees.edited(ours, {path: _mark(trees, path, ours, theirs) for path in paths})


def _mark(trees: Trees, path: str, ours: str, theirs: str) -> str:
    return trees.keep(f"{path} of {ours} and {theirs}\0".encode(errors="surrogateescape"))
